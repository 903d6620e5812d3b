// The baseline of every figure: a UDP server that only sends each datagram back, with the daemon's way of waiting,
// batching and sharing (a thread per SO_REUSEPORT socket that sleeps in recvmmsg, and sendmmsg, both of 64). What the
// daemon costs more than this is DNS and steering. Run by bench/run.
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/err.h"

enum { BATCH = 64, MESSAGE_MAX = 4096, GROW_MAX = 1024, WORKERS_MAX = 64, SOCKET_BUFFER = 4 << 20 };

// An odd number of cache lines, as in the daemon, so that messages do not all start in the same cache set.
enum { BUFFER = 83 * 64 };

_Static_assert(BUFFER >= MESSAGE_MAX + GROW_MAX, "a reply fits");

// One thread's: its socket, its loop, its buffers.
struct worker {
	pthread_t thread;
	int fd;
	unsigned grow;
	struct mmsghdr messages[BATCH];
	struct iovec vecs[BATCH];
	struct sockaddr_storage peers[BATCH];
	uint8_t buffers[BATCH][BUFFER];
};

static void prepare(struct worker *worker)
{
	for (unsigned i = 0; i < BATCH; i++) {
		worker->vecs[i] = (struct iovec){worker->buffers[i], MESSAGE_MAX};
		worker->messages[i].msg_hdr = (struct msghdr){.msg_iov = &worker->vecs[i], .msg_iovlen = 1,
		                                              .msg_name = &worker->peers[i],
		                                              .msg_namelen = sizeof(worker->peers[i])};
	}
}

// Turns the queries into replies in place, sends them, and prepares the buffers again.
static void answer(struct worker *worker, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		worker->buffers[i][2] |= 0x80; // QR
		worker->vecs[i].iov_len = worker->messages[i].msg_len + worker->grow;
	}
	for (unsigned sent = 0; sent < count;) {
		int n = sendmmsg(worker->fd, worker->messages + sent, count - sent, MSG_DONTWAIT);

		// What cannot be sent is dropped, as in any network.
		sent += n > 0 ? (unsigned)n : 1;
	}
	for (unsigned i = 0; i < count; i++) {
		worker->vecs[i].iov_len = MESSAGE_MAX;
		worker->messages[i].msg_hdr.msg_namelen = sizeof(worker->peers[i]);
	}
}

static void *run_worker(void *arg)
{
	struct worker *worker = arg;

	for (;;) {
		int count = recvmmsg(worker->fd, worker->messages, BATCH, MSG_WAITFORONE, NULL);

		if (count > 0)
			answer(worker, (unsigned)count);
	}
	return NULL;
}

static int open_worker(struct worker *worker, const struct sockaddr_storage *name, socklen_t len)
{
	int on = 1, size = SOCKET_BUFFER;

	prepare(worker);
	worker->fd = socket(name->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (worker->fd < 0 || setsockopt(worker->fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0)
		return E_IO;
	// Whatever the system allows is enough.
	setsockopt(worker->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(worker->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return bind(worker->fd, (const struct sockaddr *)name, len) < 0 ? E_IO : 0;
}

struct settings {
	const char *listen;
	unsigned workers, grow;
};

static int usage(int code)
{
	fprintf(code ? stderr : stdout, "Usage: echo [--listen ADDRESS@PORT] [--workers N] [--grow OCTETS]\n"
	                                "Sends every datagram back with QR set, GROW octets longer (0..%d).\n", GROW_MAX);
	return code;
}

static bool read_unsigned(const char *text, unsigned max, unsigned *ret_number)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || number > max)
		return false;
	*ret_number = (unsigned)number;
	return true;
}

static bool read_settings(int argc, char **argv, struct settings *settings, bool *ret_help)
{
	static const struct option longs[] = {{"listen", 1, NULL, 'l'}, {"workers", 1, NULL, 'w'}, {"grow", 1, NULL, 'g'},
	                                      {"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (option == 'l')
			settings->listen = optarg;
		else if (option == 'h')
			*ret_help = true;
		else if (option == 'w' ? !read_unsigned(optarg, WORKERS_MAX, &settings->workers) || settings->workers == 0
		                       : option != 'g' || !read_unsigned(optarg, GROW_MAX, &settings->grow))
			return false;
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	struct settings settings = {"127.0.0.1@5310", 1, 0};
	struct sockaddr_storage name;
	socklen_t len;
	bool help = false;

	if (!read_settings(argc, argv, &settings, &help) || addr_parse_endpoint(settings.listen, 53, &name, &len) < 0)
		return usage(2);
	if (help)
		return usage(0);

	struct worker *workers = calloc(settings.workers, sizeof(*workers));

	for (unsigned i = 0; i < settings.workers; i++) {
		if (!workers) {
			fprintf(stderr, "echo: out of memory\n");
			return 1;
		}
		workers[i].grow = settings.grow;
		if (open_worker(&workers[i], &name, len) < 0) {
			fprintf(stderr, "echo: %s: %s\n", settings.listen, strerror(errno));
			return 1;
		}
	}
	for (unsigned i = 1; i < settings.workers; i++)
		if (pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]) != 0) {
			fprintf(stderr, "echo: thread: %s\n", strerror(errno));
			return 1;
		}
	// Runs until it is killed: there is nothing to save.
	run_worker(&workers[0]);
	return 1;
}
