// Builds: what starts them, and what becomes of what they made; see inner.h.
#include <event2/event.h>
#include <signal.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/report.h"
#include "config/config.h"
#include "control/dangling.h"
#include "daemon/building.h"
#include "daemon/handover.h"
#include "daemon/inner.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"
#include "daemon/restart.h"
#include "daemon/rollback.h"
#include "daemon/service.h"
#include "daemon/serving.h"
#include "daemon/watching.h"
#include "door/door.h"
#include "generation/generation.h"
#include "generation/reload.h"
#include "learn/learner.h"
#include "health/health.h"
#include "provide/provide.h"
#include "state/state.h"
#include "view/live.h"
#include "view/view.h"

enum {
	FORGOTTEN_PER_TURN = 500, // targets, in one turn of the loop after a reload
};

// On the builder's thread. The generation in use stays until this one is taken or discarded: there is one build at a time.
static int build_generation(void *ctx, const struct reload_job *job, struct report *report,
                            struct generation *ret_generation)
{
	struct daemon *daemon = ctx;

	return building_build(&daemon->building, job, report, ret_generation);
}

void reloads_on_forget(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval now = {0};
	struct daemon *daemon = arg;

	(void)fd;
	(void)what;
	if (!serving_forget(daemon->serving, daemon->state, FORGOTTEN_PER_TURN) && event_add(daemon->forget, &now) < 0)
		event_active(daemon->forget, EV_TIMEOUT, 0);
}

static bool is_load(enum reload_kind kind)
{
	return kind == RELOAD_ASKED || kind == RELOAD_UNASKED;
}

// What was taken replaces the load that `before` holds, is the one before, or is the same load with other targets.
static void follow_load(struct daemon *daemon, enum reload_kind kind, struct rollback_load *before)
{
	if (kind == RELOAD_BACK)
		rollback_taken(daemon->rollback);
	else if (is_load(kind))
		rollback_keep(daemon->rollback, before, serving_config(daemon->serving));
	watching_hold(daemon->watching, rollback_is_back(daemon->rollback));
}

static int take_generation(void *ctx, const struct reload_job *job, struct generation *generation, struct report *report)
{
	struct daemon *daemon = ctx;
	struct keys *keys = generation->keys; // NULL: of a join, or of the load before
	struct rollback_load *before = is_load(job->kind)
	                                   ? rollback_hold(serving_config(daemon->serving), serving_view(daemon->serving))
	                                   : NULL;
	int err = serving_take(daemon->serving, generation, daemon->health, daemon->aliases, daemon->readiness,
	                       daemon->state);
	const struct config *config = serving_config(daemon->serving);
	const struct view *view = serving_view(daemon->serving);

	if (err < 0) {
		rollback_leave(before);
		return err;
	}
	follow_load(daemon, job->kind, before);
	if (keys)
		door_take(daemon->door, keys);
	event_active(daemon->forget, EV_TIMEOUT, 0);
	building_taken(&daemon->building, daemon->provide, config);
	reactions_answered(daemon);
	reactions_expire(daemon); // also for the TTLs of the new view
	loop_arm(daemon->publish, 0, COALESCE_US); // what there was no memory for
	if (job->kind == RELOAD_JOIN)
		return E_OK;
	restart_warn(daemon->restart, config, report);
	dangling_warn(daemon->state, view, report);
	log_set_level((enum log_level)config->server.log_level);
	daemon->facts.generation_took_ms = generation->took_ms;
	log_notice("generation %llu %s, built in %lld ms", (unsigned long long)view->generation,
	           serving_started(daemon->serving) ? "is served" : "waits for the first round of health checks",
	           (long long)generation->took_ms);
	return E_OK;
}

static void build_starting(void *ctx, const struct reload_job *job)
{
	struct daemon *daemon = ctx;

	building_start(&daemon->building, daemon->provide);
	daemon->building.config = serving_config(daemon->serving);
	daemon->building.previous = (struct handover_from){serving_view(daemon->serving), health_list(daemon->health),
	                                                   serving_caches(daemon->serving)};
	if (job->kind == RELOAD_JOIN)
		return;
	guard_start(&daemon->building.guard, serving_samples(daemon->serving), daemon->building.previous.view, daemon->state);
	if (job->app)
		guard_start_app(&daemon->building.guard, daemon->building.previous.view, job->app);
	if (job->kind == RELOAD_CHECK || job->kind == RELOAD_COMPARE)
		return;
	daemon->reload_began_ms = clock_mono_ms();
	service_notify("RELOADING=1");
}

void reloads_begin(void *ctx, enum control_reload how, void (*done)(void *done_ctx, int err, const struct report *report),
                   void *done_ctx)
{
	const struct daemon *daemon = ctx;

	if (how == CONTROL_RELOAD_CHECK)
		reload_begin_check(daemon->reload, done, done_ctx);
	else
		reload_begin(daemon->reload, how == CONTROL_RELOAD_FORCE, done, done_ctx);
}

void reloads_compare(void *ctx, const char *path, const char *app,
                     void (*done)(void *done_ctx, int err, const struct report *report), void *done_ctx)
{
	const struct daemon *daemon = ctx;

	reload_begin_compare(daemon->reload, path, app, done, done_ctx);
}

int reloads_roll_back(void *ctx, const char *who, const char *by, const char *reason,
                      void (*done)(void *done_ctx, int err, const struct report *report), void *done_ctx)
{
	struct daemon *daemon = ctx;
	struct rollback_asked *asked;

	if (!rollback_is_there(daemon->rollback))
		return E_NOTFOUND;
	asked = rollback_ask(who, by, reason);
	if (!asked)
		return E_NOMEM;
	rollback_asked(daemon->rollback, asked, reload_begin_back(daemon->reload, done, done_ctx));
	return E_OK;
}

static void log_report_line(void *ctx, enum report_level level, const char *text)
{
	(void)ctx;
	log_line(level == REPORT_ERROR ? LOG_LEVEL_ERROR : level == REPORT_WARNING ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE,
	         "%s", text);
}

// A join is no event for anybody who watches reloads; what came and went has been logged by the provider. That joins fail
// is said once, as there may be many a second, and taken back.
static void join_finished(struct daemon *daemon, int err, const struct report *report)
{
	bool failed_before = daemon->joins_fail;

	daemon->joins_fail = err < 0;
	if (err < 0 && failed_before)
		return;
	if (report)
		report_each(report, log_report_line, NULL);
	if (err < 0)
		log_error("the targets that providers give now cannot be taken into use (%s): the previous ones stay in service",
		          err_text(err));
	else if (failed_before)
		log_notice("the targets that providers give are taken into use again");
}

static void reloaded(struct daemon *daemon, enum reload_kind kind, int err, const struct report *report)
{
	if (kind == RELOAD_UNASKED && err == E_STOPPED) // it has neither failed nor been taken
		return;
	metrics_note_reload(&daemon->facts, err, clock_mono_ms() - daemon->reload_began_ms, report);
	if (report)
		watching_loaded(daemon->watching, err, report, serving_config(daemon->serving));
	if (err == E_HELD)
		log_error("reload held by `guard`: the previous generation stays in service");
	else if (err < 0)
		log_error("reload failed (%s): the previous generation stays in service", err_text(err));
}

// No file was read for it: those that are watched stay the last reload's.
static void rolled_back(struct daemon *daemon, int err)
{
	if (err < 0) {
		log_error("rollback failed (%s): the generation in use stays in service", err_text(err));
		watching_again(daemon->watching); // for what was called off
		return;
	}
	log_warning("rolled back to what was served before the last reload: files are not followed until `edgesteerctl reload`, "
	            "and read again by a restart");
}

// A reload, or a way back.
static void load_finished(struct daemon *daemon, enum reload_kind kind, int err, const struct report *report)
{
	if (report)
		report_each(report, log_report_line, NULL);
	if (kind == RELOAD_BACK)
		rolled_back(daemon, err);
	else
		reloaded(daemon, kind, err, report);
	if (live_current()) // else serve() will send it
		service_notify("READY=1");
}

static void build_finished(void *ctx, enum reload_kind kind, int err, const struct report *report)
{
	struct daemon *daemon = ctx;

	if (kind == RELOAD_JOIN) {
		join_finished(daemon, err, report);
		daemon->joins_first = false;
		daemon_first_round_over(daemon);
	} else if (is_load(kind) || kind == RELOAD_BACK) {
		load_finished(daemon, kind, err, report);
	}
	if (daemon->reload_again) {
		daemon->reload_again = false;
		event_active(daemon->signals[SIGNAL_HUP], EV_SIGNAL, 1); // from the loop, once this build has finished
	}
}

static void signal_reload_done(void *done_ctx, int err, const struct report *report)
{
	struct daemon *daemon = done_ctx;

	(void)report;
	if (err == E_STATE)
		daemon->reload_again = true;
}

void reloads_by_signal(struct daemon *daemon)
{
	reloads_begin(daemon, CONTROL_RELOAD, signal_reload_done, daemon);
}

static void targets_changed(void *ctx)
{
	const struct daemon *daemon = ctx;

	reload_join(daemon->reload);
}

int reloads_provide(struct daemon *daemon, struct report *report)
{
	const struct provide_ops ops = {.changed = targets_changed, .ready_changed = reactions_ready_changed, .ctx = daemon};
	int err = provide_new(daemon->base, daemon->state, &ops, &daemon->provide);

	return err < 0 ? err
	               : building_first(daemon->provide, serving_config(daemon->serving), report, &daemon->joins_first);
}

static void save_learned(void *ctx, const char *prefix, const char *text)
{
	const struct daemon *daemon = ctx;

	state_set_learned(daemon->state, prefix, text);
}

static void restore_learned(void *ctx, const char *prefix, const char *text)
{
	const struct daemon *daemon = ctx;

	learner_restore(daemon->learner, prefix, text);
}

int reloads_learn(struct daemon *daemon, struct report *report)
{
	struct learner_plan *plan;
	const struct learner_ops ops = {.ctx = daemon, .save = save_learned, .trim = service_trim_memory};
	int err = learner_new(daemon->base, daemon->workers_max, &ops, &daemon->learner);

	if (err == E_OK)
		err = learner_prepare(daemon->learner, serving_config(daemon->serving), report, &plan);
	if (err < 0)
		return err;
	learner_take(daemon->learner, plan);
	state_take_learned(daemon->state, restore_learned, daemon);
	daemon->building.learner = daemon->learner;
	return E_OK;
}

int reloads_open(struct daemon *daemon, const struct report *first)
{
	struct reload_ops ops = {.starting = build_starting, .build = build_generation, .discard = building_discard,
	                         .take = take_generation, .finished = build_finished, .ctx = daemon};

	daemon->reload = reload_new(daemon->base, &ops);
	if (!daemon->reload)
		return E_NOMEM;
	daemon->watching = watching_new(daemon->base, first, serving_config(daemon->serving), daemon->reload);
	return daemon->watching ? E_OK : E_NOMEM;
}
