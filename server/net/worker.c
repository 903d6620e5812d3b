// Worker threads; see worker.h.
#include "net/worker.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/must.h"
#include "base/publish.h"
#include "net/sockets.h"
#include "net/tcp.h"
#include "net/udp.h"

enum { STOP_GRACE_S = 2 };

struct worker {
	struct counters counters; // own cache lines: counted at every query
	unsigned number;
	pthread_t thread;
	bool started;
	int stop_fd;              // an eventfd: readable means stop
	struct event_base *base;
	struct event *stop;
	struct udp *udp;
	struct tcp *tcp;
};

struct workers {
	unsigned count;
	struct worker *list;
};

static void tcp_finished(void *ctx)
{
	event_base_loopbreak(ctx);
}

static void stop(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;
	struct timeval grace = {STOP_GRACE_S, 0};

	(void)fd;
	(void)what;
	event_base_loopexit(worker->base, &grace);
	tcp_finish(worker->tcp, tcp_finished, worker->base);
}

static void *run(void *arg)
{
	struct worker *worker = arg;

	publish_register_reader();
	event_base_dispatch(worker->base);
	publish_unregister_reader();
	return NULL;
}

static int add_sockets(struct worker *worker, const struct sockets *sockets)
{
	for (size_t i = 0; i < sockets->count; i++) {
		const struct socket *socket = &sockets->list[i];

		if (!socket->shared && socket->worker != worker->number)
			continue;

		int err = socket->tcp ? tcp_add(worker->tcp, worker->base, socket->fd)
		                      : udp_add(worker->udp, worker->base, socket->fd, socket->wildcard);

		if (err < 0)
			return err;
	}
	return E_OK;
}

static int worker_init(struct worker *worker, unsigned number, const struct sockets *sockets,
                       const struct worker_limits *limits)
{
	worker->number = number;
	worker->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	worker->base = event_base_new();
	if (worker->stop_fd < 0 || !worker->base)
		return E_NOMEM;
	worker->stop = event_new(worker->base, worker->stop_fd, EV_READ, stop, worker);
	worker->udp = udp_new((uint16_t)number, &worker->counters);
	worker->tcp = tcp_new(worker->base, (uint16_t)number, &worker->counters, limits);
	if (!worker->stop || !worker->udp || !worker->tcp || event_add(worker->stop, NULL) < 0)
		return E_NOMEM;
	return add_sockets(worker, sockets);
}

static int worker_start(struct worker *worker)
{
	char name[16];
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); // signals are the main thread's
	worker->started = pthread_create(&worker->thread, NULL, run, worker) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!worker->started)
		return E_IO;
	snprintf(name, sizeof(name), "worker-%u", worker->number);
	pthread_setname_np(worker->thread, name);
	return E_OK;
}

int workers_start(const struct sockets *sockets, unsigned count, const struct worker_limits *limits,
                  struct workers **ret_workers)
{
	struct workers *workers = calloc(1, sizeof(*workers));
	int err = E_OK;

	if (!workers)
		return E_NOMEM;
	if (posix_memalign((void **)&workers->list, CACHE_LINE, count * sizeof(*workers->list)) != 0) {
		free(workers);
		return E_NOMEM;
	}
	memset(workers->list, 0, count * sizeof(*workers->list));
	for (unsigned i = 0; i < count; i++)
		workers->list[i].stop_fd = -1;
	workers->count = count;
	for (unsigned i = 0; i < count && err == E_OK; i++)
		err = worker_init(&workers->list[i], i, sockets, limits);
	for (unsigned i = 0; i < count && err == E_OK; i++)
		err = worker_start(&workers->list[i]);
	if (err < 0) {
		workers_stop(workers);
		return err;
	}
	*ret_workers = workers;
	return E_OK;
}

struct workers *workers_stop(struct workers *workers)
{
	if (!workers)
		return NULL;
	for (unsigned i = 0; i < workers->count; i++) {
		uint64_t one = 1;

		if (workers->list[i].started)
			must(write(workers->list[i].stop_fd, &one, sizeof(one)) == sizeof(one));
	}
	for (unsigned i = 0; i < workers->count; i++) {
		struct worker *worker = &workers->list[i];

		if (worker->started)
			pthread_join(worker->thread, NULL);
		tcp_free(worker->tcp);
		udp_free(worker->udp);
		if (worker->stop)
			event_free(worker->stop);
		if (worker->base)
			event_base_free(worker->base);
		if (worker->stop_fd >= 0)
			close(worker->stop_fd);
	}
	free(workers->list);
	free(workers);
	return NULL;
}

unsigned workers_count(const struct workers *workers)
{
	return workers->count;
}

void workers_counters(const struct workers *workers, struct counters *ret_sum)
{
#define SUM(name, help) \
	do { \
		uint64_t sum = 0; \
		for (unsigned i = 0; i < workers->count; i++) \
			sum += counter_read(&workers->list[i].counters.name); \
		atomic_store_explicit(&ret_sum->name, sum, memory_order_relaxed); \
	} while (0);
	COUNTERS(SUM)
#undef SUM
}
