// zonedb: what is built and what is found in it, by tables.
#include "zone/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "draftzone.h"

// ---- what is there ----

static const struct row tree[] = {
	{"www.Example", DNS_A, TTL, "192.0.2.1"},
	{"WWW.example", DNS_A, TTL, "192.0.2.2"},
	{"www.example", DNS_AAAA, TTL, "2001:db8::1"},
	{"a.b.c.example", DNS_TXT, TTL, "\003abc"},
	{"*.wild.example", DNS_TXT, TTL, "\001w"},
	{"x.*.deep.example", DNS_TXT, TTL, "\001x"},
	{"sub.example", DNS_NS, TTL, "ns.sub.example"},
	{"sub.example", DNS_NS, TTL, "ns.other.example"},
	{"sub.example", DNS_NS, TTL, "ns2.x.sub.example"},
	{"sub.example", DNS_NS, TTL, "ns.elsewhere"},
	{"sub.example", DNS_DS, TTL, "anything"},
	{"ns.sub.example", DNS_A, TTL, "192.0.2.53"},
	{"ns.sub.example", DNS_AAAA, TTL, "2001:db8::53"},
	{"ns2.x.sub.example", DNS_A, TTL, "192.0.2.54"},
	{"other.example", DNS_NS, TTL, "ns.other.example"},
	{"ns.other.example", DNS_A, TTL, "192.0.2.55"},
	{"bare.example", DNS_NS, TTL, "ns.elsewhere"},
	{"alias.example", DNS_CNAME, TTL, "www.example"},
};

static const struct app_row tree_apps[] = {{"app.example", 0}, {"*.Apps.example", 1}, {"example", 2}};

static void test_nodes(void **state)
{
	static const struct {
		const char *name;
		int flags; // -1: not there
		const char *cut, *wildcard;
		int32_t app;
		unsigned labels, rrsets;
	} rows[] = {
		{"example", NODE_APEX, NULL, NULL, 2, 1, 2},
		{"www.example", 0, NULL, NULL, ZONE_APP_NONE, 2, 2},
		{"c.example", NODE_ENT, NULL, NULL, ZONE_APP_NONE, 2, 0},
		{"b.c.example", NODE_ENT, NULL, NULL, ZONE_APP_NONE, 3, 0},
		{"a.b.c.example", 0, NULL, NULL, ZONE_APP_NONE, 4, 1},
		{"wild.example", NODE_ENT, NULL, "*.wild.example", ZONE_APP_NONE, 2, 0},
		{"*.wild.example", 0, NULL, NULL, ZONE_APP_NONE, 3, 1},
		{"deep.example", NODE_ENT, NULL, "*.deep.example", ZONE_APP_NONE, 2, 0},
		{"*.deep.example", NODE_ENT, NULL, NULL, ZONE_APP_NONE, 3, 0},
		{"x.*.deep.example", 0, NULL, NULL, ZONE_APP_NONE, 4, 1},
		{"sub.example", NODE_CUT, "sub.example", NULL, ZONE_APP_NONE, 2, 2},
		{"ns.sub.example", 0, "sub.example", NULL, ZONE_APP_NONE, 3, 0},
		{"x.sub.example", NODE_ENT, "sub.example", NULL, ZONE_APP_NONE, 3, 0},
		{"ns2.x.sub.example", 0, "sub.example", NULL, ZONE_APP_NONE, 4, 0},
		{"other.example", NODE_CUT, "other.example", NULL, ZONE_APP_NONE, 2, 1},
		{"ns.other.example", 0, "other.example", NULL, ZONE_APP_NONE, 3, 0},
		{"bare.example", NODE_CUT, "bare.example", NULL, ZONE_APP_NONE, 2, 1},
		{"app.example", 0, NULL, NULL, 0, 2, 0},
		{"apps.example", NODE_ENT, NULL, "*.apps.example", ZONE_APP_NONE, 2, 0},
		{"*.apps.example", 0, NULL, NULL, 1, 3, 0},
		{"alias.example", 0, NULL, NULL, ZONE_APP_NONE, 2, 1},
		{".", -1, NULL, NULL, 0, 0, 0},
		{"com", -1, NULL, NULL, 0, 0, 0},
		{"ww.example", -1, NULL, NULL, 0, 0, 0},
		{"y.wild.example", -1, NULL, NULL, 0, 0, 0},
		{"elsewhere", -1, NULL, NULL, 0, 0, 0},
	};
	struct report *report = report_new();
	struct zonedb *db = draftzone_build(tree, ARRAY_LEN(tree), tree_apps, ARRAY_LEN(tree_apps), report);
	size_t there = 0;

	(void)state;
	draftzone_expect(report, NULL, "");
	assert_non_null(db);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct node *node = draftzone_find(db, rows[i].name);

		if (rows[i].flags < 0) {
			if (node)
				fail_msg("%s is there", rows[i].name);
			continue;
		}
		there++;
		node = draftzone_find_there(db, rows[i].name);
		if (node->flags != rows[i].flags || node->app != rows[i].app || node->labels != rows[i].labels ||
		    node->rrset_count != rows[i].rrsets)
			fail_msg("%s: flags %u, app %d, labels %u, rrsets %u", rows[i].name, node->flags, node->app,
			         node->labels, node->rrset_count);
		if (node->cut != (rows[i].cut ? draftzone_find_there(db, rows[i].cut) : NULL))
			fail_msg("%s: wrong cut", rows[i].name);
		if (node->wildcard != (rows[i].wildcard ? draftzone_find_there(db, rows[i].wildcard) : NULL))
			fail_msg("%s: wrong wildcard", rows[i].name);
		assert_ptr_equal(node->zone, zonedb_zone(db, 0));
	}
	assert_int_equal(there, zonedb_node_count(db));
	assert_int_equal(zonedb_max_labels(db), 4);
	assert_int_equal(zonedb_zone_count(db), 1);
	zonedb_free(db);
	report_free(report);
}

static void test_rrset_wire(void **state)
{
	static const uint8_t expected[] = {
		0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4, 192, 0, 2, 1, //
		0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4, 192, 0, 2, 2,
	};
	struct report *report = report_new();
	struct zonedb *db = draftzone_build(tree, ARRAY_LEN(tree), NULL, 0, report);
	const struct rrset *a = node_rrset(draftzone_find_there(db, "www.example"), DNS_A);

	(void)state;
	assert_non_null(a);
	assert_int_equal(a->count, 2);
	assert_int_equal(a->ttl_s, TTL);
	assert_int_equal(a->type, DNS_A);
	assert_int_equal(a->wire_len, sizeof(expected));
	assert_memory_equal(a->wire, expected, sizeof(expected));
	assert_null(node_rrset(draftzone_find_there(db, "www.example"), DNS_TXT));

	// Another name with the same hash, were there one, is not taken for it.
	const struct node *www = draftzone_find_there(db, "www.example");
	const uint64_t hash = name_hash(www->name, www->name_len);

	assert_ptr_equal(zonedb_find(db, www->name, www->name_len, hash), www);
	assert_null(zonedb_find(db, (const uint8_t *)"\3wwx\7example", 13, hash));
	assert_null(zonedb_find(db, www->name + 4, www->name_len - 4u, hash));
	zonedb_free(db);
	report_free(report);
}

// What is in them: tests/unit/test_referral.c.
static void test_referrals(void **state)
{
	static const struct {
		const char *cut;
		uint16_t counts[REFERRAL_PARTS];
	} rows[] = {{"sub.example", {4, 3, 1}}, {"other.example", {1, 1, 0}}, {"bare.example", {1, 0, 0}}};
	struct report *report = report_new();
	struct zonedb *db = draftzone_build(tree, ARRAY_LEN(tree), NULL, 0, report);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct referral *referral = draftzone_find_there(db, rows[i].cut)->referral;

		for (int part = 0; part < REFERRAL_PARTS; part++)
			assert_int_equal(referral->parts[part].count, rows[i].counts[part]);
	}
	assert_null(draftzone_find_there(db, "www.example")->referral);
	zonedb_free(db);
	report_free(report);
}

// RFC 2308 section 3: the lesser of the SOA's TTL and its MINIMUM.
static void test_negative_soa(void **state)
{
	static const struct {
		uint32_t ttl_s;
		const char *minimum;
		uint32_t negative_s;
	} rows[] = {{3600, "600", 600}, {60, "600", 60}, {0, "600", 0}, {600, "0", 0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row soa = {"example", DNS_SOA, rows[i].ttl_s, rows[i].minimum};
		struct report *report = report_new();
		struct zone_builder *builder = zone_builder_new();
		struct zonedb *db = NULL;

		draftzone_open(builder, "example");
		assert_int_equal(draftzone_add(builder, report, &soa, 1), 0);
		assert_int_equal(draftzone_add(builder, report, &draftzone_basics[1], 1), 0);
		assert_int_equal(zone_builder_finish(builder, report, &db), 0);

		const struct zone *zone = zonedb_zone(db, 0);

		assert_int_equal(zone->soa->ttl_s, rows[i].ttl_s);
		assert_int_equal(zone->negative_soa.ttl_s, rows[i].negative_s);
		assert_int_equal(zone->negative_soa.wire_len, zone->soa->wire_len);
		assert_int_equal(zone->negative_soa.wire[8] << 8 | zone->negative_soa.wire[9], rows[i].negative_s);
		assert_memory_equal(zone->negative_soa.wire + 10, zone->soa->wire + 10, zone->soa->wire_len - 10);
		assert_ptr_equal(zone->ns, node_rrset(zone->apex, DNS_NS));
		assert_ptr_equal(zone->apex, draftzone_find_there(db, "example"));
		zonedb_free(db);
		zone_builder_free(builder);
		report_free(report);
	}
}

// ---- zones ----

static void test_apexes(void **state)
{
	static const struct {
		const char *name, *apex;
	} rows[] = {
		{"example", "example"}, {"X.Example", "example"}, {"a.example", "example"}, {"b.a.example", "b.a.example"},
		{"x.B.a.example", "b.a.example"}, {"b.example", "example"}, {"com", NULL}, {".", NULL}, {"xexample", NULL},
	};
	struct zone_builder *builder = zone_builder_new();
	struct report *report = report_new();
	uint8_t wire[NAME_WIRE_MAX], apex[NAME_WIRE_MAX];
	size_t len, apex_len;

	(void)state;
	draftzone_open(builder, "B.a.example"); // in whatever order
	draftzone_open(builder, "example");
	len = draftzone_wire("EXAMPLE", wire);
	assert_int_equal(zone_builder_zone(builder, wire, len), E_EXISTS);
	assert_int_equal(zone_builder_zone(builder, wire, len - 1), E_INVAL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const uint8_t *found = zone_builder_apex(builder, wire, draftzone_wire(rows[i].name, wire), &len);

		if (!rows[i].apex) {
			assert_null(found);
			continue;
		}
		apex_len = draftzone_wire(rows[i].apex, apex);
		assert_int_equal(len, apex_len);
		assert_memory_equal(found, apex, len);
	}
	assert_int_equal(draftzone_add(builder, report, &draftzone_basics[0], 1), 0);
	assert_int_equal(zone_builder_zone(builder, wire, draftzone_wire("late", wire)), E_STATE);
	zone_builder_free(builder);
	report_free(report);
}

static void test_nested(void **state)
{
	static const struct row rows[] = {
		{"b.a.example", DNS_SOA, TTL, "9"}, {"b.a.example", DNS_NS, TTL, "ns.elsewhere"},
		{"x.b.a.example", DNS_A, TTL, "192.0.2.1"}, {"y.example", DNS_A, TTL, "192.0.2.2"},
	};
	struct report *report = report_new();
	struct zone_builder *builder = zone_builder_new();
	struct zonedb *db = NULL;

	(void)state;
	draftzone_open(builder, "example");
	draftzone_open(builder, "b.a.example");
	draftzone_add_basics(builder, report);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(draftzone_add(builder, report, &rows[i], 1), 0);
	assert_int_equal(zone_builder_finish(builder, report, &db), 0);
	draftzone_expect(report, NULL, "");
	assert_int_equal(zonedb_zone_count(db), 2);

	const struct zone *outer = draftzone_find_there(db, "example")->zone;
	const struct zone *inner = draftzone_find_there(db, "b.a.example")->zone;

	assert_ptr_not_equal(outer, inner);
	assert_ptr_equal(inner->apex, draftzone_find_there(db, "b.a.example"));
	assert_int_equal(inner->apex->flags, NODE_APEX);
	assert_null(inner->apex->cut);
	assert_int_equal(inner->negative_soa.ttl_s, 9);
	assert_ptr_equal(draftzone_find_there(db, "x.b.a.example")->zone, inner);
	assert_ptr_equal(draftzone_find_there(db, "y.example")->zone, outer);
	// The name between the two exists: NODATA, not NXDOMAIN, which would deny the inner zone as well.
	assert_ptr_equal(draftzone_find_there(db, "a.example")->zone, outer);
	assert_int_equal(draftzone_find_there(db, "a.example")->flags, NODE_ENT);
	assert_int_equal(zonedb_node_count(db), 5);
	zonedb_free(db);
	zone_builder_free(builder);
	report_free(report);
}

static void test_missing_soa_and_ns(void **state)
{
	struct report *report = report_new();
	struct zone_builder *builder = zone_builder_new();
	const struct row a = {"a.one", DNS_A, TTL, "192.0.2.1"};
	uint8_t apex[NAME_WIRE_MAX];
	struct zonedb *db = NULL;

	(void)state;
	draftzone_open(builder, "one");
	draftzone_open(builder, "two");
	draftzone_open(builder, "three");
	assert_int_equal(draftzone_add(builder, report, &a, 9), 0);
	zone_builder_incomplete(builder, apex, draftzone_wire("three", apex));
	assert_int_equal(zone_builder_finish(builder, report, &db), E_INVAL);
	draftzone_expect(report, NULL,
	               "E zone: zone one: has no SOA record\nE zone: zone one: has no NS record\n"
	               "E zone two: has no SOA record\nE zone two: has no NS record\n");
	zone_builder_free(builder);
	report_free(report);
}

static void test_root_zone(void **state)
{
	static const struct row rows[] = {
		{".", DNS_SOA, TTL, "9"}, {".", DNS_NS, TTL, "ns"}, {"ns", DNS_A, TTL, "192.0.2.1"},
		{"com", DNS_NS, TTL, "ns.com"}, {"ns.com", DNS_A, TTL, "192.0.2.2"}, {"*", DNS_TXT, TTL, "\001x"},
	};
	struct report *report = report_new();
	struct zone_builder *builder = zone_builder_new();
	struct zonedb *db = NULL;

	(void)state;
	draftzone_open(builder, ".");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(draftzone_add(builder, report, &rows[i], 1), 0);
	assert_int_equal(zone_builder_finish(builder, report, &db), 0);
	draftzone_expect(report, NULL, "");
	assert_int_equal(draftzone_find_there(db, ".")->labels, 0);
	assert_ptr_equal(draftzone_find_there(db, ".")->wildcard, draftzone_find_there(db, "*"));
	assert_int_equal(draftzone_find_there(db, "com")->referral->parts[REFERRAL_GLUE].count, 1);
	zonedb_free(db);
	zone_builder_free(builder);
	report_free(report);
}

static void test_no_zone(void **state)
{
	struct report *report = report_new();
	struct zone_builder *builder = zone_builder_new();
	struct zonedb *db = NULL;

	(void)state;
	assert_int_equal(zone_builder_finish(builder, report, &db), 0);
	assert_null(draftzone_find(db, "example"));
	assert_null(draftzone_find(db, "."));
	assert_int_equal(zonedb_zone_count(db), 0);
	zonedb_free(db);
	zone_builder_free(builder);
	report_free(report);
}

// ---- size ----

static void test_many_names(void **state)
{
	enum { MANY = 100000 };
	struct report *report = report_new();
	struct zone_builder *builder = zone_builder_new();
	struct zonedb *db = NULL;
	char text[64];

	(void)state;
	draftzone_open(builder, "example");
	draftzone_add_basics(builder, report);
	for (unsigned i = 0; i < MANY; i++) {
		const struct row row = {text, DNS_AAAA, i, "2001:db8::1"};

		snprintf(text, sizeof(text), "Host-%u.example", i);
		assert_int_equal(draftzone_add(builder, report, &row, i), 0);
	}
	assert_int_equal(zone_builder_finish(builder, report, &db), 0);
	assert_int_equal(zonedb_node_count(db), MANY + 1);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "hOST-%u.example", i);
		assert_int_equal(node_rrset(draftzone_find_there(db, text), DNS_AAAA)->ttl_s, i);
		snprintf(text, sizeof(text), "host-%u.example", MANY + i);
		assert_null(draftzone_find(db, text));
	}
	zonedb_free(db);
	zone_builder_free(builder);
	report_free(report);
}

// The longest names there can be, with 127 labels and with the longest ones.
static void test_longest_names(void **state)
{
	struct report *report = report_new();
	struct zone_builder *builder = zone_builder_new();
	struct zonedb *db = NULL;
	uint8_t root[] = {0}, deep[NAME_WIRE_MAX], wide[NAME_WIRE_MAX];
	const uint8_t address[] = {192, 0, 2, 1};
	const struct zone_origin origin = {"zone", 1, 0};
	const struct row rows[] = {{".", DNS_SOA, TTL, "1"}, {".", DNS_NS, TTL, "ns"}, {"ns", DNS_A, TTL, "192.0.2.1"}};

	(void)state;
	memset(deep, 1, sizeof(deep));
	deep[254] = 0;
	memset(wide, 'x', sizeof(wide));
	wide[0] = wide[64] = wide[128] = 63;
	wide[192] = 61;
	wide[254] = 0;
	assert_int_equal(zone_builder_zone(builder, root, 1), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(draftzone_add(builder, report, &rows[i], 1), 0);
	assert_int_equal(zone_builder_record(builder, report, origin, deep, 255, DNS_A, TTL, address, 4), 0);
	assert_int_equal(zone_builder_record(builder, report, origin, wide, 255, DNS_A, TTL, address, 4), 0);
	assert_int_equal(zone_builder_record(builder, report, origin, wide, 254, DNS_A, TTL, address, 4), E_INVAL);
	zone_builder_free(builder);

	builder = zone_builder_new();
	report = report_free(report), report = report_new();
	assert_int_equal(zone_builder_zone(builder, root, 1), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(draftzone_add(builder, report, &rows[i], 1), 0);
	assert_int_equal(zone_builder_record(builder, report, origin, deep, 255, DNS_A, TTL, address, 4), 0);
	assert_int_equal(zone_builder_record(builder, report, origin, wide, 255, DNS_A, TTL, address, 4), 0);
	assert_int_equal(zone_builder_finish(builder, report, &db), 0);
	assert_int_equal(zonedb_max_labels(db), 127);
	assert_int_equal(zonedb_node_count(db), 1 + 1 + 127 + 4);
	for (size_t at = 0; at < 254; at += 2)
		assert_non_null(zonedb_find(db, deep + at, 255 - at, name_hash(deep + at, 255 - at)));
	assert_non_null(zonedb_find(db, wide, 255, name_hash(wide, 255)));
	zonedb_free(db);
	zone_builder_free(builder);
	report_free(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_rrset_wire),
		cmocka_unit_test(test_referrals),
		cmocka_unit_test(test_negative_soa),
		cmocka_unit_test(test_apexes),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_missing_soa_and_ns),
		cmocka_unit_test(test_root_zone),
		cmocka_unit_test(test_no_zone),
		cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_longest_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
