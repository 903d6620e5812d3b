// Master files that are no good: each error in its place, and no hostile file breaks anything.
#include "zone/scan.h"

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

#include "base/err.h"
#include "draftzone.h"
#include "zoneload.h"

// tests/data/zones/broken.zone says in each line's comment what is expected of it: "; E text" or "; W text".
static void test_broken_file(void **state)
{
	char path[ZONELOAD_PATH_MAX], expected[REPORT_TEXT_MAX] = "", line[1024];
	struct config_domain domain = zoneload_domain("example", zoneload_data("broken.zone", path));
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
	assert_int_equal(zoneload(&domain, 1, report, &db), E_INVAL);
	assert_null(db);
	zoneload_expect(report, expected);
	report_free(report);
}

static void test_broken_texts(void **state)
{
	static const struct {
		const char *text, *report;
	} rows[] = {
		{"", "E t.zone: contains no records\n"},
		{"\n; nothing\n\n", "E t.zone: contains no records\n"},
		{"$TTL 1\n", "E t.zone: contains no records\n"},
		{"$INCLUDE none.zone\n", "E t.zone:1: $INCLUDE none.zone: No such file or directory\n"},
		{"$TTL 1\na TXT x\n", "E t.zone: zone example: has no SOA record\nE t.zone: zone example: has no NS record\n"},
		{"$TTL 1\n@ NS ns.elsewhere.\n", "E t.zone: zone example: has no SOA record\n"},
		{"@ SOA ns.elsewhere. host 1 2 3 4 5\n", "E t.zone:1: the record has no TTL, and no $TTL came before it\n"},
		{"\n A 192.0.2.1\n", "E t.zone:2: the record has no owner, and none came before it\n"},
		{ZONELOAD_HEAD "a ( A\n192.0.2.1\n", "E t.zone:4: parenthesis is not closed\n"},
		{ZONELOAD_HEAD "a TXT (\"x\n", "E t.zone:4: quote is not closed on its line\n"},
		{ZONELOAD_HEAD "a\\", "E t.zone:4: backslash with nothing to escape\nW t.zone:4: ends without a newline: was it cut?\n"},
		{ZONELOAD_HEAD "a TXT \001\n", "E t.zone:4: control character: this is not a text file\n"},
		// Names in data are not compressed (RFC 3597 section 4).
		{ZONELOAD_HEAD "a AFSDB \\# 4 0000c00b\n", "E t.zone:4: a.example AFSDB: the octets after \\# are not valid data of this type\n"},
		{ZONELOAD_HEAD "a RP \\# 4 c00bc00b\n", "E t.zone:4: a.example RP: the octets after \\# are not valid data of this type\n"},
		{ZONELOAD_HEAD "a HTTPS \\# 4 0001c00b\n", "E t.zone:4: a.example HTTPS: the octets after \\# are not valid data of this type\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct report *report = report_new();
		struct zonedb *db = NULL;

		assert_int_equal(zoneload_text(rows[i].text, strlen(rows[i].text), report, &db), E_INVAL);
		assert_null(db);
		zoneload_expect(report, rows[i].report);
		report_free(report);
	}
}

// ---- hostile files ----

static void expect_error(const char *file, const char *expected)
{
	struct config_domain domain = zoneload_domain("example", file);
	struct report *report = report_new();
	struct zonedb *db = NULL;

	assert_int_equal(zoneload(&domain, 1, report, &db), E_INVAL);
	assert_null(db);
	zoneload_expect(report, expected);
	report_free(report);
}

static void test_unreadable_files(void **state)
{
	char path[ZONELOAD_PATH_MAX];

	(void)state;
	zoneload_path("missing", path);
	expect_error(path, "E missing: cannot be read: No such file or directory\n");
	zoneload_path("folder", path);
	assert_int_equal(mkdir(path, 0700), 0);
	expect_error(path, "E folder: cannot be read: Is a directory\n");
	assert_int_equal(rmdir(path), 0);
	zoneload_path("fifo", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_error(path, "E fifo: cannot be read: not a regular file\n");
	unlink(path);
	expect_error("/dev/zero", "E /dev/zero: cannot be read: not a regular file\n");
	zoneload_path("large", path);
	zoneload_write("large", "", 0);
	assert_int_equal(truncate(path, (off_t)5 << 30), 0); // all of it a hole
	expect_error(path, "E large: cannot be read: the zone's files are larger than 1 GiB\n");
	unlink(path);
}

struct buffer {
	char *bytes;
	size_t len, size;
};

static struct buffer buffer_new(size_t size)
{
	struct buffer buffer = {.bytes = malloc(size), .size = size};

	assert_non_null(buffer.bytes);
	return buffer;
}

static void __attribute__((format(printf, 2, 3))) append(struct buffer *buffer, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buffer->len += (size_t)vsnprintf(buffer->bytes + buffer->len, buffer->size - buffer->len, fmt, ap);
	va_end(ap);
	assert_true(buffer->len < buffer->size);
}

static void append_fill(struct buffer *buffer, char c, size_t len)
{
	assert_true(len < buffer->size - buffer->len);
	memset(buffer->bytes + buffer->len, c, len);
	buffer->len += len;
}

static void test_long_lines(void **state)
{
	enum { LONG = 4 << 20 };
	struct buffer zone = buffer_new(LONG + 100000);
	struct report *report = report_new();
	struct zonedb *db = NULL;

	(void)state;
	append(&zone, ZONELOAD_HEAD "a TXT ");
	append_fill(&zone, 'x', LONG);
	append(&zone, "\nb A 192.0.2.1 x\nc TXT ");
	for (int i = 0; i < 300; i++) // more than 65,535 octets
		append(&zone, "\"%0250d\" ", i);
	append(&zone, "\n");
	assert_int_equal(zoneload_text(zone.bytes, zone.len, report, &db), E_INVAL);
	zoneload_expect(report, "E t.zone:4: entry is too long (is a parenthesis left open?)\n"
	                        "E t.zone:5: b.example A: x: more than data of this type has\n"
	                        "E t.zone:6: c.example TXT: data is longer than 65535 octets\n");
	report_free(report);
	free(zone.bytes);
}

// The longest RDATA that fits into a message goes in by RFC 3597, and one octet more does not.
static void test_longest_rdata(void **state)
{
	(void)state;
	for (size_t len = 64988; len <= 64989; len++) {
		struct buffer zone = buffer_new(2 * 70000);
		struct report *report = report_new();
		struct zonedb *db = NULL;

		append(&zone, ZONELOAD_HEAD "a TYPE65280 \\# %zu ", len);
		append_fill(&zone, '5', 2 * len);
		append(&zone, "\n");
		if (len == 64988) {
			assert_int_equal(zoneload_text(zone.bytes, zone.len, report, &db), 0);
			assert_int_equal(node_rrset(draftzone_find_there(db, "a.example"), 65280)->wire_len, 65000);
		} else {
			assert_int_equal(zoneload_text(zone.bytes, zone.len, report, &db), E_INVAL);
			zoneload_expect(report, "E t.zone:4: a.example TYPE65280: more than 65000 octets of records\n");
		}
		zonedb_free(db);
		report_free(report);
		free(zone.bytes);
	}
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
		assert_int_equal(zoneload_text(noise, sizeof(noise), report, &db), E_INVAL);
		assert_true(report_count(report, REPORT_ERROR) > 0);
		report_free(report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_broken_file),
		cmocka_unit_test(test_broken_texts),
		cmocka_unit_test(test_unreadable_files),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_longest_rdata),
		cmocka_unit_test(test_noise),
	};

	return cmocka_run_group_tests(tests, zoneload_setup, zoneload_teardown);
}
