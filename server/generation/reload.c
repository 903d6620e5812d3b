// Builds generations on a separate thread; see reload.h.
#include "generation/reload.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/must.h"
#include "base/report.h"
#include "base/thread.h"
#include "generation/generation.h"

enum {
	NICE_MORE = 10,
	JOIN_GATHER_MS = 5,     // changes that come together are joined together
	JOIN_PAUSE_MIN_MS = 20, // between two joins
	JOIN_RETRY_MS = 2000,   // after one that failed for want of memory
};

// What is to be built.
struct wish {
	enum reload_kind kind;
	bool force;
	void (*done)(void *done_ctx, int err, const struct report *report); // NULL: a join
	void *done_ctx;
	const char *path, *app; // of RELOAD_COMPARE
};

struct reload {
	struct reload_ops ops;
	uint64_t number;       // of the last generation started; the first one, at startup, was 1
	int ready_fd;          // an eventfd, which the builder writes last
	struct event *ready;
	pthread_t thread;
	bool under_way;
	atomic_bool is_called_off; // what is built is not to be taken
	struct wish wish;      // of the build under way
	struct wish waiting;   // a reload to begin after it; without done(): there is none
	int64_t began_s;       // wall clock
	int64_t began_ms;      // monotonic
	bool join_wanted;
	int64_t join_after_ms; // monotonic: the next join not before
	struct event *join;    // timer: for it
	// Owned by the builder until it writes ready_fd, then by the main thread.
	struct reload_job job;
	struct report *report;
	struct generation generation;
	bool is_discarded;     // what was built, as it was only to be looked at
	int err;
};

static bool begin(struct reload *reload, const struct wish *wish);

// The builder has lower priority than the workers, whatever theirs is: on Linux, nice values are per thread.
static void lower_priority(void)
{
	(void)!nice(NICE_MORE);
}

// It is built for what it would do.
static bool is_look(enum reload_kind kind)
{
	return kind == RELOAD_CHECK || kind == RELOAD_COMPARE;
}

static void *build(void *arg)
{
	struct reload *reload = arg;
	uint64_t one = 1;

	lower_priority();
	reload->err = reload->ops.build(reload->ops.ctx, &reload->job, reload->report, &reload->generation);
	// Here, as of a large config that takes longer than the main loop may be blocked.
	reload->is_discarded = reload->err == E_OK && (is_look(reload->job.kind) || atomic_load(&reload->is_called_off));
	if (reload->is_discarded)
		reload->ops.discard(&reload->generation);
	must(write(reload->ready_fd, &one, sizeof(one)) == sizeof(one));
	return NULL;
}

// ---- what is next ---------------------------------------------------------------------------------------------------

static void arm_join(struct reload *reload)
{
	int64_t wait_ms = reload->join_after_ms - clock_mono_ms();
	struct timeval wait = {0, JOIN_GATHER_MS * 1000};

	if (wait_ms > JOIN_GATHER_MS)
		wait = (struct timeval){wait_ms / 1000, wait_ms % 1000 * 1000};
	if (!evtimer_pending(reload->join, NULL) && evtimer_add(reload->join, &wait) < 0)
		event_active(reload->join, EV_TIMEOUT, 0);
}

static void begin_next(struct reload *reload)
{
	const struct wish next = reload->waiting;

	reload->waiting = (struct wish){0};
	if (next.done)
		(void)begin(reload, &next);
	else if (reload->join_wanted)
		arm_join(reload);
}

static void on_join(evutil_socket_t fd, short what, void *arg)
{
	struct reload *reload = arg;

	(void)fd;
	(void)what;
	if (!reload->under_way && reload->join_wanted) // else begin_next() follows
		(void)begin(reload, &(struct wish){.kind = RELOAD_JOIN});
}

// Sets when the next join may be. One that failed for want of memory is wanted again.
static void rest(struct reload *reload)
{
	int64_t now_ms = clock_mono_ms(), took_ms = now_ms - reload->began_ms;

	if (reload->wish.kind != RELOAD_JOIN)
		return;
	reload->join_after_ms = now_ms + (took_ms > JOIN_PAUSE_MIN_MS ? took_ms : JOIN_PAUSE_MIN_MS);
	if (reload->err == E_NOMEM) {
		reload->join_wanted = true;
		reload->join_after_ms = now_ms + JOIN_RETRY_MS;
	}
}

// ---- the end of a build ---------------------------------------------------------------------------------------------

static void take(struct reload *reload)
{
	if (reload->err == E_OK && atomic_load(&reload->is_called_off)) {
		if (!reload->is_discarded) // it was called off after it was built
			reload->ops.discard(&reload->generation);
		reload->err = E_STOPPED;
		report_error(reload->report, NULL, 0, 0, "called off: a rollback was asked for meanwhile");
	} else if (reload->err == E_OK && !reload->is_discarded) {
		reload->err = reload->ops.take(reload->ops.ctx, &reload->job, &reload->generation, reload->report);
		if (reload->err < 0) {
			report_error(reload->report, NULL, 0, 0, "the new generation cannot be taken into use: %s",
			             err_text(reload->err));
			reload->ops.discard(&reload->generation);
		}
	}
	if (reload->err < 0 && report_ok(reload->report))
		report_error(reload->report, NULL, 0, 0, "%s", err_text(reload->err));
}

static void finish(struct reload *reload, const struct wish *wish, int err, const struct report *report)
{
	reload->ops.finished(reload->ops.ctx, wish->kind, err, report);
	if (wish->done)
		wish->done(wish->done_ctx, err, report);
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
	take(reload);
	rest(reload);
	finish(reload, &reload->wish, reload->err, reload->report);
	reload->report = report_free(reload->report);
	begin_next(reload);
}

// ---- opening and closing --------------------------------------------------------------------------------------------

struct reload *reload_new(struct event_base *base, const struct reload_ops *ops)
{
	struct reload *reload = calloc(1, sizeof(*reload));

	if (!reload)
		return NULL;
	reload->ops = *ops;
	reload->number = 1;
	reload->ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (reload->ready_fd >= 0)
		reload->ready = event_new(base, reload->ready_fd, EV_READ | EV_PERSIST, on_ready, reload);
	reload->join = evtimer_new(base, on_join, reload);
	if (!reload->ready || !reload->join || event_add(reload->ready, NULL) < 0)
		return reload_free(reload);
	return reload;
}

int64_t reload_began_s(const struct reload *reload)
{
	bool is_reload = reload->wish.kind == RELOAD_ASKED || reload->wish.kind == RELOAD_UNASKED;

	return reload->under_way && is_reload ? reload->began_s : 0;
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
	if (reload->err == E_OK && !reload->is_discarded)
		reload->ops.discard(&reload->generation);
	if (reload->wish.done)
		reload->wish.done(reload->wish.done_ctx, E_STOPPED, reload->report);
	if (reload->waiting.done)
		reload->waiting.done(reload->waiting.done_ctx, E_STOPPED, NULL);
	return true;
}

void reload_leave(struct reload *reload)
{
	must(reload->under_way);
	pthread_detach(reload->thread);
}

struct reload *reload_free(struct reload *reload)
{
	if (!reload)
		return NULL;
	must(!reload->under_way);
	report_free(reload->report);
	if (reload->ready)
		event_free(reload->ready);
	if (reload->join)
		event_free(reload->join);
	if (reload->ready_fd >= 0)
		close(reload->ready_fd);
	free(reload);
	return NULL;
}

// ---- the beginning of one -------------------------------------------------------------------------------------------

// E_STATE: one is under way. E_NOMEM.
static int start(struct reload *reload, const struct wish *wish, struct report *report)
{
	if (reload->under_way)
		return E_STATE;
	must(!reload->report);
	if (wish->kind == RELOAD_JOIN)
		reload->join_wanted = false;
	reload->wish = *wish;
	atomic_store(&reload->is_called_off, false);
	reload->job = (struct reload_job){wish->kind, wish->force, ++reload->number, wish->path, wish->app};
	reload->began_s = clock_wall_s();
	reload->began_ms = clock_mono_ms();
	if (!report)
		return E_NOMEM;
	reload->ops.starting(reload->ops.ctx, &reload->job);
	reload->report = report;
	reload->under_way = thread_start(&reload->thread, "builder", build, reload);
	if (reload->under_way)
		return E_OK;
	reload->report = NULL;
	return E_NOMEM;
}

// False: it could not be begun, and done() has been called.
static bool begin(struct reload *reload, const struct wish *wish)
{
	struct report *report = report_new();
	int err = start(reload, wish, report);

	if (err == E_OK)
		return true;
	if (report)
		report_error(report, NULL, 0, 0, "%s", err == E_STATE ? "a reload is under way already" : err_text(err));
	if (err == E_STATE) {
		wish->done(wish->done_ctx, err, report);
	} else {
		reload->err = err;
		rest(reload);
		finish(reload, wish, err, report);
		begin_next(reload);
	}
	report_free(report);
	return false;
}

// under way   waits for its end                          refused
// join        any                                        -
// unasked     what somebody has asked for                unasked: it reads what the next change would read
// a look      what may be taken, whoever has asked       another look
// asked       -                                          any
// back        -                                          any
//
// One can wait, and who asks for something goes before what nobody asked for.
static bool may_wait(const struct reload *reload, const struct wish *wish)
{
	enum reload_kind under_way = reload->wish.kind;

	if (!reload->under_way || reload->waiting.done)
		return false;
	return under_way == RELOAD_JOIN || (under_way == RELOAD_UNASKED && wish->kind != RELOAD_UNASKED) ||
	       (is_look(under_way) && !is_look(wish->kind));
}

// What nobody asked for makes room: what comes in its place reads the same files, or is to hold whatever they have.
static void make_room(struct reload *reload)
{
	const struct wish waiting = reload->waiting;

	if (!waiting.done || waiting.kind != RELOAD_UNASKED)
		return;
	reload->waiting = (struct wish){0};
	waiting.done(waiting.done_ctx, E_STOPPED, NULL);
}

// False: refused, and done() has been called.
static bool begin_or_wait(struct reload *reload, const struct wish *wish)
{
	if (wish->kind == RELOAD_ASKED || wish->kind == RELOAD_BACK)
		make_room(reload);
	if (may_wait(reload, wish)) {
		reload->waiting = *wish;
		return true;
	}
	return begin(reload, wish);
}

void reload_begin(struct reload *reload, bool force, void (*done)(void *done_ctx, int err, const struct report *report),
                  void *done_ctx)
{
	(void)begin_or_wait(reload, &(struct wish){.kind = RELOAD_ASKED, .force = force, .done = done, .done_ctx = done_ctx});
}

void reload_begin_check(struct reload *reload, void (*done)(void *done_ctx, int err, const struct report *report),
                        void *done_ctx)
{
	(void)begin_or_wait(reload, &(struct wish){.kind = RELOAD_CHECK, .done = done, .done_ctx = done_ctx});
}

void reload_begin_compare(struct reload *reload, const char *path, const char *app,
                          void (*done)(void *done_ctx, int err, const struct report *report), void *done_ctx)
{
	const struct wish wish = {.kind = RELOAD_COMPARE, .done = done, .done_ctx = done_ctx, .path = path, .app = app};

	(void)begin_or_wait(reload, &wish);
}

bool reload_begin_back(struct reload *reload, void (*done)(void *done_ctx, int err, const struct report *report),
                       void *done_ctx)
{
	bool replaces = reload->under_way && reload->wish.kind == RELOAD_UNASKED;

	if (!begin_or_wait(reload, &(struct wish){.kind = RELOAD_BACK, .done = done, .done_ctx = done_ctx}))
		return false;
	if (replaces)
		atomic_store(&reload->is_called_off, true);
	return true;
}

void reload_begin_unasked(struct reload *reload, void (*done)(void *done_ctx, int err, const struct report *report),
                          void *done_ctx)
{
	(void)begin_or_wait(reload, &(struct wish){.kind = RELOAD_UNASKED, .done = done, .done_ctx = done_ctx});
}

void reload_join(struct reload *reload)
{
	reload->join_wanted = true;
	if (!reload->under_way)
		arm_join(reload);
}
