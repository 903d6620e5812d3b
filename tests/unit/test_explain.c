// explain_query() against the answers it explains: names that lead to apps by CNAMEs, what is said of scopes, and names
// that lead to none. And what is said of names that are no app's own but have an answer.
#include "control/explain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "control/find.h"
#include "dig.h"
#include "statedir.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

static struct state *overrides;

static const char zone_text[] =
	"$ORIGIN edge.example.\n"
	"$TTL 300\n"
	"@ SOA ns1 hostmaster 7 7200 3600 1209600 60\n"
	"@ NS ns1\n"
	"ns1 A 192.0.2.1\n"
	"www CNAME www2\n"
	"www2 CNAME app\n"
	"alias CNAME ns1\n"
	"away CNAME host.elsewhere.\n"
	"loop CNAME loop\n"
	"sub NS ns.elsewhere.\n"
	"to-sub CNAME a.sub\n";

// Of front, Boston hands out app, and the region a static name.
static const char config_text[] =
	"domains: {edge.example: {file: zone}, 2.example: {ns: n.x}, 3.example: {ns: n.x}, 4.example: {ns: n.x},\n"
	"          5.example: {ns: n.x}}\n"
	"locate: [{plugin: ranges, file: clients}]\n"
	"sites:\n"
	"  bos: {kind: wavelength, reach: [verizon], location: [42.36, -71.06]}\n"
	"  east: {kind: region, location: [39.04, -77.49]}\n"
	"  twin: {kind: region, location: [39.04, -77.49]}\n"
	"apps:\n"
	"  app.edge.example:\n"
	"    targets: {bos: {addresses: [155.146.1.10]}, east: {addresses: [203.0.113.10]}}\n"
	"  near.edge.example:\n"
	"    unknown-metro: sole\n"
	"    targets: {east: {addresses: [203.0.113.40]}, bos: {addresses: [155.146.1.40]}}\n"
	"  front.edge.example:\n"
	"    targets: {bos: {cname: app.edge.example}, east: {cname: ns1.edge.example}}\n"
	"  pair.edge.example:\n"
	"    targets: {east: {addresses: [203.0.113.20], weight: 1}, twin: {addresses: [203.0.113.21], weight: 1}}\n"
	"  front2.edge.example:\n"
	"    targets: {east: {cname: pair.edge.example}}\n"
	"  one.edge.example:\n"
	"    targets: {east: {addresses: [203.0.113.30]}}\n"
	"  lead.edge.example:\n"
	"    targets: {bos: {cname: host.elsewhere}, east: {cname: one.edge.example}}\n"
	"  back.edge.example:\n"
	"    targets: {bos: {cname: host.elsewhere}, east: {cname: front2.edge.example}}\n"
	"  '*.w.edge.example':\n"
	"    targets: {east: {addresses: [203.0.113.50]}}\n";

static const char clients_text[] = "prefix,carrier,latitude,longitude,class,country\n"
                                   "10.10.0.0/16,verizon,42.3,-71.0,,\n"
                                   "10.20.0.0/16,,42.3,-71.0,,\n"
                                   "10.40.0.0/16,verizon,,,,us\n"
                                   "10.41.0.0/16,verizon,,,roaming,\n";

static int set_up(void **state)
{
	(void)state;
	dig_begin(config_text, zone_text, clients_text);
	statedir_setup(state);
	overrides = statedir_open();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	overrides = state_close(overrides);
	dig_end();
	return statedir_teardown(state);
}

static json_t *explain(const char *name, const char *client)
{
	struct prefix prefix;
	bool tail;
	json_t *object;

	assert_int_equal(prefix_parse(client, &prefix, &tail), 0);
	object = explain_query(dig.live, overrides, NULL, NULL, NULL, name, &prefix);
	assert_non_null(object);
	return object;
}

static bool has_step(const json_t *object, const char *wanted)
{
	size_t i;
	json_t *step;

	json_array_foreach(json_object_get(object, "steps"), i, step) {
		if (strcmp(json_string_value(step), wanted) == 0)
			return true;
	}
	return false;
}

static void expect_steps(const json_t *object, const char *const *steps)
{
	for (; *steps; steps++)
		if (!has_step(object, *steps)) {
			char *text = json_dumps(json_object_get(object, "steps"), JSON_COMPACT);

			fail_msg("no step \"%s\" in %s", *steps, text);
		}
}

// ---- tests ---------------------------------------------------------------------------------------------------------

#define ORDER "the widest block around the client with this order of candidates"

static void test_ways_to_apps(void **state)
{
	static const struct {
		const char *name, *client;
		const char *app; // the last on the way
		const char *steps[8];
	} rows[] = {
		{"app.edge.example", "10.10.1.0/24", "app.edge.example", {"answer: bos (healthy)", "scope: /16, " ORDER}},
		{"www.edge.example", "10.10.1.0/24", "app.edge.example",
		 {"alias: www.edge.example is a CNAME to www2.edge.example",
		  "alias: www2.edge.example is a CNAME to app.edge.example", "answer: bos (healthy)", "scope: /16, " ORDER}},
		{"app.edge.example", "198.51.100.0/24", "app.edge.example",
		 {"order: place unknown, so public sites first, as written: the first is the default", "answer: east (healthy)"}},
		{"app.edge.example", "10.40.1.0/24", "app.edge.example",
		 {"order: unknown-metro is `region`: carrier known but not its client's metro: public sites first, then the "
		  "carrier's, as written", "answer: east (healthy)"}},
		{"app.edge.example", "10.41.1.0/24", "app.edge.example",
		 {"order: coordinates unknown, and the class keeps carriers' sites out of reach: public sites, as written"}},
		{"near.edge.example", "10.40.1.0/24", "near.edge.example",
		 {"order: unknown-metro is `sole`: the app has one site of the carrier that may be in the client's country: that "
		  "one first", "locate: country US, from ranges clients", "answer: bos (healthy)"}},
		{"front.edge.example", "10.10.1.0/24", "app.edge.example",
		 {"answer: bos (healthy)", "alias: front.edge.example is a CNAME to app.edge.example"}},
		{"front.edge.example", "198.51.100.0/24", "front.edge.example",
		 {"answer: east (healthy)", "alias: front.edge.example is a CNAME to ns1.edge.example",
		  "end: ns1.edge.example is a static name: the same answer for every client"}},
		{"back.edge.example", "10.10.1.0/24", "back.edge.example",
		 {"end: host.elsewhere is in none of our zones: the resolver has to ask elsewhere"}},
		{"lead.edge.example", "10.20.1.0/28", "one.edge.example",
		 {"scope: /12, " ORDER, "scope: /0, " ORDER}},
		{"back.edge.example", "10.20.1.0/28", "pair.edge.example",
		 {"scope: /12, " ORDER, "scope: /0, " ORDER, "scope: /24, " ORDER ", lengthened to the hash prefix"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct question question = {rows[i].app, "A", rows[i].client}; // each app on the way is asked for itself
		json_t *object = explain(rows[i].name, rows[i].client);
		ldns_pkt *pkt = dig_ask(&question);

		print_message("   %s %s\n", rows[i].name, rows[i].client);
		assert_null(json_object_get(object, "error"));
		assert_string_equal(json_string_value(json_object_get(object, "app")), rows[i].app);
		assert_int_equal(json_integer_value(json_object_get(object, "scope")), dig_scope(pkt));
		expect_steps(object, rows[i].steps);
		ldns_pkt_free(pkt);
		json_decref(object);
	}
}

static void test_ways_to_none(void **state)
{
	static const struct {
		const char *name, *error;
	} rows[] = {
		{"ns1.edge.example", "a static name: the same answer for every client"},
		{"alias.edge.example", "a static name: the same answer for every client"},
		{"away.edge.example", "in none of our zones: the resolver has to ask elsewhere"},
		{"loop.edge.example", "behind too many CNAMEs, or in a CNAME loop"},
		{"to-sub.edge.example", "delegated away: a referral"},
		{"ap.edge.example", "no such name: NXDOMAIN, did you mean 'app.edge.example'?"},
		{"something-else.entirely.edge.example", "no such name: NXDOMAIN"},
		{"elsewhere", "in none of our zones (edge.example, 2.example, 3.example and 2 more): REFUSED"},
		{"a..b", "not a domain name"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *object = explain(rows[i].name, "10.10.1.0/24");

		assert_string_equal(json_string_value(json_object_get(object, "error")), rows[i].error);
		assert_null(json_object_get(object, "app"));
		json_decref(object);
	}
}

// What `force`, `drain` and `apps` say of a name that a query would get an app's answer for.
static void test_names_of_wildcards(void **state)
{
	static const struct {
		const char *name, *error; // NULL: found
	} rows[] = {
		{"*.w.edge.example", NULL},
		{"Any.w.edge.example.", "no app 'Any.w.edge.example.' of its own: the wildcard app '*.w.edge.example' serves it"},
		{"app.w.edge.example", "no app 'app.w.edge.example' of its own: the wildcard app '*.w.edge.example' serves it"},
		{"w.edge.example", "no app 'w.edge.example', did you mean '*.w.edge.example'?"},
		{"ns1.edge.example", "no app 'ns1.edge.example', did you mean 'app.edge.example'?"},
		{"a.elsewhere", "no app 'a.elsewhere'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *refusal = NULL;
		int app = find_app(dig.view, rows[i].name, &refusal);

		if (!rows[i].error) {
			assert_string_equal(dig.view->apps[app].name, rows[i].name);
			continue;
		}
		assert_int_equal(app, -1);
		assert_string_equal(json_string_value(json_object_get(refusal, "error")), rows[i].error);
		json_decref(refusal);
	}
}

static void set_state(const char *app, const char *site, uint8_t state)
{
	int target = index_find_target(dig.view, app, site);

	assert_true(target >= 0);
	dig.states->octets[target] = state;
}

static const json_t *candidate(const json_t *object, const char *site)
{
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(object, "candidates"), i, one)
		if (strcmp(json_string_value(json_object_get(one, "site")), site) == 0)
			return one;
	fail_msg("no candidate %s", site);
	return NULL;
}

// A state that an operator has set is told from a measured one.
static void test_overrides(void **state)
{
	static const char app[] = "app.edge.example", pair[] = "pair.edge.example";
	json_t *object;

	(void)state;
	assert_int_equal(statedir_put_force(overrides, app, "bos", FORCE_DOWN), 0);
	set_state(app, "bos", TARGET_DOWN);
	set_state(app, "east", TARGET_DOWN); // by its health
	object = explain(app, "10.10.1.0/24");
	expect_steps(object, (const char *const[]){
		"order 1: bos (wavelength), 10.166 ms (distance, 8.3 km), down (forced down)",
		"order 2: east (region), 38.124 ms (distance, 656.2 km), down", NULL});
	assert_string_equal(json_string_value(json_object_get(candidate(object, "bos"), "forced")), "down");
	assert_null(json_object_get(candidate(object, "bos"), "drained"));
	assert_null(json_object_get(candidate(object, "east"), "forced"));
	json_decref(object);

	assert_int_equal(statedir_put_drain(overrides, "bos", NULL, 0), 0);
	assert_int_equal(statedir_put_drain(overrides, "east", pair, 0), 0);
	set_state(app, "bos", TARGET_DOWN | TARGET_DRAINED);
	set_state(pair, "east", TARGET_DRAINED);
	object = explain(app, "10.10.1.0/24");
	expect_steps(object, (const char *const[]){
		"order 1: bos (wavelength), 10.166 ms (distance, 8.3 km), drained, down (forced down); the site's drain, by uid 0, "
		"reason: disk \"full\" ü\n", NULL});
	assert_string_equal(json_string_value(json_object_get(json_object_get(candidate(object, "bos"), "drained"), "who")),
	                    "uid 0");
	json_decref(object);
	object = explain(pair, "10.20.1.0/24");
	expect_steps(object, (const char *const[]){
		"order 1: east (region), 38.124 ms (distance, 656.2 km), drained; its own drain, by uid 0, "
		"reason: disk \"full\" ü\n", NULL});
	json_decref(object);

	assert_int_equal(statedir_put_drain(overrides, "bos", NULL, 1), 0); // ran out long ago
	object = explain(app, "10.10.1.0/24");
	assert_null(json_object_get(candidate(object, "bos"), "drained"));
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways_to_apps),
		cmocka_unit_test(test_ways_to_none),
		cmocka_unit_test(test_names_of_wildcards),
		cmocka_unit_test(test_overrides),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
