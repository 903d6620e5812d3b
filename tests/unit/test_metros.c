// The table of carriers' metros, and the catalogue's zones for the carriers that it does not name.
#include "discovery/metros.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/country.h"
#include "base/err.h"
#include "base/report.h"
#include "config/config.h"
#include "report_text.h"
#include "tempdir.h"

static char folder[TEMPDIR_LEN], path[TEMPDIR_LEN + 16];

static const char *verizon[] = {"verizon"}, *kddi[] = {"kddi"};
static const struct config_site known[] = {
	{.name = "bos", .kind = SITE_WAVELENGTH, .carriers = verizon, .carrier_count = 1, .country = 'U' << 8 | 'S',
	 .latitude = 42, .longitude = -71},
	{.name = "nrt", .kind = SITE_WAVELENGTH, .carriers = kddi, .carrier_count = 1, .country = 'J' << 8 | 'P',
	 .latitude = 35, .longitude = 139},
	{.name = "nowhere", .kind = SITE_WAVELENGTH, .carriers = kddi, .carrier_count = 1, .latitude = NAN},
	{.name = "region", .kind = SITE_REGION, .is_public = true, .latitude = 1, .longitude = 1},
};

// The rows as "carrier country latitude,longitude share" lines, or what is reported without the path.
static void expect(const char *csv, const char *expected)
{
	const struct config config = {.metros = csv ? path : NULL, .known_sites = known, .known_site_count = ARRAY_LEN(known)};
	struct report *report = report_new();
	struct arena *arena = arena_new(1 << 20);
	struct metro_row *rows;
	size_t count, len;
	char *text = NULL, country[COUNTRY_TEXT_LEN];

	if (csv) {
		FILE *file = fopen(path, "w");

		assert_non_null(file);
		assert_true(fputs(csv, file) >= 0);
		assert_int_equal(fclose(file), 0);
	}
	if (metros_load(&config, arena, report, &rows, &count) == E_OK) {
		FILE *out = open_memstream(&text, &len);

		assert_non_null(out);
		for (size_t i = 0; i < count; i++)
			fprintf(out, "%s %s %g,%g %g\n", rows[i].carrier, country_text(rows[i].country, country), rows[i].latitude,
			        rows[i].longitude, rows[i].share);
		fclose(out);
		assert_true(report_ok(report));
		assert_string_equal(text, expected);
	} else {
		char *at;

		text = report_text(report);
		at = strstr(text, path);
		assert_non_null(at);
		assert_string_equal(at + strlen(path), expected);
	}
	free(text);
	report_free(report);
	arena_free(arena);
}

#define HEADER "carrier,country,latitude,longitude,share\n"

static void test_rows(void **state)
{
	(void)state;
	expect(NULL, "verizon US 42,-71 1\nkddi JP 35,139 1\n");
	expect(HEADER, "verizon US 42,-71 1\nkddi JP 35,139 1\n");
	expect("# ours\n" HEADER "Verizon, us ,40.7,-74,8.4\nverizon,,34,-118,3\nskt,KR,37,127,1\n",
	       "verizon US 40.7,-74 8.4\nverizon  34,-118 3\nskt KR 37,127 1\nkddi JP 35,139 1\n");
}

static void test_errors(void **state)
{
	(void)state;
	expect("carrier,latitude\n", ":1: expected the header row carrier,country,latitude,longitude,share\n");
	expect(HEADER ",US,1,1,1\n", ":2: carrier: expected a carrier of up to 63 characters\n");
	expect(HEADER "a,USA,1,1,1\n", ":2: country: `USA` is not a code of two letters such as US\n");
	expect(HEADER "a,US,91,1,1\n", ":2: latitude: `91` is not a number of degrees, expected -90 to 90\n");
	expect(HEADER "a,US,1,nan,1\n", ":2: longitude: `nan` is not a number of degrees, expected -180 to 180\n");
	expect(HEADER "a,US,1,1,0\n", ":2: share: `0` is not a share, expected a number above 0\n");
	expect(HEADER "a,US,1,1,0x1\n", ":2: share: `0x1` is not a share, expected a number above 0\n");
	expect(HEADER "a,US,1,1\n", ":2: 4 fields, expected carrier,country,latitude,longitude,share\n");
}

static void test_limit(void **state)
{
	char *csv = NULL;
	size_t len;
	FILE *out = open_memstream(&csv, &len);

	(void)state;
	assert_non_null(out);
	fputs(HEADER, out);
	for (int i = 0; i < 1025; i++)
		fputs("a,US,1,1,1\n", out);
	fclose(out);
	expect(csv, ":1026: more than 1024 metros\n");
	free(csv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_limit),
	};

	if (tempdir_make(folder) < 0)
		return 1;
	snprintf(path, sizeof(path), "%s/metros.csv", folder);

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	unlink(path);
	rmdir(folder);
	return failed;
}
