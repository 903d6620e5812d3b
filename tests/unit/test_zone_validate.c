// Zones judged: what is refused, and what is warned of, by tables.
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

struct judged {
	const char *what;
	struct row rows[4];
	struct app_row apps[2];
	const char *report;
};

static const struct judged judged[] = {
	{"equal records are one, names in them without case",
		{{"a.example", DNS_A, TTL, "192.0.2.1"}, {"A.example", DNS_A, TTL, "192.0.2.1"},
			{"a.example", DNS_MX, TTL, "1 m.elsewhere"}, {"a.example", DNS_MX, TTL, "1 M.elsewhere"}},
		{{0}}, ""},
	{"unlike TTLs", {{"a.example", DNS_A, 60, "192.0.2.1"}, {"a.example", DNS_A, 30, "192.0.2.2"},
			{"a.example", DNS_A, 90, "192.0.2.3"}},
		{{0}}, "W zone:2: a.example A: the RRset's records have different TTLs, using the lowest\n"},
	{"CNAME beside data", {{"a.example", DNS_CNAME, TTL, "b.example"}, {"a.example", DNS_TXT, TTL, "\001x"}}, {{0}},
		"E zone:2: a.example TXT: not allowed beside the name's CNAME (RFC 2181 section 10.1)\n"},
	{"CNAME at a delegation, and where it is not ours to judge",
		{{"a.example", DNS_CNAME, TTL, "b.example"}, {"a.example", DNS_NS, TTL, "ns.elsewhere"},
			{"x.a.example", DNS_CNAME, TTL, "b.example"}, {"x.a.example", DNS_TXT, TTL, "\001x"}},
		{{0}},
		"E zone:2: a.example NS: not allowed beside the name's CNAME (RFC 2181 section 10.1)\n"
		"W zone:3: x.a.example CNAME: is never served, as a.example is delegated\n"
		"W zone:4: x.a.example TXT: is never served, as a.example is delegated\n"},
	{"two CNAMEs", {{"a.example", DNS_CNAME, TTL, "b.example"}, {"a.example", DNS_CNAME, TTL, "c.example"}}, {{0}},
		"E zone:2: a.example CNAME: more than one CNAME record\n"},
	{"CNAME at the apex", {{"example", DNS_CNAME, TTL, "b.elsewhere"}}, {{0}},
		"E zone:100: example SOA: not allowed beside the name's CNAME (RFC 2181 section 10.1)\n"
		"E zone:101: example NS: not allowed beside the name's CNAME (RFC 2181 section 10.1)\n"},
	{"pointing to an alias", {{"a.example", DNS_CNAME, TTL, "b.elsewhere"}, {"m.example", DNS_MX, TTL, "5 A.example"},
			{"s.example", DNS_SRV, TTL, "1 2 3 a.example"}, {"d.example", DNS_NS, TTL, "a.example"}},
		{{0}},
		"W zone:2: m.example MX: a.example is an alias (RFC 2181 section 10.3)\n"
		"W zone:3: s.example SRV: a.example is an alias (RFC 2181 section 10.3)\n"
		"W zone:4: d.example NS: a.example is an alias (RFC 2181 section 10.3)\n"},
	{"an alias of itself", {{"a.example", DNS_CNAME, TTL, "A.example"}}, {{0}},
		"W zone:1: a.example CNAME: leads back to itself\n"},
	{"a loop, and an alias that leads into it",
		{{"a.example", DNS_CNAME, TTL, "b.example"}, {"b.example", DNS_CNAME, TTL, "c.example"},
			{"c.example", DNS_CNAME, TTL, "b.example"}, {"d.example", DNS_CNAME, TTL, "a.elsewhere"}},
		{{0}},
		"W zone:2: b.example CNAME: leads back to itself\n"
		"W zone:3: c.example CNAME: leads back to itself\n"},
	{"a wildcard's loop, and not one below a delegation",
		{{"*.w.example", DNS_CNAME, TTL, "x.y.w.example"}, {"d.example", DNS_NS, TTL, "ns.elsewhere"},
			{"*.v.example", DNS_CNAME, TTL, "a.d.example"}, {"*.u.example", DNS_CNAME, TTL, "u.example"}},
		{{0}},
		"W zone:1: *.w.example CNAME: leads back to itself\n"},
	{"two SOAs", {{"example", DNS_SOA, 3600, "601"}}, {{0}}, "E zone:1: zone example: has more than one SOA record\n"},
	{"a SOA below the apex", {{"a.example", DNS_SOA, 3600, "600"}}, {{0}},
		"E zone:1: a.example SOA: is not at the zone's apex\n"},
	{"a server without address", {{"example", DNS_NS, TTL, "ns.example"}}, {{0}},
		"W zone:1: example NS: ns.example has no address\n"},
	{"a server by wildcard", {{"example", DNS_NS, TTL, "ns.example"}, {"*.example", DNS_A, TTL, "192.0.2.1"}}, {{0}},
		""},
	{"a server that is an app", {{"example", DNS_NS, TTL, "ns.example"}}, {{"ns.example", 0}}, ""},
	{"a delegation without glue", {{"d.example", DNS_NS, TTL, "ns.d.example"}}, {{0}},
		"W zone:1: d.example NS: ns.d.example has no address in the zone, so no resolver can reach it\n"},
	{"below a delegation", {{"d.example", DNS_NS, TTL, "ns.elsewhere"}, {"d.example", DNS_TXT, TTL, "\001x"},
			{"x.d.example", DNS_A, TTL, "192.0.2.1"}, {"y.d.example", DNS_NS, TTL, "ns.elsewhere"}},
		{{0}},
		"W zone:2: d.example TXT: is never served, as d.example is delegated\n"
		"W zone:3: x.d.example A: is never served, as d.example is delegated\n"
		"W zone:4: y.d.example NS: is never served, as d.example is delegated\n"},
	{"glue at the delegation itself", {{"d.example", DNS_NS, TTL, "d.example"}, {"d.example", DNS_A, TTL, "192.0.2.1"}},
		{{0}}, ""},
	{"a delegated wildcard", {{"*.example", DNS_NS, TTL, "ns.elsewhere"}}, {{0}},
		"E zone:1: *.example NS: a wildcard cannot be delegated (RFC 4592 section 4.2)\n"},
	{"DS without a delegation", {{"a.example", DNS_DS, TTL, "x"}}, {{0}},
		"W zone:1: a.example DS: belongs at a delegation, beside its NS\n"},
	{"data beside an app", {{"a.example", DNS_TXT, TTL, "\001x"}, {"a.example", DNS_MX, TTL, "1 a.example"}},
		{{"a.example", 0}}, ""},
	{"data beside an app that hands out a CNAME, and at the apex, of which the config is asked",
		{{"a.example", DNS_TXT, TTL, "\001x"}, {"example", DNS_TXT, TTL, "\001x"}},
		{{"a.example", 0, true}, {"example", 1, true}},
		"E zone:1: a.example TXT: the name is an app's, and nothing is allowed beside its CNAME (RFC 2181 section 10.1)\n"},
	{"addresses at the apex, beside an app", {{"example", DNS_A, TTL, "192.0.2.1"}}, {{"example", 0}},
		"E zone:1: example A: the name is an app's, whose addresses come from the config\n"},
	{"addresses beside an app", {{"a.example", DNS_A, TTL, "192.0.2.1"}, {"a.example", DNS_AAAA, TTL, "::1"}},
		{{"a.example", 0}},
		"E zone:1: a.example A: the name is an app's, whose addresses come from the config\n"
		"E zone:2: a.example AAAA: the name is an app's, whose addresses come from the config\n"},
	{"service bindings beside an app, and elsewhere",
		{{"a.example", DNS_SVCB, TTL, "x"}, {"a.example", DNS_HTTPS, TTL, "x"}, {"b.example", DNS_HTTPS, TTL, "x"}},
		{{"a.example", 0}},
		"E zone:1: a.example SVCB: the name is an app's, and this record would bypass steering\n"
		"E zone:2: a.example HTTPS: the name is an app's, and this record would bypass steering\n"},
	{"an alias beside an app", {{"*.example", DNS_CNAME, TTL, "b.elsewhere"}}, {{"*.example", 0}},
		"E zone:1: *.example CNAME: the name is an app's, whose addresses come from the config\n"},
	{"apps at and below a delegation", {{"d.example", DNS_NS, TTL, "ns.elsewhere"}},
		{{"d.example", 0}, {"a.d.example", 1}},
		"E conf:1:7: d.example: the app would never be answered, as d.example is delegated\n"
		"E conf:2:7: a.d.example: the app would never be answered, as d.example is delegated\n"},
	{"two apps at one name", {{0}}, {{"a.example", 0}, {"A.example", 1}},
		"E conf:2:7: A.example: another app already has this name\n"},
	{"an app outside", {{0}}, {{"a.invalid", 0}}, "E conf:1:7: a.invalid: is in none of the configured domains\n"},
	{"a record outside", {{"a.invalid", DNS_A, TTL, "192.0.2.1"}}, {{0}},
		"E zone:1: a.invalid: is in none of the configured domains\n"},
	{"a signed zone", {{"example", DNS_RRSIG, TTL, "x"}, {"a.example", DNS_RRSIG, TTL, "x"},
			{"example", DNS_NSEC3PARAM, TTL, "x"}, {"example", DNS_NSEC, TTL, "x"}},
		{{0}},
		"E zone:1: example RRSIG: signed zones are not supported: use the unsigned zone\n"
		"E zone:3: example NSEC3PARAM: signed zones are not supported: use the unsigned zone\n"
		"E zone:4: example NSEC: signed zones are not supported: use the unsigned zone\n"},
	{"DNAME", {{"a.example", DNS_DNAME, TTL, "x"}}, {{0}}, "E zone:1: a.example DNAME: DNAME is not supported\n"},
	{"types that are no data", {{"a.example", DNS_ANY, TTL, "x"}, {"a.example", DNS_OPT, TTL, "x"},
			{"a.example", 0, TTL, "x"}, {"a.example", 128, TTL, "x"}},
		{{0}},
		"E zone:1: a.example ANY: not a data type\n"
		"E zone:2: a.example OPT: not a data type\n"
		"E zone:3: a.example TYPE0: not a data type\n"
		"E zone:4: a.example TYPE128: not a data type\n"},
	{"types nobody knows", {{"a.example", 127, TTL, "x"}, {"a.example", 256, TTL, "x"}, {"a.example", 65535, TTL, ""}},
		{{0}}, ""},
};

static void test_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(judged); i++) {
		const struct judged *row = &judged[i];
		struct report *report = report_new();
		char text[REPORT_TEXT_MAX];

		zonedb_free(draftzone_build(row->rows, ARRAY_LEN(row->rows), row->apps, ARRAY_LEN(row->apps), report));
		if (strcmp(draftzone_text(report, NULL, text), row->report) != 0)
			fail_msg("%s:\n%s--- expected\n%s", row->what, text, row->report);
		report_free(report);
	}
}

static void test_equal_records(void **state)
{
	struct report *report = report_new();
	struct zonedb *db = draftzone_build(judged[0].rows, ARRAY_LEN(judged[0].rows), NULL, 0, report);
	const struct node *node = draftzone_find_there(db, "a.example");

	(void)state;
	assert_int_equal(node_rrset(node, DNS_A)->count, 1);
	assert_int_equal(node_rrset(node, DNS_MX)->count, 1);
	zonedb_free(db);
	report_free(report);
}

static void test_lowest_ttl(void **state)
{
	static const struct row rows[] = {
		{"a.example", DNS_A, 60, "192.0.2.1"},
		{"a.example", DNS_A, 30, "192.0.2.2"},
		{"a.example", DNS_A, 90, "192.0.2.3"},
	};
	struct report *report = report_new();
	struct zonedb *db = draftzone_build(rows, ARRAY_LEN(rows), NULL, 0, report);
	const struct rrset *set = node_rrset(draftzone_find_there(db, "a.example"), DNS_A);

	(void)state;
	assert_int_equal(set->ttl_s, 30);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(set->wire[16 * i + 9], 30);
	zonedb_free(db);
	report_free(report);
}

static void test_malformed_rdata(void **state)
{
	static const struct {
		uint16_t type;
		size_t len;
		const char *rdata;
	} rows[] = {
		{DNS_A, 3, "\300\0\2"}, {DNS_A, 5, "\300\0\2\1\0"}, {DNS_AAAA, 4, "\300\0\2\1"}, {DNS_AAAA, 0, ""},
		{DNS_NS, 0, ""}, {DNS_NS, 2, "\001a"}, {DNS_NS, 4, "\001a\0x"}, {DNS_CNAME, 2, "\300\014"},
		{DNS_MX, 1, "\0"}, {DNS_MX, 2, "\0\001"}, {DNS_SRV, 5, "\0\0\0\0\0"}, {DNS_SRV, 6, "\0\0\0\0\0\0"},
		{DNS_SOA, 21, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"}, {DNS_SOA, 1, "\0"}, {DNS_PTR, 1, "\100"},
	};
	struct report *report = report_new();
	struct zone_builder *builder = zone_builder_new();
	struct zonedb *db = NULL;
	uint8_t owner[NAME_WIRE_MAX];
	size_t owner_len = draftzone_wire("a.example", owner);

	(void)state;
	draftzone_open(builder, "example");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct zone_origin origin = {"zone", i + 1, 0};

		assert_int_equal(zone_builder_record(builder, report, origin, owner, owner_len, rows[i].type, TTL,
		                                     (const uint8_t *)rows[i].rdata, rows[i].len), E_INVAL);
		assert_int_equal(report_count(report, REPORT_ERROR), i + 1);
	}

	uint8_t *large = calloc(1, UINT16_MAX + 1);

	assert_int_equal(zone_builder_record(builder, report, (struct zone_origin){"zone", 1, 0}, owner, owner_len, DNS_TXT,
	                                     TTL, large, UINT16_MAX + 1), E_INVAL);
	free(large);
	assert_int_equal(zone_builder_finish(builder, report, &db), E_INVAL);
	assert_int_equal(report_count(report, REPORT_ERROR), ARRAY_LEN(rows) + 1); // not of missing SOA and NS as well
	zone_builder_free(builder);
	report_free(report);
}

// 4062 A records are 64,992 octets; one more would be too much. Said once.
static void test_largest_rrset(void **state)
{
	struct report *report = report_new();
	struct zone_builder *builder = zone_builder_new();
	struct zonedb *db = NULL;
	uint8_t owner[NAME_WIRE_MAX];
	size_t owner_len = draftzone_wire("a.example", owner);

	(void)state;
	for (int round = 0; round < 2; round++) {
		builder = round ? zone_builder_free(builder), zone_builder_new() : builder;
		draftzone_open(builder, "example");
		draftzone_add_basics(builder, report);
		for (unsigned i = 0; i < 4062u + 2 * round; i++) {
			const uint8_t address[] = {10, 0, (uint8_t)(i >> 8), (uint8_t)i};

			assert_int_equal(zone_builder_record(builder, report, (struct zone_origin){"zone", i, 0}, owner,
			                                     owner_len, DNS_A, TTL, address, 4), i < 4062 ? 0 : E_INVAL);
		}
		if (round) {
			assert_int_equal(zone_builder_finish(builder, report, &db), E_INVAL);
			assert_int_equal(report_count(report, REPORT_ERROR), 1);
		} else {
			assert_int_equal(zone_builder_finish(builder, report, &db), 0);
			assert_int_equal(node_rrset(draftzone_find_there(db, "a.example"), DNS_A)->wire_len, 64992);
			db = zonedb_free(db);
		}
	}
	zone_builder_free(builder);
	report_free(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judged),
		cmocka_unit_test(test_equal_records),
		cmocka_unit_test(test_lowest_ttl),
		cmocka_unit_test(test_malformed_rdata),
		cmocka_unit_test(test_largest_rrset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
