// Provided targets joined to a config: which are used, which are refused and why, and that the config stays as it was.
#include "provide/join.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/report.h"
#include "config/config.h"
#include "generation/zones.h"
#include "provide/snapshot.h"
#include "report_text.h"
#include "zone/zone.h"

static const char base_text[] =
	"domains: {e.x: {ns: n.x}}\n"
	"providers: [{plugin: x}]\n"
	"sites: {us-east-1: {}, plant-7: {kind: outpost}}\n"
	"checks: {web: {type: http}, tcp: {type: tcp, port: 80}}\n"
	"defaults: {ttl: 7s, check: web}\n"
	"apps:\n"
	"  a.e.x: {check: tcp, targets: {us-east-1: {addresses: 192.0.2.1}}}\n"
	"  w.e.x: {check: web, targets: {us-east-1: {addresses: 192.0.2.2, weight: 3}}}\n";

static const struct addr address = {.family = ADDR_V4, .bytes = {198, 51, 100, 7}};

// One in Boston's block, and one in none.
static const struct addr mixed[] = {{.family = ADDR_V4, .bytes = {155, 146, 0, 9}},
                                    {.family = ADDR_V4, .bytes = {198, 51, 100, 7}}};

#define AT(app_, site_) AT_ADDRESSES(app_, site_, &address, 1)
#define AT_ADDRESSES(app_, site_, addresses_, count_) \
	{.app = app_, .site = site_, .addresses = addresses_, .address_count = count_, .from = "test: " app_ " " site_, \
	 .provider = "test", .key = app_ " " site_, .mark = {"/d/f", 2, 13}, .rule = READY_ENDPOINTS}

static struct config *join(struct config *read, const struct provided *targets, size_t count)
{
	struct snapshot snapshot = {.targets = targets, .count = count};
	struct report *report = report_new();
	struct zonedb *zones = NULL;
	struct config *joined = NULL;

	assert_int_equal(zones_load(read, 1, report, &zones), E_OK);
	assert_int_equal(join_config(&snapshot, read, zones, report, &joined), E_OK);
	zonedb_free(zones);
	report_free(report);
	return joined;
}

static struct config *read_base(void)
{
	char *reported;
	struct config *read = report_text_config(base_text, sizeof(base_text) - 1, &reported);

	if (!read)
		print_error("%s", reported);
	assert_non_null(read);
	free(reported);
	return read;
}

// "APP: SITE[=FROM] SITE ...;" for each app.
static void write_apps(const struct config *config, char *text, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < config->app_count; i++) {
		const struct config_app *app = &config->apps[i];

		len += (size_t)snprintf(text + len, size - len, "%s%s:", app->is_provided ? "+" : "", app->name);
		for (size_t j = 0; j < app->target_count; j++)
			len += (size_t)snprintf(text + len, size - len, " %s%s", config->sites[app->targets[j].site].name,
			                        app->targets[j].from ? "+" : "");
		len += (size_t)snprintf(text + len, size - len, ";");
	}
}

static void test_join(void **state)
{
	const struct provided targets[] = {
		AT("*.b.e.x", "us-east-1"), AT("a.e.x", "plant-7"), AT("a.e.x", "us-east-1"),
		AT_ADDRESSES("a.e.x", "us-east-1-wl1-bos-wlz-1", mixed, 2), AT("a.e.x", "us-east-1-wl1-nyc-wlz-1"),
		AT("c.e.x", "nowhere"), AT("d.e.x", "eu-central-1"), AT("d.e.x", "nowhere"), AT("d.e.x", "plant-7"),
		AT("d.e.x", "us-west-2"),
		AT("d.e.x", "us-west-2a"), {.app = "e.e.x", .site = "us-east-1", .alias = "lb.e.x", .from = "", .provider = "test"},
		AT("f.g", "us-east-1"), AT("w.e.x", "us-west-2"),
	};
	static const struct {
		const char *app, *site, *why;
	} refused[] = {
		{"*.b.e.x", "us-east-1", "such a name is not a Host header, and the app's check has no `host`"},
		{"a.e.x", "us-east-1", "the config has a target at this site of the app"},
		{"a.e.x", "us-east-1-wl1-nyc-wlz-1", "its address cannot be used: it is outside of the site's block"},
		{"c.e.x", "nowhere", "its site is neither in `sites` nor in the catalogue"},
		{"d.e.x", "nowhere", "its site is neither in `sites` nor in the catalogue"},
		{"e.e.x", "us-east-1", "its host name is in a zone that is served here"},
		{"f.g", "us-east-1", "it is in none of our domains"},
	};
	struct config *read = read_base(), *joined = join(read, targets, sizeof(targets) / sizeof(targets[0]));
	char text[1024];

	(void)state;
	write_apps(joined, text, sizeof(text));
	assert_string_equal(text, "a.e.x: us-east-1 plant-7+ us-east-1-wl1-bos-wlz-1+;w.e.x: us-east-1 us-west-2+;"
	                          "+d.e.x: plant-7+ eu-central-1+ us-west-2+ us-west-2a+;");
	assert_int_equal(joined->refused_count, sizeof(refused) / sizeof(refused[0]));
	for (size_t i = 0; i < joined->refused_count; i++) {
		assert_string_equal(joined->refused[i].app, refused[i].app);
		assert_string_equal(joined->refused[i].site, refused[i].site);
		assert_string_equal(joined->refused[i].why, refused[i].why);
		assert_string_equal(joined->refused[i].provider, "test");
	}

	const struct config_target *target = &joined->apps[0].targets[2];

	assert_string_equal(target->from, "test: a.e.x us-east-1-wl1-bos-wlz-1");
	assert_true(target->ready == READY_ENDPOINTS && target->check == CONFIG_CHECK_NONE && target->address_count == 1);
	assert_true(target->mark.line == 2 && strcmp(target->mark.file, "/d/f") == 0);
	assert_true(addr_equal(&target->addresses[0], &mixed[0]) && target->addresses != mixed);
	assert_true(target->refused_count == 1 && addr_equal(&target->addresses[1], &mixed[1]));
	assert_true(joined->sites[target->site].kind == SITE_WAVELENGTH && !joined->sites[target->site].is_public);
	assert_int_equal(joined->site_count, 6); // of the catalogue's only those that are used
	assert_true(joined->apps[2].ttl_s == 7 && joined->apps[2].check == 0 && joined->apps[2].mark.line == 2);
	assert_int_equal(config_target_weight(&joined->apps[1].targets[1]), 1);
	// What was read is as it was, and lives as long as the joined one.
	write_apps(read, text, sizeof(text));
	assert_string_equal(text, "a.e.x: us-east-1;w.e.x: us-east-1;");
	assert_true(read->site_count == 2 && joined->base == read);
	config_free(read);
	assert_string_equal(joined->apps[0].name, "a.e.x");
	config_free(joined);
}

static void test_nothing(void **state)
{
	struct config *read = read_base(), *joined = join(read, NULL, 0);
	struct config *none = NULL;

	(void)state;
	assert_ptr_equal(joined, read);
	assert_int_equal(join_config(NULL, read, NULL, NULL, &none), E_NOMEM);
	config_free(joined);
	config_free(read);
}

static void test_limits(void **state)
{
	enum { MANY = APP_TARGETS_MAX + 10 };
	struct config *read = read_base(), *joined;
	struct provided *targets = calloc(MANY, sizeof(*targets));
	const struct provided one = AT("a.e.x", "us-east-1");
	char (*sites)[32] = calloc(MANY, sizeof(*sites));
	struct config_site *more = calloc(MANY, sizeof(*more));

	(void)state;
	assert_true(targets && sites && more);
	for (size_t i = 0; i < MANY; i++) { // sites that the catalogue is told to know
		snprintf(sites[i], sizeof(sites[i]), "s%05zu", i);
		more[i] = read->sites[0];
		more[i].name = sites[i];
		targets[i] = one;
		targets[i].site = sites[i];
	}
	read->known_sites = more;
	read->known_site_count = MANY;
	joined = join(read, targets, MANY);
	assert_int_equal(joined->apps[0].target_count, APP_TARGETS_MAX);
	assert_int_equal(joined->refused_count, 11); // one target is the config's
	assert_string_equal(joined->refused[0].why, "the app has as many targets as it may");
	config_free(joined);
	config_free(read);
	free(targets);
	free(sites);
	free(more);
}

// What can be looked up is limited, whoever asks for it: else one provider could keep all others and every reload out.
static void test_many_names(void **state)
{
	enum { COUNT = CONFIG_HOSTS_MAX + 5, TEXT_LEN = sizeof("n-2147483648.e.x") };
	struct provided *targets = calloc(COUNT, sizeof(*targets));
	char (*apps)[TEXT_LEN] = calloc(COUNT, TEXT_LEN), (*names)[TEXT_LEN] = calloc(COUNT, TEXT_LEN);
	struct config *read = read_base(), *joined;

	(void)state;
	assert_true(targets && apps && names);
	for (int i = 0; i < COUNT; i++) {
		snprintf(apps[i], TEXT_LEN, "n%05d.e.x", i);
		snprintf(names[i], TEXT_LEN, "lb%d.y", i < COUNT - 1 ? i : 0); // the last one's is known
		targets[i] = (struct provided){.app = apps[i], .site = "us-east-1", .alias = names[i], .from = apps[i],
		                               .provider = "test", .key = apps[i], .mark = {"/d/f", 2, 13}};
	}
	joined = join(read, targets, COUNT);
	assert_int_equal(joined->app_count, read->app_count + CONFIG_HOSTS_MAX + 1);
	assert_int_equal(joined->refused_count, 4);
	assert_string_equal(joined->refused[0].app, apps[CONFIG_HOSTS_MAX]);
	assert_string_equal(joined->refused[0].why, "as many host names are looked up as may be");
	config_free(joined);
	config_free(read);
	free(targets);
	free(apps);
	free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_join), cmocka_unit_test(test_nothing),
	                                   cmocka_unit_test(test_limits), cmocka_unit_test(test_many_names)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
