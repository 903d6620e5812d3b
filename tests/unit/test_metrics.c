// The table of figures, and what JSON makes of it.
#include "daemon/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <string.h>

#include "base/attr.h"
#include "base/publish.h"
#include "daemon/process.h"
#include "dig.h"
#include "door/status.h"
#include "health/health.h"

static const char config[] = "domains:\n  example: {file: zone}\nsites:\n  us-east-1: {}\napps:\n"
                             "  app.example:\n    targets:\n      us-east-1: {addresses: [192.0.2.1]}\n";
static const char zone[] = "@ 60 SOA ns.example. h.example. 1 1 1 1 60\n@ 60 NS ns\nns 60 A 192.0.2.53\n";

enum { SEEN_MAX = 256 };

static struct {
	struct event_base *base;
	struct health *health;
	struct metrics_facts facts;
	size_t count;
	const struct metric *seen[SEEN_MAX];
	uint64_t values[SEEN_MAX];
} test = {.facts = {.started_s = 1000, .workers = 3, .generation_took_ms = 20, .reload_began_s = 1100, .last_reload_s = 1090,
                   .last_reload_ok = true, .reloads_ok = 5, .reloads_failed = 2}};

static void never(void *ctx, size_t target, const struct health_address *address)
{
	(void)ctx;
	(void)target;
	(void)address;
}

static void settled(void *ctx)
{
	(void)ctx;
}

static void note(void *ctx, const struct metric *metric, uint64_t value)
{
	assert_ptr_equal(ctx, &test);
	assert_true(test.count < SEEN_MAX);
	test.values[test.count] = value;
	test.seen[test.count++] = metric;
}

static struct metrics_source source_of_all(void)
{
	static const struct door_stats door = {.status_404 = 7, .denied_scope = 3, .connections = 2};
	static const struct process process = {.cpu_ms = 1234, .open_fds = 9};

	return (struct metrics_source){.health = test.health, .facts = &test.facts, .door = &door, .process = &process,
	                               .live = dig.live};
}

static int setup(void **state)
{
	static const struct health_ops ops = {.changed = never, .settled = settled};
	struct metrics_source source;

	(void)state;
	publish_register_reader();
	dig_begin(config, zone, "");
	test.base = event_base_new();
	assert_int_equal(event_base_priority_init(test.base, 3), 0);
	test.health = health_new(test.base, &ops);
	assert_non_null(test.health);
	source = source_of_all();
	metrics_each(&source, note, &test);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	health_free(test.health);
	event_base_free(test.base);
	dig_end();
	publish_unregister_reader();
	return 0;
}

// The row of that name; NULL: none.
static const struct metric *find(const char *name, uint64_t *ret_value)
{
	for (size_t i = 0; i < test.count; i++)
		if (strcmp(test.seen[i]->name, name) == 0) {
			*ret_value = test.values[i];
			return test.seen[i];
		}
	return NULL;
}

static void test_rows(void **state)
{
	(void)state;
	assert_true(test.count > 40);
	for (size_t i = 0; i < test.count; i++) {
		const struct metric *row = test.seen[i];
		size_t help_len = strlen(row->help);

		print_message("   %s\n", row->name);
		assert_true(row->name[0] && row->name[strspn(row->name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0');
		assert_true(help_len > 10 && row->help[help_len - 1] == '.');
		assert_true(row->help[0] >= 'A' && row->help[0] <= 'Z');
		assert_true(row->kind == METRIC_COUNTER || row->kind == METRIC_GAUGE || row->kind == METRIC_FLAG ||
		            row->kind == METRIC_HISTOGRAM);
		assert_true(row->kind != METRIC_FLAG || test.values[i] <= 1);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(row->name, test.seen[k]->name);
	}
}

// A family is one metric with a label: its rows are next to each other and differ in the label's value alone.
static void test_families(void **state)
{
	size_t labelled = 0;

	(void)state;
	for (size_t i = 0; i < test.count; i++) {
		const struct metric *row = test.seen[i];

		assert_int_equal(row->label[0] == '\0', row->value[0] == '\0');
		assert_true(row->label[0] || strcmp(row->family, row->name) == 0);
		labelled += row->label[0] != '\0';
		for (size_t k = 0; k < i; k++) {
			const struct metric *other = test.seen[k];

			if (strcmp(row->family, other->family) != 0)
				continue;
			assert_string_equal(test.seen[i - 1]->family, row->family);
			assert_string_equal(row->help, other->help);
			assert_string_equal(row->unit, other->unit);
			assert_int_equal(row->kind, other->kind);
			if (other->is_sum || row->kind == METRIC_HISTOGRAM)
				continue;
			assert_string_equal(row->label, other->label);
			assert_string_not_equal(row->value, other->value);
		}
	}
	// Queries by transport, drops by reason, replies by rcode, probes' failures by layer, their durations; the door's responses,
	// denials and drops; reloads by result, sets and their tables by form.
	assert_int_equal(labelled, 2 + 2 + 6 + 7 + (12 + 3) + 16 + 5 + 4 + 2 + 3 + 3);
}

static void test_values(void **state)
{
	static const struct {
		const char *name;
		uint64_t value;
		enum metric_kind kind;
		const char *unit;
	} expected[] = {
		{"queries", 0, METRIC_COUNTER, ""},     {"queries_udp", 0, METRIC_COUNTER, ""},
		{"probes", 0, METRIC_COUNTER, ""},      {"probes_waiting", 0, METRIC_GAUGE, ""},
		{"started", 1000, METRIC_GAUGE, "timestamp"}, {"workers", 3, METRIC_GAUGE, ""},
		{"generation_took_ms", 20, METRIC_GAUGE, "milliseconds"}, {"serving", 1, METRIC_FLAG, ""},
		{"reload_began", 1100, METRIC_GAUGE, "timestamp"}, {"last_reload", 1090, METRIC_GAUGE, "timestamp"},
		{"last_reload_ok", 1, METRIC_FLAG, ""}, {"zones", 1, METRIC_GAUGE, ""},
		{"apps", 1, METRIC_GAUGE, ""},          {"sites", 1, METRIC_GAUGE, ""},
		{"targets", 1, METRIC_GAUGE, ""},
		{"reloads_ok", 5, METRIC_COUNTER, ""},  {"reloads_failed", 2, METRIC_COUNTER, ""},
		{"http_responses_404", 7, METRIC_COUNTER, ""}, {"http_denied_scope", 3, METRIC_COUNTER, ""},
		{"http_connections", 2, METRIC_GAUGE, ""}, {"process_cpu", 1234, METRIC_COUNTER, "milliseconds"},
		{"process_open_fds", 9, METRIC_GAUGE, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		uint64_t value = 0;
		const struct metric *row = find(expected[i].name, &value);

		assert_non_null(row);
		assert_int_equal(value, expected[i].value);
		assert_int_equal(row->kind, expected[i].kind);
		assert_string_equal(row->unit, expected[i].unit);
	}
}

// Takes the object: it has the rows of that verb, in their order, and after `others` other keys nothing else.
static void expect_json(json_t *object, enum metric_verb verb, size_t others)
{
	const char *key;
	json_t *value;
	size_t i = 0;

	assert_non_null(object);
	json_object_foreach (object, key, value) {
		if (others > 0) {
			others--;
			continue;
		}
		while (i < test.count && test.seen[i]->verb != verb)
			i++;
		assert_true(i < test.count);
		assert_string_equal(key, test.seen[i]->name);
		assert_int_equal(json_is_boolean(value), test.seen[i]->kind == METRIC_FLAG);
		assert_int_equal(json_is_true(value) ? 1 : json_integer_value(value), test.values[i]);
		i++;
	}
	for (; i < test.count; i++)
		assert_int_not_equal(test.seen[i]->verb, verb);
	json_decref(object);
}

static void test_json(void **state)
{
	(void)state;
	expect_json(metrics_counters(NULL, test.health, NULL, NULL, NULL), METRIC_STATS, 0);
	expect_json(metrics_status(&test.facts, dig.live), METRIC_STATUS, 2); // version and pid are no figures

	struct metrics_facts failed = test.facts;
	char why[] = "c.yaml:1:1: wrong";

	failed.last_reload_error = why;

	json_t *object = metrics_status(&failed, dig.live);

	assert_string_equal(json_string_value(json_object_get(object, "last_reload_error")), why);
	json_decref(object);
}

// What programs read must not go away.
static void test_keys(void **state)
{
	static const char *const stats[] = {
		"queries",     "queries_udp", "queries_tcp",     "queries_ecs",  "ignored",     "steered",
		"fail_open",   "last_resort", "noerror",         "nxdomain",     "formerr",     "refused",
		"servfail",    "other_rcode", "truncated",       "udp_send_failed", "tcp_accepted", "tcp_evicted",
		"probes",      "probe_failures", "probes_late",  "probes_under_way", "probes_waiting",
		"addresses_probed", "addresses_down",
	};
	json_t *object = metrics_counters(NULL, test.health, NULL, NULL, NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stats); i++)
		assert_true(json_is_integer(json_object_get(object, stats[i])));
	json_decref(object);
}

// What is not there yet is left out.
static void test_absent(void **state)
{
	struct metrics_facts facts = {.started_s = 1};
	json_t *object = metrics_status(&facts, NULL);

	(void)state;
	assert_true(json_is_false(json_object_get(object, "serving")));
	assert_null(json_object_get(object, "reload_began"));
	assert_null(json_object_get(object, "last_reload"));
	assert_null(json_object_get(object, "last_reload_ok"));
	assert_null(json_object_get(object, "last_reload_errors"));
	assert_null(json_object_get(object, "last_reload_error"));
	assert_null(json_object_get(object, "generation"));
	assert_string_equal(json_string_value(json_object_get(object, "version")), PACKAGE_VERSION);
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),  cmocka_unit_test(test_families), cmocka_unit_test(test_values),
		cmocka_unit_test(test_json),  cmocka_unit_test(test_keys),     cmocka_unit_test(test_absent),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
