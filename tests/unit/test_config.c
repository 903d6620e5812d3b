// The complete configuration: typed values, defaults, the example files, the manual and the schema made from the
// rows, and that damage to a file causes errors only.
#include "config/config.h"
#include "config/load.h"

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
#include <jansson.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/log.h"
#include "base/report.h"
#include "report_text.h"
#include "tempdir.h"

enum { MUTATIONS = 4000, MUTATIONS_LONG = 20000 }; // EDGESTEER_LONG=1

static struct config *good(const char *text)
{
	char *reported;
	struct config *config = report_text_config(text, strlen(text), &reported);

	if (!config || *reported)
		fail_msg("%s\n%s", text, reported);
	free(reported);
	return config;
}

// The file's text, with a final zero; the caller frees it.
static char *read_example(const char *name, size_t *ret_len)
{
	const char *folder = getenv("srcdir");
	char path[1024], *text = malloc(1 << 16);

	snprintf(path, sizeof(path), "%s/conf/%s", folder ? folder : ".", name);

	FILE *in = fopen(path, "r");

	assert_non_null(in);
	assert_non_null(text);
	*ret_len = fread(text, 1, (1 << 16) - 1, in);
	text[*ret_len] = '\0';
	fclose(in);
	return text;
}

static void defaults(void **state)
{
	struct config *config = good("domains: {e.x: {ns: n.x}}\nsites: {us-east-1: }\n"
	                             "checks: {h: {type: https}, s: {type: http, interval: 1s}}\n"
	                             "apps: {a.e.x: {check: h, targets: {us-east-1: {addresses: 1.1.1.1}}},\n"
	                             "       b.e.x: {check: s, targets: {us-east-1: {addresses: 1.1.1.1}}}}\n");
	const struct config_server *server = &config->server;
	const struct config_steering *steering = &config->steering;

	(void)state;
	assert_string_equal(config->file, "/d/f");
	assert_int_equal(server->listen_count, 2);
	assert_string_equal(server->listen[0], "0.0.0.0@53");
	assert_string_equal(server->listen[1], "::@53");
	assert_string_equal(server->control, "/run/edgesteer/control.sock");
	assert_string_equal(server->state_dir, "/var/lib/edgesteer");
	assert_true(!server->user && !server->plugin_dir && !server->nsid && server->ecs_ignore_count == 0);
	assert_true(server->workers == 0 && server->udp_size == 1232 && server->tcp_clients == 256);
	assert_true(server->tcp_idle_ms == 10000 && server->probes == 1024 && server->log_level == LOG_LEVEL_INFO);
	assert_int_equal(steering->model.access_us[SITE_WAVELENGTH], 10000);
	assert_int_equal(steering->model.access_us[SITE_OUTPOST], 15000);
	assert_int_equal(steering->model.access_us[SITE_LOCAL_ZONE], 18000);
	assert_int_equal(steering->model.access_us[SITE_AZ], 25000);
	assert_int_equal(steering->model.access_us[SITE_REGION], 25000);
	assert_true(steering->model.us_per_km == 20 && steering->max_accuracy_km == 200 && steering->tie_us == 5000);
	assert_true(steering->hash_v4 == 24 && steering->hash_v6 == 48);
	assert_true(!config->latency && !config->catalogue && config->locate_count == 0);

	const struct config_domain *domain = &config->domains[0];

	assert_string_equal(domain->hostmaster, "hostmaster.e.x");
	assert_true(!domain->file && domain->ttl_s == 3600 && domain->negative_ttl_s == 30);

	const struct config_check *check = &config->checks[0];

	assert_true(check->type == CHECK_HTTPS && check->port == 443 && check->verify && !check->host && !check->sni);
	assert_string_equal(check->path, "/");
	assert_true(check->expect_status_count == 1 && check->expect_status[0] == 200 && check->expect_status[1] == 299);
	assert_true(check->interval_ms == 10000 && check->timeout_ms == 2000 && check->rise == 2 && check->fall == 3);
	assert_true(!check->ca_file && !check->expect_body);
	assert_true(config->checks[1].port == 80 && config->checks[1].timeout_ms == 1000); // not above its interval
	config_free(config);
}

static void default_apps(void **state)
{
	struct config *config = good("steering: {tie: 7ms}\ndomains: {e.x: {ns: n.x}}\nsites: {us-east-1: }\n"
	                             "apps: {'*.A.e.x.': {targets: {us-east-1: {addresses: [1.1.1.1, '::1']}}}}\n");
	const struct config_app *app = &config->apps[0];
	const struct config_target *target = &app->targets[0];

	(void)state;
	assert_string_equal(app->name, "*.a.e.x");
	assert_true(app->ttl_s == 30 && app->tie_us == 7000 && app->check == CONFIG_CHECK_NONE && !app->weighted);
	assert_true(app->last_resort == LAST_RESORT_SERVFAIL && app->last_address_count == 0);
	assert_true(target->site == 0 && target->address_count == 2 && !target->cname && target->weight == 1);
	assert_true(target->addresses[0].family == ADDR_V4 && target->addresses[1].family == ADDR_V6);
	assert_true(!target->has_weight && target->check == CONFIG_CHECK_NONE);
	assert_int_equal(target->check_address_count, 0);
	assert_true(target->mark.line == 4 && strcmp(target->mark.file, "/d/f") == 0);
	config_free(config);
}

static void sites(void **state)
{
	struct config *config =
		good("domains: {e.x: {ns: n.x}}\n"
		     "sites:\n"
		     "  us-east-1-wl1-bos-wlz-1:\n"
		     "  us-east-1: {bias: -2ms, location: [1, 2]}\n"
		     "  plant-7: {kind: outpost, reach: [b, c], region: us-east-1}\n"
		     "  dc: {kind: region}\n"
		     "  us-east-1c: {}\n"
		     "apps: {a.e.x: {targets: {us-east-1-wl1-bos-wlz-1: {addresses: 1.1.1.1},\n"
		     "  us-east-1: {addresses: 1.1.1.2}, plant-7: {addresses: 1.1.1.3}, dc: {addresses: 1.1.1.3}, us-east-1c: {addresses: 1.1.1.3}}}}\n");
	const struct config_site *site = config->sites;

	(void)state;
	assert_string_equal(site[0].name, "us-east-1-wl1-bos-wlz-1");
	assert_true(site[0].kind == SITE_WAVELENGTH && site[0].from_catalogue && !site[0].is_public);
	assert_true(site[0].carrier_count == 1 && strcmp(site[0].carriers[0], "verizon") == 0);
	assert_true(site[0].latitude == 42.36 && site[0].longitude == -71.058);
	assert_string_equal(site[0].region, "us-east-1");
	assert_int_equal(site[0].mark.line, 3);
	assert_true(site[1].kind == SITE_REGION && site[1].is_public && site[1].bias_us == -2000);
	assert_true(site[1].latitude == 1 && site[1].longitude == 2);
	assert_string_equal(site[1].region, "");
	assert_true(site[2].kind == SITE_OUTPOST && !site[2].from_catalogue && !site[2].is_public);
	assert_true(site[2].carrier_count == 2 && isnan(site[2].latitude) && isnan(site[2].longitude));
	assert_true(site[3].is_public && site[3].kind == SITE_REGION && strcmp(site[3].region, "") == 0);
	assert_true(site[4].kind == SITE_AZ && site[4].is_public && strcmp(site[4].name, "us-east-1c") == 0);
	config_free(config);
}

static void values(void **state)
{
	struct config *config =
		good("server: {listen: '::1@5300', log-level: debug, ecs-ignore: 10.0.0.0/8, control: c.sock, tcp-idle: 90s}\n"
		     "apps:\n"
		     "  a.e.x:\n"
		     "    tie: 1.5ms\n    last-resort: 192.0.2.1\n    check: c\n    targets:\n"
		     "      us-west-2: {addresses: 1.1.1.1, weight: 0, check: d, check-address: 10.0.0.1}\n"
		     "      us-east-1: {cname: LB.Example., check: none}\n"
		     "  b.e.x: {check: c, targets: {us-east-1: {addresses: 1.1.1.1}}}\n"
		     "checks: {c: {type: tcp, port: 1}, d: {type: http, expect-status: [200, 300-399], host: h:81}}\n"
		     "sites: {us-east-1: , us-west-2: }\n"
		     "domains: {e.x: {ns: n.x, hostmaster: a.b@e.x}, f.x: {file: z/f.zone}}\n"
		     "locate:\n  - plugin: mmdb\n    city: c.mmdb\n    carriers: {310-004: verizon, AS1: x}\n");
	const struct config_app *app = &config->apps[0];
	const struct value *options = config->locates[0].options;
	struct mark mark = value_key_mark(value_get(value_get(options, "carriers"), "AS1"));
	char *reported;

	(void)state;
	assert_string_equal(config->server.listen[0], "::1@5300");
	assert_string_equal(config->server.control, "/d/c.sock");
	assert_true(config->server.log_level == LOG_LEVEL_DEBUG && config->server.tcp_idle_ms == 90000);
	assert_true(config->server.ecs_ignore_count == 1 && config->server.ecs_ignore[0].len == 8);
	assert_true(app->tie_us == 1500 && app->weighted && app->last_resort == LAST_RESORT_ADDRESSES && app->check == 0);
	assert_int_equal(app->last_address_count, 1);
	assert_true(app->targets[0].site == 1 && app->targets[1].site == 0); // in the order written
	assert_true(app->targets[0].check == 1 && app->targets[1].check == CONFIG_CHECK_NONE);
	assert_true(app->targets[0].has_weight && app->targets[0].weight == 0);
	assert_true(!app->targets[1].has_weight && app->targets[1].weight == 1);
	assert_int_equal(app->targets[0].check_address_count, 1);
	assert_int_equal(app->targets[0].check_addresses[0].family, ADDR_V4);
	assert_string_equal(app->targets[1].cname, "lb.example");
	assert_int_equal(config->checks[1].expect_status_count, 2);
	assert_true(config->checks[1].expect_status[0] == 200 && config->checks[1].expect_status[3] == 399);
	assert_string_equal(config->domains[0].hostmaster, "a\\.b.e.x");
	assert_string_equal(config->domains[1].file, "/d/z/f.zone");
	assert_string_equal(config->locates[0].plugin, "mmdb");
	assert_int_equal(value_count(options), 2); // without `plugin`
	assert_string_equal(value_text(value_get(options, "city")), "c.mmdb");
	assert_true(mark.line == 17 && mark.column == 34 && strcmp(mark.file, "/d/f") == 0);
	assert_string_equal(config_path(config, options, "a/b"), "/d/a/b");
	assert_string_equal(config_path(config, options, "/a/b"), "/a/b");
	config_free(config);

	// A report that holds something already does not spoil the next load.
	assert_null(report_text_config("x: 1", 4, &reported));
	free(reported);
}

static void provided(void **state)
{
	struct config *config =
		good("providers:\n  - {plugin: file, file: t.csv}\n"
		     "  - {plugin: exec, command: [a, b], grace: 5m, health: endpoints, env: {A: b}}\n"
		     "defaults: {ttl: 7s, check: c, last-resort: 192.0.2.1}\n"
		     "steering: {tie: 3ms, unknown-metro: sole}\n"
		     "checks: {c: {type: tcp, port: 1}}\ndomains: {e.x: {ns: n.x}}\n");
	const struct config_provider *providers = config->providers;
	const struct config_app *defaults = &config->defaults;

	(void)state;
	assert_int_equal(config->provider_count, 2);
	assert_true(providers[0].grace_s == 60 && providers[0].health == READY_BOTH && providers[0].mark.line == 2);
	assert_true(providers[1].grace_s == 300 && providers[1].health == READY_ENDPOINTS);
	assert_int_equal(value_count(providers[0].options), 1);
	assert_int_equal(value_count(providers[1].options), 2); // the plugin's
	assert_true(defaults->ttl_s == 7 && defaults->check == 0 && defaults->last_resort == LAST_RESORT_ADDRESSES);
	assert_true(defaults->tie_us == 3000 && defaults->unknown_metro == METRO_SOLE && defaults->target_count == 0);
	config_free(config);

	config = good("domains: {e.x: {ns: n.x}}\n");
	assert_true(config->defaults.ttl_s == 30 && config->defaults.check == CONFIG_CHECK_NONE);
	assert_int_equal(config->defaults.tie_us, config->steering.tie_us);
	assert_null(config_free(config_hold(config))); // one more holder
	assert_int_equal(config->defaults.last_resort, LAST_RESORT_SERVFAIL);
	config_free(config);
}

static void earlier_errors_do_not_count(void **state)
{
	static const char text[] = "domains: {e.x: {ns: n.x}}";
	struct report *report = report_new();
	struct config *config = NULL;

	(void)state;
	report_error(report, NULL, 0, 0, "from elsewhere");
	assert_int_equal(config_parse("f", text, sizeof(text) - 1, report, &config), E_OK);
	assert_int_equal(config->file[0], '/');
	config_free(config);
	assert_int_equal(config_parse("f", "x", 1, report, &config), E_INVAL);
	report_free(report);
}

static void examples(void **state)
{
	static const char *const names[] = {"minimal.yaml", "edgesteer.yaml"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		size_t len;
		char *text = read_example(names[i], &len);
		struct config *config = good(text);

		assert_true(config->app_count > 0);
		config_free(config);
		free(text);
	}
}

static void files(void **state)
{
	char folder[TEMPDIR_LEN], path[2 * TEMPDIR_LEN], own[2 * TEMPDIR_LEN];
	struct report *report = report_new();
	struct config *config = NULL;

	(void)state;
	assert_int_equal(tempdir_make(folder), 0);
	snprintf(path, sizeof(path), "%s/a.yaml", folder);
	snprintf(own, sizeof(own), "%s/own.yaml", folder);
	assert_int_equal(config_load(path, report, &config), E_IO);
	assert_null(config);
	assert_int_equal(report_count(report, REPORT_ERROR), 1);

	FILE *out = fopen(path, "w");

	fputs("catalogue: own.yaml\ndomains: {e.x: {ns: n.x}}\nsites: {here: }\n"
	      "apps: {a.e.x: {targets: {here: {addresses: 1.1.1.1}}}}\n", out);
	fclose(out);
	out = fopen(own, "w");
	fputs("sites: {here: {kind: az, location: [1, 2]}}\n", out);
	fclose(out);
	assert_int_equal(config_load(path, report, &config), E_OK);
	assert_true(config->sites[0].from_catalogue && config->sites[0].kind == SITE_AZ && config->sites[0].longitude == 2);
	assert_string_equal(strrchr(config->catalogue, '/'), "/own.yaml");
	assert_true(config->catalogue[0] == '/' && access(config->catalogue, R_OK) == 0);
	config_free(config);
	unlink(path);
	unlink(own);
	rmdir(folder);
	report_free(report);
}

// Takes what `print` writes to standard output.
static char *printed(void (*print)(void))
{
	FILE *file = tmpfile();
	int saved = dup(STDOUT_FILENO);
	char *text = calloc(1, 1 << 18);

	assert_non_null(file);
	assert_non_null(text);
	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	print();
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(file);
	assert_true(fread(text, 1, (1 << 18) - 1, file) > 0);
	fclose(file);
	return text;
}

// The page names what the rows have, and its example is a good configuration.
static void manual(void **state)
{
	static const char *const parts[] = {
		".Sh NAME\n", ".It Cm udp-size\n", "512 to 4096", ".Ss apps.NAME.targets.SITE\n", ".It Cm check-address\n",
		".Sh EXAMPLES\n",
	};
	static const char begin[] = ".Bd -literal\n";
	char *page = printed(config_print_manual);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		assert_non_null(strstr(page, parts[i]));

	char *example = strstr(page, begin) + sizeof(begin) - 1, *end = strstr(example, ".Ed\n");

	assert_non_null(end);
	*end = '\0';
	config_free(good(example));
	free(page);
}

static void schema(void **state)
{
	char *text = printed(config_print_schema);
	json_t *json = json_loads(text, 0, NULL);
	const json_t *at = json_object_get(json, "properties");
	static const char *const way[] = {"apps", "additionalProperties", "properties", "targets", "additionalProperties",
	                                  "properties", "weight"};

	(void)state;
	assert_non_null(at);
	assert_int_equal(json_object_size(at), 24);
	for (size_t i = 0; i < ARRAY_LEN(way); i++)
		at = json_object_get(at, way[i]);
	assert_int_equal(json_integer_value(json_object_get(at, "maximum")), 65535);
	assert_string_equal(json_string_value(json_object_get(at, "type")), "integer");
	json_decref(json);
	free(text);
}

static uint64_t rng_state = 7;

static uint64_t rng(uint64_t below)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state % below;
}

// Changes, removes, doubles or swaps pieces of the text. Returns its new length, at most twice the old one.
static size_t damage(char *text, size_t len)
{
	for (uint64_t blows = 1 + rng(4); blows > 0 && len > 1; blows--) {
		size_t at = rng(len), piece = 1 + rng(len - at < 40 ? len - at : 40);

		switch (rng(4)) {
		case 0:
			text[at] = (char)rng(256);
			break;
		case 1:
			text[at] = "{}[]:,-#&*!|>'\"%@` \n\t\\~?"[rng(24)];
			break;
		case 2:
			memmove(text + at, text + at + piece, len - at - piece);
			len -= piece;
			break;
		default:
			memmove(text + at + piece, text + at, len - at);
			len += piece;
		}
	}
	return len;
}

// Thousands of damaged examples.
static void mutations(void **state)
{
	size_t len;
	char *text = read_example("edgesteer.yaml", &len), *copy = malloc(len + 256);
	unsigned taken = 0, rounds = getenv("EDGESTEER_LONG") ? MUTATIONS_LONG : MUTATIONS;

	(void)state;
	assert_non_null(copy);
	for (unsigned i = 0; i < rounds; i++) {
		char *reported;

		memcpy(copy, text, len);

		struct config *config = report_text_config(copy, damage(copy, len), &reported);

		taken += config != NULL;
		config_free(config);
		free(reported);
	}
	assert_true(taken > 0); // not every blow hurts: else this tests only the first line
	free(copy);
	free(text);
}

// Every section and option of every kind once.
static const char everything[] =
	"{\"server\": {\"listen\": [\"127.0.0.1@53\"], \"workers\": 2, \"log-level\": \"debug\", \"ecs-ignore\": [\"10.0.0.0/8\"]},"
	" \"steering\": {\"access\": {\"az\": \"1ms\"}, \"hash-prefix\": {\"ipv4\": 20}},"
	" \"domains\": {\"a.example\": {\"ns\": [\"ns.x\", {\"ns1.a.example\": [\"192.0.2.1\"]}], \"hostmaster\": \"a.b@example\"},"
	" \"b.example\": {\"ns\": {\"ns.b.example\": \"192.0.2.2\"}}},"
	" \"locate\": [{\"plugin\": \"mmdb\", \"city\": \"x.mmdb\", \"carriers\": {\"310-004\": \"verizon\"}, \"shrink-limit\": \"10%\"}],"
	" \"checks\": {\"h\": {\"type\": \"https\", \"verify\": \"off\", \"expect-status\": [200, \"300-399\"]}},"
	" \"sites\": {\"us-east-1\": {}, \"p\": {\"kind\": \"outpost\", \"location\": [1, 2], \"reach\": [\"verizon\"]}},"
	" \"apps\": {\"x.a.example\": {\"ttl\": \"30s\", \"check\": \"h\", \"last-resort\": [\"192.0.2.9\"],"
	" \"targets\": {\"us-east-1\": {\"addresses\": [\"192.0.2.3\"], \"weight\": 1}, \"p\": {\"cname\": \"c.example\"}}}},"
	" \"include\": [\"none/*.yaml\"], \"latency\": \"l.csv\", \"catalogue\": \"c.yaml\"}";

static json_t *of_shape(unsigned shape)
{
	static const char *const shapes[] = {"[]", "[\"x\"]", "[[]]", "[{}]", "[null]", "{}", "{\"x\": 1}", "{\"x\": []}", "null",
	                                     "\"x\"", "\"\"", "7"};

	return shape < ARRAY_LEN(shapes) ? json_loads(shapes[shape], JSON_DECODE_ANY, NULL) : NULL;
}

// Reads the document, which is most likely wrong.
static void read_document(const json_t *root)
{
	char *text = json_dumps(root, 0), *reported;

	config_free(report_text_config(text, strlen(text), &reported));
	free(reported);
	free(text);
}

// Puts every shape in the place of every value below `at`, one after another.
static void reshape(const json_t *root, json_t *at)
{
	const char *key;
	json_t *value, *shape;
	void *next;
	size_t i;

	json_object_foreach_safe (at, next, key, value) {
		json_incref(value);
		for (unsigned n = 0; (shape = of_shape(n)); n++) {
			json_object_set_new(at, key, shape);
			read_document(root);
		}
		json_object_set_new(at, key, value);
		reshape(root, value);
	}
	json_array_foreach (at, i, value) {
		json_incref(value);
		for (unsigned n = 0; (shape = of_shape(n)); n++) {
			json_array_set_new(at, i, shape);
			read_document(root);
		}
		json_array_set_new(at, i, value);
		reshape(root, value);
	}
}

static void shapes(void **state)
{
	json_t *root = json_loads(everything, 0, NULL);

	(void)state;
	assert_non_null(root);
	reshape(root, root);
	json_decref(root);
	for (unsigned n = 0; (root = of_shape(n)); n++) {
		if (json_is_object(root) || json_is_array(root))
			read_document(root);
		json_decref(root);
	}
}

// One entry more than a section may have: that, and nothing of what refers to its entries.
static void too_many(void **state)
{
	static const struct {
		const char *key, *first, *rest; // of an entry, before and after its number
		int most;
		const char *reported;
	} rows[] = {
		{"domains", "d", ".e.x: {ns: n.y}", 65536, "5:1: domains: has 65537 entries, expected at most 65536\n"},
		{"checks", "c", ": {type: tcp, port: 7}", 4096, "5:1: checks: has 4097 entries, expected at most 4096\n"},
		{"sites", "s", ": {kind: region}", 4096, "5:1: sites: has 4097 entries, expected at most 4096\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *yaml, *reported, expected[256];
		size_t len;
		FILE *out = open_memstream(&yaml, &len);

		for (size_t k = 0; k < ARRAY_LEN(rows); k++)
			if (k != i)
				fprintf(out, "%s: {%s1%s}\n", rows[k].key, rows[k].first, rows[k].rest);
		fprintf(out, "defaults: {check: c1}\napps: {a.d1.e.x: {check: c1, targets: {s1: {addresses: 192.0.2.1}}}}\n%s:\n", rows[i].key);
		for (int n = 0; n <= rows[i].most; n++)
			fprintf(out, "  %s%d%s\n", rows[i].first, n, rows[i].rest);
		fclose(out);
		config_free(report_text_config(yaml, len, &reported));
		snprintf(expected, sizeof(expected), "%swarning: 3:1: defaults: has no effect, there are no `providers`\n",
		         rows[i].reported);
		assert_string_equal(reported, expected);
		free(reported);
		free(yaml);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults), cmocka_unit_test(default_apps), cmocka_unit_test(sites), cmocka_unit_test(values),
		cmocka_unit_test(provided),
		cmocka_unit_test(earlier_errors_do_not_count), cmocka_unit_test(examples), cmocka_unit_test(files),
		cmocka_unit_test(manual), cmocka_unit_test(schema), cmocka_unit_test(mutations),
		cmocka_unit_test(shapes), cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
