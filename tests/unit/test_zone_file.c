// Master files against what ldns reads in them, zones without a file, zones in zones, apps.
#include "generation/zones.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ldns/ldns.h>

#include "base/err.h"
#include "draftzone.h"
#include "zoneload.h"

// ---- good files, with ldns as the oracle ----

// Whether the RRset has a record of this TTL and RDATA.
static bool has_record(const struct rrset *set, uint32_t ttl_s, const uint8_t *rdata, size_t len)
{
	for (size_t at = 0; at < set->wire_len;) {
		const uint8_t *wire = set->wire + at;
		size_t rdata_len = (size_t)wire[10] << 8 | wire[11];
		uint32_t ttl = (uint32_t)wire[6] << 24 | (uint32_t)wire[7] << 16 | (uint32_t)wire[8] << 8 | wire[9];

		if (ttl == ttl_s && rdata_len == len && memcmp(wire + 12, rdata, len) == 0)
			return true;
		at += 12 + rdata_len;
	}
	return false;
}

// Whether what ldns read is in the database: in an RRset, or among a delegation's addresses.
static bool is_served(const struct zonedb *db, const ldns_rr *rr)
{
	const uint8_t *owner = ldns_rdf_data(ldns_rr_owner(rr));
	uint8_t name[NAME_WIRE_MAX];
	size_t len = ldns_rdf_size(ldns_rr_owner(rr));

	memcpy(name, owner, len);
	name_fold(name, len);

	const struct node *node = zonedb_find(db, name, len, name_hash(name, len));
	ldns_buffer *rdata = ldns_buffer_new(512);

	assert_int_equal(ldns_rr_rdata2buffer_wire(rdata, rr), LDNS_STATUS_OK);

	const struct rrset *set = node ? node_rrset(node, (uint16_t)ldns_rr_get_type(rr)) : NULL;
	const struct compressed *glue = node && node->cut ? &node->cut->referral->parts[REFERRAL_GLUE] : NULL;
	bool served = set ? has_record(set, ldns_rr_ttl(rr), ldns_buffer_begin(rdata), ldns_buffer_position(rdata))
	                  : glue && memmem(glue->wire, glue->len, ldns_buffer_begin(rdata), ldns_buffer_position(rdata));

	ldns_buffer_free(rdata);
	return served;
}

static size_t records_of(const struct zonedb *db, const char *const *names, size_t count)
{
	size_t records = 0;

	for (size_t i = 0; i < count; i++) {
		const struct node *node = draftzone_find(db, names[i]);

		assert_non_null(node);
		for (size_t j = 0; j < node->rrset_count; j++)
			records += node->rrsets[j].count;
		records += node->referral ? node->referral->parts[REFERRAL_GLUE].count : 0;
	}
	return records;
}

static void test_types(void **state)
{
	static const char *const names[] = {
		"example", "ns1.example", "ns2.example", "mail.example", "text.example", "text2.example", "text3.example",
		"www.example", "web.example", "_sip._tcp.example", "sip.example", "1.2.0.192.in-addr.example", "e164.example",
		"_443._tcp.web.example", "svc.example", "alias.example", "unknown.example", "known.example", "loc.example",
		"host.example", "person.example", "uri.example", "key.example", "eui.example", "child.example",
		"*.wild.example", "a.b.c.example", "host.sub.example", "host.other.example", "other.example",
		"short.other.example", "cert.example", "ipsec.example", "hip.example", "node.example", "prefixes.example",
		"zonemd.example", "csync.example", "x25.example",
	};
	char path[ZONELOAD_PATH_MAX], text[REPORT_TEXT_MAX];
	struct config_domain domain = zoneload_domain("example", zoneload_data("types.zone", path));
	struct report *report = report_new();
	struct zonedb *db = NULL;
	FILE *file = fopen(path, "r");
	ldns_rdf *origin = NULL, *previous = NULL;
	uint32_t ttl = 0;
	int line = 1;
	size_t records = 0;

	(void)state;
	assert_non_null(file);
	if (zoneload(&domain, 1, report, &db) < 0)
		fail_msg("%s", draftzone_text(report, NULL, text));
	zoneload_expect(report, "");
	while (!feof(file)) {
		ldns_rr *rr = NULL;
		ldns_status status = ldns_rr_new_frm_fp_l(&rr, file, &ttl, &origin, &previous, &line);

		if (status == LDNS_STATUS_SYNTAX_EMPTY || status == LDNS_STATUS_SYNTAX_TTL ||
		    status == LDNS_STATUS_SYNTAX_ORIGIN)
			continue;
		if (status != LDNS_STATUS_OK)
			fail_msg("ldns at line %d: %s", line, ldns_get_errorstr_by_id(status));
		if (!is_served(db, rr))
			fail_msg("line %d is not served as ldns reads it", line);
		records++;
		ldns_rr_free(rr);
	}
	assert_int_equal(records, 54);
	assert_int_equal(records_of(db, names, ARRAY_LEN(names)), records);
	ldns_rdf_deep_free(origin);
	ldns_rdf_deep_free(previous);
	fclose(file);
	zonedb_free(db);
	report_free(report);
}

// ---- one record at a time: what the lines around it mean, octet by octet ----

static void test_spellings(void **state)
{
	static const struct {
		const char *text, *owner;
		uint16_t type;
		uint32_t ttl_s;
		size_t len;
		const char *rdata;
	} rows[] = {
		{"a A 192.0.2.1\n", "a.example", DNS_A, 300, 4, "\300\0\2\1"},
		{"a A 192.0.2.1", "a.example", DNS_A, 300, 4, "\300\0\2\1"}, // cut, perhaps
		{"a A 192.0.2.1\r\n", "a.example", DNS_A, 300, 4, "\300\0\2\1"},
		{"A\tin\ta\t192.0.2.1;c\n", "a.example", DNS_A, 300, 4, "\300\0\2\1"},
		{"a 60 A 192.0.2.1\n", "a.example", DNS_A, 60, 4, "\300\0\2\1"},
		{"a IN 60 A 192.0.2.1\n", "a.example", DNS_A, 60, 4, "\300\0\2\1"},
		{"a 1w2d3h4m5s CLASS1 TYPE1 192.0.2.1\n", "a.example", DNS_A, 788645, 4, "\300\0\2\1"},
		{"a 2147483647 A 192.0.2.1\n", "a.example", DNS_A, 2147483647, 4, "\300\0\2\1"},
		{"a ( A\n ; comment ( ) \"\n\n 192.0.2.1 )\n", "a.example", DNS_A, 300, 4, "\300\0\2\1"},
		{"(a)(A)(192.0.2.1)\n", "a.example", DNS_A, 300, 4, "\300\0\2\1"},
		{"a.example. A 192.0.2.1\n", "a.example", DNS_A, 300, 4, "\300\0\2\1"},
		{"\\065 A 192.0.2.1\n", "a.example", DNS_A, 300, 4, "\300\0\2\1"},
		{"a\\.b A 192.0.2.1\n", "a\\.b.example", DNS_A, 300, 4, "\300\0\2\1"},
		{"a\\. A 192.0.2.1\n", "a\\..example", DNS_A, 300, 4, "\300\0\2\1"},
		{"a\\;\\(\\ \\\" A 192.0.2.1\n", "a\\;\\(\\ \\\".example", DNS_A, 300, 4, "\300\0\2\1"},
		{"$ORIGIN sub\nx A 192.0.2.1\n", "x.sub.example", DNS_A, 300, 4, "\300\0\2\1"},
		{"$ORIGIN sub\n@ PTR @\n", "sub.example", DNS_PTR, 300, 13, "\3sub\7example\0"},
		{"$origin x.example.\n@ CNAME y\n", "x.example", DNS_CNAME, 300, 13, "\1y\1x\7example\0"},
		{"$TTL 5m\na A 192.0.2.1\n", "a.example", DNS_A, 300, 4, "\300\0\2\1"},
		{"$TTL 0\na A 192.0.2.1\n", "a.example", DNS_A, 0, 4, "\300\0\2\1"},
		{"$TTL 7\na A 192.0.2.1\n", "a.example", DNS_A, 7, 4, "\300\0\2\1"},
		{"a A 192.0.2.2\n\n ; nothing\n 9 TXT x\n", "a.example", DNS_TXT, 9, 2, "\1x"},
		{"t TXT a\\;b\n", "t.example", DNS_TXT, 300, 4, "\3a;b"},
		{"t TXT \"a;(\\\"\" \"\" b\n", "t.example", DNS_TXT, 300, 8, "\4a;(\"\0\1b"},
		{"t TXT \"\\000\\255\\\\\"\n", "t.example", DNS_TXT, 300, 4, "\3\0\377\\"},
		{"t CNAME Mixed.CASE\n", "t.example", DNS_CNAME, 300, 20, "\5Mixed\4CASE\7example\0"},
		{"t CNAME .\n", "t.example", DNS_CNAME, 300, 1, "\0"},
		{"t CNAME a\\.b.\n", "t.example", DNS_CNAME, 300, 5, "\3a.b\0"},
		{"t MX 65535 .\n", "t.example", DNS_MX, 300, 3, "\377\377\0"},
		{"t TYPE65280 \\# 2 0 1 F f\n", "t.example", 65280, 300, 2, "\1\377"},
		{"t TYPE65280 \\# 0\n", "t.example", 65280, 300, 0, ""},
		{"t CAA \\# 4 00 01 61 62\n", "t.example", 257, 300, 4, "\0\1ab"},
		{"t HTTPS 1 . alpn=\"h2,h3\"\n", "t.example", 65, 300, 13, "\0\1\0\0\1\0\6\2h2\2h3"},
		{"\xef\xbb\xbf", "example", DNS_NS, 300, 14, "\2ns\11elsewhere\0"},
	};
	char text[REPORT_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct report *report = report_new();
		struct zonedb *db = NULL;
		bool mark = rows[i].text[0] == '\xef';

		snprintf(text, sizeof(text), "%s" ZONELOAD_HEAD "%s", mark ? rows[i].text : "", mark ? "" : rows[i].text);
		if (zoneload_text(text, strlen(text), report, &db) < 0)
			fail_msg("%s%s", rows[i].text, draftzone_text(report, NULL, text));
		zoneload_expect(report, text[strlen(text) - 1] == '\n' ? "" : "W t.zone:4: ends without a newline: was it cut?\n");

		const struct node *node = draftzone_find(db, rows[i].owner);
		const struct rrset *set = node ? node_rrset(node, rows[i].type) : NULL;

		if (!set || set->count != 1 ||
		    !has_record(set, rows[i].ttl_s, (const uint8_t *)rows[i].rdata, rows[i].len))
			fail_msg("%s: not as expected", rows[i].text);
		zonedb_free(db);
		report_free(report);
	}
}

// RFC 1035 section 5.1: without $TTL, the last TTL written counts.
static void test_ttl_of_the_last(void **state)
{
	static const char zone[] = "@ 77 SOA ns.elsewhere. host 1 2 3 4 5\n NS ns.elsewhere.\n"
	                           "a 5 A 192.0.2.1\nb A 192.0.2.1\n";
	struct report *report = report_new();
	struct zonedb *db = NULL;

	(void)state;
	assert_int_equal(zoneload_text(zone, strlen(zone), report, &db), 0);
	assert_int_equal(zonedb_zone(db, 0)->ns->ttl_s, 77);
	assert_int_equal(node_rrset(draftzone_find(db, "b.example"), DNS_A)->ttl_s, 5);
	zonedb_free(db);
	report_free(report);
}

// ---- zones without a file ----

static void test_made_up(void **state)
{
	static struct hosts_host ns[] = {{.name = "ns1.example.net"}, {.name = "ns2.example.net"}};
	static const struct {
		const char *hostmaster, *soa;
		size_t len;
	} rows[] = {
		{"dns.example.org", "\3ns1\7example\3net\0\3dns\7example\3org\0", 34},
		{"first\\.last.example.org", "\3ns1\7example\3net\0\12first.last\7example\3org\0", 41},
	};
	// Serial 42, refresh 7200, retry 3600, expire 1209600, minimum 60.
	static const uint8_t numbers[] = {0, 0, 0, 42, 0, 0, 0x1c, 0x20, 0, 0, 0x0e, 0x10, 0, 0x12, 0x75, 0, 0, 0, 0, 60};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct config_domain domain = {.name = "made.up", .ns = ns, .ns_count = 2, .ttl_s = 3600,
			.negative_ttl_s = 60, .hostmaster = rows[i].hostmaster, .mark = {"conf", 3, 5}};
		struct report *report = report_new();
		struct zonedb *db = NULL;
		uint8_t soa[512];

		assert_int_equal(zoneload(&domain, 1, report, &db), 0);
		memcpy(soa, rows[i].soa, rows[i].len);
		memcpy(soa + rows[i].len, numbers, sizeof(numbers));
		assert_true(has_record(zonedb_zone(db, 0)->soa, 3600, soa, rows[i].len + sizeof(numbers)));
		assert_int_equal(zonedb_zone(db, 0)->negative_soa.ttl_s, 60);
		assert_int_equal(zonedb_zone(db, 0)->ns->count, 2);
		assert_int_equal(zonedb_zone(db, 0)->ns->ttl_s, 3600);
		assert_true(has_record(zonedb_zone(db, 0)->ns, 3600, (const uint8_t *)"\3ns2\7example\3net", 17));
		zonedb_free(db);
		report_free(report);
	}
}

// Name servers inside the zone, one of them its apex, with their addresses; a serial.
static void test_made_up_hosts(void **state)
{
	static struct addr two[] = {{.family = ADDR_V4, .bytes = {192, 0, 2, 53}}, {.family = ADDR_V6, .bytes = {0x20, 1}}};
	static struct hosts_host ns[] = {
		{"ns1.made.up", two, 2, {"conf", 4, 9}}, {"made.up", two, 1, {"conf", 5, 9}}, {.name = "ns.elsewhere"},
	};
	struct config_domain domain = {.name = "made.up", .hostmaster = "h.x", .ns = ns, .ns_count = 3, .ttl_s = 77, .serial = 4294967295u,
		.mark = {"conf", 3, 5}};
	struct report *report = report_new();
	struct zonedb *db = NULL;

	(void)state;
	assert_int_equal(zoneload(&domain, 1, report, &db), 0);
	zoneload_expect(report, "");
	assert_int_equal(zonedb_node_count(db), 2);
	assert_int_equal(zonedb_zone(db, 0)->ns->count, 3);
	assert_true(has_record(node_rrset(draftzone_find_there(db, "ns1.made.up"), DNS_A), 77, two[0].bytes, 4));
	assert_true(has_record(node_rrset(draftzone_find_there(db, "ns1.made.up"), DNS_AAAA), 77, two[1].bytes, 16));
	assert_true(has_record(node_rrset(draftzone_find_there(db, "made.up"), DNS_A), 77, two[0].bytes, 4));
	assert_null(node_rrset(draftzone_find_there(db, "made.up"), DNS_AAAA));
	assert_memory_equal(zonedb_zone(db, 0)->soa->wire + zonedb_zone(db, 0)->soa->wire_len - 20, "\xff\xff\xff\xff", 4);
	zonedb_free(db);
	report_free(report);
}

// ---- zones inside zones, apps ----

static void test_nested(void **state)
{
	static const char outer[] = ZONELOAD_HEAD "b.a NS ns.b.a\nb.a DS 1 8 1 000102030405060708090a0b0c0d0e0f10111213\nns.b.a A 192.0.2.9\nb.a TXT lost\n"
	                                          "x A 192.0.2.1\nin.b.a 60 TXT lost\nx.b.a DS 1 8 1 00\n@ DS 1 8 1 00\n"
	                                          "c.b.a DS 1 8 1 00\n"; // it belongs to the zone between
	static struct hosts_host ns[] = {{.name = "ns.elsewhere"}};
	char path[ZONELOAD_PATH_MAX];
	struct config_domain domains[] = {
		zoneload_domain("example", zoneload_path("outer.zone", path)),
		{.name = "b.a.example", .ns = ns, .ns_count = 1, .hostmaster = "h.x", .ttl_s = 60, .mark = {"conf", 4, 5}},
		{.name = "c.b.a.example", .ns = ns, .ns_count = 1, .hostmaster = "h.x", .ttl_s = 60, .mark = {"conf", 6, 5}},
	};
	struct report *report = report_new();
	struct zonedb *db = NULL;

	(void)state;
	zoneload_write("outer.zone", outer, strlen(outer));
	assert_int_equal(zoneload(domains, ARRAY_LEN(domains), report, &db), 0);
	zoneload_expect(report, "N outer.zone:4: b.a.example NS: ignored, the name belongs to the domain b.a.example\n"
	                        "N outer.zone:6: ns.b.a.example A: ignored, the name belongs to the domain b.a.example\n"
	                        "W outer.zone:7: b.a.example TXT: ignored, the name belongs to the domain b.a.example\n"
	                        "W outer.zone:9: in.b.a.example TXT: ignored, the name belongs to the domain b.a.example\n"
	                        "W outer.zone:10: x.b.a.example DS: ignored, the name belongs to the domain b.a.example\n"
	                        "W outer.zone:11: example DS: ignored, it belongs in the zone above (RFC 4035 section 2.4)\n"
	                        "W outer.zone:12: c.b.a.example DS: ignored, the name belongs to the domain c.b.a.example\n");
	assert_int_equal(zonedb_node_count(db), 5);
	assert_int_equal(draftzone_find(db, "c.b.a.example")->rrset_count, 2); // no DS
	assert_int_equal(draftzone_find(db, "b.a.example")->flags, NODE_APEX);
	assert_int_equal(draftzone_find(db, "b.a.example")->rrset_count, 3); // with DS, which the zone above answers
	assert_int_equal(draftzone_find(db, "a.example")->flags, NODE_ENT);
	assert_ptr_equal(draftzone_find(db, "x.example")->zone, draftzone_find(db, "example")->zone);
	zonedb_free(db);
	report_free(report);
}

// Domains beside one another: a file adds nothing to a zone that is not its own, however long its name.
static void test_beside(void **state)
{
	static struct hosts_host ns[] = {{.name = "ns.elsewhere"}};
	static const char *const apexes[] = {"examplf", "elsewhere-long", "e"};
	char path[ZONELOAD_PATH_MAX], text[256], expected[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(apexes); i++) {
		struct config_domain domains[] = {
			zoneload_domain("example", zoneload_path("own.zone", path)),
			{.name = apexes[i], .ns = ns, .ns_count = 1, .hostmaster = "h.x", .ttl_s = 60, .mark = {"conf", 4, 5}},
		};
		struct report *report = report_new();
		struct zonedb *db = NULL;

		snprintf(text, sizeof(text), ZONELOAD_HEAD "www.%s. A 192.0.2.1\n", apexes[i]);
		zoneload_write("own.zone", text, strlen(text));
		assert_int_equal(zoneload(domains, 2, report, &db), E_INVAL);
		snprintf(expected, sizeof(expected), "E own.zone:4: www.%s: is outside the zone\n", apexes[i]);
		zoneload_expect(report, expected);
		assert_null(db);
		report_free(report);
	}
	unlink(path);
}

static void test_apps(void **state)
{
	static struct hosts_host ns[] = {{.name = "ns.elsewhere"}};
	struct config_domain domain = {.name = "example", .ns = ns, .ns_count = 1, .hostmaster = "h.x"};
	struct config_app apps[] = {{.name = "App.example", .mark = {"conf", 9, 3}}, {.name = "*.w.example"}};
	struct config config = {.domains = &domain, .domain_count = 1, .apps = apps, .app_count = 2};
	struct report *report = report_new();
	struct zonedb *db = NULL;

	(void)state;
	assert_int_equal(zones_load(&config, ZONELOAD_SERIAL, report, &db), 0);
	assert_int_equal(draftzone_find(db, "app.example")->app, 0);
	assert_int_equal(draftzone_find(db, "w.example")->wildcard->app, 1);
	zonedb_free(db);

	apps[0].name = "a.b.elsewhere";
	db = NULL;
	assert_int_equal(zones_load(&config, ZONELOAD_SERIAL, report, &db), E_INVAL);
	assert_null(db);
	zoneload_expect(report, "E conf:9:3: a.b.elsewhere: is in none of the configured domains\n");
	report_free(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_ttl_of_the_last),
		cmocka_unit_test(test_made_up),
		cmocka_unit_test(test_made_up_hosts),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_beside),
		cmocka_unit_test(test_apps),
	};

	return cmocka_run_group_tests(tests, zoneload_setup, zoneload_teardown);
}
