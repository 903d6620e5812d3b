// $INCLUDE and $GENERATE in master files: what they give, their bounds, and files that are not to be read.
#include "zone/zone.h"

#include <fcntl.h>
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
#include "zone/generate.h"
#include "zoneload.h"

static char folder[ZONELOAD_PATH_MAX]; // "sub" in the zone's

static int set_up(void **state)
{
	return zoneload_setup(state) || mkdir(zoneload_path("sub", folder), 0700);
}

static int tear_down(void **state)
{
	return rmdir(folder) || zoneload_teardown(state);
}

static void write_file(const char *name, const char *text)
{
	zoneload_write(name, text, strlen(text));
}

static void remove_file(const char *name)
{
	char path[ZONELOAD_PATH_MAX];

	assert_int_equal(unlink(zoneload_path(name, path)), 0);
}

static void expect(const char *text, int err, const char *expected)
{
	struct report *report = report_new();
	struct zonedb *db = NULL;

	assert_int_equal(zoneload_text(text, strlen(text), report, &db), err);
	zoneload_expect(report, expected);
	zonedb_free(db);
	report_free(report);
}

// ---- $INCLUDE ----

// Origin, owner and TTLs are inherited, and are the file's own until its end.
static void test_scopes(void **state)
{
	static const struct {
		const char *name, *parent; // which names exist
		uint32_t ttl_s;
	} rows[] = {
		{"a.example", "example", 300}, {"in.example", "example", 300}, {"in.o.example", "example", 7},
		{"deep.x.example", "x.example", 7}, {"b.example", "example", 300}, {"in.moved.example", "moved.example", 300},
		{"c.example", "example", 300},
	};
	struct report *report = report_new();
	struct zonedb *db = NULL;
	static const char text[] = ZONELOAD_HEAD "a A 192.0.2.1\n$INCLUDE \"sub/one.zone\"\n A 192.0.2.2\nb A 192.0.2.1\n"
	                                         "$include three.zone moved\nc A 192.0.2.1\n";

	(void)state;
	write_file("sub/one.zone", " TXT \"of a\"\nin A 192.0.2.1\n$ORIGIN o\n$TTL 7\nin A 192.0.2.1\n$INCLUDE sub/../two.zone x.example.\n");
	write_file("two.zone", "deep A 192.0.2.1\n");
	write_file("three.zone", "in A 192.0.2.1\n");
	assert_int_equal(zoneload_text(text, strlen(text), report, &db), 0);
	zoneload_expect(report, "");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("   %s\n", rows[i].name);
		draftzone_find_there(db, rows[i].parent);
		assert_int_equal(node_rrset(draftzone_find_there(db, rows[i].name), DNS_A)->ttl_s, rows[i].ttl_s);
	}
	assert_int_equal(node_rrset(draftzone_find_there(db, "a.example"), DNS_A)->count, 2);
	assert_non_null(node_rrset(draftzone_find_there(db, "a.example"), DNS_TXT));
	zonedb_free(db);
	report_free(report);
	remove_file("sub/one.zone");
	remove_file("two.zone");
	remove_file("three.zone");
}

// Errors are where they are; the file's other records still count.
static void test_errors(void **state)
{
	(void)state;
	write_file("bad.zone", "\nx A 1.2.3\n$INCLUDE bad2.zone\nx ( TXT y\n");
	write_file("bad2.zone", "; nothing\ny.invalid. A 192.0.2.1\n");
	expect(ZONELOAD_HEAD "$INCLUDE bad.zone\nz A x\n", E_INVAL,
	       "E bad.zone:2: x.example A: 1.2.3: expected an IPv4 address\n"
	       "E bad2.zone:2: y.invalid: is outside the zone\n"
	       "E bad.zone:4: parenthesis is not closed\n"
	       "E t.zone:5: z.example A: x: expected an IPv4 address\n");
	write_file("bad.zone", "$ORIGIN sub\nx A 192.0.2.1\nx CNAME y\n"); // found only when the zone is complete
	expect(ZONELOAD_HEAD "$INCLUDE bad.zone\n", E_INVAL,
	       "E bad.zone:2: x.sub.example A: not allowed beside the name's CNAME (RFC 2181 section 10.1)\n");
	remove_file("bad.zone");
	remove_file("bad2.zone");
	expect(ZONELOAD_HEAD "$INCLUDE\n$INCLUDE a b c\n$INCLUDE \"\"\n$INCLUDE a\\.b\n$INCLUDE a b..c\n", E_INVAL,
	       "E t.zone:4: $INCLUDE: expected a file name without escapes, and perhaps an origin\n"
	       "E t.zone:5: $INCLUDE: expected a file name without escapes, and perhaps an origin\n"
	       "E t.zone:6: $INCLUDE: expected a file name without escapes, and perhaps an origin\n"
	       "E t.zone:7: $INCLUDE: expected a file name without escapes, and perhaps an origin\n"
	       "E t.zone:8: $INCLUDE: expected a domain name after the file name\n");
}

// What is outside of the folder, by whatever way, is not read; what is inside may be linked to, as in a Kubernetes
// ConfigMap; what is no file does not keep the load waiting.
static void test_outside(void **state)
{
	static const struct {
		const char *target, *report; // of the link "link.zone"
	} links[] = {
		{"/etc/hostname", "E t.zone:4: $INCLUDE link.zone: is outside of the folder of the zone's file\n"},
		{"../x", "E t.zone:4: $INCLUDE link.zone: is outside of the folder of the zone's file\n"},
		{"/proc/self/fd/0", "E t.zone:4: $INCLUDE link.zone: is outside of the folder of the zone's file\n"},
		{"link.zone", "E t.zone:4: $INCLUDE link.zone: Too many levels of symbolic links\n"},
		{"sub", "E link.zone: cannot be read: Is a directory\n"},
		{"sub/real.zone", ""},
	};
	char path[ZONELOAD_PATH_MAX];

	(void)state;
	write_file("sub/real.zone", "x A 192.0.2.1\n");
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		print_message("   %s\n", links[i].target);
		assert_int_equal(symlink(links[i].target, zoneload_path("link.zone", path)), 0);
		expect(ZONELOAD_HEAD "$INCLUDE link.zone\n", *links[i].report ? E_INVAL : 0, links[i].report);
		remove_file("link.zone");
	}
	remove_file("sub/real.zone");
	assert_int_equal(mkfifo(zoneload_path("fifo", path), 0600), 0);
	expect(ZONELOAD_HEAD "$INCLUDE fifo\n", E_INVAL, "E fifo: cannot be read: not a regular file\n");
	remove_file("fifo");
	expect(ZONELOAD_HEAD "$INCLUDE ../x\n$INCLUDE /etc/hostname\n$INCLUDE none.zone\n$INCLUDE sub/../../x\n", E_INVAL,
	       "E t.zone:4: $INCLUDE ../x: is outside of the folder of the zone's file\n"
	       "E t.zone:5: $INCLUDE /etc/hostname: is outside of the folder of the zone's file\n"
	       "E t.zone:6: $INCLUDE none.zone: No such file or directory\n"
	       "E t.zone:7: $INCLUDE sub/../../x: is outside of the folder of the zone's file\n");
}

static void test_bounds(void **state)
{
	enum { LINES = 1001 };
	static char text[sizeof(ZONELOAD_HEAD) + LINES * 20] = ZONELOAD_HEAD;
	char path[ZONELOAD_PATH_MAX];
	size_t len = strlen(text);

	(void)state;
	expect(ZONELOAD_HEAD "$INCLUDE t.zone\n", E_INVAL,
	       "E t.zone:4: $INCLUDE t.zone: more than 8 files deep (does it include itself?)\n");
	write_file("empty.zone", "\n");
	for (int i = 0; i < LINES; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "$INCLUDE empty.zone\n");
	expect(text, E_INVAL, "E t.zone:1004: $INCLUDE empty.zone: more than 1000 files are included\n");
	assert_int_equal(truncate(zoneload_path("empty.zone", path), 1 << 30), 0); // no more than 1 GiB with the zone's own
	expect(ZONELOAD_HEAD "$INCLUDE empty.zone\n", E_INVAL,
	       "E empty.zone: cannot be read: the zone's files are larger than 1 GiB\n");
	remove_file("empty.zone");
}

// ---- $GENERATE ----

// What BIND 9 makes of these.
static void test_words(void **state)
{
	static const struct {
		const char *from;
		uint32_t number;
		const char *words; // NULL: malformed
	} rows[] = {
		{"host", 7, "host"}, {"host$", 7, "host7"}, {"$", 0, "0"}, {"a$b$", 12, "a12b12"}, {"$$", 7, "\\$"}, {"\\$", 7, "\\$"},
		{"${0}", 7, "7"}, {"${3}", 7, "10"}, {"${-3}", 7, "4"}, {"${+3}", 7, "10"}, {"${0,3}", 7, "007"}, {"${0,3,d}x", 7, "007x"},
		{"${0,0,d}", 7, "7"}, {"${0,2,x}", 255, "ff"}, {"${0,4,X}", 255, "00FF"}, {"${0,3,o}", 8, "010"}, {"${0,1,n}", 255, "f.f"},
		{"${0,8,n}", 255, "f.f.0.0"}, {"${0,7,N}", 171, "B.A.0.0"}, {"${0,1,n}", 0, "0"}, {"\\065$", 1, "\\0651"},
		{"${2147483647}", 2147483647, "4294967294"}, {"${-8}", 7, NULL}, {"${}", 7, NULL}, {"${", 7, NULL}, {"${0", 7, NULL},
		{"${0,}", 7, NULL}, {"${0,256}", 7, NULL}, {"${0,1,}", 7, NULL}, {"${0,1,q}", 7, NULL}, {"${0,1,d,}", 7, NULL},
		{"${2147483648}", 7, NULL}, {"${x}", 7, NULL}, {"${ 1}", 7, NULL},
	};
	char words[64];
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("   %s\n", rows[i].from);
		assert_int_equal(zone_generate_words(rows[i].from, 1, rows[i].number, words, sizeof(words), &len),
		                 rows[i].words ? 0 : E_INVAL);
		if (!rows[i].words)
			continue;
		assert_string_equal(words, rows[i].words);
		assert_int_equal(len, strlen(words) + 1);
		for (size_t size = 0; size < len; size++) // and never past the end
			assert_int_equal(zone_generate_words(rows[i].from, 1, rows[i].number, words, size, &len), E_LIMIT);
	}
	assert_int_equal(zone_generate_words("a$\0b\0$", 3, 5, words, sizeof(words), &len), 0);
	assert_memory_equal(words, "a5\0b\0005", 7);
}

static void test_ranges(void **state)
{
	static const struct {
		const char *word;
		uint32_t count; // 0: malformed
	} rows[] = {
		{"1-10", 10}, {"0-0", 1}, {"1-10/2", 5}, {"1-10/3", 4}, {"0-2147483647/2147483647", 2}, {"0-2147483647", 2147483648u},
		{"", 0}, {"1", 0}, {"1-", 0}, {"-1", 0}, {"2-1", 0}, {"1-2/0", 0}, {"1-2/", 0}, {"1-2/x", 0}, {"1-2x", 0}, {"a-b", 0},
		{"0-2147483648", 0}, {"1--2", 0}, {"99999999999999999999-1", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct zone_generate_range range;

		print_message("   %s\n", rows[i].word);
		assert_int_equal(zone_generate_range(rows[i].word, &range), rows[i].count ? 0 : E_INVAL);
		if (rows[i].count)
			assert_int_equal(zone_generate_count(&range), rows[i].count);
	}
}

static void test_generated(void **state)
{
	// RFC 2317: what $GENERATE is for.
	static const char text[] = ZONELOAD_HEAD "a A 192.0.2.200\n$GENERATE 1-5/2 h${0,2} 60 IN A 192.0.2.$\n TXT \"of a\"\n"
	                                         "$GENERATE 0-3 $.2.0.192 PTR h${10}.elsewhere.\n"
	                                         "$GENERATE 1-2 $ CNAME $.0/25\n$generate 1-2 m MX \"$0 mail$\"\n"
	                                         "$GENERATE 1-2 @ NS ns$.elsewhere.\n";
	static const struct {
		const char *name;
		uint16_t type, count;
	} rows[] = {
		{"h01.example", DNS_A, 1}, {"h03.example", DNS_A, 1}, {"h05.example", DNS_A, 1}, {"a.example", DNS_TXT, 1},
		{"3.2.0.192.example", DNS_PTR, 1}, {"1.example", DNS_CNAME, 1}, {"m.example", DNS_MX, 2}, {"example", DNS_NS, 3},
	};
	struct report *report = report_new();
	struct zonedb *db = NULL;

	(void)state;
	assert_int_equal(zoneload_text(text, strlen(text), report, &db), 0);
	zoneload_expect(report, "");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct rrset *set = node_rrset(draftzone_find_there(db, rows[i].name), rows[i].type);

		print_message("   %s\n", rows[i].name);
		assert_non_null(set);
		assert_int_equal(set->count, rows[i].count);
	}
	assert_null(draftzone_find(db, "h02.example"));
	assert_memory_equal(node_rrset(draftzone_find_there(db, "h03.example"), DNS_A)->wire,
	                    "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\3", 16);
	assert_memory_equal(node_rrset(draftzone_find_there(db, "m.example"), DNS_MX)->wire + 12, "\0\x0a\5mail1\7example\0",
	                    17);
	zonedb_free(db);
	report_free(report);
}

// One line for a mistake, however many records have it.
static void test_generate_errors(void **state)
{
	(void)state;
	expect(ZONELOAD_HEAD "$GENERATE 1-9 a$ A\n$GENERATE 9-1 a$ A 192.0.2.$\n$GENERATE 1-9 a${0,1,z} A 192.0.2.$\n"
	                     "$GENERATE 250-260 a$ A 192.0.2.$\n$GENERATE 0-262144 a$ A 192.0.2.1\n"
	                     "$GENERATE 1-2 $..x A 192.0.2.1\n$GENERATE 1-2 x TXT \"\"\n",
	       E_INVAL,
	       "E t.zone:4: a1.example A: the data ends where there should be an IPv4 address\n"
	       "E t.zone:5: $GENERATE: expected START-STOP[/STEP], an owner, a type and data\n"
	       "E t.zone:6: $GENERATE: expected ${OFFSET,WIDTH,BASE} with a base of d, o, x, X, n or N, and no negative number, "
	       "for 1\n"
	       "E t.zone:7: a256.example A: 192.0.2.256: expected an IPv4 address\n"
	       "E t.zone:8: $GENERATE: more than 262144 records are generated\n"
	       "E t.zone:9: 1..x: not a domain name\n"
	       "E t.zone:10: x.example TXT: the data ends where there should be a string of at most 255 octets\n");
	expect(ZONELOAD_HEAD "$GENERATE 0-262143/2 a$ A 192.0.2.1\n$GENERATE 0-131072 b$ A 192.0.2.1\n", E_INVAL,
	       "E t.zone:5: $GENERATE: more than 262144 records are generated\n"); // of all together
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_generated),
		cmocka_unit_test(test_generate_errors),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
