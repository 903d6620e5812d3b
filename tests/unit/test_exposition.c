// Prometheus' text: names, units, labels, numbers, and where OpenMetrics differs.
#include "daemon/exposition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct metric queries = {"queries", "queries", "", "", METRIC_COUNTER, METRIC_STATS, "", "Queries.", true};
static const struct metric udp = {"queries_udp", "queries", "transport", "udp", METRIC_COUNTER, METRIC_STATS, "", "Queries.",
                                  false};
static const struct metric tcp = {"queries_tcp", "queries", "transport", "tcp", METRIC_COUNTER, METRIC_STATS, "", "Queries.",
                                  false};
static const struct metric took = {"build_took_ms", "build_took_ms", "", "", METRIC_GAUGE, METRIC_STATUS, "milliseconds",
                                   "Built.", false};
static const struct metric memory = {"memory", "memory", "", "", METRIC_GAUGE, METRIC_NONE, "octets", "Memory.", false};
static const struct metric started = {"started", "started", "", "", METRIC_GAUGE, METRIC_NONE, "timestamp", "Started.", false};
static const struct metric cpu = {"process_cpu", "process_cpu", "", "", METRIC_COUNTER, METRIC_NONE, "milliseconds", "CPU.",
                                  false};
static const struct metric serving = {"serving", "serving", "", "", METRIC_FLAG, METRIC_STATUS, "", "Serving.", false};

#define BUCKET(value) {"probe", "probe", "le", value, METRIC_HISTOGRAM, METRIC_NONE, "microseconds", "Probes.", false}
#define END(which) {"probe", "probe", which, which, METRIC_HISTOGRAM, METRIC_NONE, "microseconds", "Probes.", false}

static const struct metric fast = BUCKET("0.5"), every = BUCKET("+Inf"), sum = END("sum"), count = END("count");

static void write_all(struct exposition *out)
{
	exposition_row(out, &queries, 5);
	exposition_row(out, &udp, 3);
	exposition_row(out, &tcp, UINT64_MAX);
	exposition_row(out, &took, 20);
	exposition_row(out, &memory, 4096);
	exposition_row(out, &started, 1700000000);
	exposition_row(out, &cpu, 61005);
	exposition_row(out, &serving, 1);
	exposition_row(out, &fast, 7);
	exposition_row(out, &every, 8);
	exposition_row(out, &sum, 1500001);
	exposition_row(out, &count, 8);
	exposition_head(out, &memory);
	exposition_label(out, "app", "a\"b\\c\nd");
	exposition_label(out, "site", "");
	exposition_value(out, &memory, 0);
}

static void expect(bool openmetrics, const char *expected)
{
	struct exposition out = {.openmetrics = openmetrics};
	size_t len = 0;
	char *text;

	write_all(&out);
	text = exposition_end(&out, &len);
	assert_non_null(text);
	text = realloc(text, len + 1);
	text[len] = '\0';
	assert_string_equal(text, expected);
	free(text);
}

static void test_prometheus(void **state)
{
	(void)state;
	expect(false, "# HELP edgesteer_queries_total Queries.\n# TYPE edgesteer_queries_total counter\n"
	              "edgesteer_queries_total{transport=\"udp\"} 3\n"
	              "edgesteer_queries_total{transport=\"tcp\"} 18446744073709551615\n"
	              "# HELP edgesteer_build_took_seconds Built.\n# TYPE edgesteer_build_took_seconds gauge\n"
	              "edgesteer_build_took_seconds 0.020\n"
	              "# HELP edgesteer_memory_bytes Memory.\n# TYPE edgesteer_memory_bytes gauge\nedgesteer_memory_bytes 4096\n"
	              "# HELP edgesteer_started_timestamp_seconds Started.\n# TYPE edgesteer_started_timestamp_seconds gauge\n"
	              "edgesteer_started_timestamp_seconds 1700000000\n"
	              "# HELP process_cpu_seconds_total CPU.\n# TYPE process_cpu_seconds_total counter\n"
	              "process_cpu_seconds_total 61.005\n"
	              "# HELP edgesteer_serving Serving.\n# TYPE edgesteer_serving gauge\nedgesteer_serving 1\n"
	              "# HELP edgesteer_probe_seconds Probes.\n# TYPE edgesteer_probe_seconds histogram\n"
	              "edgesteer_probe_seconds_bucket{le=\"0.5\"} 7\nedgesteer_probe_seconds_bucket{le=\"+Inf\"} 8\n"
	              "edgesteer_probe_seconds_sum 1.500001\nedgesteer_probe_seconds_count 8\n"
	              "# HELP edgesteer_memory_bytes Memory.\n# TYPE edgesteer_memory_bytes gauge\n"
	              "edgesteer_memory_bytes{app=\"a\\\"b\\\\c\\nd\",site=\"\"} 0\n");
}

static void test_openmetrics(void **state)
{
	(void)state;
	expect(true, "# HELP edgesteer_queries Queries.\n# TYPE edgesteer_queries counter\n"
	             "edgesteer_queries_total{transport=\"udp\"} 3\n"
	             "edgesteer_queries_total{transport=\"tcp\"} 18446744073709551615\n"
	             "# HELP edgesteer_build_took_seconds Built.\n# TYPE edgesteer_build_took_seconds gauge\n"
	             "# UNIT edgesteer_build_took_seconds seconds\nedgesteer_build_took_seconds 0.020\n"
	             "# HELP edgesteer_memory_bytes Memory.\n# TYPE edgesteer_memory_bytes gauge\n"
	             "# UNIT edgesteer_memory_bytes bytes\nedgesteer_memory_bytes 4096\n"
	             "# HELP edgesteer_started_timestamp_seconds Started.\n# TYPE edgesteer_started_timestamp_seconds gauge\n"
	             "# UNIT edgesteer_started_timestamp_seconds seconds\nedgesteer_started_timestamp_seconds 1700000000\n"
	             "# HELP process_cpu_seconds CPU.\n# TYPE process_cpu_seconds counter\n# UNIT process_cpu_seconds seconds\n"
	             "process_cpu_seconds_total 61.005\n"
	             "# HELP edgesteer_serving Serving.\n# TYPE edgesteer_serving gauge\nedgesteer_serving 1\n"
	             "# HELP edgesteer_probe_seconds Probes.\n# TYPE edgesteer_probe_seconds histogram\n"
	             "# UNIT edgesteer_probe_seconds seconds\n"
	             "edgesteer_probe_seconds_bucket{le=\"0.5\"} 7\nedgesteer_probe_seconds_bucket{le=\"+Inf\"} 8\n"
	             "edgesteer_probe_seconds_sum 1.500001\nedgesteer_probe_seconds_count 8\n"
	             "# HELP edgesteer_memory_bytes Memory.\n# TYPE edgesteer_memory_bytes gauge\n"
	             "# UNIT edgesteer_memory_bytes bytes\n"
	             "edgesteer_memory_bytes{app=\"a\\\"b\\\\c\\nd\",site=\"\"} 0\n# EOF\n");
}

static void test_empty(void **state)
{
	struct exposition out = {0};
	size_t len = 1;
	char *text = exposition_end(&out, &len);

	(void)state;
	assert_non_null(text);
	assert_int_equal(len, 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prometheus),
		cmocka_unit_test(test_openmetrics),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
