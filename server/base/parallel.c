// Independent jobs on all processors; see parallel.h.
#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/err.h"
#include "base/thread.h"

enum { THREADS_MAX = 64 };

struct parallel {
	int (*job)(void *ctx, size_t i);
	void *ctx;
	size_t count;
	atomic_size_t next;
	atomic_int err; // 0 until a job fails
};

static void *run(void *arg)
{
	struct parallel *p = arg;
	size_t i;

	while (atomic_load(&p->err) == E_OK && (i = atomic_fetch_add(&p->next, 1)) < p->count) {
		int err = p->job(p->ctx, i);

		if (err < 0)
			atomic_store(&p->err, err);
	}
	return NULL;
}

unsigned parallel_processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

int parallel_run(size_t count, int (*job)(void *ctx, size_t i), void *ctx)
{
	return parallel_run_on(parallel_processors(), count, job, ctx);
}

int parallel_run_on(unsigned most, size_t count, int (*job)(void *ctx, size_t i), void *ctx)
{
	struct parallel p = {.job = job, .ctx = ctx, .count = count};
	pthread_t threads[THREADS_MAX];
	size_t wanted = most < count ? most : count, started = 0;

	// If no thread can be started, the caller does it all.
	while (started + 1 < wanted && started < THREADS_MAX && thread_start(&threads[started], "builder", run, &p))
		started++;
	run(&p);
	while (started > 0)
		pthread_join(threads[--started], NULL);
	return atomic_load(&p.err);
}
