// Jobs on all processors: each is done once, a failure ends the rest and is returned, threads block signals.
#include "base/parallel.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"

enum { JOBS = 5000 };

struct jobs {
	atomic_uint done[JOBS];
	atomic_uint total;
	size_t failing; // JOBS: none
};

static int job(void *ctx, size_t i)
{
	struct jobs *jobs = ctx;

	atomic_fetch_add(&jobs->done[i], 1);
	atomic_fetch_add(&jobs->total, 1);
	return i == jobs->failing ? E_LIMIT : E_OK;
}

static void test_each_once(void **state)
{
	static const size_t counts[] = {0, 1, 2, 3, 100, JOBS};
	static struct jobs jobs;
	sigset_t before, after;

	(void)state;
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
		jobs.failing = JOBS;
		atomic_store(&jobs.total, 0);
		for (size_t i = 0; i < JOBS; i++)
			atomic_store(&jobs.done[i], 0);
		assert_int_equal(parallel_run(counts[k], job, &jobs), E_OK);
		assert_int_equal(atomic_load(&jobs.total), counts[k]);
		for (size_t i = 0; i < JOBS; i++)
			assert_int_equal(atomic_load(&jobs.done[i]), i < counts[k]);
	}
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (int number = 1; number < 32; number++)
		assert_int_equal(sigismember(&after, number), sigismember(&before, number));
}

static void test_failure(void **state)
{
	static struct jobs jobs = {.failing = 7};

	(void)state;
	assert_int_equal(parallel_run(JOBS, job, &jobs), E_LIMIT);
	assert_int_equal(atomic_load(&jobs.done[7]), 1);
	assert_true(atomic_load(&jobs.total) < JOBS);
}

struct seen {
	pthread_t caller;
	atomic_uint others, unblocked;
};

static int see_mask(void *ctx, size_t i)
{
	struct seen *seen = ctx;
	sigset_t mask;

	(void)i;
	if (pthread_equal(pthread_self(), seen->caller))
		return E_OK;
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	atomic_fetch_add(&seen->others, 1);
	atomic_fetch_add(&seen->unblocked, !sigismember(&mask, SIGTERM));
	return E_OK;
}

static void test_signals_are_blocked(void **state)
{
	struct seen seen = {.caller = pthread_self()};

	(void)state;
	for (int i = 0; i < 100 && !atomic_load(&seen.others); i++) // where there are more processors than one
		assert_int_equal(parallel_run(JOBS, see_mask, &seen), E_OK);
	assert_int_equal(atomic_load(&seen.unblocked), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_once),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_signals_are_blocked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
