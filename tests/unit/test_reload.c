// Reloads: what is called on which thread, in which order, and who frees a generation that is not taken.
#include "generation/reload.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/err.h"
#include "base/report.h"
#include "config/config.h"
#include "generation/generation.h"
#include "report_text.h"
#include "tempdir.h"
#include "view/view.h"

enum { PATH_LEN = 2 * TEMPDIR_LEN, PATIENCE_MS = 60000, NICE_MORE = 10, NICE_MAX = 19 };

#define GOOD "domains: {e.x: {ns: n.x}}\n"
#define BAD "domains: {e.x: {}}\n"

static struct {
	char folder[TEMPDIR_LEN], path[PATH_LEN];
	struct event_base *base;
	struct reload *reload;
	pthread_t main;
	int nice;             // the main thread's
	// What the ops return, and what they saw.
	int build_err, take_err;
	atomic_int gate;      // build() waits until it is 0
	char order[32];       // a letter for each call
	uint64_t generation;
	bool force;
	enum reload_kind started;
	unsigned joins, joins_wanted; // that have finished; the loop ends with the last one
	int err;
	char *reported;
	bool waits;           // something comes after the reload that nobody asked for
} test;

static void note(char letter)
{
	size_t len = strlen(test.order);

	assert_true(len + 1 < sizeof(test.order));
	test.order[len] = letter;
	test.order[len + 1] = '\0';
}

static void starting(void *ctx, const struct reload_job *job)
{
	assert_ptr_equal(ctx, &test);
	assert_true(pthread_equal(pthread_self(), test.main));
	test.started = job->kind;
	note('s');
}

static void discard(struct generation *generation);

static int build(void *ctx, const struct reload_job *job, struct report *report, struct generation *ret_generation)
{
	int err = generation_build(test.path, NULL, job->number, report, ret_generation);

	assert_ptr_equal(ctx, &test);
	assert_false(pthread_equal(pthread_self(), test.main));
	assert_int_equal(test.started, job->kind);
	if (err < 0)
		return err;
	assert_true(report_ok(report));
	test.force = job->force;
	assert_int_equal(getpriority(PRIO_PROCESS, (id_t)gettid()),
	                 test.nice + NICE_MORE < NICE_MAX ? test.nice + NICE_MORE : NICE_MAX);
	while (atomic_load(&test.gate))
		usleep(1000);
	note(job->kind == RELOAD_JOIN ? 'j' : 'p');
	test.generation = ret_generation->view->generation;
	if (test.build_err < 0)
		discard(ret_generation);
	return test.build_err;
}

static void discard(struct generation *generation)
{
	note('d');
	view_free(generation->view);
	config_free(generation->config);
}

static int take(void *ctx, const struct reload_job *job, struct generation *generation, struct report *report)
{
	assert_ptr_equal(ctx, &test);
	assert_true(pthread_equal(pthread_self(), test.main) && report_ok(report));
	assert_int_equal(job->number, generation->view->generation);
	note('t');
	if (test.take_err < 0)
		return test.take_err;
	view_free(generation->view);
	config_free(generation->config);
	return E_OK;
}

static void finished(void *ctx, enum reload_kind kind, int err, const struct report *report)
{
	assert_int_equal(kind, test.started);
	assert_ptr_equal(ctx, &test);
	assert_true(pthread_equal(pthread_self(), test.main));
	assert_int_equal(err == E_OK, report_ok(report));
	note('f');
	if (kind == RELOAD_JOIN && ++test.joins == test.joins_wanted)
		event_base_loopbreak(test.base);
}

static void done(void *ctx, int err, const struct report *report)
{
	assert_true(pthread_equal(pthread_self(), test.main));
	note('D');
	free(test.reported);
	test.reported = report ? report_text(report) : NULL;
	test.err = err;
	event_base_loopbreak(ctx);
}

static void write_config(const char *yaml)
{
	FILE *file = fopen(test.path, "w");

	assert_non_null(file);
	assert_true(fputs(yaml, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
	const struct reload_ops ops = {starting, build, take, discard, finished, &test};

	(void)state;
	memset(&test, 0, sizeof(test));
	if (tempdir_make(test.folder) < 0)
		return -1;
	snprintf(test.path, sizeof(test.path), "%s/c", test.folder);
	test.main = pthread_self();
	test.nice = getpriority(PRIO_PROCESS, (id_t)gettid());
	test.base = event_base_new();
	test.reload = test.base ? reload_new(test.base, &ops) : NULL;
	return test.reload ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	assert_true(reload_stop(test.reload, PATIENCE_MS));
	reload_free(test.reload);
	event_base_free(test.base);
	free(test.reported);
	unlink(test.path);
	return rmdir(test.folder);
}

// Reloads and returns the calls that it took.
static const char *reload_by(const char *yaml, bool force)
{
	write_config(yaml);
	test.order[0] = '\0';
	reload_begin(test.reload, force, done, test.base);
	assert_true(reload_began_s(test.reload) > 0);
	assert_int_equal(event_base_dispatch(test.base), 0);
	assert_int_equal(reload_began_s(test.reload), 0);
	return test.order;
}

static const char *reload(const char *yaml)
{
	return reload_by(yaml, false);
}

static void test_outcomes(void **state)
{
	(void)state;
	assert_string_equal(reload(GOOD), "sptfD");
	assert_int_equal(test.err, E_OK);
	assert_int_equal(test.generation, 2); // the first one was there at startup
	assert_false(test.force);
	assert_string_equal(reload_by(GOOD, true), "sptfD");
	assert_true(test.force);

	assert_string_equal(reload(BAD), "sfD");
	assert_int_equal(test.err, E_INVAL);
	assert_non_null(strstr(test.reported, "has neither `file` nor `ns`"));

	test.build_err = E_NOMEM;
	assert_string_equal(reload(GOOD), "spdfD");
	assert_int_equal(test.err, E_NOMEM);
	assert_string_not_equal(test.reported, "");

	test.build_err = E_OK;
	test.take_err = E_NOMEM;
	assert_string_equal(reload(GOOD), "sptdfD");
	assert_int_equal(test.err, E_NOMEM);
	assert_non_null(strstr(test.reported, "cannot be taken into use"));

	test.take_err = E_OK;
	assert_string_equal(reload(GOOD), "sptfD");
	assert_int_equal(test.generation, 7);
}

static void test_one_at_a_time(void **state)
{
	(void)state;
	write_config(GOOD);
	atomic_store(&test.gate, 1);
	reload_begin(test.reload, false, done, test.base);
	reload_begin(test.reload, false, done, test.base); // refused at once, and not a reload that has finished
	assert_string_equal(test.order, "sD");
	assert_int_equal(test.err, E_STATE);
	assert_string_equal(test.reported, "a reload is under way already\n");
	atomic_store(&test.gate, 0);
	assert_int_equal(event_base_dispatch(test.base), 0);
	assert_string_equal(test.order, "sDptfD");
	assert_int_equal(test.err, E_OK);
}

// A stop waits for the build, and for no longer than it was told.
static void test_stop(void **state)
{
	(void)state;
	assert_true(reload_stop(test.reload, 0)); // nothing to wait for
	write_config(GOOD);
	atomic_store(&test.gate, 1);
	reload_begin(test.reload, false, done, test.base);
	assert_false(reload_stop(test.reload, 1));
	assert_string_equal(test.order, "s");
	atomic_store(&test.gate, 0);
	assert_true(reload_stop(test.reload, PATIENCE_MS));
	assert_string_equal(test.order, "spdD");
	assert_int_equal(test.err, E_STOPPED);
}

static void unasked_done(void *ctx, int err, const struct report *report)
{
	(void)report;
	note(err == E_OK ? 'u' : err == E_STATE ? 'x' : '?');
	if (test.waits)
		return;
	event_base_loopbreak(ctx);
}

// One that nobody asked for keeps nobody from asking: one request waits for it, with its force; the next is refused. It
// does not wait itself.
static void test_unasked(void **state)
{
	(void)state;
	write_config(GOOD);
	reload_begin_unasked(test.reload, unasked_done, test.base);
	assert_int_equal(event_base_dispatch(test.base), 0);
	assert_string_equal(test.order, "sptfu");
	assert_false(test.force);

	test.order[0] = '\0';
	test.waits = true;
	atomic_store(&test.gate, 1);
	reload_begin_unasked(test.reload, unasked_done, test.base);
	reload_begin(test.reload, true, done, test.base);
	assert_string_equal(test.order, "s");
	reload_begin(test.reload, false, done, test.base);
	assert_string_equal(test.order, "sD");
	assert_int_equal(test.err, E_STATE);
	reload_begin_unasked(test.reload, unasked_done, test.base);
	assert_string_equal(test.order, "sDx");
	event_base_loopbreak(test.base); // what done() has asked for
	test.order[0] = '\0';
	atomic_store(&test.gate, 0); // from here on the builder notes, too
	assert_int_equal(event_base_dispatch(test.base), 0);
	assert_string_equal(test.order, "ptfusptfD");
	assert_int_equal(test.err, E_OK);
	assert_true(test.force);
	assert_int_equal(test.generation, 4);

	// A stop answers both.
	test.order[0] = '\0';
	atomic_store(&test.gate, 1);
	reload_begin_unasked(test.reload, unasked_done, test.base);
	reload_begin(test.reload, false, done, test.base);
	atomic_store(&test.gate, 0);
	assert_true(reload_stop(test.reload, PATIENCE_MS));
	assert_string_equal(test.order, "spd?D");
	assert_int_equal(test.err, E_STOPPED);
}

// A way back calls off what nobody asked for, under way or waiting, so that it leads to before the load in use. It waits for it, and
// is refused while somebody else's is under way.
static void test_back(void **state)
{
	(void)state;
	write_config(GOOD);
	test.waits = true;
	atomic_store(&test.gate, 1);
	reload_begin_unasked(test.reload, unasked_done, test.base);
	assert_true(reload_begin_back(test.reload, done, test.base));
	assert_string_equal(test.order, "s");
	atomic_store(&test.gate, 0);
	assert_int_equal(event_base_dispatch(test.base), 0);
	assert_string_equal(test.order, "spdf?sptfD"); // the first one is not taken
	assert_int_equal(test.started, RELOAD_BACK);
	assert_int_equal(test.err, E_OK);

	test.order[0] = '\0';
	atomic_store(&test.gate, 1);
	reload_begin(test.reload, false, done, test.base);
	assert_false(reload_begin_back(test.reload, done, test.base));
	assert_string_equal(test.order, "sD");
	assert_int_equal(test.err, E_STATE);
	event_base_loopbreak(test.base);
	atomic_store(&test.gate, 0);
	assert_int_equal(event_base_dispatch(test.base), 0);
	assert_string_equal(test.order, "sDptfD"); // that one is
	assert_int_equal(test.err, E_OK);
}

// Behind a join both wait: the one that nobody asked for makes room.
static void test_back_behind_join(void **state)
{
	(void)state;
	write_config(GOOD);
	test.waits = true;
	atomic_store(&test.gate, 1);
	reload_join(test.reload);
	while (test.started != RELOAD_JOIN || reload_stop(test.reload, 0))
		assert_int_equal(event_base_loop(test.base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
	reload_begin_unasked(test.reload, unasked_done, test.base);
	assert_true(reload_begin_back(test.reload, done, test.base));
	assert_string_equal(test.order, "s?");
	atomic_store(&test.gate, 0);
	assert_int_equal(event_base_dispatch(test.base), 0);
	assert_string_equal(test.order, "s?jtfsptfD");
	assert_int_equal(test.started, RELOAD_BACK);
}

// Another config is built from its own path, and never taken.
static void test_compare(void **state)
{
	(void)state;
	write_config(GOOD);
	reload_begin_compare(test.reload, test.path, NULL, done, test.base);
	assert_int_equal(event_base_dispatch(test.base), 0);
	assert_string_equal(test.order, "spdfD");
	assert_int_equal(test.err, E_OK);
}

// A way back that is refused calls nothing off.
static void test_back_refused(void **state)
{
	(void)state;
	write_config(GOOD);
	atomic_store(&test.gate, 1);
	reload_begin_unasked(test.reload, unasked_done, test.base);
	reload_begin_check(test.reload, done, test.base); // waits
	assert_false(reload_begin_back(test.reload, done, test.base));
	assert_int_equal(test.err, E_STATE);
	event_base_loopbreak(test.base);
	test.waits = true;
	test.order[0] = '\0';
	atomic_store(&test.gate, 0);
	assert_int_equal(event_base_dispatch(test.base), 0);
	assert_string_equal(test.order, "ptfuspdfD");
}

// While somebody looks, nothing that may be taken is refused or lost: a change of a file waits, and makes room for who asks.
static void test_look_gives_way(void **state)
{
	(void)state;
	write_config(GOOD);
	for (int compares = 0; compares <= 1; compares++) {
		test.order[0] = '\0';
		test.waits = true;
		atomic_store(&test.gate, 1);
		if (compares)
			reload_begin_compare(test.reload, test.path, NULL, unasked_done, test.base);
		else
			reload_begin_check(test.reload, unasked_done, test.base);
		reload_begin_check(test.reload, done, test.base); // another look is refused
		assert_string_equal(test.order, "sD");
		assert_int_equal(test.err, E_STATE);
		reload_begin_unasked(test.reload, unasked_done, test.base);
		assert_string_equal(test.order, "sD");
		if (compares)
			assert_true(reload_begin_back(test.reload, done, test.base));
		else
			reload_begin(test.reload, true, done, test.base);
		assert_string_equal(test.order, "sD?");
		event_base_loopbreak(test.base);
		atomic_store(&test.gate, 0);
		assert_int_equal(event_base_dispatch(test.base), 0);
		assert_string_equal(test.order, "sD?pdfusptfD");
		assert_int_equal(test.err, E_OK);
		assert_int_equal(test.started, compares ? RELOAD_BACK : RELOAD_ASKED);
	}
}

// Joins that are wanted at one time are one; nobody is called back for them, and they are no reload.
static void test_join(void **state)
{
	(void)state;
	write_config(GOOD);
	test.joins_wanted = 1;
	for (int i = 0; i < 100; i++)
		reload_join(test.reload);
	assert_int_equal(event_base_dispatch(test.base), 0);
	assert_string_equal(test.order, "sjtf");

	// Wanted while one is under way: one more.
	test.order[0] = '\0';
	test.joins_wanted = 3;
	atomic_store(&test.gate, 1);
	reload_join(test.reload);
	while (test.started != RELOAD_JOIN || reload_stop(test.reload, 0))
		assert_int_equal(event_base_loop(test.base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
	assert_int_equal(reload_began_s(test.reload), 0);
	reload_join(test.reload);
	reload_join(test.reload);
	atomic_store(&test.gate, 0);
	assert_int_equal(event_base_dispatch(test.base), 0);
	assert_string_equal(test.order, "sjtfsjtf");
}

// A reload that somebody asks for waits for the join under way, and comes before the next one. A second one is refused.
static void test_join_and_reload(void **state)
{
	(void)state;
	write_config(GOOD);
	atomic_store(&test.gate, 1);
	reload_join(test.reload);
	while (reload_stop(test.reload, 0))
		assert_int_equal(event_base_loop(test.base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
	reload_join(test.reload);
	reload_begin(test.reload, false, done, test.base);
	assert_string_equal(test.order, "s");
	reload_begin(test.reload, false, done, test.base);
	assert_string_equal(test.order, "sD");
	assert_int_equal(test.err, E_STATE);
	atomic_store(&test.gate, 0);
	assert_int_equal(event_base_dispatch(test.base), 0);
	assert_string_equal(test.order, "sDjtfsptfD");
	assert_int_equal(test.err, E_OK);
	test.joins_wanted = 2;
	assert_int_equal(event_base_dispatch(test.base), 0);
	assert_string_equal(test.order, "sDjtfsptfDsjtf");
}

// A join that fails is told; for want of memory it is tried again.
static void test_join_fails(void **state)
{
	(void)state;
	write_config(GOOD);
	test.joins_wanted = 1;
	test.build_err = E_NOMEM;
	reload_join(test.reload);
	assert_int_equal(event_base_dispatch(test.base), 0);
	assert_string_equal(test.order, "sjdf");
	test.build_err = E_OK;
	test.joins_wanted = 2;
	assert_int_equal(event_base_dispatch(test.base), 0);
	assert_string_equal(test.order, "sjdfsjtf");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_outcomes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_at_a_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stop, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_join, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_join_and_reload, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_join_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unasked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_back_behind_join, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_back_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_compare, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_look_gives_way, set_up, tear_down),
	};

	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
