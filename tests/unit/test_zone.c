// zone_builder and zonedb: what is built, what is found, what is refused, by tables.
#include "view/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/report.h"
#include "wire/dns.h"

enum { TTL = 300, RDATA_MAX = 1024, ALL_TEXT_MAX = 4096 };

// One record, its data in a simple form: see rdata_of().
struct row {
	const char *owner;
	uint16_t type;
	uint32_t ttl_s;
	const char *data;
};

struct app_row {
	const char *owner;
	int32_t number;
};

// ---- building from rows ----

static size_t wire_of(const char *text, uint8_t *wire)
{
	size_t len;

	assert_int_equal(name_from_text(text, wire, &len), 0);
	return len;
}

static size_t numbers_of(const char **text, size_t octets, size_t count, uint8_t *wire)
{
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		unsigned long number = strtoul(*text, (char **)text, 10);

		*text += **text == ' ';
		for (size_t shift = octets; shift-- > 0;)
			wire[at++] = (uint8_t)(number >> (8 * shift));
	}
	return at;
}

// A, AAAA: an address; NS, CNAME, PTR: a name; MX, SRV: numbers and a name; SOA: MINIMUM alone; else the octets as they
// are.
static size_t rdata_of(uint16_t type, const char *data, uint8_t *wire)
{
	struct addr addr;
	size_t at = 0;

	switch (type) {
	case DNS_A:
	case DNS_AAAA:
		assert_int_equal(addr_parse(data, &addr), 0);
		memcpy(wire, addr.bytes, sizeof(addr.bytes));
		return type == DNS_A ? 4 : 16;
	case DNS_MX:
	case DNS_SRV:
		at = numbers_of(&data, 2, type == DNS_MX ? 1 : 3, wire);
		// fall through
	case DNS_NS:
	case DNS_CNAME:
	case DNS_PTR: return at + wire_of(data, wire + at);
	case DNS_SOA:
		at = wire_of("ns.example", wire);
		at += wire_of("host.example", wire + at);
		memset(wire + at, 0, 16);
		at += 16;
		return at + numbers_of(&data, 4, 1, wire + at);
	default: memcpy(wire, data, strlen(data)); return strlen(data);
	}
}

static void open_zone(struct zone_builder *builder, const char *apex)
{
	uint8_t wire[NAME_WIRE_MAX];

	assert_int_equal(zone_builder_zone(builder, wire, wire_of(apex, wire)), 0);
}

static int add_row(struct zone_builder *builder, struct report *report, const struct row *row, size_t line)
{
	uint8_t owner[NAME_WIRE_MAX], rdata[RDATA_MAX];
	size_t owner_len = wire_of(row->owner, owner), len = rdata_of(row->type, row->data, rdata);

	return zone_builder_record(builder, report, (struct zone_origin){"zone", line, 0}, owner, owner_len, row->type,
	                           row->ttl_s, rdata, len);
}

static int add_app(struct zone_builder *builder, struct report *report, const struct app_row *row, size_t line)
{
	uint8_t owner[NAME_WIRE_MAX];

	return zone_builder_app(builder, report, (struct zone_origin){"conf", line, 7}, owner, wire_of(row->owner, owner),
	                        row->number);
}

static void keep_line(void *ctx, enum report_level level, const char *text)
{
	char *all = ctx;
	size_t len = strlen(all);

	snprintf(all + len, ALL_TEXT_MAX - len, "%c %s\n", "EWN"[level], text);
}

// The report as text, one line each, "E zone:3: …".
static const char *text_of(const struct report *report, char *all)
{
	*all = '\0';
	report_each(report, keep_line, all);
	return all;
}

static const struct row basics[] = {
	{"example", DNS_SOA, 3600, "600"},
	{"example", DNS_NS, TTL, "ns.elsewhere"},
};

// Builds "example" from the basics and rows; the rows' lines count from 1. NULL when it was refused.
static struct zonedb *build(const struct row *rows, size_t count, const struct app_row *apps, size_t app_count,
                            struct report *report)
{
	struct zone_builder *builder = zone_builder_new();
	struct zonedb *db = NULL;

	assert_non_null(builder);
	open_zone(builder, "example");
	for (size_t i = 0; i < ARRAY_LEN(basics); i++)
		assert_int_equal(add_row(builder, report, &basics[i], 100 + i), 0);
	for (size_t i = 0; i < count; i++)
		if (rows[i].owner)
			(void)!add_row(builder, report, &rows[i], i + 1);
	for (size_t i = 0; i < app_count; i++)
		if (apps[i].owner)
			(void)!add_app(builder, report, &apps[i], i + 1);

	int err = zone_builder_finish(builder, report, &db);

	assert_int_equal(err, report_ok(report) ? E_OK : E_INVAL);
	assert_true((err == E_OK) == (db != NULL));
	zone_builder_free(builder);
	return db;
}

static const struct node *find(const struct zonedb *db, const char *text)
{
	uint8_t wire[NAME_WIRE_MAX];
	size_t len = wire_of(text, wire);

	name_fold(wire, len);
	return zonedb_find(db, wire, len, name_hash(wire, len));
}

static const struct node *find_there(const struct zonedb *db, const char *text)
{
	const struct node *node = find(db, text);

	if (!node)
		fail_msg("%s is not there", text);
	return node;
}

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
	struct zonedb *db = build(tree, ARRAY_LEN(tree), tree_apps, ARRAY_LEN(tree_apps), report);
	char text[ALL_TEXT_MAX];
	size_t there = 0;

	(void)state;
	assert_string_equal(text_of(report, text), "");
	assert_non_null(db);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct node *node = find(db, rows[i].name);

		if (rows[i].flags < 0) {
			if (node)
				fail_msg("%s is there", rows[i].name);
			continue;
		}
		there++;
		node = find_there(db, rows[i].name);
		if (node->flags != rows[i].flags || node->app != rows[i].app || node->labels != rows[i].labels ||
		    node->rrset_count != rows[i].rrsets)
			fail_msg("%s: flags %u, app %d, labels %u, rrsets %u", rows[i].name, node->flags, node->app,
			         node->labels, node->rrset_count);
		if (node->cut != (rows[i].cut ? find_there(db, rows[i].cut) : NULL))
			fail_msg("%s: wrong cut", rows[i].name);
		if (node->wildcard != (rows[i].wildcard ? find_there(db, rows[i].wildcard) : NULL))
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
	struct zonedb *db = build(tree, ARRAY_LEN(tree), NULL, 0, report);
	const struct rrset *a = node_rrset(find_there(db, "www.example"), DNS_A);

	(void)state;
	assert_non_null(a);
	assert_int_equal(a->count, 2);
	assert_int_equal(a->ttl_s, TTL);
	assert_int_equal(a->type, DNS_A);
	assert_int_equal(a->wire_len, sizeof(expected));
	assert_memory_equal(a->wire, expected, sizeof(expected));
	assert_null(node_rrset(find_there(db, "www.example"), DNS_TXT));
	zonedb_free(db);
	report_free(report);
}

static void test_glue(void **state)
{
	static const struct {
		const char *owner;
		uint16_t type;
		uint8_t last; // octet of the address
	} expected[] = {
		{"ns.sub.example", DNS_A, 53},
		{"ns.sub.example", DNS_AAAA, 0x53},
		{"ns2.x.sub.example", DNS_A, 54},
		{"ns.other.example", DNS_A, 55},
	};
	struct report *report = report_new();
	struct zonedb *db = build(tree, ARRAY_LEN(tree), NULL, 0, report);
	const struct glue *glue = find_there(db, "sub.example")->glue;
	size_t at = 0;

	(void)state;
	assert_non_null(glue);
	assert_int_equal(glue->count, 4);
	assert_int_equal(glue->must_count, 3);
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		uint8_t owner[NAME_WIRE_MAX];
		size_t len = wire_of(expected[i].owner, owner), rdata_len = expected[i].type == DNS_A ? 4 : 16;
		const uint8_t fixed[] = {0, (uint8_t)expected[i].type, 0, 1, 0, 0, 1, 0x2c, 0, (uint8_t)rdata_len};

		assert_true(at + len + sizeof(fixed) + rdata_len <= glue->wire_len);
		assert_memory_equal(glue->wire + at, owner, len);
		assert_memory_equal(glue->wire + at + len, fixed, sizeof(fixed));
		at += len + sizeof(fixed) + rdata_len;
		assert_int_equal(glue->wire[at - 1], expected[i].last);
		if (i == 2)
			assert_int_equal(glue->must_len, at);
	}
	assert_int_equal(at, glue->wire_len);
	assert_null(find_there(db, "bare.example")->glue);
	assert_int_equal(find_there(db, "other.example")->glue->must_count, 1);
	assert_int_equal(find_there(db, "other.example")->glue->count, 1);
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

		open_zone(builder, "example");
		assert_int_equal(add_row(builder, report, &soa, 1), 0);
		assert_int_equal(add_row(builder, report, &basics[1], 1), 0);
		assert_int_equal(zone_builder_finish(builder, report, &db), 0);

		const struct zone *zone = zonedb_zone(db, 0);

		assert_int_equal(zone->soa->ttl_s, rows[i].ttl_s);
		assert_int_equal(zone->negative_soa.ttl_s, rows[i].negative_s);
		assert_int_equal(zone->negative_soa.wire_len, zone->soa->wire_len);
		assert_int_equal(zone->negative_soa.wire[8] << 8 | zone->negative_soa.wire[9], rows[i].negative_s);
		assert_memory_equal(zone->negative_soa.wire + 10, zone->soa->wire + 10, zone->soa->wire_len - 10);
		assert_ptr_equal(zone->ns, node_rrset(zone->apex, DNS_NS));
		assert_ptr_equal(zone->apex, find_there(db, "example"));
		zonedb_free(db);
		zone_builder_free(builder);
		report_free(report);
	}
}

// ---- what is refused, and what is warned of ----

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
		{{0}}, "W zone:2: a.example A: records of one set have different TTLs, the lowest is taken\n"},
	{"CNAME beside data", {{"a.example", DNS_CNAME, TTL, "b.example"}, {"a.example", DNS_TXT, TTL, "\001x"}}, {{0}},
		"E zone:2: a.example TXT: the name has a CNAME, beside which nothing may stand (RFC 2181 10.1)\n"},
	{"two CNAMEs", {{"a.example", DNS_CNAME, TTL, "b.example"}, {"a.example", DNS_CNAME, TTL, "c.example"}}, {{0}},
		"E zone:2: a.example CNAME: a name has one CNAME at most\n"},
	{"CNAME at the apex", {{"example", DNS_CNAME, TTL, "b.elsewhere"}}, {{0}},
		"E zone:100: example SOA: the name has a CNAME, beside which nothing may stand (RFC 2181 10.1)\n"
		"E zone:101: example NS: the name has a CNAME, beside which nothing may stand (RFC 2181 10.1)\n"},
	{"pointing to an alias", {{"a.example", DNS_CNAME, TTL, "b.elsewhere"}, {"m.example", DNS_MX, TTL, "5 A.example"},
			{"s.example", DNS_SRV, TTL, "1 2 3 a.example"}, {"d.example", DNS_NS, TTL, "a.example"}},
		{{0}},
		"W zone:2: m.example MX: a.example is an alias (RFC 2181 10.3)\n"
		"W zone:3: s.example SRV: a.example is an alias (RFC 2181 10.3)\n"
		"W zone:4: d.example NS: a.example is an alias (RFC 2181 10.3)\n"},
	{"two SOAs", {{"example", DNS_SOA, 3600, "601"}}, {{0}}, "E zone:1: zone example: has more than one SOA record\n"},
	{"a SOA below the apex", {{"a.example", DNS_SOA, 3600, "600"}}, {{0}},
		"E zone:1: a.example SOA: stands below the zone's apex\n"},
	{"a server without address", {{"example", DNS_NS, TTL, "ns.example"}}, {{0}},
		"W zone:1: example NS: ns.example has no address\n"},
	{"a server by wildcard", {{"example", DNS_NS, TTL, "ns.example"}, {"*.example", DNS_A, TTL, "192.0.2.1"}}, {{0}},
		""},
	{"a server that is an app", {{"example", DNS_NS, TTL, "ns.example"}}, {{"ns.example", 0}}, ""},
	{"a delegation without glue", {{"d.example", DNS_NS, TTL, "ns.d.example"}}, {{0}},
		"W zone:1: d.example NS: ns.d.example has no address here, so nobody can find it\n"},
	{"below a delegation", {{"d.example", DNS_NS, TTL, "ns.elsewhere"}, {"d.example", DNS_TXT, TTL, "\001x"},
			{"x.d.example", DNS_A, TTL, "192.0.2.1"}, {"y.d.example", DNS_NS, TTL, "ns.elsewhere"}},
		{{0}},
		"W zone:2: d.example TXT: is never served, d.example is delegated\n"
		"W zone:3: x.d.example A: is never served, d.example is delegated\n"
		"W zone:4: y.d.example NS: is never served, d.example is delegated\n"},
	{"glue at the delegation itself", {{"d.example", DNS_NS, TTL, "d.example"}, {"d.example", DNS_A, TTL, "192.0.2.1"}},
		{{0}}, ""},
	{"a delegated wildcard", {{"*.example", DNS_NS, TTL, "ns.elsewhere"}}, {{0}},
		"E zone:1: *.example NS: a wildcard cannot be delegated (RFC 4592 4.2)\n"},
	{"DS without a delegation", {{"a.example", DNS_DS, TTL, "x"}, {"example", DNS_DS, TTL, "x"}}, {{0}},
		"W zone:2: example DS: belongs in the zone above\n"
		"W zone:1: a.example DS: belongs at a delegation, beside its NS\n"},
	{"data beside an app", {{"a.example", DNS_TXT, TTL, "\001x"}, {"a.example", DNS_MX, TTL, "1 a.example"}},
		{{"a.example", 0}}, ""},
	{"addresses beside an app", {{"a.example", DNS_A, TTL, "192.0.2.1"}, {"a.example", DNS_AAAA, TTL, "::1"}},
		{{"a.example", 0}},
		"E zone:1: a.example A: the name is an app's, whose addresses come from the config\n"
		"E zone:2: a.example AAAA: the name is an app's, whose addresses come from the config\n"},
	{"an alias beside an app", {{"*.example", DNS_CNAME, TTL, "b.elsewhere"}}, {{"*.example", 0}},
		"E zone:1: *.example CNAME: the name is an app's, whose addresses come from the config\n"},
	{"apps at and below a delegation", {{"d.example", DNS_NS, TTL, "ns.elsewhere"}},
		{{"d.example", 0}, {"a.d.example", 1}},
		"E conf:1:7: d.example: the app would never be answered, d.example is delegated\n"
		"E conf:2:7: a.d.example: the app would never be answered, d.example is delegated\n"},
	{"two apps at one name", {{0}}, {{"a.example", 0}, {"A.example", 1}},
		"E conf:2:7: A.example: this name is steered by an app already\n"},
	{"an app outside", {{0}}, {{"a.invalid", 0}}, "E conf:1:7: a.invalid: lies in none of the configured domains\n"},
	{"a record outside", {{"a.invalid", DNS_A, TTL, "192.0.2.1"}}, {{0}},
		"E zone:1: a.invalid: lies in none of the configured domains\n"},
	{"a signed zone", {{"example", DNS_RRSIG, TTL, "x"}, {"a.example", DNS_RRSIG, TTL, "x"},
			{"example", DNS_NSEC3PARAM, TTL, "x"}, {"example", DNS_NSEC, TTL, "x"}},
		{{0}},
		"E zone:1: example RRSIG: signed zones are not supported, give the unsigned one\n"
		"E zone:3: example NSEC3PARAM: signed zones are not supported, give the unsigned one\n"
		"E zone:4: example NSEC: signed zones are not supported, give the unsigned one\n"},
	{"DNAME", {{"a.example", DNS_DNAME, TTL, "x"}}, {{0}}, "E zone:1: a.example DNAME: DNAME is not supported\n"},
	{"types that are no data", {{"a.example", DNS_ANY, TTL, "x"}, {"a.example", DNS_OPT, TTL, "x"},
			{"a.example", 0, TTL, "x"}, {"a.example", 128, TTL, "x"}},
		{{0}},
		"E zone:1: a.example ANY: not a type of data\n"
		"E zone:2: a.example OPT: not a type of data\n"
		"E zone:3: a.example TYPE0: not a type of data\n"
		"E zone:4: a.example TYPE128: not a type of data\n"},
	{"types nobody knows", {{"a.example", 127, TTL, "x"}, {"a.example", 256, TTL, "x"}, {"a.example", 65535, TTL, ""}},
		{{0}}, ""},
};

static void test_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(judged); i++) {
		const struct judged *row = &judged[i];
		struct report *report = report_new();
		char text[ALL_TEXT_MAX];

		zonedb_free(build(row->rows, ARRAY_LEN(row->rows), row->apps, ARRAY_LEN(row->apps), report));
		if (strcmp(text_of(report, text), row->report) != 0)
			fail_msg("%s:\n%s--- expected\n%s", row->what, text, row->report);
		report_free(report);
	}
}

static void test_lowest_ttl(void **state)
{
	static const struct row rows[] = {
		{"a.example", DNS_A, 60, "192.0.2.1"},
		{"a.example", DNS_A, 30, "192.0.2.2"},
		{"a.example", DNS_A, 90, "192.0.2.3"},
	};
	struct report *report = report_new();
	struct zonedb *db = build(rows, ARRAY_LEN(rows), NULL, 0, report);
	const struct rrset *set = node_rrset(find_there(db, "a.example"), DNS_A);

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
	size_t owner_len = wire_of("a.example", owner);

	(void)state;
	open_zone(builder, "example");
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
	size_t owner_len = wire_of("a.example", owner);

	(void)state;
	for (int round = 0; round < 2; round++) {
		builder = round ? zone_builder_free(builder), zone_builder_new() : builder;
		open_zone(builder, "example");
		for (size_t i = 0; i < ARRAY_LEN(basics); i++)
			assert_int_equal(add_row(builder, report, &basics[i], 1), 0);
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
			assert_int_equal(node_rrset(find_there(db, "a.example"), DNS_A)->wire_len, 64992);
			db = zonedb_free(db);
		}
	}
	zone_builder_free(builder);
	report_free(report);
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
	open_zone(builder, "B.a.example"); // in whatever order
	open_zone(builder, "example");
	len = wire_of("EXAMPLE", wire);
	assert_int_equal(zone_builder_zone(builder, wire, len), E_EXISTS);
	assert_int_equal(zone_builder_zone(builder, wire, len - 1), E_INVAL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const uint8_t *found = zone_builder_apex(builder, wire, wire_of(rows[i].name, wire), &len);

		if (!rows[i].apex) {
			assert_null(found);
			continue;
		}
		apex_len = wire_of(rows[i].apex, apex);
		assert_int_equal(len, apex_len);
		assert_memory_equal(found, apex, len);
	}
	assert_int_equal(add_row(builder, report, &basics[0], 1), 0);
	assert_int_equal(zone_builder_zone(builder, wire, wire_of("late", wire)), E_STATE);
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
	char text[ALL_TEXT_MAX];

	(void)state;
	open_zone(builder, "example");
	open_zone(builder, "b.a.example");
	for (size_t i = 0; i < ARRAY_LEN(basics); i++)
		assert_int_equal(add_row(builder, report, &basics[i], 1), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(add_row(builder, report, &rows[i], 1), 0);
	assert_int_equal(zone_builder_finish(builder, report, &db), 0);
	assert_string_equal(text_of(report, text), "");
	assert_int_equal(zonedb_zone_count(db), 2);

	const struct zone *outer = find_there(db, "example")->zone, *inner = find_there(db, "b.a.example")->zone;

	assert_ptr_not_equal(outer, inner);
	assert_ptr_equal(inner->apex, find_there(db, "b.a.example"));
	assert_int_equal(inner->apex->flags, NODE_APEX);
	assert_null(inner->apex->cut);
	assert_int_equal(inner->negative_soa.ttl_s, 9);
	assert_ptr_equal(find_there(db, "x.b.a.example")->zone, inner);
	assert_ptr_equal(find_there(db, "y.example")->zone, outer);
	// The name between the two exists: NODATA, not NXDOMAIN, which would deny the inner zone as well.
	assert_ptr_equal(find_there(db, "a.example")->zone, outer);
	assert_int_equal(find_there(db, "a.example")->flags, NODE_ENT);
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
	char text[ALL_TEXT_MAX];

	(void)state;
	open_zone(builder, "one");
	open_zone(builder, "two");
	open_zone(builder, "three");
	assert_int_equal(add_row(builder, report, &a, 9), 0);
	zone_builder_incomplete(builder, apex, wire_of("three", apex));
	assert_int_equal(zone_builder_finish(builder, report, &db), E_INVAL);
	assert_string_equal(text_of(report, text),
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
	char text[ALL_TEXT_MAX];

	(void)state;
	open_zone(builder, ".");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(add_row(builder, report, &rows[i], 1), 0);
	assert_int_equal(zone_builder_finish(builder, report, &db), 0);
	assert_string_equal(text_of(report, text), "");
	assert_int_equal(find_there(db, ".")->labels, 0);
	assert_ptr_equal(find_there(db, ".")->wildcard, find_there(db, "*"));
	assert_int_equal(find_there(db, "com")->glue->must_count, 1);
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
	assert_null(find(db, "example"));
	assert_null(find(db, "."));
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
	open_zone(builder, "example");
	for (size_t i = 0; i < ARRAY_LEN(basics); i++)
		assert_int_equal(add_row(builder, report, &basics[i], 1), 0);
	for (unsigned i = 0; i < MANY; i++) {
		const struct row row = {text, DNS_AAAA, i, "2001:db8::1"};

		snprintf(text, sizeof(text), "Host-%u.example", i);
		assert_int_equal(add_row(builder, report, &row, i), 0);
	}
	assert_int_equal(zone_builder_finish(builder, report, &db), 0);
	assert_int_equal(zonedb_node_count(db), MANY + 1);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "hOST-%u.example", i);
		assert_int_equal(node_rrset(find_there(db, text), DNS_AAAA)->ttl_s, i);
		snprintf(text, sizeof(text), "host-%u.example", MANY + i);
		assert_null(find(db, text));
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
		assert_int_equal(add_row(builder, report, &rows[i], 1), 0);
	assert_int_equal(zone_builder_record(builder, report, origin, deep, 255, DNS_A, TTL, address, 4), 0);
	assert_int_equal(zone_builder_record(builder, report, origin, wide, 255, DNS_A, TTL, address, 4), 0);
	assert_int_equal(zone_builder_record(builder, report, origin, wide, 254, DNS_A, TTL, address, 4), E_INVAL);
	zone_builder_free(builder);

	builder = zone_builder_new();
	report = report_free(report), report = report_new();
	assert_int_equal(zone_builder_zone(builder, root, 1), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(add_row(builder, report, &rows[i], 1), 0);
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
		cmocka_unit_test(test_glue),
		cmocka_unit_test(test_negative_soa),
		cmocka_unit_test(test_judged),
		cmocka_unit_test(test_lowest_ttl),
		cmocka_unit_test(test_malformed_rdata),
		cmocka_unit_test(test_largest_rrset),
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
