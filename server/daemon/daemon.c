// The main thread: signals, reloads, and the first round of checks; see daemon.h.
#include "daemon/daemon.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "base/parallel.h"
#include "base/publish.h"
#include "base/report.h"
#include "config/config.h"
#include "control/control.h"
#include "control/dangling.h"
#include "control/ops.h"
#include "daemon/building.h"
#include "daemon/caches.h"
#include "daemon/handover.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"
#include "daemon/restart.h"
#include "daemon/service.h"
#include "daemon/serving.h"
#include "daemon/watching.h"
#include "generation/generation.h"
#include "generation/reload.h"
#include "health/health.h"
#include "health/watchlist.h"
#include "net/sockets.h"
#include "net/tcp.h"
#include "net/worker.h"
#include "state/state.h"
#include "view/handouts.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

enum {
	COALESCE_US = 5000,      // health changes within this are published together
	FIRST_ROUND_MAX_S = 30,  // after this, serve with the health known so far
	CLOCK_PAUSE_US = 1000,   // the least time between two looks at the clock
	CLOCK_LOOK_S = 1,        // within this a change of the clock is noticed
	BUILD_PATIENCE_MS = 2000, // for a build in progress when the daemon stops
	WATCH_PATIENCE_MS = 500, // for a look at the files then
	FORGOTTEN_PER_TURN = 500, // targets, in one turn of the loop after a reload
	SIGNALS = 3,
	SIGNAL_HUP = 2,          // index of SIGHUP
};

struct daemon {
	struct event_base *base;
	struct event *signals[SIGNALS];
	struct event *publish;   // timer: health has changed
	struct event *expiry;    // timer: the next drain expires
	struct event *first_round_timeout; // timer: the first round of checks has taken too long
	struct serving *serving;
	struct handouts *handouts;
	struct sockets *sockets;
	unsigned workers_max;    // there are hand-out counters for this many
	struct workers *workers; // NULL until the first round of health checks has finished
	struct health *health;
	struct state *state;
	struct control *control;
	struct reload *reload;
	struct watching *watching;
	struct building building; // for the builder
	struct event *forget;    // some of what the last reload took away is to be forgotten
	struct restart *restart; // settings that reloads do not change
	bool reload_again;       // SIGHUP arrived during a reload: start another one after it
	struct handover *first;  // of the first generation, until the checks start
	struct metrics_facts facts;
	int result;
};

// Out of memory, it fires at once: too early is better than never.
static void arm(struct event *event, int64_t seconds, int microseconds)
{
	struct timeval wait = {seconds, microseconds};

	if (!event_pending(event, EV_TIMEOUT, NULL) && event_add(event, &wait) < 0)
		event_active(event, EV_TIMEOUT, 0);
}

// ---- overrides ------------------------------------------------------------------------------------------------------

// Removes drains that have expired, and sets the timer for the next one.
static void expire(struct daemon *daemon)
{
	int64_t next_s = 0, now_s = clock_wall_s();

	for (size_t i = 0; i < state_override_count(daemon->state); i++) {
		const struct override *override = state_override_at(daemon->state, i);

		if (!override_holds(override, now_s))
			log_notice("the drain of %s for %s has expired; set by %s, reason: %s", override->site,
			           override->app ? override->app : "every app", override->who,
			           override->reason ? override->reason : "none given");
	}
	(void)state_expire(daemon->state, now_s, &next_s); // publishes, see overrides_committed()
	event_del(daemon->expiry);
	// Drains end by the wall clock, which may be set, and runs on while the machine is suspended. A timer follows
	// neither, so the clock is polled while any drain has an end.
	if (next_s)
		arm(daemon->expiry, next_s - now_s < CLOCK_LOOK_S ? 0 : CLOCK_LOOK_S, CLOCK_PAUSE_US);
}

static void on_expiry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	expire(arg);
}

static void override_changed(void *ctx, const struct override *old, const struct override *next)
{
	struct daemon *daemon = ctx;

	serving_set_override(daemon->serving, old, next, clock_wall_s());
	if (next && next->until_s)
		arm(daemon->expiry, 0, CLOCK_PAUSE_US);
}

static void overrides_committed(void *ctx)
{
	const struct daemon *daemon = ctx;

	serving_publish(daemon->serving);
}

// ---- health ---------------------------------------------------------------------------------------------------------

static void on_publish(evutil_socket_t fd, short what, void *arg)
{
	const struct daemon *daemon = arg;

	(void)fd;
	(void)what;
	serving_publish(daemon->serving);
}

static void health_changed(void *ctx, size_t number)
{
	struct daemon *daemon = ctx;
	const struct view *view = serving_view(daemon->serving);

	must(number < view->target_count);

	const struct target *target = &view->targets[number];
	bool up = health_up(daemon->health, number);
	int64_t since_s = health_target(daemon->health, number)->since_s;

	state_set_health(daemon->state, target->app->name, view->sites[target->site].name,
	                 health_endpoint(daemon->health, number), up, since_s);
	serving_set_health(daemon->serving, (uint32_t)number, up);
	arm(daemon->publish, 0, COALESCE_US);
}

static int health_saved(void *ctx, const char *app, const char *site, uint32_t probed, int64_t *ret_since_s)
{
	const struct daemon *daemon = ctx;

	return state_health(daemon->state, app, site, probed, ret_since_s);
}

// Starts serving, once.
static void serve(struct daemon *daemon)
{
	const struct config_server *server = &serving_config(daemon->serving)->server;
	struct tcp_limits limits = {server->tcp_clients, server->tcp_idle_ms};

	must(!daemon->workers && !serving_started(daemon->serving));
	event_del(daemon->first_round_timeout);
	if (serving_start(daemon->serving, daemon->health) < 0 ||
	    workers_start(daemon->sockets, &limits, daemon->workers_max, &daemon->workers) < 0) {
		log_error("cannot start the workers: stopping");
		daemon->result = E_NOMEM;
		event_base_loopbreak(daemon->base);
		return;
	}
	log_notice("serving %u apps in %zu zones with %u workers", live_current()->view->app_count,
	           zonedb_zone_count(live_current()->view->zones), daemon->facts.workers);
	service_notify("READY=1");
}

static void first_round_over(void *ctx)
{
	struct daemon *daemon = ctx;

	if (!serving_started(daemon->serving)) // else it was the first round after a reload
		serve(daemon);
}

static void on_first_round_timeout(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	log_warning("the first round of health checks has not finished after %d s: serving with the results so far; "
	            "targets not checked yet count as down", FIRST_ROUND_MAX_S);
	serve(arg);
}

// ---- reload ---------------------------------------------------------------------------------------------------------

// On the builder's thread. The generation in use stays until this one is taken or discarded: there is one build at a time.
static int build_generation(void *ctx, const struct reload_job *job, struct report *report,
                            struct generation *ret_generation)
{
	const struct daemon *daemon = ctx;

	return building_build(&daemon->building, job, report, ret_generation);
}

static void on_forget(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval now = {0};
	struct daemon *daemon = arg;

	(void)fd;
	(void)what;
	if (!serving_forget(daemon->serving, daemon->state, FORGOTTEN_PER_TURN) && event_add(daemon->forget, &now) < 0)
		event_active(daemon->forget, EV_TIMEOUT, 0);
}

static int take_generation(void *ctx, const struct reload_job *job, struct generation *generation, struct report *report)
{
	struct daemon *daemon = ctx;
	int err = serving_take(daemon->serving, generation, daemon->health, daemon->state);
	const struct config *config = serving_config(daemon->serving);
	const struct view *view = serving_view(daemon->serving);

	if (err < 0)
		return err;
	event_active(daemon->forget, EV_TIMEOUT, 0);
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

	daemon->building.config = serving_config(daemon->serving);
	daemon->building.previous = (struct handover_from){serving_view(daemon->serving), health_list(daemon->health),
	                                                   serving_caches(daemon->serving)};
	if (job->kind != RELOAD_JOIN)
		service_notify("RELOADING=1");
}

static void control_reload(void *ctx, bool force, void (*done)(void *done_ctx, int err, const struct report *report),
                           void *done_ctx)
{
	const struct daemon *daemon = ctx;

	reload_begin(daemon->reload, force, done, done_ctx);
}

static void log_report_line(void *ctx, enum report_level level, const char *text)
{
	(void)ctx;
	log_line(level == REPORT_ERROR ? LOG_LEVEL_ERROR : level == REPORT_WARNING ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE,
	         "%s", text);
}

// A join is no event for anybody who watches reloads; what came and went has been logged by the provider.
static void join_finished(int err, const struct report *report)
{
	if (report)
		report_each(report, log_report_line, NULL);
	if (err < 0)
		log_error("the targets that providers give now cannot be taken into use (%s): the previous ones stay in service",
		          err_text(err));
}

static void build_finished(void *ctx, enum reload_kind kind, int err, const struct report *report)
{
	struct daemon *daemon = ctx;

	if (kind == RELOAD_JOIN) {
		join_finished(err, report);
		return;
	}

	metrics_note_reload(&daemon->facts, err, report);
	if (report) {
		report_each(report, log_report_line, NULL);
		watching_loaded(daemon->watching, err, report, serving_config(daemon->serving));
	}
	if (err < 0)
		log_error("reload failed (%s): the previous generation stays in service", err_text(err));
	if (live_current()) // else serve() will send it
		service_notify("READY=1");
	if (daemon->reload_again) {
		daemon->reload_again = false;
		event_active(daemon->signals[SIGNAL_HUP], EV_SIGNAL, 1); // from the loop, once this reload has finished
	}
}

static void signal_reload_done(void *done_ctx, int err, const struct report *report)
{
	struct daemon *daemon = done_ctx;

	(void)report;
	if (err == E_STATE)
		daemon->reload_again = true;
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	struct daemon *daemon = arg;

	(void)what;
	if (number == SIGHUP) {
		control_reload(daemon, false, signal_reload_done, daemon);
		return;
	}
	log_notice("%s: stopping", strsignal(number));
	service_notify("STOPPING=1");
	event_base_loopbreak(daemon->base);
}

// ---- for the control socket -----------------------------------------------------------------------------------------

static const struct config *control_config(void *ctx)
{
	const struct daemon *daemon = ctx;

	return serving_config(daemon->serving);
}

static const struct live *control_live(void *ctx)
{
	const struct daemon *daemon = ctx;

	return serving_live(daemon->serving);
}

static int64_t control_cached_s(void *ctx, const char *app, const char *site)
{
	const struct daemon *daemon = ctx;

	return caches_left_s(serving_caches(daemon->serving), app, site);
}

static json_t *control_stats(void *ctx)
{
	const struct daemon *daemon = ctx;

	return metrics_counters(daemon->workers, daemon->health);
}

static json_t *control_status(void *ctx)
{
	const struct daemon *daemon = ctx;
	struct metrics_facts facts = daemon->facts;
	json_t *status;

	facts.reload_began_s = reload_began_s(daemon->reload);
	status = metrics_status(&facts, live_current());
	json_object_set_new(status, "watch", watching_status(daemon->watching));
	return status;
}

// ---- start and stop -------------------------------------------------------------------------------------------------

static int make_events(struct daemon *daemon)
{
	static const int numbers[SIGNALS] = {SIGTERM, SIGINT, [SIGNAL_HUP] = SIGHUP};

	daemon->base = loop_new();
	if (!daemon->base)
		return E_NOMEM;
	for (int i = 0; i < SIGNALS; i++) {
		daemon->signals[i] = evsignal_new(daemon->base, numbers[i], on_signal, daemon);
		if (!daemon->signals[i] || event_add(daemon->signals[i], NULL) < 0)
			return E_NOMEM;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); // exceeding ulimit -f is then a write error, like a full disk
	daemon->publish = evtimer_new(daemon->base, on_publish, daemon);
	daemon->forget = evtimer_new(daemon->base, on_forget, daemon);
	daemon->expiry = evtimer_new(daemon->base, on_expiry, daemon);
	daemon->first_round_timeout = evtimer_new(daemon->base, on_first_round_timeout, daemon);
	return daemon->publish && daemon->forget && daemon->expiry && daemon->first_round_timeout ? E_OK : E_NOMEM;
}

// State, health, reloads and control. State and control log their own errors.
static int open_parts(struct daemon *daemon, const struct report *first)
{
	struct state_ops state_ops = {.ctx = daemon, .changed = override_changed, .committed = overrides_committed};
	struct health_ops health_ops = {
		.changed = health_changed, .settled = first_round_over, .saved = health_saved, .ctx = daemon};
	struct reload_ops reload_ops = {.starting = build_starting, .build = build_generation, .discard = building_discard,
	                                .take = take_generation, .finished = build_finished, .ctx = daemon};
	const struct config_server *server = &serving_config(daemon->serving)->server;
	int err = state_open(daemon->base, server->state_dir, &state_ops, &daemon->state);

	if (err < 0)
		return err;
	daemon->health = health_new(daemon->base, &health_ops);
	daemon->reload = reload_new(daemon->base, &reload_ops);
	if (!daemon->health || !daemon->reload)
		return E_NOMEM;
	daemon->watching = watching_new(daemon->base, first, serving_config(daemon->serving), daemon->reload);
	if (!daemon->watching)
		return E_NOMEM;

	struct control_ops control_ops = {
		.ctx = daemon,
		.health = daemon->health,
		.state = daemon->state,
		.config = control_config,
		.live = control_live,
		.reload = control_reload,
		.cached_s = control_cached_s,
		.stats = control_stats,
		.status = control_status,
	};

	return control_open(daemon->base, server->control, &control_ops, &daemon->control);
}

// How many sets of sockets the config asks for; with `workers: 0`, one for each CPU that the process may run on.
static unsigned socket_sets(const struct config_server *server)
{
	return server->workers ? server->workers : parallel_processors();
}

// The first generation has no predecessor, but is prepared like any other. Takes ownership of `first` in every case.
static int take_first(struct daemon *daemon, struct generation *first)
{
	const struct config_server *server = &first->config->server;

	daemon->facts.workers = socket_sets(server);
	daemon->workers_max = (unsigned)sockets_workers_max(server->listen_count, daemon->facts.workers);
	daemon->facts.generation_took_ms = first->took_ms;
	daemon->restart = restart_new(first->config);
	daemon->handouts = daemon->building.handouts = handouts_new(daemon->workers_max);
	if (!daemon->restart || !daemon->handouts ||
	    handover_prepare(first->config, first->view, &daemon->building.previous, daemon->handouts,
	                     &daemon->first) < 0) {
		building_discard(first);
		return E_NOMEM;
	}
	first->handover = daemon->first;
	daemon->serving = serving_new(first);
	if (daemon->serving)
		return E_OK;
	daemon->first = NULL;
	return E_NOMEM;
}

int daemon_new(const char *config_path, struct generation *first, const struct report *first_report,
               struct report *report, struct daemon **ret_daemon)
{
	struct daemon *daemon = calloc(1, sizeof(*daemon));
	const struct config_server *server;
	const struct config *config;

	if (!daemon) {
		building_discard(first);
		return E_NOMEM;
	}
	publish_register_reader(); // it stays offline, so no grace period waits for it
	daemon->building.config_path = config_path;
	daemon->facts.started_s = clock_wall_s();
	daemon->facts.last_reload_ok = true;
	service_raise_limits();

	int err = take_first(daemon, first);

	if (err < 0) {
		daemon_free(daemon);
		return err;
	}
	config = serving_config(daemon->serving);
	server = &config->server;
	service_keep_binding(server);
	err = sockets_open(server->listen, server->listen_count, daemon->facts.workers, report, &daemon->sockets);
	if (err == E_OK)
		err = service_drop_privileges(server, report);
	if (err == E_OK)
		err = service_check_state(server, report);
	if (err == E_OK)
		service_check_files(config, report);
	if (err == E_OK)
		err = make_events(daemon);
	if (err == E_OK)
		err = open_parts(daemon, first_report);
	if (err < 0) {
		daemon_free(daemon);
		return err;
	}
	dangling_warn(daemon->state, serving_view(daemon->serving), report);
	*ret_daemon = daemon;
	return E_OK;
}

// Overrides from before the restart hold from the start.
static void apply_overrides(struct daemon *daemon)
{
	for (size_t i = 0; i < state_override_count(daemon->state); i++)
		serving_set_override(daemon->serving, NULL, state_override_at(daemon->state, i), clock_wall_s());
	expire(daemon);
}

static bool has_target(void *ctx, const char *app, const char *site)
{
	return index_find_target(ctx, app, site) >= 0;
}

int daemon_run(struct daemon *daemon)
{
	struct watchlist *watchlist = daemon->first->watchlist;
	const char *file = serving_config(daemon->serving)->file;
	size_t overrides;

	must(watchlist && !daemon->workers);
	apply_overrides(daemon);
	overrides = state_override_count(daemon->state);
	log_notice("edgesteerd " PACKAGE_VERSION " started with %s: %zu %s", file, overrides,
	           overrides == 1 ? "override holds" : "overrides hold");
	// For targets removed from the config while no daemon was running; later removals are seen by serving_take().
	state_retain_health(daemon->state, has_target, (void *)serving_view(daemon->serving));
	daemon->first->watchlist = NULL;
	daemon->first = handover_free(daemon->first);
	health_configure(daemon->health, watchlist, serving_config(daemon->serving)->server.probes);
	if (!serving_started(daemon->serving)) {
		arm(daemon->first_round_timeout, FIRST_ROUND_MAX_S, 0);
		log_info("waiting for the first round of health checks");
	}
	event_base_dispatch(daemon->base);
	return daemon->result;
}

struct daemon *daemon_free(struct daemon *daemon)
{
	if (!daemon)
		return NULL;
	workers_stop(daemon->workers);
	state_close(daemon->state); // before anything that may take long: it must not be lost
	daemon->state = NULL;

	bool stopped = reload_stop(daemon->reload, BUILD_PATIENCE_MS);
	bool watch_stopped = watching_stop(daemon->watching, WATCH_PATIENCE_MS);

	control_close(daemon->control); // whoever waited for the two has been answered
	if (!stopped) {
		log_warning("a reload is still under way: a source has not finished within %d ms; exiting without it",
		            BUILD_PATIENCE_MS);
		return daemon;
	}
	if (!watch_stopped)
		return daemon;
	watching_free(daemon->watching);
	reload_free(daemon->reload);
	health_free(daemon->health);
	restart_free(daemon->restart);
	sockets_close(daemon->sockets);
	for (int i = 0; i < SIGNALS; i++)
		if (daemon->signals[i])
			event_free(daemon->signals[i]);

	struct event *const timers[] = {daemon->publish, daemon->forget, daemon->expiry, daemon->first_round_timeout};

	for (size_t i = 0; i < ARRAY_LEN(timers); i++)
		if (timers[i])
			event_free(timers[i]);
	if (daemon->base)
		event_base_free(daemon->base);
	handover_free(daemon->first);
	serving_free(daemon->serving);
	publish_drain();
	handouts_free(daemon->handouts);
	publish_unregister_reader();
	metrics_wipe_facts(&daemon->facts);
	free(daemon);
	return NULL;
}
