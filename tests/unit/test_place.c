// The prefix table out of several sources, held against a linear scan: field by field in the order of the sources, the
// longest prefix within each; and the depth of every leaf, which is the ECS scope.
#include "steer/place.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

enum { SOURCES = 3, ROWS = 24 };

struct row {
	struct prefix prefix;
	struct place_facts facts;
};

static uint64_t rng_state = 7;

static unsigned rng(unsigned below)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return (unsigned)(rng_state >> 33) % below;
}

// Few distinct bits, so that rows nest and meet.
static struct addr random_addr(uint8_t family)
{
	struct addr addr = {.family = family};

	addr.bytes[0] = family == ADDR_V4 ? 10 : 0x20;
	addr.bytes[1] = (uint8_t)(rng(4) << 6);
	addr.bytes[2] = (uint8_t)(rng(2) << 7);
	addr.bytes[3] = (uint8_t)rng(256);
	return addr;
}

static struct row random_row(uint8_t family)
{
	static const char *const carriers[] = {NULL, "verizon", "kddi"}, *const classes[] = {NULL, "edge", "vpn"},
	                  *const hints[][PLACE_HINTS_MAX] = {{NULL}, {"bos"}, {"nyc", "bos", "chi"}, {"a", "b", "c", "d"}};
	struct addr addr = random_addr(family);
	uint8_t len = (uint8_t)(8 + rng(25));
	const char *carrier = carriers[rng(3)], *class_ = classes[rng(3)], *const *list = hints[rng(4)];
	bool located = rng(2);
	struct row row = {
		{addr_cut(&addr, len), len},
		{
			.carrier = carrier, .carrier_len = carrier ? strlen(carrier) : 0,
			.class_ = class_, .class_len = class_ ? strlen(class_) : 0,
			.latitude = located ? rng(3) : NAN, .longitude = 5,
			.accuracy_km = located && rng(4) == 0 ? 1000 : 10, // over the limit: no coordinates
		},
	};

	for (unsigned i = 0; i < PLACE_HINTS_MAX && list[i]; i++) {
		row.facts.hints[i] = list[i];
		row.facts.hint_lens[i] = strlen(list[i]);
	}
	return row;
}

static bool contains(const struct prefix *prefix, const struct addr *addr)
{
	if (prefix->addr.family != addr->family)
		return false;

	struct addr cut = addr_cut(addr, prefix->len);

	return addr_equal(&cut, &prefix->addr);
}

struct tables {
	struct row rows[SOURCES][ROWS];
};

// The result of a linear scan for an address. Of equal prefixes the later one counts.
static struct place_facts scan(const struct tables *tables, const struct addr *addr)
{
	struct place_facts found = {.latitude = NAN};

	for (int s = 0; s < SOURCES; s++) {
		const struct row *best = NULL;

		for (int i = 0; i < ROWS; i++)
			if (contains(&tables->rows[s][i].prefix, addr) &&
			    (!best || tables->rows[s][i].prefix.len >= best->prefix.len))
				best = &tables->rows[s][i];
		if (!best)
			continue;
		found.carrier = found.carrier ? found.carrier : best->facts.carrier;
		found.class_ = found.class_ ? found.class_ : best->facts.class_;
		if (!found.hints[0])
			memcpy(found.hints, best->facts.hints, sizeof(found.hints));
		if (isnan(found.latitude) && best->facts.accuracy_km <= 200)
			found.latitude = best->facts.latitude;
	}
	return found;
}

static bool text_equal(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static void check_place(const struct places *places, const struct place *place, const struct place_facts *facts)
{
	assert_true(text_equal(names_text(places->carriers, place->carrier), facts->carrier));
	assert_true(text_equal(names_text(places->classes, place->class_), facts->class_));
	for (unsigned i = 0; i < PLACE_HINTS_MAX; i++)
		assert_true(text_equal(names_text(places->hints, place->hints[i]), facts->hints[i]));
	assert_int_equal(isnan(place->latitude), isnan(facts->latitude));
	if (!isnan(facts->latitude))
		assert_true(place->latitude == facts->latitude);
}

// Everything in the block is one place, and the block twice as wide is not.
static void check_block(const struct places *places, const struct tables *tables, const struct addr *addr,
                        const struct place *place, uint8_t depth)
{
	bool wider_differs = depth == 0;

	for (int s = 0; s < SOURCES; s++)
		for (int i = 0; i < ROWS; i++) {
			const struct prefix *prefix = &tables->rows[s][i].prefix;
			struct prefix block = {addr_cut(addr, depth), depth};
			struct prefix wider = {addr_cut(addr, depth ? depth - 1 : 0), depth ? depth - 1 : 0};
			uint8_t other_depth;

			// The row's first address, and the first one beyond its sibling half.
			for (int half = 0; half < 2; half++) {
				struct addr edge = prefix->addr;

				if (half)
					edge.bytes[(prefix->len - 1) / 8] ^= (uint8_t)(0x80 >> (prefix->len - 1) % 8);
				if (contains(&block, &edge))
					assert_ptr_equal(places_lookup(places, &edge, &other_depth), place);
				if (contains(&wider, &edge) && places_lookup(places, &edge, &other_depth) != place)
					wider_differs = true;
			}
		}
	// The other half of the wider block, where no row starts in it.
	struct addr other = *addr;
	uint8_t other_depth;

	if (depth) {
		other.bytes[(depth - 1) / 8] ^= (uint8_t)(0x80 >> (depth - 1) % 8);
		wider_differs = wider_differs || places_lookup(places, &other, &other_depth) != place;
	}
	assert_true(wider_differs);
}

static void against_linear_scan(uint8_t family)
{
	static struct tables tables;

	for (int round = 0; round < 60; round++) {
		struct place_builder *builder = place_builder_new(200);
		struct places *places;

		for (int s = 0; s < SOURCES; s++) {
			assert_int_equal(place_source_begin(builder, "source"), E_OK);
			for (int i = 0; i < ROWS; i++) {
				tables.rows[s][i] = random_row(family);
				assert_int_equal(place_source_add(builder, &tables.rows[s][i].prefix, &tables.rows[s][i].facts), E_OK);
			}
			assert_int_equal(place_source_end(builder), E_OK);
		}
		assert_int_equal(place_finish(builder, &places), E_OK);
		place_builder_free(builder);
		for (int i = 0; i < 200; i++) {
			struct addr addr = random_addr(family);
			uint8_t depth;
			const struct place *place = places_lookup(places, &addr, &depth);
			struct place_facts facts = scan(&tables, &addr);

			uint8_t edge_depth;

			check_place(places, place, &facts);
			assert_int_equal(places_carrier(places, &addr, &edge_depth), place_carrier(places, place));
			assert_true(edge_depth <= depth);
			check_block(places, &tables, &addr, place, depth);
		}
		places_free(places);
	}
}

static void test_v4(void **state)
{
	(void)state;
	against_linear_scan(ADDR_V4);
}

static void test_v6(void **state)
{
	(void)state;
	against_linear_scan(ADDR_V6);
}

// However often a prefix is given in one source, the last row counts.
static void test_repeated(void **state)
{
	enum { TIMES = 300 };
	struct place_builder *builder = place_builder_new(200);
	struct place_facts facts = {.latitude = NAN, .longitude = NAN};
	const struct prefix prefix = {{ADDR_V6, {0x20, 1}}, 32};
	struct places *places = NULL;
	char carrier[8];
	uint8_t depth;

	(void)state;
	facts.carrier = carrier;
	assert_int_equal(place_source_begin(builder, "first"), E_OK);
	for (int i = 0; i < TIMES; i++) {
		facts.carrier_len = (size_t)snprintf(carrier, sizeof(carrier), "c%d", i);
		assert_int_equal(place_source_add(builder, &prefix, &facts), E_OK);
	}
	assert_int_equal(place_source_end(builder), E_OK);
	assert_int_equal(place_finish(builder, &places), E_OK);
	place_builder_free(builder);
	assert_string_equal(names_text(places->carriers, places_lookup(places, &prefix.addr, &depth)->carrier), "c299");
	assert_int_equal(depth, 32);
	places_free(places);
}

static bool has_no_memory;

// In place of the C library's, which would find memory.
void *reallocarray(void *old, size_t count, size_t size)
{
	return has_no_memory ? NULL : realloc(old, count * size);
}

// Out of memory is not "too many places", which would send the operator to the wrong table.
static void test_no_memory(void **state)
{
	struct place_builder *builder = place_builder_new(200);
	struct place_facts facts = {.carrier = "a", .carrier_len = 1, .longitude = 5};
	struct prefix prefix = {{ADDR_V4, {10}}, 32};
	int err = E_OK;

	(void)state;
	assert_int_equal(place_source_begin(builder, "first"), E_OK);
	assert_int_equal(place_source_add(builder, &prefix, &facts), E_OK);
	has_no_memory = true;
	for (unsigned i = 1; i < 10000 && err == E_OK; i++) { // each a place of its own
		prefix.addr.bytes[2] = (uint8_t)(i >> 8);
		prefix.addr.bytes[3] = (uint8_t)i;
		facts.latitude = i / 200.0;
		err = place_source_add(builder, &prefix, &facts);
	}
	has_no_memory = false;
	assert_int_equal(err, E_NOMEM);
	place_builder_free(builder);
}

static void test_refused(void **state)
{
	struct place_builder *builder = place_builder_new(200);
	struct prefix prefix = {{ADDR_V4, {10, 1}}, 16}, tail = {{ADDR_V4, {10, 1}}, 8};
	struct place_facts good = {.latitude = 90, .longitude = -180};
	struct place_facts bad[] = {{.latitude = 90.1}, {.latitude = 0, .longitude = 180.5}, {.latitude = INFINITY},
	                            {.latitude = 0, .longitude = NAN}};
	char long_name[80];
	struct place_facts long_carrier = {.latitude = NAN, .carrier = long_name, .carrier_len = sizeof(long_name)};

	(void)state;
	memset(long_name, 'x', sizeof(long_name));
	assert_int_equal(place_source_begin(builder, "source"), E_OK);
	assert_int_equal(place_source_add(builder, &prefix, &good), E_OK);
	assert_int_equal(place_source_add(builder, &tail, &good), E_INVAL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(place_source_add(builder, &prefix, &bad[i]), E_INVAL);
	assert_int_equal(place_source_add(builder, &prefix, &long_carrier), E_LIMIT);
	assert_int_equal(place_source_end(builder), E_OK);
	for (int i = 1; i < PLACE_SOURCES_MAX; i++) {
		assert_int_equal(place_source_begin(builder, "more"), E_OK);
		assert_int_equal(place_source_end(builder), E_OK);
	}
	assert_int_equal(place_source_begin(builder, "too many"), E_LIMIT);
	place_builder_free(builder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v4),
		cmocka_unit_test(test_v6),
		cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
