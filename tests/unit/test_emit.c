// From claims to calls of the host: the first whole list, differences, refusals, and a host that cannot go on.
#include "fakehost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kubernetes/emit.h"

// What a test works with.
struct bench {
	struct fakehost host;
	struct remarks remarks;
	struct emit emit;
	char *trace;
	size_t trace_len;
};

static void begin(struct bench *bench)
{
	fakehost_begin(&bench->host, NULL, NULL);
	bench->host.trace = open_memstream(&bench->trace, &bench->trace_len);
	remarks_begin(&bench->remarks, &bench->host.lent);
	emit_begin(&bench->emit, &bench->host.lent);
}

static void end(struct bench *bench)
{
	emit_free(&bench->emit);
	remarks_free(&bench->remarks);
	fclose(bench->host.trace);
	free(bench->trace);
	fakehost_end(&bench->host);
}

static const struct kobject one = {.alias = "lb-1", .created_s = 7}, two = {.alias = "lb-2", .created_s = 8};

#define CLAIM(key_, app_, object_) \
	{.key = key_, .app = app_, .site = "bos", .balancer = "lb", .object = object_, .health = EDGESTEER_HEALTH_READY}

// Emits these claims and compares what the host was called with.
static void emit(struct bench *bench, struct claim *list, size_t count, bool whole, bool again, const char *calls)
{
	const struct claims claims = {.list = list, .count = count};

	fflush(bench->host.trace);
	rewind(bench->host.trace);
	remarks_begin_round(&bench->remarks, 0);
	assert_int_equal(emit_claims(&bench->emit, &claims, whole, again, &bench->remarks), 0);
	remarks_end_round(&bench->remarks);
	fflush(bench->host.trace);
	bench->trace[bench->trace_len] = '\0';
	assert_string_equal(bench->trace, calls);
}

#define PUT_A "put\ta\ta.example bos lb-1 7 ready\n"
#define PUT_B "put\tb\tb.example bos lb-2 8 ready\n"

static void test_differences(void **state)
{
	struct claim list[] = {CLAIM("a", "a.example", &one), CLAIM("b", "b.example", &two)};
	struct bench bench;

	(void)state;
	begin(&bench);
	emit(&bench, list, 1, false, false, PUT_A "commit\n"); // another cluster is not known yet: nothing is dropped
	emit(&bench, list, 1, false, false, "");
	emit(&bench, list, 2, true, false, "begin\n" PUT_A PUT_B "commit\n");
	emit(&bench, list, 2, true, false, "");
	emit(&bench, list + 1, 1, true, false, "drop\ta\ncommit\n");
	list[1].health = EDGESTEER_HEALTH_UNREADY;
	emit(&bench, list, 2, true, false, PUT_A "put\tb\tb.example bos lb-2 8 unready\ncommit\n");
	emit(&bench, list, 0, true, false, "drop\ta\ndrop\tb\ncommit\n");
	assert_int_equal(bench.emit.count, 0);
	end(&bench);
}

// A whole list is one even if it is empty: what the host has from before goes.
static void test_empty(void **state)
{
	struct bench bench;

	(void)state;
	begin(&bench);
	emit(&bench, NULL, 0, false, false, "");
	emit(&bench, NULL, 0, true, false, "begin\ncommit\n");
	emit(&bench, NULL, 0, true, false, "");
	end(&bench);
}

static bool refuses_a(const struct edgesteer_target *target)
{
	return strcmp(target->key, "a") == 0;
}

static void test_refused(void **state)
{
	struct claim list[] = {CLAIM("a", "a.example", &one), CLAIM("b", "b.example", &two)};
	struct bench bench;

	(void)state;
	begin(&bench);
	bench.host.refuses = refuses_a;
	emit(&bench, list, 2, true, false, "begin\ndrop\ta\n" PUT_B "commit\n");
	assert_int_equal(bench.emit.refused, 1);
	emit(&bench, list, 2, true, false, "");
	bench.host.refuses = NULL; // the host's config has changed
	emit(&bench, list, 2, true, false, "");
	emit(&bench, list, 2, true, true, PUT_A "commit\n");
	assert_int_equal(bench.emit.refused, 0);
	end(&bench);
}

// One object's names at two sites: the key stands for one of them.
static void test_same_key(void **state)
{
	struct claim list[] = {CLAIM("a", "a.example", &one), CLAIM("a", "a.example", &one)};
	struct bench bench;

	(void)state;
	begin(&bench);
	list[1].site = "nyc";
	emit(&bench, list, 2, true, false, "begin\n" PUT_A
	     "report\twarning: a: its parts are at different sites, nyc too: only one counts\ncommit\n");
	end(&bench);
}

static int no_put(const struct edgesteer_host *host, const struct edgesteer_target *target)
{
	(void)host, (void)target;
	return -5;
}

static void test_host_at_its_end(void **state)
{
	struct claim list[] = {CLAIM("a", "a.example", &one)};
	const struct claims claims = {.list = list, .count = 1};
	struct bench bench;

	(void)state;
	begin(&bench);
	bench.host.lent.put = no_put;
	assert_int_equal(emit_claims(&bench.emit, &claims, true, false, &bench.remarks), -5);
	assert_int_equal(bench.host.commits, 0);
	end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_differences), cmocka_unit_test(test_empty),           cmocka_unit_test(test_refused),
		cmocka_unit_test(test_same_key),    cmocka_unit_test(test_host_at_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
