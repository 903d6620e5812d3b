// More distinct rankings than the initial size of their index: it grows, each is stored once, and every client still
// gets what ranking_candidates() says.
#include "steer/steer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "steer/place.h"
#include "view/view.h"

static const struct cost_model model = {
	.access_us = {[SITE_WAVELENGTH] = 10000, [SITE_OUTPOST] = 15000, [SITE_LOCAL_ZONE] = 18000, [SITE_AZ] = 25000,
	              [SITE_REGION] = 25000},
	.us_per_km = 20,
};

static void test_many_rankings(void **state)
{
	enum { SITES = 40, CLIENTS = 3000 };
	static struct site sites[SITES];
	static uint16_t numbers[SITES];
	struct place_builder *builder = place_builder_new(200);
	struct view view = {.sites = sites, .site_count = SITES, .model = model};
	struct ranking_spec spec = {numbers, NULL, SITES, 0, 24, 48};
	struct steer steer;
	uint32_t seen = 0;

	(void)state;
	assert_int_equal(place_source_begin(builder, "many"), E_OK);
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct prefix prefix = {{ADDR_V4, {10, (uint8_t)(i >> 8), (uint8_t)i}}, 24};
		struct place_facts facts = {.latitude = (i * 37 % 1201) / 10.0 - 60, .longitude = (i * 101 % 3571) / 10.0 - 178};

		assert_int_equal(place_source_add(builder, &prefix, &facts), E_OK);
	}
	assert_int_equal(place_source_end(builder), E_OK);
	assert_int_equal(place_finish(builder, &view.places), E_OK);
	place_builder_free(builder);
	for (unsigned i = 0; i < SITES; i++) {
		numbers[i] = (uint16_t)i;
		sites[i] = (struct site){.name = "", .region = "", .kind = SITE_REGION, .is_public = true,
		                         .latitude = (i * 17 % 40) * 3.0 - 60, .longitude = (i * 23 % 40) * 9.0 - 180};
	}

	struct steer_input in = view_steer_input(&view);

	assert_int_equal(steer_build_own(&in, &spec, &steer), E_OK);
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct addr addr = {ADDR_V4, {10, (uint8_t)(i >> 8), (uint8_t)i, 9}};
		struct candidate candidates[SITES];
		uint8_t depth;
		const struct ranking *ranking = steer_ranking(&steer, steer_lookup(&steer, &addr).order);
		unsigned count = ranking_candidates(&in, &spec, places_lookup(view.places, &addr, &depth), candidates);

		assert_int_equal(ranking->order.count, count);
		for (unsigned k = 0; k < count; k++)
			assert_int_equal(ranking->steps[k].slot, candidates[k].slot);
	}
	// Every ranking is there once.
	for (size_t at = 0; at < steer.rankings_len;) {
		const struct ranking *one = (const void *)(steer.rankings + at);
		size_t len = sizeof(*one) + one->order.count * sizeof(one->steps[0]);
		size_t room = (len + RANKING_UNIT - 1) / RANKING_UNIT * RANKING_UNIT;

		for (size_t next = at + room; next < steer.rankings_len; next += room) // all are as long
			if (memcmp((const uint8_t *)one + ORDER_CARRIERS_LEN, steer.rankings + next + ORDER_CARRIERS_LEN,
			           len - ORDER_CARRIERS_LEN) == 0)
				fail();
		at += room;
		seen++;
	}
	assert_int_equal(seen, steer.ranking_count);
	assert_true(seen > 600);
	steer_wipe(&steer);
	places_free(view.places);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_rankings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
