// zonefile: master files against what ldns reads in them, broken ones against the errors they deserve, zones without a
// file, hostile files.
#include "config/zonefile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <ldns/ldns.h>

#include "base/err.h"
#include "base/report.h"
#include "config/config.h"
#include "tempdir.h"
#include "view/zone.h"
#include "wire/dns.h"

enum { ALL_TEXT_MAX = 16384, SERIAL = 42 };

static char folder[TEMPDIR_LEN];

// ---- configs by hand ----

static const char *data_path(const char *name, char *path)
{
	const char *srcdir = getenv("srcdir");

	snprintf(path, 512, "%s/tests/data/zones/%s", srcdir ? srcdir : ".", name);
	return path;
}

static const char *write_file(const char *name, const char *text, size_t len)
{
	static char path[TEMPDIR_LEN + 32];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	fclose(file);
	return path;
}

static struct config_domain file_domain(const char *name, const char *file)
{
	return (struct config_domain){.name = name, .file = file, .mark = {"conf", 3, 5}};
}

static int load(struct config_domain *domains, size_t count, struct report *report, struct zonedb **ret_db)
{
	const struct config config = {.domains = domains, .domain_count = count};

	return zonefile_load(&config, SERIAL, report, ret_db);
}

static void keep_line(void *ctx, enum report_level level, const char *text)
{
	char *all = ctx;
	size_t len = strlen(all), skip = strncmp(text, folder, strlen(folder)) == 0 ? strlen(folder) + 1 : 0;

	snprintf(all + len, ALL_TEXT_MAX - len, "%c %s\n", "EWN"[level], text + skip);
}

// The report as text, one line each, "E name.zone:3: …".
static const char *text_of(const struct report *report, char *all)
{
	*all = '\0';
	report_each(report, keep_line, all);
	return all;
}

static void expect_report(const struct report *report, const char *expected)
{
	char all[ALL_TEXT_MAX];
	const char *have = text_of(report, all);

	while (*have && strcspn(have, "\n") == strcspn(expected, "\n") &&
	       strncmp(have, expected, strcspn(have, "\n") + 1) == 0) {
		size_t len = strcspn(have, "\n") + 1;

		have += len;
		expected += len;
	}
	if (strcmp(have, expected) != 0)
		fail_msg("%.*s\n--- expected\n%.*s", (int)strcspn(have, "\n"), have, (int)strcspn(expected, "\n"), expected);
}

static const struct node *find(const struct zonedb *db, const char *text)
{
	uint8_t wire[NAME_WIRE_MAX];
	size_t len;

	assert_int_equal(name_from_text(text, wire, &len), 0);
	name_fold(wire, len);
	return zonedb_find(db, wire, len, name_hash(wire, len));
}

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
	const struct glue *glue = node && node->cut ? node->cut->glue : NULL;
	bool served = set ? has_record(set, ldns_rr_ttl(rr), ldns_buffer_begin(rdata), ldns_buffer_position(rdata))
	                  : glue && memmem(glue->wire, glue->wire_len, ldns_buffer_begin(rdata),
	                                   ldns_buffer_position(rdata));

	ldns_buffer_free(rdata);
	return served;
}

static size_t records_of(const struct zonedb *db, const char *const *names, size_t count)
{
	size_t records = 0;

	for (size_t i = 0; i < count; i++) {
		const struct node *node = find(db, names[i]);

		assert_non_null(node);
		for (size_t j = 0; j < node->rrset_count; j++)
			records += node->rrsets[j].count;
		records += node->glue ? node->glue->count : 0;
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
		"short.other.example",
	};
	char path[512], text[ALL_TEXT_MAX];
	struct config_domain domain = file_domain("example", data_path("types.zone", path));
	struct report *report = report_new();
	struct zonedb *db = NULL;
	FILE *file = fopen(path, "r");
	ldns_rdf *origin = NULL, *previous = NULL;
	uint32_t ttl = 0;
	int line = 1;
	size_t records = 0;

	(void)state;
	assert_non_null(file);
	if (load(&domain, 1, report, &db) < 0)
		fail_msg("%s", text_of(report, text));
	expect_report(report, "");
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
	assert_int_equal(records, 46);
	assert_int_equal(records_of(db, names, ARRAY_LEN(names)), records);
	ldns_rdf_deep_free(origin);
	ldns_rdf_deep_free(previous);
	fclose(file);
	zonedb_free(db);
	report_free(report);
}

// ---- one record at a time: what the lines around it mean, octet by octet ----

#define HEAD "$TTL 300\n@ SOA ns.elsewhere. host 1 2 3 4 5\n@ NS ns.elsewhere.\n"

static int load_text(const char *text, size_t len, struct report *report, struct zonedb **ret_db)
{
	struct config_domain domain = file_domain("example", write_file("t.zone", text, len));

	return load(&domain, 1, report, ret_db);
}

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
		{"a A 192.0.2.1", "a.example", DNS_A, 300, 4, "\300\0\2\1"}, // no newline at the end
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
		{"$ORIGIN sub\n@ CNAME @\n", "sub.example", DNS_CNAME, 300, 13, "\3sub\7example\0"},
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
	char text[ALL_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct report *report = report_new();
		struct zonedb *db = NULL;
		bool mark = rows[i].text[0] == '\xef';

		snprintf(text, sizeof(text), "%s" HEAD "%s", mark ? rows[i].text : "", mark ? "" : rows[i].text);
		if (load_text(text, strlen(text), report, &db) < 0)
			fail_msg("%s%s", rows[i].text, text_of(report, text));
		expect_report(report, "");

		const struct node *node = find(db, rows[i].owner);
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
	assert_int_equal(load_text(zone, strlen(zone), report, &db), 0);
	assert_int_equal(zonedb_zone(db, 0)->ns->ttl_s, 77);
	assert_int_equal(node_rrset(find(db, "b.example"), DNS_A)->ttl_s, 5);
	zonedb_free(db);
	report_free(report);
}

// ---- broken ones ----

// tests/data/zones/broken.zone says in each line's comment what is expected of it: "; E text" or "; W text".
static void test_broken_file(void **state)
{
	char path[512], expected[ALL_TEXT_MAX] = "", line[1024];
	struct config_domain domain = file_domain("example", data_path("broken.zone", path));
	struct report *report = report_new();
	struct zonedb *db = NULL;
	FILE *file = fopen(path, "r");

	(void)state;
	assert_non_null(file);
	for (size_t number = 1; fgets(line, sizeof(line), file); number++) {
		const char *comment = strstr(line, "; E ");

		if (comment) {
			size_t len = strlen(expected);

			snprintf(expected + len, sizeof(expected) - len, "E %s:%zu: %s", path, number, comment + 4);
		}
	}
	fclose(file);
	assert_true(strlen(expected) > 1000);
	assert_int_equal(load(&domain, 1, report, &db), E_INVAL);
	assert_null(db);
	expect_report(report, expected);
	report_free(report);
}

static void test_broken_texts(void **state)
{
	static const struct {
		const char *text, *report;
	} rows[] = {
		{"", "E t.zone: there is no record in it\n"},
		{"\n; nothing\n\n", "E t.zone: there is no record in it\n"},
		{"$TTL 1\n", "E t.zone: there is no record in it\n"},
		{"$TTL 1\na TXT x\n", "E t.zone: zone example: has no SOA record\nE t.zone: zone example: has no NS record\n"},
		{"$TTL 1\n@ NS ns.elsewhere.\n", "E t.zone: zone example: has no SOA record\n"},
		{"@ SOA ns.elsewhere. host 1 2 3 4 5\n", "E t.zone:1: the record has no TTL, and no $TTL came before it\n"},
		{"\n A 192.0.2.1\n", "E t.zone:2: the record has no owner, and none came before it\n"},
		{HEAD "a ( A\n192.0.2.1\n", "E t.zone:4: parenthesis is not closed\n"},
		{HEAD "a TXT (\"x\n", "E t.zone:4: quote is not closed on its line\n"},
		{HEAD "a\\", "E t.zone:4: backslash before nothing that it could escape\n"},
		{HEAD "a TXT \001\n", "E t.zone:4: control character: this is not a text file\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct report *report = report_new();
		struct zonedb *db = NULL;

		assert_int_equal(load_text(rows[i].text, strlen(rows[i].text), report, &db), E_INVAL);
		assert_null(db);
		expect_report(report, rows[i].report);
		report_free(report);
	}
}

// ---- hostile files ----

static void expect_error(const char *file, const char *expected)
{
	struct config_domain domain = file_domain("example", file);
	struct report *report = report_new();
	struct zonedb *db = NULL;

	assert_int_equal(load(&domain, 1, report, &db), E_INVAL);
	assert_null(db);
	expect_report(report, expected);
	report_free(report);
}

static void test_unreadable_files(void **state)
{
	char path[TEMPDIR_LEN + 32];

	(void)state;
	snprintf(path, sizeof(path), "%s/missing", folder);
	expect_error(path, "E missing: cannot read: No such file or directory\n");
	snprintf(path, sizeof(path), "%s/folder", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	expect_error(path, "E folder: cannot read: is a folder\n");
	assert_int_equal(rmdir(path), 0);
	snprintf(path, sizeof(path), "%s/fifo", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_error(path, "E fifo: cannot read: is not a regular file\n");
	unlink(path);
	expect_error("/dev/zero", "E /dev/zero: cannot read: is not a regular file\n");
	snprintf(path, sizeof(path), "%s/large", folder);
	assert_int_equal(truncate(write_file("large", "", 0), (off_t)5 << 30), 0); // all of it a hole
	expect_error(path, "E large: cannot read: is too large\n");
	unlink(path);
}

static void test_long_lines(void **state)
{
	enum { LONG = 4 << 20 };
	char *zone = malloc(LONG + 100000);
	size_t at = (size_t)sprintf(zone, HEAD);
	struct report *report = report_new();
	struct zonedb *db = NULL;

	(void)state;
	at += (size_t)sprintf(zone + at, "a TXT ");
	memset(zone + at, 'x', LONG);
	at += LONG;
	at += (size_t)sprintf(zone + at, "\nb A 192.0.2.1 x\nc TXT ");
	for (size_t i = 0; i < 300; i++) // more than ldns would take without cutting it off
		at += (size_t)sprintf(zone + at, "\"%0250zu\" ", i);
	assert_int_equal(load_text(zone, at, report, &db), E_INVAL);
	expect_report(report, "E t.zone:4: entry is too long (is a parenthesis left open?)\n"
	                    "E t.zone:5: b.example A: Syntax error, superfluous text present\n"
	                    "E t.zone:6: c.example TXT: text is too long, give it in the form of RFC 3597\n");
	report_free(report);
	free(zone);
}

// The longest RDATA that fits into a message goes in by RFC 3597, and one octet more does not.
static void test_longest_rdata(void **state)
{
	char *zone = malloc(2 * 70000);

	(void)state;
	for (size_t len = 64988; len <= 64989; len++) {
		size_t at = (size_t)sprintf(zone, HEAD "a TYPE65280 \\# %zu ", len);
		struct report *report = report_new();
		struct zonedb *db = NULL;

		memset(zone + at, '5', 2 * len);
		at += 2 * len;
		if (len == 64988) {
			assert_int_equal(load_text(zone, at, report, &db), 0);
			assert_int_equal(node_rrset(find(db, "a.example"), 65280)->wire_len, 65000);
		} else {
			assert_int_equal(load_text(zone, at, report, &db), E_INVAL);
			expect_report(report, "E t.zone:4: a.example TYPE65280: more than 65000 octets of records\n");
		}
		zonedb_free(db);
		report_free(report);
	}
	free(zone);
}

// Noise of several tempers: whatever comes of it, an error does, and nothing breaks.
static void test_noise(void **state)
{
	static const char alphabet[] = "ab.@ \t\n\n;()\"\\0123$TTLORIGIN NSOATXTCNAME\\#";
	uint64_t x = 88172645463325252u;
	char noise[4096];

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct report *report = report_new();
		struct zonedb *db = NULL;

		for (size_t i = 0; i < sizeof(noise); i++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			noise[i] = round % 3 == 0 ? (char)x : alphabet[(x >> 8) % (sizeof(alphabet) - 1)];
		}
		assert_int_equal(load_text(noise, sizeof(noise), report, &db), E_INVAL);
		assert_true(report_count(report, REPORT_ERROR) > 0);
		report_free(report);
	}
}

// ---- zones without a file ----

static void test_made_up(void **state)
{
	static const char *const ns[] = {"ns1.example.net", "ns2.example.net."};
	static const struct {
		const char *hostmaster, *soa;
		size_t len;
	} rows[] = {
		{NULL, "\3ns1\7example\3net\0\12hostmaster\4made\2up\0", 37},
		{"dns.example.org", "\3ns1\7example\3net\0\3dns\7example\3org\0", 34},
		{"dns.example.org.", "\3ns1\7example\3net\0\3dns\7example\3org\0", 34},
		{"dns@example.org", "\3ns1\7example\3net\0\3dns\7example\3org\0", 34},
		{"first.last@example.org", "\3ns1\7example\3net\0\12first.last\7example\3org\0", 41},
		{"first\\.last.example.org", "\3ns1\7example\3net\0\12first.last\7example\3org\0", 41},
	};
	// Serial 42, refresh 7200, retry 3600, expire 1209600, minimum 60.
	static const uint8_t numbers[] = {0, 0, 0, 42, 0, 0, 0x1c, 0x20, 0, 0, 0x0e, 0x10, 0, 0x12, 0x75, 0, 0, 0, 0, 60};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct config_domain domain = {.name = "Made.up", .ns = (const char **)ns, .ns_count = 2, .ttl_s = 3600,
			.negative_ttl_s = 60, .hostmaster = rows[i].hostmaster, .mark = {"conf", 3, 5}};
		struct report *report = report_new();
		struct zonedb *db = NULL;
		uint8_t soa[512];

		assert_int_equal(load(&domain, 1, report, &db), 0);
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

static void test_made_up_wrongly(void **state)
{
	static const char *const good[] = {"ns.example.net"}, *const bad[] = {"ns.example.net", "a..b"};
	struct config_domain domains[] = {
		{.name = "one", .ns = (const char **)bad, .ns_count = 2, .mark = {"conf", 1, 5}},
		{.name = "two", .ns_count = 0, .mark = {"conf", 2, 5}},
		{.name = "three", .ns = (const char **)good, .ns_count = 1, .hostmaster = "@x", .mark = {"conf", 3, 5}},
		{.name = "ONE", .ns = (const char **)good, .ns_count = 1, .mark = {"conf", 4, 5}},
		{.name = "fi..ve", .ns = (const char **)good, .ns_count = 1, .mark = {"conf", 5, 5}},
	};
	struct report *report = report_new();
	struct zonedb *db = NULL;

	(void)state;
	assert_int_equal(load(domains, ARRAY_LEN(domains), report, &db), E_INVAL);
	expect_report(report, "E conf:4:5: ONE: the domain is given twice\n"
	                                           "E conf:5:5: fi..ve: is no domain name\n"
	                                           "E conf:1:5: a..b: is no domain name\n"
	                                           "E conf:2:5: two: needs a file, or the names of its servers\n"
	                                           "E conf:3:5: @x: is no mailbox\n");
	report_free(report);
}

// ---- zones inside zones, apps ----

static void test_nested(void **state)
{
	static const char outer[] = HEAD "b.a NS ns.b.a\nb.a DS 1 8 2 00\nns.b.a A 192.0.2.9\nb.a TXT lost\nx A 192.0.2.1\n"
	                                 "in.b.a 60 TXT lost\n";
	static const char *const ns[] = {"ns.elsewhere"};
	struct config_domain domains[] = {
		file_domain("example", write_file("outer.zone", outer, strlen(outer))),
		{.name = "b.a.example", .ns = (const char **)ns, .ns_count = 1, .ttl_s = 60, .mark = {"conf", 4, 5}},
	};
	struct report *report = report_new();
	struct zonedb *db = NULL;

	(void)state;
	assert_int_equal(load(domains, 2, report, &db), 0);
	expect_report(report, "N outer.zone:4: b.a.example NS: ignored, the name is of the domain b.a.example\n"
	                    "N outer.zone:5: b.a.example DS: ignored, the name is of the domain b.a.example\n"
	                    "N outer.zone:6: ns.b.a.example A: ignored, the name is of the domain b.a.example\n"
	                    "W outer.zone:7: b.a.example TXT: ignored, the name is of the domain b.a.example\n"
	                    "W outer.zone:9: in.b.a.example TXT: ignored, the name is of the domain b.a.example\n");
	assert_int_equal(zonedb_node_count(db), 4);
	assert_int_equal(find(db, "b.a.example")->flags, NODE_APEX);
	assert_int_equal(find(db, "b.a.example")->rrset_count, 2);
	assert_int_equal(find(db, "a.example")->flags, NODE_ENT);
	assert_ptr_equal(find(db, "x.example")->zone, find(db, "example")->zone);
	zonedb_free(db);
	report_free(report);
}

static void test_apps(void **state)
{
	static const char *const ns[] = {"ns.elsewhere"};
	struct config_domain domain = {.name = "example", .ns = (const char **)ns, .ns_count = 1};
	struct config_app apps[] = {{.name = "App.example", .mark = {"conf", 9, 3}}, {.name = "*.w.example"}};
	struct config config = {.domains = &domain, .domain_count = 1, .apps = apps, .app_count = 2};
	struct report *report = report_new();
	struct zonedb *db = NULL;

	(void)state;
	assert_int_equal(zonefile_load(&config, SERIAL, report, &db), 0);
	assert_int_equal(find(db, "app.example")->app, 0);
	assert_int_equal(find(db, "w.example")->wildcard->app, 1);
	zonedb_free(db);

	apps[0].name = "a.b.elsewhere";
	apps[1] = (struct config_app){.name = "a..example", .mark = {"conf", 12, 3}};
	db = NULL;
	assert_int_equal(zonefile_load(&config, SERIAL, report, &db), E_INVAL);
	assert_null(db);
	expect_report(report, "E conf:9:3: a.b.elsewhere: lies in none of the configured domains\n"
	                                           "E conf:12:3: a..example: is no domain name\n");
	report_free(report);
}

static int make_folder(void **state)
{
	(void)state;
	return tempdir_make(folder);
}

static int remove_folder(void **state)
{
	static const char *const files[] = {"t.zone", "outer.zone"};
	char path[TEMPDIR_LEN + 32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_ttl_of_the_last),
		cmocka_unit_test(test_broken_file),
		cmocka_unit_test(test_broken_texts),
		cmocka_unit_test(test_unreadable_files),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_longest_rdata),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_made_up),
		cmocka_unit_test(test_made_up_wrongly),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_apps),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
