// The ranges plugin: a table of files with what they give and what is said of them, hostile files, and large random
// ones against a parser so simple that it can be trusted.
#include "fakehost.h"

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

#include <arpa/inet.h>
#include <math.h>

#include "lib/parse.h"
#include "tempdir.h"

extern const struct edgesteer_plugin edgesteer_plugin_ranges;

static char folder[TEMPDIR_LEN], path[TEMPDIR_LEN + 16];

static void write_file(const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static int run_format(struct fakehost *host, const char *format)
{
	static struct fakehost_pair options[] = {{"file", path}, {"format", NULL}, {NULL, NULL}};

	options[1].value = format;
	fakehost_begin(host, options, NULL);
	return fakehost_run(host, &edgesteer_plugin_ranges);
}

static int run(struct fakehost *host)
{
	return run_format(host, "csv");
}

static uint64_t rng_state;

static uint64_t rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state;
}

// ---- the table ------------------------------------------------------------------------------------------------------

#define X10 "xxxxxxxxxx"
#define X63 X10 X10 X10 X10 X10 X10 "xxx"
#define EXAMPLE "a header row that names the columns, such as prefix,carrier,latitude,longitude,class\n"

static const struct {
	const char *csv, *added, *reports;
} cases[] = {
	{"prefix,carrier,latitude,longitude,class,site,accuracy-km\n"
	 "10.0.0.0/8,verizon,42.36,-71.06,edge,us-east-1-wl1-bos-wlz-1,25\n"
	 "2001:db8::/32,,,,,,\n",
	 "10.0.0.0/8 verizon 42.36,-71.06 ~25 km edge @us-east-1-wl1-bos-wlz-1\n2001:db8::/32\n", ""},
	// Several sites, best first; columns that are there for others.
	{"prefix,site\n1.0.0.0/8,a;b\n2.0.0.0/8, d ;\tc; b ;a\n3.0.0.0/8,\n", "1.0.0.0/8 @a;b\n2.0.0.0/8 @d;c;b;a\n3.0.0.0/8\n", ""},
	{"prefix,site\n1.0.0.0/8,a;b;c;d;e\n2.0.0.0/8,;a\n3.0.0.0/8,a;\n4.0.0.0/8,a;;b\n5.0.0.0/8,a; " X63 "x\n6.0.0.0/8,"
	 X63 ";" X63 ";" X63 ";" X63 "\n",
	 "6.0.0.0/8 @" X63 ";" X63 ";" X63 ";" X63 "\n",
	 "error 2: site: more than 4 sites\nerror 3: site: an empty one among up to 4 with semicolons between\n"
	 "error 4: site: an empty one among up to 4 with semicolons between\n"
	 "error 5: site: an empty one among up to 4 with semicolons between\n"
	 "error 6: site: '" X10 X10 X10 X10 X10 X10 "...' is longer than 63 bytes\n"},
	{"source,prefix,learned,heard,fresh-until,held-until,site,confidence,samples,weight\nx,1.0.0.0/8,,?,,,a,1,2,3\n",
	 "1.0.0.0/8 @a\n", ""},
	{"samples,weight\n", "", "error 1: no column is known: expected " EXAMPLE},
	{"prefix,country\n10.0.0.0/8,us\n11.0.0.0/8,\n", "10.0.0.0/8 in US\n11.0.0.0/8\n", ""},
	{"prefix,country\n10.0.0.0/8,USA\n11.0.0.0/8,1A\n", "",
	 "error 2: country: 'USA' is not a code of two letters such as US\n"
	 "error 3: country: '1A' is not a code of two letters such as US\n"},
	// Columns in any order, and only some.
	{"class,longitude,prefix,latitude\nfixed,+13.4,192.0.2.0/24,-52\n", "192.0.2.0/24 -52,13.4 fixed\n", ""},
	{"prefix\n::/0\n0.0.0.0/0\n", "::/0\n0.0.0.0/0\n", ""},
	// An address without a length is a host prefix.
	{"prefix,carrier\n192.0.2.1,a\n2001:DB8::192.0.2.1,b\n", "192.0.2.1/32 a\n2001:db8::c000:201/128 b\n", ""},
	// Countries: of any case; codes that stand for none are unknown.
	{"prefix,country\n10.0.0.0/8,us\n11.0.0.0/8,KR\n12.0.0.0/8,\n13.0.0.0/8,ZZ\n14.0.0.0/8,XD\n15.0.0.0/8,XK\n",
	 "10.0.0.0/8 in US\n11.0.0.0/8 in KR\n12.0.0.0/8\n13.0.0.0/8\n14.0.0.0/8\n15.0.0.0/8 in XK\n", ""},
	{"prefix,country\n10.0.0.0/8,USA\n10.0.0.0/8,U1\n10.0.0.0/8,\xc3\xa9\n", "",
	 "error 2: country: 'USA' is not a code of two letters such as US\n"
	 "error 3: country: 'U1' is not a code of two letters such as US\n"
	 "error 4: country: '\xc3\xa9' is not a code of two letters such as US\n"},
	// A byte order mark, CRLF, comments, blank lines, blanks around fields, quotes.
	{"\xef\xbb\xbf"
	 "# ours\r\n\r\n prefix , carrier \r\n  # more\r\n \t \r\n \"10.0.0.0/8\" ,\t\"a \"\"b\"\", c\" \r\n"
	 "11.0.0.0/8,\"\"\r\n",
	 "10.0.0.0/8 a \"b\", c\n11.0.0.0/8\n", ""},
	{"prefix,carrier\n1.0.0.0/8," X63 "\n", "1.0.0.0/8 " X63 "\n", ""},
	{"prefix,carrier\n1.0.0.0/8," X63 "x\n", "",
	 "error 2: carrier: '" X10 X10 X10 X10 X10 X10 "...' is longer than 63 bytes\n"},
	// Headers.
	{"", "", "error: is empty: expected " EXAMPLE},
	{"# nothing\n\n", "", "error: is empty: expected " EXAMPLE},
	{"prefix,carrier\n", "", "warning: contains no prefixes\n"},
	// No header, or another program's.
	{"10.0.0.0/8,verizon\n", "", "error 1: no column is known: expected " EXAMPLE},
	{"10.0.0.0/8,one,40.7,-74.0,edge\n10.1.0.0/16,one,40.7,-74.0,edge\n", "",
	 "error 1: no column is known: expected " EXAMPLE},
	{"prefix;carrier\n10.0.0.0/8;verizon\n", "", "error 1: no column is known: expected " EXAMPLE},
	{"network,geoname_id,carrier\n", "",
	 "error 1: unknown column 'network', expected prefix, carrier, latitude, longitude, class, site, "
	 "accuracy-km or country\n"
	 "error 1: unknown column 'geoname_id', expected prefix, carrier, latitude, longitude, class, site, "
	 "accuracy-km or country\n"
	 "error 1: no column 'prefix': expected " EXAMPLE},
	// An error that follows from a missing column is not reported as well.
	{"prefx\n", "", "error 1: unknown column 'prefx', did you mean 'prefix'?\n"},
	{"prefix,carier,carrier\n", "",
	 "error 1: unknown column 'carier', did you mean 'carrier'?\nerror 1: duplicate column 'carrier'\n"},
	{"prefix,carier,latitude,longitud,prefix\n1.0.0.0/8\n", "",
	 "error 1: unknown column 'carier', did you mean 'carrier'?\n"
	 "error 1: unknown column 'longitud', did you mean 'longitude'?\n"
	 "error 1: duplicate column 'prefix'\n"},
	{"prefix,longitude\n", "",
	 "error 1: latitude and longitude go together, the header row has only one of them\n"},
	{"prefix,accuracy-km\n", "", "error 1: accuracy-km is the accuracy of the coordinates, but there are none\n"},
	// Prefixes; what is right is still read, so that all errors are found.
	{"prefix,carrier\n10.0.0.1/8,a\n10.0.0.0/33,b\n10.0.0/8,c\n,d\n2001:db8::1/32,e\n1.0.0.0/8,f\nverizon,1.0.0.0/8\n",
	 "1.0.0.0/8 f\n",
	 "error 2: prefix: '10.0.0.1/8' has bits past its length, did you mean 10.0.0.0/8?\n"
	 "error 3: prefix: '10.0.0.0/33' is not an address prefix such as 192.0.2.0/24 or 2001:db8::/32\n"
	 "error 4: prefix: '10.0.0/8' is not an address prefix such as 192.0.2.0/24 or 2001:db8::/32\n"
	 "error 5: prefix: '' is not an address prefix such as 192.0.2.0/24 or 2001:db8::/32\n"
	 "error 6: prefix: '2001:db8::1/32' has bits past its length, did you mean 2001:db8::/32?\n"
	 "error 8: prefix: 'verizon' is not an address prefix such as 192.0.2.0/24 or 2001:db8::/32\n"},
	// Numbers.
	{"prefix,latitude,longitude,accuracy-km\n1.0.0.0/8,90.1,-180.5,-1\n2.0.0.0/8,1e1,north,1.2.3\n"
	 "3.0.0.0/8,12,,\n4.0.0.0/8,,,7\n5.0.0.0/8,90,-180,0\n",
	 "4.0.0.0/8 ~7 km\n5.0.0.0/8 90,-180\n",
	 "error 2: latitude: 90.1 is out of range, expected -90 to 90\n"
	 "error 2: longitude: -180.5 is out of range, expected -180 to 180\n"
	 "error 2: accuracy-km: -1 is out of range, expected 0 to 20040\n"
	 "error 3: latitude: '1e1' is not a decimal number\n"
	 "error 3: longitude: 'north' is not a decimal number\n"
	 "error 3: accuracy-km: '1.2.3' is not a decimal number\n"
	 "error 4: latitude and longitude go together, one of them is empty\n"},
	// The shape of rows.
	{"prefix,carrier\n1.0.0.0/8\n2.0.0.0/8,a,b\n3.0.0.0/8,\"a\n4.0.0.0/8,\"a\" b\n5.0.0.0/8,a \"b\"\n",
	 "5.0.0.0/8 a \"b\"\n",
	 "error 2: 1 fields, the header row has 2\nerror 3: 3 fields, the header row has 2\n"
	 "error 4: misplaced quotes (a quoted field ends on its line, at a comma or at the end), or more than 64 "
	 "fields\n"
	 "error 5: misplaced quotes (a quoted field ends on its line, at a comma or at the end), or more than 64 "
	 "fields\n"},
	// A file that was cut off.
	{"prefix,carrier\n1.0.0.0/8,a\n2.0.0.0/8,b", "1.0.0.0/8 a\n2.0.0.0/8 b\n",
	 "warning 3: ends without a newline: was it cut?\n"},
	{"prefix,carrier\n1.0.0.0/8,a\n2.0.0.0/8", "1.0.0.0/8 a\n", "error 3: 1 fields, the header row has 2\n"},
	{"prefix\n1.0.0.0/8\n1.0.0.0/8\n1.0.0.0/8\n", "1.0.0.0/8\n1.0.0.0/8\n1.0.0.0/8\n",
	 "warning 3: 1.0.0.0/8 is on line 2 already: this later row is used\n"
	 "warning 4: 1.0.0.0/8 is on line 3 already: this later row is used\n"},
	// Twice and nested; the order does not matter.
	{"prefix,carrier\n10.1.0.0/16,a\n10.0.0.0/8,b\n10.1.0.0/16,c\n2001:db8::/32,d\n10.1.2.0/24,e\n2001:db8::/32,f\n",
	 "10.1.0.0/16 a\n10.0.0.0/8 b\n10.1.0.0/16 c\n2001:db8::/32 d\n10.1.2.0/24 e\n2001:db8::/32 f\n",
	 "warning 4: 10.1.0.0/16 is on line 2 already: this later row is used\n"
	 "warning 7: 2001:db8::/32 is on line 5 already: this later row is used\n"
	 "note: 2 of 4 prefixes are inside another one, such as 10.1.0.0/16 (line 2) inside 10.0.0.0/8 (line 3): of nested "
	 "prefixes the longest gives all fields\n"},
};

static void assert_file(const char *format, const char *text, const char *added, const char *reports)
{
	struct fakehost host;
	char got[4096] = "", line[512];
	size_t at = 0;

	write_file(text, strlen(text));

	int err = run_format(&host, format);

	for (size_t i = 0; i < host.added_count; i++)
		at += (size_t)snprintf(got + at, sizeof(got) - at, "%s\n", fakehost_format(&host.added[i], line));
	assert_string_equal(host.reports, reports);
	assert_string_equal(got, added);
	assert_int_equal(err < 0, host.errors > 0);
	fakehost_end(&host);
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_file("csv", cases[i].csv, cases[i].added, cases[i].reports);
}

// RFC 8805: no header row, any number of the fields behind the prefix, and more than we know.
static void test_geofeed(void **state)
{
	static const struct {
		const char *feed, *added, *reports;
	} feeds[] = {
		{"# prefix,country_code,region_code,city,postal\n"
		 "192.0.2.0/24,US,US-MA,Boston,\n2001:db8::/32,de\n198.51.100.0/24,,,,\n203.0.113.7\n10.0.0.0/8,JP,,,,more,of,it\n",
		 "192.0.2.0/24 in US\n2001:db8::/32 in DE\n198.51.100.0/24\n203.0.113.7/32\n10.0.0.0/8 in JP\n", ""},
		{"prefix,country\n10.0.0.0/8,Japan\n10.0.0.1/8,JP\n", "",
		 "error 1: prefix: 'prefix' is not an address prefix such as 192.0.2.0/24 or 2001:db8::/32\n"
		 "error 1: country: 'country' is not a code of two letters such as US\n"
		 "error 2: country: 'Japan' is not a code of two letters such as US\n"
		 "error 3: prefix: '10.0.0.1/8' has bits past its length, did you mean 10.0.0.0/8?\n"},
		{"", "", "warning: contains no prefixes\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(feeds) / sizeof(feeds[0]); i++)
		assert_file("geofeed", feeds[i].feed, feeds[i].added, feeds[i].reports);

	struct fakehost host;

	assert_int_equal(run_format(&host, "geo"), -1);
	assert_string_equal(host.reports, "error: format: 'geo' is neither csv nor geofeed\n");
	fakehost_end(&host);
}

// ---- hostile files --------------------------------------------------------------------------------------------------

static void expect(const void *bytes, size_t len, const char *reports, size_t added)
{
	struct fakehost host;

	write_file(bytes, len);
	run(&host);
	assert_string_equal(host.reports, reports);
	assert_int_equal(host.added_count, added);
	fakehost_end(&host);
}

static void test_zero_bytes(void **state)
{
	static const char csv[] = "prefix,carrier\n1.0.0.0/8,a\0b\n2.0.0.0/8,c\n\0";

	(void)state;
	expect(csv, sizeof(csv) - 1, "error 2: zero octet: this is not a text file\n"
	                             "error 4: zero octet: this is not a text file\n", 1);
}

// Lines around the limit and around the size of the block they are read in; the rows behind them are still read.
static void test_long_lines(void **state)
{
	static const size_t lens[] = {4096, 4097, 262143, 262144, 262145, 600000};
	static char csv[1 << 20];

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		for (int ended = 0; ended < 2; ended++) {
			size_t at = (size_t)snprintf(csv, sizeof(csv), "prefix,carrier\n1.0.0.0/8,a\n");

			memset(csv + at, '#', lens[i]);
			at += lens[i];
			if (ended)
				at += (size_t)snprintf(csv + at, sizeof(csv) - at, "\n2.0.0.0/8,b\n");
			expect(csv, at, lens[i] > 4096 ? "error 3: a line of more than 4096 bytes\n"
			                : ended        ? ""
			                               : "warning 3: ends without a newline: was it cut?\n",
			       1 + (size_t)ended);
		}
	}
}

static void test_many_fields(void **state)
{
	char csv[512] = "prefix,carrier\n";

	(void)state;
	memset(csv + strlen(csv), ',', 64);
	expect(csv, strlen(csv),
		   "error 2: misplaced quotes (a quoted field ends on its line, at a comma or at the end), "
		   "or more than 64 fields\n",
		   0);
}

static void test_no_files(void **state)
{
	struct fakehost host;

	(void)state;
	unlink(path);
	assert_true(run(&host) < 0);
	assert_string_equal(host.reports, "error: cannot be read: No such file or directory\n");
	fakehost_end(&host);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(run(&host) < 0);
	assert_string_equal(host.reports, "error: cannot be read: Is a directory\n");
	fakehost_end(&host);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_true(run(&host) < 0);
	assert_string_equal(host.reports, "error: cannot be read: not a regular file\n");
	fakehost_end(&host);
	assert_int_equal(unlink(path), 0);
}

// After an error of the host, it is not called again.
static void test_refusing_host(void **state)
{
	static const char csv[] = "prefix\n1.0.0.0/8\n2.0.0.0/8\n3.0.0.0/8\n4.0.0.0/8\n";
	static struct fakehost_pair options[] = {{"file", path}, {NULL, NULL}};
	struct fakehost host;

	(void)state;
	write_file(csv, sizeof(csv) - 1);
	fakehost_begin(&host, options, NULL);
	host.refuse_after = 2;
	assert_true(fakehost_run(&host, &edgesteer_plugin_ranges) < 0);
	assert_int_equal(host.added_count, 2);
	assert_int_equal(host.adds, 3);
	fakehost_end(&host);
}

// ---- values ---------------------------------------------------------------------------------------------------------

// Random words of the characters of addresses, most of them invalid, against inet_pton().
static void test_addresses(void **state)
{
	static const char *const parts[] = {":",   ":",       "::",       ".",     "0",     "1",    "12",
	                                    "255", "256",     "01",       "f",     "fffff", "ffff", "Ab",
	                                    "g",   "1.2.3.4", "2001:db8", "0:0:0", ":1",    "10.0."};
	size_t good = 0;

	(void)state;
	rng_state = 1;
	for (int i = 0; i < 2000000; i++) {
		char text[128] = "";
		uint8_t expected[16] = {0};
		size_t at = 0;

		for (uint64_t n = 1 + rng() % 11; n > 0; n--)
			at +=
				(size_t)snprintf(text + at, sizeof(text) - at, "%s", parts[rng() % (sizeof(parts) / sizeof(parts[0]))]);

		uint8_t family = inet_pton(AF_INET, text, expected) == 1 ? 4 : inet_pton(AF_INET6, text, expected) == 1 ? 6 : 0;
		struct edgesteer_prefix prefix;
		bool tail, parsed = parse_prefix(text, &prefix, &tail);

		if (parsed != (family != 0))
			print_error("%s\n", text);
		assert_int_equal(parsed, family != 0);
		if (!parsed)
			continue;
		assert_int_equal(prefix.family, family);
		assert_int_equal(prefix.length, family == 4 ? 32 : 128);
		assert_false(tail);
		assert_memory_equal(prefix.address, expected, family == 4 ? 4 : 16);
		good++;
	}
	assert_true(good > 10000);
}

static void test_lengths(void **state)
{
	static const char *const wrong[] = {"1.0.0.0/", "1.0.0.0/33", "1.0.0.0/a", "1.0.0.0/8 ", "1.0.0.0/-1", "1.0.0.0//8",
	                                    "::/129", "::/1000", "::/999999999999999999999", "/8", "1.0.0.0/8/8", ""};
	struct edgesteer_prefix prefix;
	bool tail;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(parse_prefix(wrong[i], &prefix, &tail));
	for (unsigned len = 0; len <= 128; len++) {
		char text[64];

		snprintf(text, sizeof(text), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/%u", len);
		assert_true(parse_prefix(text, &prefix, &tail));
		assert_int_equal(tail, len < 128);
		for (unsigned bit = 0; bit < 128; bit++)
			assert_int_equal(prefix.address[bit / 8] >> (7 - bit % 8) & 1, bit < len);
	}
}

static void test_decimals(void **state)
{
	static const char *const wrong[] = {
		"", "-", "+", ".", "-.", "1e3", "0x10", "1,5", "nan", "inf", "--1", "1-", "1.2.3", " 1", "1234567890123456"};
	double value;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(parse_decimal(wrong[i], &value));
	rng_state = 2;
	for (int i = 0; i < 200000; i++) {
		char text[64];

		snprintf(text, sizeof(text), "%s%.*f", rng() % 2 ? "" : "+", (int)(rng() % 13),
		         (double)(rng() % 36000001) / 1e5);
		if (rng() % 2)
			text[0] = text[0] == '+' ? '-' : text[0];
		assert_true(parse_decimal(text, &value));
		assert_true(value == strtod(text, NULL)); // bit for bit
	}
	assert_true(parse_decimal("0000000000000000000012.5", &value));
	assert_true(value == 12.5);
	assert_true(parse_decimal("-0.1234567890123456789", &value));
	assert_true(fabs(value + 0.1234567890123456789) < 1e-14);
}

// ---- large ----------------------------------------------------------------------------------------------------------

static void random_prefix(uint8_t family, unsigned max_length, struct edgesteer_prefix *prefix)
{
	*prefix = (struct edgesteer_prefix){.family = family, .length = (uint8_t)(rng() % (max_length + 1))};
	for (unsigned bit = 0; bit < prefix->length; bit++)
		if (rng() % 2)
			prefix->address[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

static void write_random_rows(FILE *file, int rows)
{
	for (int i = 0; i < rows; i++) {
		struct edgesteer_prefix prefix;
		char text[PARSE_PREFIX_TEXT_LEN];

		if (rng() % 3)
			random_prefix(4, 32, &prefix);
		else
			random_prefix(6, 128, &prefix);
		fprintf(file, "%s,", parse_format_prefix(&prefix, text));
		if (rng() % 2)
			fprintf(file, "carrier-%u", (unsigned)(rng() % 100));
		if (rng() % 4)
			fprintf(file, ",%.4f,%.4f", (double)(rng() % 1800001) / 1e4 - 90, (double)(rng() % 3600001) / 1e4 - 180);
		else
			fprintf(file, ",,");
		fprintf(file, ",%s%s\n", rng() % 2 ? "" : "mvno", rng() % 16 ? "" : "\r");
	}
}

// The simple parser: splits at commas, inet_pton(), strtod().
static void assert_row(char *line, const struct fakehost_added *added)
{
	char *fields[5];

	line[strcspn(line, "\r\n")] = '\0';
	for (int i = 0; i < 5; i++)
		fields[i] = strsep(&line, ",");

	char *slash = strchr(fields[0], '/');
	uint8_t address[16] = {0};

	*slash = '\0';
	assert_int_equal(inet_pton(added->prefix.family == 4 ? AF_INET : AF_INET6, fields[0], address), 1);
	assert_memory_equal(added->prefix.address, address, 16);
	assert_int_equal(added->prefix.length, strtol(slash + 1, NULL, 10));
	assert_string_equal(added->carrier, fields[1]);
	assert_string_equal(added->class_, fields[4]);
	if (*fields[2])
		assert_true(added->latitude == strtod(fields[2], NULL) && added->longitude == strtod(fields[3], NULL));
	else
		assert_true(isnan(added->latitude) && isnan(added->longitude));
}

static void test_large(void **state)
{
	enum { ROWS = 100000 };
	FILE *file = fopen(path, "w");
	struct fakehost host;
	char line[256];

	(void)state;
	rng_state = 3;
	assert_non_null(file);
	fputs("prefix,carrier,latitude,longitude,class\n", file);
	write_random_rows(file, ROWS);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(run(&host), 0);
	assert_int_equal(host.added_count, ROWS);
	assert_non_null(file = fopen(path, "r"));
	assert_non_null(fgets(line, sizeof(line), file));
	for (size_t i = 0; i < ROWS; i++) {
		assert_non_null(fgets(line, sizeof(line), file));
		assert_row(line, &host.added[i]);
	}
	fclose(file);
	fakehost_end(&host);
}

static bool contains(const struct edgesteer_prefix *wide, const struct edgesteer_prefix *narrow)
{
	if (wide->family != narrow->family || wide->length > narrow->length)
		return false;
	for (unsigned bit = 0; bit < wide->length; bit++)
		if ((wide->address[bit / 8] ^ narrow->address[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

// Compares every pair: how many prefixes repeat an earlier one, and how many different ones are inside another.
static void count_nesting(const struct edgesteer_prefix *prefixes, size_t rows, size_t *duplicates, size_t *nested)
{
	*duplicates = *nested = 0;
	for (size_t i = 0; i < rows; i++) {
		bool repeated = false, inside = false;

		for (size_t j = 0; j < rows; j++) {
			bool same = prefixes[i].length == prefixes[j].length && contains(&prefixes[i], &prefixes[j]);

			repeated = repeated || (same && j < i);
			inside = inside || (!same && contains(&prefixes[j], &prefixes[i]));
		}
		*duplicates += repeated;
		*nested += inside && !repeated;
	}
}

static void assert_nesting(const char *reports, size_t rows, size_t duplicates, size_t nested)
{
	char expected[64];
	size_t reported = 0;

	for (const char *at = reports; (at = strstr(at, "already")); at++)
		reported++;
	assert_int_equal(reported, duplicates < 20 ? duplicates : 20);
	snprintf(expected, sizeof(expected), "note: %zu of %zu prefixes are inside", nested, rows - duplicates);
	assert_int_equal(strstr(reports, expected) != NULL, nested > 0);
	snprintf(expected, sizeof(expected), "warning: %zu more rows repeat a prefix\n", duplicates - 20);
	assert_int_equal(strstr(reports, expected) != NULL, duplicates > 20);
}

static void test_nesting(void **state)
{
	enum { ROWS = 200 };
	struct edgesteer_prefix prefixes[ROWS];
	size_t with_many = 0;

	(void)state;
	rng_state = 4;
	for (int round = 0; round < 200; round++) {
		FILE *file = fopen(path, "w");
		size_t rows = 1 + rng() % ROWS, duplicates, nested;
		char text[PARSE_PREFIX_TEXT_LEN];
		struct fakehost host;

		assert_non_null(file);
		fputs("prefix\n", file);
		for (size_t i = 0; i < rows; i++) {
			random_prefix(rng() % 2 ? 4 : 6, round % 2 ? 8 : 32, &prefixes[i]);
			fprintf(file, "%s\n", parse_format_prefix(&prefixes[i], text));
		}
		fclose(file);
		count_nesting(prefixes, rows, &duplicates, &nested);
		assert_int_equal(run(&host), 0);
		assert_nesting(host.reports, rows, duplicates, nested);
		with_many += duplicates > 20;
		fakehost_end(&host);
	}
	assert_true(with_many > 0);
}

static int set_up(void **state)
{
	(void)state;
	if (tempdir_make(folder) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/ranges.csv", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),      cmocka_unit_test(test_zero_bytes),    cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_many_fields), cmocka_unit_test(test_no_files),     cmocka_unit_test(test_refusing_host),
		cmocka_unit_test(test_addresses),  cmocka_unit_test(test_lengths),       cmocka_unit_test(test_decimals),
		cmocka_unit_test(test_large),      cmocka_unit_test(test_nesting),       cmocka_unit_test(test_geofeed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
