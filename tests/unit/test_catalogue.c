// The built-in catalogue against a list of AWS's names, and an operator's own.
#include "config/catalogue.h"

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
#include "base/attr.h"
#include "base/err.h"
#include "base/nearest.h"
#include "base/report.h"
#include "config/config.h"
#include "config/options.h"
#include "report_text.h"
#include "tempdir.h"

static struct arena *arena;
static struct catalogue catalogue;

static int load(void **state)
{
	struct report *report = report_new();

	(void)state;
	arena = arena_new(1 << 20);
	assert_non_null(arena);
	assert_int_equal(catalogue_load(NULL, &options_catalogue, arena, report, &catalogue), E_OK);
	assert_int_equal(report_count(report, REPORT_WARNING), 0);
	report_free(report);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void check_row(const char *kind, const char *name, const char *region)
{
	struct config_site site, parent;

	if (!catalogue_find(&catalogue, name, &site))
		fail_msg("%s is missing", name);
	assert_string_equal(site.name, name);
	assert_string_equal(site_kind_text(site.kind), kind);
	assert_string_equal(site.region, region);
	if (*region && (!catalogue_find(&catalogue, region, &parent) || parent.kind != SITE_REGION))
		fail_msg("%s: no parent Region %s", name, region);
	// Where us-south-1 is was not found.
	assert_int_equal(isnan(site.latitude), strcmp(name, "us-south-1") == 0);
	assert_int_equal(site.is_public, site.kind != SITE_WAVELENGTH);
	// The carrier of one zone was not found.
	assert_int_equal(site.carrier_count, site.kind == SITE_WAVELENGTH && strcmp(name, "us-east-1-foe-wlz-1a") != 0);
	assert_int_equal(site.bias_us, 0);
}

// Every name of the list is in the catalogue, and nothing else.
static void every_site(void **state)
{
	const char *folder = getenv("srcdir");
	char path[1024], line[256], kind[32], name[64], region[64];
	size_t count = 0;

	(void)state;
	snprintf(path, sizeof(path), "%s/tests/data/aws-sites.csv", folder ? folder : ".");

	FILE *in = fopen(path, "r");

	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		*region = '\0';
		if (line[0] == '#' || strncmp(line, "kind,", 5) == 0)
			continue;
		assert_in_range(sscanf(line, "%31[^,],%63[^,\n],%63[^\n]", kind, name, region), 2, 3);
		check_row(kind, name, region);
		count++;
	}
	fclose(in);
	assert_int_equal(count, 125);
	assert_int_equal(catalogue.site_count, count);
}

// Carriers are named as the prefix tables name them.
static void carriers(void **state)
{
	static const char *const rows[][2] = {
		{"us-east-1-wl1-bos-wlz-1", "verizon"},        {"us-west-2-wl1-las-wlz-1", "verizon"},
		{"ca-central-1-wl1-yto-wlz-1", "bell"},        {"ap-northeast-1-wl1-nrt-wlz-1", "kddi"},
		{"ap-northeast-2-wl1-sel-wlz-1", "skt"},       {"eu-central-1-wl1-ber-wlz-1", "vodafone-de"},
		{"eu-west-2-wl1-lon-wlz-1", "vodafone-uk"},    {"eu-west-2-wl1-man-wlz-1", "vodafone-uk"},
		{"eu-west-2-wl2-man-wlz-1", "ee"},             {"eu-west-3-cmn-wlz-1a", "orange-ma"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct config_site site;

		assert_true(catalogue_find(&catalogue, rows[i][0], &site));
		assert_string_equal(site.carriers[0], rows[i][1]);
	}
}

static void zones_by_letter(void **state)
{
	struct config_site zone, parent;

	(void)state;
	assert_true(catalogue_find(&catalogue, "us-east-1", &parent));
	assert_true(catalogue_find(&catalogue, "us-east-1a", &zone));
	assert_int_equal(zone.kind, SITE_AZ);
	assert_string_equal(zone.region, "us-east-1");
	assert_true(zone.latitude == parent.latitude && zone.longitude == parent.longitude);

	assert_true(catalogue_find(&catalogue, "us-west-2-lax-1b", &zone));
	assert_int_equal(zone.kind, SITE_LOCAL_ZONE);
	assert_string_equal(zone.region, "us-west-2");

	static const char *const unknown[] = {
		"", "a", "us-east-1A", "us-east-1aa", "us-east-1-", "us-east-1-wl1-bos-wlz-1a", "xx-east-1", "us-east",
		"us-east-12", "us-east-1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};

	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		assert_false(catalogue_find(&catalogue, unknown[i], &zone));

	struct nearest misspelt = nearest_begin("us-east-1-wl1-bso-wlz-1"), other = nearest_begin("plant-seven");

	catalogue_offer(&catalogue, &misspelt);
	catalogue_offer(&catalogue, &other);
	assert_string_equal(misspelt.word, "us-east-1-wl1-bos-wlz-1");
	assert_null(other.word);
}

// Loads an operator's catalogue with this text; the report goes into *ret_reported.
static int load_own(const char *text, struct catalogue *ret_own, char **ret_reported)
{
	char folder[TEMPDIR_LEN], path[2 * TEMPDIR_LEN];
	struct report *report = report_new();

	assert_int_equal(tempdir_make(folder), 0);
	snprintf(path, sizeof(path), "%s/own.yaml", folder);

	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);

	int err = catalogue_load(path, &options_catalogue, arena, report, ret_own);
	char *reported = report_text(report);

	*ret_reported = strdup(reported + (strncmp(reported, path, strlen(path)) == 0 ? strlen(path) : 0));
	free(reported);
	unlink(path);
	rmdir(folder);
	report_free(report);
	return err;
}

static void own_file(void **state)
{
	struct catalogue own;
	struct config_site site;
	char *reported;

	(void)state;
	assert_int_equal(load_own("sites:\n  b-1: {kind: region}\n  a-1: {kind: az, reach: kpn}\n", &own, &reported), E_OK);
	assert_string_equal(reported, "");
	free(reported);
	assert_int_equal(own.site_count, 2);
	assert_true(catalogue_find(&own, "a-1", &site) && !site.is_public && site.carrier_count == 1);
	assert_true(catalogue_find(&own, "b-1c", &site) && site.kind == SITE_AZ);
	assert_false(catalogue_find(&own, "us-east-1", &site));

	own = (struct catalogue){0};
	assert_int_equal(load_own("sites:\n  a: {}\n", &own, &reported), E_INVAL);
	assert_string_equal(reported, ":2:3: sites.a: has no `kind`, expected one\n");
	free(reported);
	assert_int_equal(load_own("sties: {}\n", &own, &reported), E_INVAL);
	assert_non_null(strstr(reported, "did you mean `sites`?"));
	free(reported);
	assert_int_equal(load_own("sites: [\n", &own, &reported), E_INVAL);
	assert_non_null(strstr(reported, "not YAML"));
	free(reported);
	assert_int_equal(load_own("sites:\n", &own, &reported), E_OK);
	assert_false(catalogue_find(&own, "us-east-1", &site));
	free(reported);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_site), cmocka_unit_test(carriers), cmocka_unit_test(zones_by_letter),
		cmocka_unit_test(own_file),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
