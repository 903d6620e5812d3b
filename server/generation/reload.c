// Builds generations on a separate thread; see reload.h.
#include "generation/reload.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/must.h"
#include "base/report.h"
#include "base/thread.h"
#include "generation/generation.h"

enum { NICE_MORE = 10 };

// What somebody has asked for.
struct wish {
	bool force;
	bool unasked;          // nobody did
	void (*done)(void *done_ctx, int err, const struct report *report);
	void *done_ctx;
};

struct reload {
	struct reload_ops ops;
	char *path;
	uint64_t number;       // of the last generation started; the first one, at startup, was 1
	int ready_fd;          // an eventfd, which the builder writes last
	struct event *ready;
	pthread_t thread;
	bool under_way;
	struct wish wish;      // of the reload under way
	struct wish waiting;   // of the one after it; without done(): there is none
	int64_t began_s;       // wall clock
	// Owned by the builder until it writes ready_fd, then by the main thread.
	struct report *report;
	struct generation generation;
	int err;
};

static void begin(struct reload *reload, const struct wish *wish);

// The builder has lower priority than the workers, whatever theirs is: on Linux, nice values are per thread.
static void lower_priority(void)
{
	(void)!nice(NICE_MORE);
}

static void *build(void *arg)
{
	struct reload *reload = arg;
	struct generation *generation = &reload->generation;
	uint64_t one = 1;

	lower_priority();
	reload->err = generation_build(reload->path, reload->number, reload->report, generation);
	if (reload->err == E_OK) {
		reload->err = reload->ops.prepare(reload->ops.ctx, generation, reload->wish.force, reload->report);
		if (reload->err < 0)
			reload->ops.discard(generation);
	}
	must(write(reload->ready_fd, &one, sizeof(one)) == sizeof(one));
	return NULL;
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct reload *reload = arg;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) != sizeof(count))
		return;
	must(reload->under_way && reload->report);
	pthread_join(reload->thread, NULL);
	reload->under_way = false;
	if (reload->err == E_OK) {
		reload->err = reload->ops.take(reload->ops.ctx, &reload->generation, reload->report);
		if (reload->err < 0) {
			report_error(reload->report, NULL, 0, 0, "the new generation cannot be taken into use: %s",
			             err_text(reload->err));
			reload->ops.discard(&reload->generation);
		}
	}
	if (reload->err < 0 && report_ok(reload->report))
		report_error(reload->report, NULL, 0, 0, "%s", err_text(reload->err));
	reload->ops.finished(reload->ops.ctx, reload->err, reload->report);
	reload->wish.done(reload->wish.done_ctx, reload->err, reload->report);
	reload->report = report_free(reload->report);
	if (reload->waiting.done) {
		const struct wish next = reload->waiting;

		reload->waiting = (struct wish){0};
		begin(reload, &next);
	}
}

struct reload *reload_new(struct event_base *base, const char *config_path, const struct reload_ops *ops)
{
	struct reload *reload = calloc(1, sizeof(*reload));

	if (!reload)
		return NULL;
	reload->ops = *ops;
	reload->number = 1;
	reload->path = strdup(config_path);
	reload->ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (reload->ready_fd >= 0)
		reload->ready = event_new(base, reload->ready_fd, EV_READ | EV_PERSIST, on_ready, reload);
	if (!reload->path || !reload->ready || event_add(reload->ready, NULL) < 0)
		return reload_free(reload);
	return reload;
}

int64_t reload_began_s(const struct reload *reload)
{
	return reload->under_way ? reload->began_s : 0;
}

bool reload_stop(struct reload *reload, int patience_ms)
{
	int ready;

	if (!reload || !reload->under_way)
		return true;
	do
		ready = poll(&(struct pollfd){reload->ready_fd, POLLIN, 0}, 1, patience_ms);
	while (ready < 0 && errno == EINTR);
	if (ready != 1)
		return false;
	pthread_join(reload->thread, NULL);
	reload->under_way = false;
	if (reload->err == E_OK)
		reload->ops.discard(&reload->generation);
	reload->wish.done(reload->wish.done_ctx, E_STOPPED, reload->report);
	if (reload->waiting.done)
		reload->waiting.done(reload->waiting.done_ctx, E_STOPPED, NULL);
	return true;
}

struct reload *reload_free(struct reload *reload)
{
	if (!reload)
		return NULL;
	must(!reload->under_way);
	report_free(reload->report);
	if (reload->ready)
		event_free(reload->ready);
	if (reload->ready_fd >= 0)
		close(reload->ready_fd);
	free(reload->path);
	free(reload);
	return NULL;
}

static int start_builder(struct reload *reload)
{
	return thread_start(&reload->thread, "builder", build, reload) ? E_OK : E_NOMEM;
}

static void begin(struct reload *reload, const struct wish *wish)
{
	struct report *report = report_new();
	int err = reload->under_way ? E_STATE : report ? E_OK : E_NOMEM;

	if (err == E_OK) {
		must(!reload->report);
		reload->report = report;
		reload->wish = *wish;
		reload->number++;
		if (reload->ops.starting)
			reload->ops.starting(reload->ops.ctx);
		err = start_builder(reload);
		reload->under_way = err == E_OK;
		reload->began_s = clock_wall_s();
	}
	if (err < 0) {
		if (report)
			report_error(report, NULL, 0, 0, "%s", err == E_STATE ? "a reload is under way already" : err_text(err));
		if (err != E_STATE)
			reload->ops.finished(reload->ops.ctx, err, report);
		wish->done(wish->done_ctx, err, report);
		if (report == reload->report)
			reload->report = NULL;
		report_free(report);
	}
}

void reload_begin(struct reload *reload, bool force, void (*done)(void *done_ctx, int err, const struct report *report),
                  void *done_ctx)
{
	const struct wish wish = {force, false, done, done_ctx};

	if (reload->under_way && reload->wish.unasked && !reload->waiting.done)
		reload->waiting = wish;
	else
		begin(reload, &wish);
}

void reload_begin_unasked(struct reload *reload, void (*done)(void *done_ctx, int err, const struct report *report),
                          void *done_ctx)
{
	begin(reload, &(struct wish){false, true, done, done_ctx});
}
