// Worker threads; see worker.h.
#include "net/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/must.h"
#include "base/publish.h"
#include "net/sockets.h"
#include "net/stream.h"
#include "net/tcp.h"
#include "net/udp.h"
#include "view/live.h"
#include "wire/transport.h"

enum {
	WAKE_SIGNAL = SIGURG, // ignored by default, so harmless at any time and from any sender
	WAKE_AGAIN_US = 1000,
};

struct worker {
	struct counters counters; // on cache lines of its own: written for every query
	pthread_t thread;
	bool started;
	struct udp *udp;          // either this or `tcp`
	struct tcp *tcp;
};

struct workers {
	unsigned count;
	struct worker *list;
};

static size_t count_workers(const struct sockets *sockets)
{
	size_t count = sockets->sets; // TCP's

	for (size_t i = 0; i < sockets->count; i++)
		if (sockets->list[i].transport == TRANSPORT_UDP)
			count += sockets->list[i].shared ? sockets->sets : 1;
	return count;
}

static bool is_in_set(const struct socket *socket, unsigned set)
{
	return socket->shared || socket->set == set;
}

// Gives the calling thread a file descriptor table of its own, with only this descriptor and the standard ones: for a
// file in a table shared by threads the kernel takes a reference in every system call. If the kernel refuses, the
// thread keeps the shared table and is only slower.
static void own_files(int fd)
{
	if (close_range((unsigned)fd + 1, ~0u, CLOSE_RANGE_UNSHARE) == 0 && fd > 3)
		close_range(3, (unsigned)fd - 1, 0);
}

static void *run(void *arg)
{
	struct worker *worker = arg;

	must((worker->udp != NULL) != (worker->tcp != NULL));
	publish_register_reader();
	if (worker->udp) {
		own_files(udp_fd(worker->udp));
		udp_run(worker->udp);
	} else {
		tcp_run(worker->tcp);
	}
	publish_unregister_reader();
	return NULL;
}

static int init_tcp(struct worker *worker, uint32_t number, const struct sockets *sockets, unsigned set,
                    const struct tcp_limits *limits)
{
	int err = E_OK;

	worker->tcp = tcp_new(number, &worker->counters, limits);
	if (!worker->tcp)
		return E_NOMEM;
	for (size_t i = 0; i < sockets->count && err == E_OK; i++)
		if (sockets->list[i].transport == TRANSPORT_TCP && is_in_set(&sockets->list[i], set))
			err = tcp_add(worker->tcp, sockets->list[i].fd, &stream_plain, NULL);
	return err;
}

// Creates all workers of the set, from the list's `count` on.
static int init_set(struct workers *workers, const struct sockets *sockets, unsigned set,
                    const struct tcp_limits *limits)
{
	for (size_t i = 0; i < sockets->count; i++) {
		const struct socket *socket = &sockets->list[i];

		if (socket->transport != TRANSPORT_UDP || !is_in_set(socket, set))
			continue;

		struct worker *worker = &workers->list[workers->count];

		worker->udp = udp_new(socket->fd, socket->wildcard, workers->count, &worker->counters);
		if (!worker->udp)
			return E_NOMEM;
		workers->count++;
	}

	unsigned number = workers->count++; // counted first, so that workers_stop() frees it if it fails

	return init_tcp(&workers->list[number], number, sockets, set, limits);
}

static void handle_wake(int number)
{
	(void)number;
}

static int start(struct worker *worker, unsigned number)
{
	char name[16];
	sigset_t others, before;

	must(!worker->started);
	sigfillset(&others); // signals are handled by the main thread
	sigdelset(&others, WAKE_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &others, &before);
	worker->started = pthread_create(&worker->thread, NULL, run, worker) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!worker->started)
		return E_IO;
	snprintf(name, sizeof(name), "%s-%u", worker->udp ? "udp" : "tcp", number);
	pthread_setname_np(worker->thread, name);
	return E_OK;
}

int workers_start(const struct sockets *sockets, const struct tcp_limits *limits, unsigned limit,
                  struct workers **ret_workers)
{
	struct workers *workers = calloc(1, sizeof(*workers));
	struct sigaction wake = {.sa_handler = handle_wake}; // no SA_RESTART: it must interrupt the system call
	size_t count = count_workers(sockets), bytes = count * sizeof(*workers->list);
	int err = E_OK;

	must(count <= limit); // each has hand-out counters of its own
	if (!workers)
		return E_NOMEM;
	if (posix_memalign((void **)&workers->list, CACHE_LINE, bytes) != 0) {
		free(workers);
		return E_NOMEM;
	}
	memset(workers->list, 0, bytes);
	sigaction(WAKE_SIGNAL, &wake, NULL);
	for (unsigned set = 0; set < sockets->sets && err == E_OK; set++)
		err = init_set(workers, sockets, set, limits);
	must(workers->count <= count);
	for (unsigned i = 0; i < workers->count && err == E_OK; i++)
		err = start(&workers->list[i], i);
	if (err < 0) {
		workers_stop(workers);
		return err;
	}
	*ret_workers = workers;
	return E_OK;
}

// A UDP worker may check whether to stop just before it goes to sleep, so it is woken until it has finished.
static void join(const struct worker *worker)
{
	if (!worker->udp) {
		pthread_join(worker->thread, NULL);
		return;
	}
	while (pthread_tryjoin_np(worker->thread, NULL) == EBUSY) {
		pthread_kill(worker->thread, WAKE_SIGNAL);
		usleep(WAKE_AGAIN_US);
	}
}

struct workers *workers_stop(struct workers *workers)
{
	if (!workers)
		return NULL;
	for (unsigned i = 0; i < workers->count; i++)
		if (workers->list[i].udp)
			udp_stop(workers->list[i].udp);
		else if (workers->list[i].tcp)
			tcp_stop(workers->list[i].tcp);
	for (unsigned i = 0; i < workers->count; i++) {
		if (workers->list[i].started)
			join(&workers->list[i]);
		tcp_free(workers->list[i].tcp);
		udp_free(workers->list[i].udp);
	}
	free(workers->list);
	free(workers);
	return NULL;
}

void workers_counters(const struct workers *workers, struct counters *ret_sum)
{
#define SUM(name, ...) \
	do { \
		uint64_t sum = 0; \
		for (unsigned i = 0; i < workers->count; i++) \
			sum += counter_read(&workers->list[i].counters.name); \
		atomic_store_explicit(&ret_sum->name, sum, memory_order_relaxed); \
	} while (0);
	COUNTERS(SUM)
#undef SUM
}
