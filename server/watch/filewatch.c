// The watcher's thread, and how the main thread speaks with it; see filewatch.h.
#include "watch/filewatch.h"

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/inputs.h"
#include "base/must.h"
#include "base/thread.h"

enum { NICE_MORE = 10 }; // as the builder of a reload

struct filewatch {
	struct filewatch_ops ops;
	struct lookout *lookout; // the thread's, while it runs
	int wake_fd;             // an eventfd: there is something for the thread
	int ready_fd;            // and one: for the main thread
	struct event *ready;
	pthread_t thread;
	bool runs;
	pthread_mutex_t lock;    // of what follows
	struct inputs *next;     // for the thread; NULL: nothing new
	struct inputs *told;     // for the main thread; NULL: nothing
	bool stop, ended;
};

static void ring(int fd)
{
	uint64_t one = 1;

	must(write(fd, &one, sizeof(one)) == sizeof(one));
}

static void hush(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		must(errno == EAGAIN || errno == EINTR);
}

// ---- the thread -----------------------------------------------------------------------------------------------------

static void wait_for_more(const struct filewatch *watch)
{
	struct pollfd fds[] = {{.fd = watch->wake_fd, .events = POLLIN},
	                       {.fd = lookout_fd(watch->lookout), .events = POLLIN}};
	int64_t next_ms = lookout_next_ms(watch->lookout), now_ms = clock_mono_ms();
	int timeout_ms = next_ms == INT64_MAX         ? -1
	                 : next_ms <= now_ms            ? 0
	                 : next_ms - now_ms > INT_MAX ? INT_MAX
	                                              : (int)(next_ms - now_ms);

	(void)!poll(fds, 2, timeout_ms); // however it ends, the loop looks
	if (fds[0].revents)
		hush(watch->wake_fd);
}

// False: the thread is to end.
static bool take_next(struct filewatch *watch)
{
	struct inputs *next;
	bool stop;

	pthread_mutex_lock(&watch->lock);
	next = watch->next;
	watch->next = NULL;
	stop = watch->stop;
	pthread_mutex_unlock(&watch->lock);
	if (next)
		lookout_set(watch->lookout, next);
	return !stop;
}

// Takes ownership. What the main thread has not fetched yet stays.
static void tell(struct filewatch *watch, struct inputs *told)
{
	pthread_mutex_lock(&watch->lock);
	for (size_t i = 0; watch->told && i < inputs_count(told); i++)
		inputs_put(watch->told, inputs_at(told, i));
	if (watch->told)
		inputs_free(told);
	else
		watch->told = told;
	pthread_mutex_unlock(&watch->lock);
	ring(watch->ready_fd);
}

static void *run(void *arg)
{
	struct filewatch *watch = arg;

	(void)!nice(NICE_MORE); // on Linux, of this thread alone
	while (take_next(watch)) {
		struct inputs *told = lookout_turn(watch->lookout, clock_mono_ms());

		if (told)
			tell(watch, told);
		wait_for_more(watch);
	}
	pthread_mutex_lock(&watch->lock);
	watch->ended = true;
	pthread_mutex_unlock(&watch->lock);
	ring(watch->ready_fd);
	return NULL;
}

// ---- the main thread ------------------------------------------------------------------------------------------------

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct filewatch *watch = arg;
	struct inputs *told;

	(void)what;
	hush(fd);
	pthread_mutex_lock(&watch->lock);
	told = watch->told;
	watch->told = NULL;
	pthread_mutex_unlock(&watch->lock);
	if (told)
		watch->ops.changed(watch->ops.ctx, told);
	inputs_free(told);
}

struct filewatch *filewatch_new(struct event_base *base, const struct lookout_times *times, const struct filewatch_ops *ops)
{
	struct filewatch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	pthread_mutex_init(&watch->lock, NULL);
	watch->ops = *ops;
	watch->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	watch->ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	watch->lookout = lookout_new(times);
	if (watch->ready_fd >= 0)
		watch->ready = event_new(base, watch->ready_fd, EV_READ | EV_PERSIST, on_ready, watch);
	if (watch->wake_fd < 0 || !watch->lookout || !watch->ready || event_add(watch->ready, NULL) < 0)
		return filewatch_free(watch);
	watch->runs = thread_start(&watch->thread, "watch", run, watch);
	return watch->runs ? watch : filewatch_free(watch);
}

void filewatch_set(struct filewatch *watch, struct inputs *files)
{
	pthread_mutex_lock(&watch->lock);
	inputs_free(watch->next);
	watch->next = files;
	pthread_mutex_unlock(&watch->lock);
	ring(watch->wake_fd);
}

static bool has_ended(struct filewatch *watch)
{
	bool ended;

	pthread_mutex_lock(&watch->lock);
	ended = watch->ended;
	pthread_mutex_unlock(&watch->lock);
	return ended;
}

bool filewatch_stop(struct filewatch *watch, int patience_ms)
{
	if (!watch || !watch->runs)
		return true;
	pthread_mutex_lock(&watch->lock);
	watch->stop = true;
	pthread_mutex_unlock(&watch->lock);
	ring(watch->wake_fd);

	int64_t until_ms = clock_mono_ms() + patience_ms, now_ms;

	while (!has_ended(watch) && (now_ms = clock_mono_ms()) < until_ms) {
		(void)!poll(&(struct pollfd){watch->ready_fd, POLLIN, 0}, 1, (int)(until_ms - now_ms));
		hush(watch->ready_fd);
	}
	if (!has_ended(watch))
		return false;
	pthread_join(watch->thread, NULL);
	watch->runs = false;
	return true;
}

struct filewatch *filewatch_free(struct filewatch *watch)
{
	if (!watch)
		return NULL;
	must(!watch->runs);
	lookout_free(watch->lookout);
	inputs_free(watch->next);
	inputs_free(watch->told);
	if (watch->ready)
		event_free(watch->ready);
	if (watch->ready_fd >= 0)
		close(watch->ready_fd);
	if (watch->wake_fd >= 0)
		close(watch->wake_fd);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
	return NULL;
}
