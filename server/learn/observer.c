// Reads lines of measured round trips on a thread of its own; see observer.h. The thread owns the observer from
// observer_stop() on.
#include "learn/observer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/thread.h"
#include "learn/hopper.h"
#include "learn/tail.h"

enum { LOOK_MS = 1000, FULL_MS = 50, BURST = 64 }; // a look at the file; a pause when the queue is full; parts at a time

struct observer {
	struct observer_place place;
	struct hopper *hopper;      // used
	struct stat made;           // the socket's file
	int inlet_fd, stop_fd, wake_fd; // inlet_fd -1: no socket
	struct tail tail;
	_Atomic bool is_to_stop;
	bool is_full;               // there was no room for all that was read
	char from[HOPPER_FROM_LEN]; // of the part being read
	char datagram[INLET_DATAGRAM_MAX];
};

static void tell(int fd)
{
	uint64_t one = 1;

	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static size_t pass(void *ctx, const char *text, size_t len)
{
	struct observer *observer = ctx;
	struct hopper_result result;

	hopper_read(observer->hopper, observer->from, text, len, &result);
	observer->is_full |= result.used < len;
	return result.used;
}

// Whether something was read.
static bool read_socket(struct observer *observer)
{
	bool is_any = false;

	snprintf(observer->from, sizeof(observer->from), "socket %.110s", observer->place.inlet.path);
	for (int i = 0; i < BURST && observer->inlet_fd >= 0 && !observer->is_full; i++) {
		ssize_t len = recv(observer->inlet_fd, observer->datagram, sizeof(observer->datagram), MSG_DONTWAIT | MSG_TRUNC);
		size_t used, kept;

		if (len < 0)
			break;
		kept = (size_t)len < sizeof(observer->datagram) ? (size_t)len : sizeof(observer->datagram);
		used = pass(observer, observer->datagram, kept);
		if (used < (size_t)len)
			hopper_drop(observer->hopper, (size_t)len - used);
		is_any = true;
	}
	return is_any;
}

static bool read_file(struct observer *observer)
{
	off_t before = observer->tail.offset;

	if (!observer->place.file[0])
		return false;
	snprintf(observer->from, sizeof(observer->from), "file %.110s", observer->place.file);
	for (int i = 0; i < BURST && !observer->is_full; i++)
		if (!tail_read(&observer->tail, pass, observer))
			break;
	return observer->tail.offset != before;
}

// Frees it, with its reference to the hopper last: who waits for the thread looks at that.
static void end(struct observer *observer)
{
	struct hopper *hopper = observer->hopper;

	tail_end(&observer->tail);
	if (observer->inlet_fd >= 0)
		close(observer->inlet_fd);
	if (observer->stop_fd >= 0)
		close(observer->stop_fd);
	if (observer->wake_fd >= 0)
		close(observer->wake_fd);
	free(observer);
	hopper_free(hopper);
}

static void *run(void *ctx)
{
	struct observer *observer = ctx;

	while (!observer->is_to_stop) {
		struct pollfd waits[2] = {{.fd = observer->stop_fd, .events = POLLIN}};
		bool is_any;

		observer->is_full = false;
		is_any = read_socket(observer);
		is_any |= read_file(observer);
		if (is_any)
			tell(observer->wake_fd);
		waits[1] = (struct pollfd){.fd = observer->is_full ? -1 : observer->inlet_fd, .events = POLLIN};
		(void)poll(waits, 2, observer->is_full ? FULL_MS : LOOK_MS);
	}
	end(observer);
	return NULL;
}

struct observer *observer_start(struct hopper *hopper, int wake_fd, const struct observer_place *place)
{
	struct observer *observer = calloc(1, sizeof(*observer));
	pthread_t thread;

	if (!observer) {
		log_error("observe: out of memory: nothing is read from socket or file");
		return NULL;
	}
	observer->place = *place;
	observer->hopper = hopper_use(hopper);
	tail_begin(&observer->tail, observer->place.file);
	observer->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	observer->wake_fd = fcntl(wake_fd, F_DUPFD_CLOEXEC, 0);
	observer->inlet_fd = -1;
	if (place->inlet.path[0] && inlet_open(&place->inlet, &observer->inlet_fd, &observer->made) < 0)
		observer->inlet_fd = -1;
	if ((place->file[0] || observer->inlet_fd >= 0) && observer->stop_fd >= 0 && observer->wake_fd >= 0 &&
	    thread_start(&thread, "observer", run, observer)) {
		pthread_detach(thread);
		return observer;
	}
	if (place->file[0] || observer->inlet_fd >= 0)
		log_error("observe: there is no thread for it: nothing is read from socket or file");
	if (observer->inlet_fd >= 0)
		inlet_remove(&observer->place.inlet, &observer->made);
	end(observer);
	return NULL;
}

bool observer_reads(const struct observer *observer, const struct observer_place *place)
{
	return observer && inlet_same(&observer->place.inlet, &place->inlet) && strcmp(observer->place.file, place->file) == 0 &&
	       (observer->inlet_fd >= 0 || !place->inlet.path[0]);
}

bool observer_has_socket(const struct observer *observer)
{
	return observer && observer->inlet_fd >= 0;
}

struct observer *observer_stop(struct observer *observer)
{
	int stop_fd = observer ? fcntl(observer->stop_fd, F_DUPFD_CLOEXEC, 0) : -1; // the observer may be gone before it is told

	if (!observer)
		return NULL;
	if (observer->inlet_fd >= 0)
		inlet_remove(&observer->place.inlet, &observer->made);
	observer->is_to_stop = true;
	if (stop_fd >= 0) {
		tell(stop_fd);
		close(stop_fd);
	} // else it notices within a second
	return NULL;
}
