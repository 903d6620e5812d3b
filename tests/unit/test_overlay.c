// Apps laid over zones: every name is found as if the apps had been there when the zones were built.
#include "zone/overlay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answer/lookup.h"
#include "base/attr.h"
#include "base/err.h"
#include "draftzone.h"

enum { ROUNDS = 3000, ROWS_MAX = 8, APPS_MAX = 6, LABELS = 4, DEPTH = 3, NAMES = LABELS + LABELS * LABELS + 64 };

static unsigned seed = 11, compared;
static char names[NAMES][64];

static unsigned below(unsigned n)
{
	return (unsigned)rand_r(&seed) % n;
}

// All names of up to DEPTH labels beneath "example".
static void make_names(void)
{
	static const char *const labels[LABELS] = {"a", "b", "c", "*"};
	size_t count = 0;

	for (unsigned i = 0; i < LABELS; i++) {
		snprintf(names[count++], sizeof(names[0]), "%s.example", labels[i]);
		for (unsigned k = 0; k < LABELS; k++) {
			snprintf(names[count++], sizeof(names[0]), "%s.%s.example", labels[k], labels[i]);
			for (unsigned m = 0; m < LABELS; m++)
				snprintf(names[count++], sizeof(names[0]), "%s.%s.%s.example", labels[m], labels[k], labels[i]);
		}
	}
	assert_int_equal(count, NAMES);
}

static struct overlay_app overlay_app(const char *name, int32_t number)
{
	struct overlay_app app = {.app = number};

	app.name.len = draftzone_wire(name, app.name.wire);
	return app;
}

static struct lookup look_up(const struct zonedb *db, const char *text, uint16_t type)
{
	uint8_t wire[NAME_WIRE_MAX];
	struct name name;

	assert_int_equal(name_read(wire, draftzone_wire(text, wire), &name), 0);
	return lookup_name(db, &name, type);
}

static void compare(const char *text, const struct lookup *have, const struct lookup *want)
{
	if (have->result != want->result)
		fail_msg("%s: result %d for %d", text, have->result, want->result);
	assert_int_equal(!have->node, !want->node);
	if (!want->node)
		return;
	if (have->node->app != want->node->app || have->node->flags != want->node->flags ||
	    have->node->rrset_count != want->node->rrset_count || have->node->labels != want->node->labels ||
	    !have->node->cut != !want->node->cut || !have->node->wildcard != !want->node->wildcard)
		fail_msg("%s: app %d for %d, flags %u for %u", text, have->node->app, want->node->app, have->node->flags,
		         want->node->flags);
	assert_int_equal(have->node->name_len, want->node->name_len);
	assert_memory_equal(have->node->name, want->node->name, want->node->name_len);
	assert_memory_equal(have->zone->apex->name, want->zone->apex->name, want->zone->apex->name_len);
}

// One of the config's apps is in the base already.
static void compare_round(const struct row *rows, size_t row_count, const struct app_row *apps, size_t app_count)
{
	struct report *report = report_new();
	struct zonedb *base = draftzone_build(rows, row_count, apps, 1, report);
	struct zonedb *whole = base ? draftzone_build(rows, row_count, apps, app_count, report) : NULL, *over = NULL;
	struct overlay_app over_apps[APPS_MAX];
	bool refused = false;

	for (size_t i = 1; base && i < app_count; i++) {
		over_apps[i - 1] = overlay_app(apps[i].owner, apps[i].number);
		refused = refused || overlay_refusal(base, &over_apps[i - 1].name);
	}
	if (base)
		assert_int_equal(refused, !whole);
	if (whole) {
		compared++;
		assert_int_equal(overlay_new(base, over_apps, app_count - 1, &over), E_OK);
		assert_int_equal(zonedb_max_labels(over), zonedb_max_labels(whole));
		for (size_t i = 0; i < NAMES; i++) {
			struct lookup have = look_up(over, names[i], DNS_A), want = look_up(whole, names[i], DNS_A);

			compare(names[i], &have, &want);
		}
	}
	zonedb_free(over);
	zonedb_free(whole);
	zonedb_free(base);
	report_free(report);
}

static void test_as_if_built(void **state)
{
	static const uint16_t types[] = {DNS_TXT, DNS_TXT, DNS_A, DNS_MX, DNS_NS};
	struct row rows[ROWS_MAX];
	struct app_row apps[APPS_MAX];

	(void)state;
	make_names();
	for (unsigned round = 0; round < ROUNDS; round++) {
		size_t row_count = below(ROWS_MAX + 1), app_count = 0;

		for (size_t i = 0; i < row_count; i++) {
			uint16_t type = types[below(ARRAY_LEN(types))];

			rows[i] = (struct row){names[below(NAMES)], type, TTL,
			                       type == DNS_A ? "192.0.2.1" : type == DNS_MX ? "10 mx.elsewhere" :
			                       type == DNS_NS ? "ns.elsewhere" : "text"};
		}
		while (app_count < 1 + below(APPS_MAX)) {
			const char *owner = names[below(NAMES)];
			bool is_new = true;

			for (size_t i = 0; i < app_count; i++)
				is_new = is_new && strcmp(apps[i].owner, owner) != 0;
			if (is_new) {
				apps[app_count] = (struct app_row){owner, (int32_t)app_count, false};
				app_count++;
			}
		}
		compare_round(rows, row_count, apps, app_count);
	}
	assert_true(compared > ROUNDS / 10);
}

static void test_refusals(void **state)
{
	static const struct row rows[] = {
		{"sub.example", DNS_NS, TTL, "ns.elsewhere"},
		{"www.example", DNS_A, TTL, "192.0.2.1"},
		{"text.example", DNS_TXT, TTL, "text"},
	};
	static const struct app_row apps[] = {{"app.example", 0, false}};
	static const struct {
		const char *name, *why;
	} expected[] = {
		{"www.elsewhere", "it is in none of our domains"},
		{".", "it is in none of our domains"},
		{"sub.example", "it would never be answered: it is delegated away"},
		{"x.y.sub.example", "it would never be answered: it is delegated away"},
		{"app.example", "it is an app of the config"},
		{"www.example", "its zone's file has records of that name which would bypass steering"},
		{"text.example", NULL},
		{"*.example", NULL},
		{"example", NULL},
		{"x.app.example", NULL},
	};
	struct report *report = report_new();
	struct zonedb *base = draftzone_build(rows, ARRAY_LEN(rows), apps, 1, report);

	(void)state;
	assert_non_null(base);
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		struct overlay_app app = overlay_app(expected[i].name, 1);
		const char *why = overlay_refusal(base, &app.name);

		assert_int_equal(!why, !expected[i].why);
		if (why)
			assert_string_equal(why, expected[i].why);
	}
	zonedb_free(base);
	report_free(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_if_built),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
