// The main thread: signals, reloads, and the merge of health and orders into what is published; see daemon.h.
#include "daemon/daemon.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "base/publish.h"
#include "base/report.h"
#include "config/config.h"
#include "control/control.h"
#include "control/dangling.h"
#include "control/ops.h"
#include "daemon/metrics.h"
#include "daemon/restart.h"
#include "daemon/service.h"
#include "generation/reload.h"
#include "health/health.h"
#include "net/sockets.h"
#include "net/tcp.h"
#include "net/worker.h"
#include "state/state.h"
#include "view/live.h"
#include "view/view.h"

enum {
	COALESCE_US = 5000,      // health changes within this are published together
	SAVE_HEALTH_S = 1,       // at most one write a second
	FIRST_ROUND_MAX_S = 30,  // then service begins with what is known
	CLOCK_PAUSE_US = 1000,   // at least, between two looks
	CLOCK_LOOK_S = 1,        // how soon it is seen that somebody has set the clock
	BUILD_PATIENCE_MS = 2000, // for a generation under way when the daemon stops
	PRIORITIES = 3,          // of events
	PROBES_IN_A_ROW = 4,     // events of theirs: about 2 ms of TLS handshakes
	SIGNALS = 3,
	SIGNAL_HUP = 2,          // SIGHUP's place among them
};

struct daemon {
	struct event_base *base;
	struct event *signals[SIGNALS];
	struct event *publish;   // timer: health moved
	struct event *expiry;    // timer: the next drain runs out
	struct event *save;      // timer: health to be written
	struct event *confirm;   // timer: health that has not changed, to be written as well
	struct event *patience;  // timer: the first round of checks has taken too long
	struct config *config;   // of the view that is served, or about to be
	struct view *first_view; // until it is published
	struct sockets *sockets;
	unsigned worker_rows;    // that every view counts in
	struct workers *workers; // NULL until the first health round is over
	struct health *health;
	struct state *state;
	struct control *control;
	struct reload *reload;
	struct restart *restart; // what reloads do not change
	bool hung_up;            // SIGHUP came while a reload was under way: another one follows it
	struct metrics_facts facts;
	int result;
};

// ---- what is published -------------------------------------------------------------------------------------------

// One target's word. First row that applies:
//
//   forced      health       drained     state
//   up          any          no          0
//   down        any          no          DOWN
//   auto        up or none   no          0
//   auto        down         no          DOWN
//   any         any          yes         the above, and DRAINED
static uint8_t target_word(const struct daemon *daemon, const struct view *view, uint32_t number, int64_t now_s)
{
	const struct target *target = &view->targets[number];
	const char *app = target->app->name, *site = view->sites[target->site].name;
	enum force_to forced = state_forced(daemon->state, app, site);
	bool down = forced == FORCE_AUTO ? !health_target(daemon->health, number)->up : forced == FORCE_DOWN;
	uint8_t word = down ? TARGET_DOWN : 0;

	return state_drained(daemon->state, app, site, now_s) ? word | TARGET_DRAINED : word;
}

// A publication of `view` that is all in place but for the states. NULL without memory.
static struct live *prepare(const struct view *view)
{
	struct live *live = live_next();

	if (!live)
		return NULL;
	live->view = view;
	live->states = live_states_new(view->target_count);
	if (live->states)
		return live;
	free(live);
	return NULL;
}

// Takes `live`, of the view the health is of.
static void publish(struct daemon *daemon, struct live *live)
{
	struct target_states *states = (struct target_states *)live->states;
	int64_t now_s = clock_wall_s();

	must(health_count(daemon->health) == states->count);
	for (uint32_t i = 0; i < states->count; i++)
		states->octets[i] = target_word(daemon, live->view, i, now_s);
	live_publish(live);
}

static void republish(struct daemon *daemon)
{
	struct live *live;

	if (!live_current())
		return;
	live = prepare(live_current()->view);
	if (live)
		publish(daemon, live);
	else
		log_error("out of memory: the change is not published, what was served goes on");
}

static void arm(struct event *event, int64_t seconds, int microseconds)
{
	struct timeval wait = {seconds, microseconds};

	if (!event_pending(event, EV_TIMEOUT, NULL))
		event_add(event, &wait);
}

// Takes what has run out away. True when something has.
static bool expire(struct daemon *daemon)
{
	int64_t next_s = 0, now_s = clock_wall_s();

	for (size_t i = 0; i < state_drain_count(daemon->state); i++) {
		const struct drain *drain = state_drain_at(daemon->state, i);

		if (drain->until_s && drain->until_s <= now_s)
			log_notice("the drain of %s for %s has run out; by %s, reason: %s", drain->site,
			           drain->app ? drain->app : "every app", drain->who,
			           drain->reason ? drain->reason : "none given");
	}

	bool some = state_expire(daemon->state, now_s, &next_s) > 0;

	event_del(daemon->expiry);
	// A drain ends by the wall clock, which may be set, or go on while the machine sleeps; a timer follows neither. So
	// the clock is looked at often while there is such a drain.
	if (next_s)
		arm(daemon->expiry, next_s - now_s < CLOCK_LOOK_S ? 0 : CLOCK_LOOK_S, CLOCK_PAUSE_US);
	return some;
}

static void orders_changed(void *ctx)
{
	struct daemon *daemon = ctx;

	(void)expire(daemon);
	republish(daemon);
}

static void on_expiry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	if (expire(arg))
		republish(arg);
}

static void on_publish(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	republish(arg);
}

static void on_save(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *daemon = arg;

	(void)fd;
	(void)what;
	if (state_save_health(daemon->state) < 0) // the write before is not over, or there is no memory
		arm(daemon->save, SAVE_HEALTH_S, 0);
}

static void on_confirm(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *daemon = arg;

	(void)fd;
	(void)what;
	state_confirm_health(daemon->state);
	arm(daemon->save, 0, 0);
	arm(daemon->confirm, STATE_CONFIRM_S, 0);
}

// ---- health --------------------------------------------------------------------------------------------------------

// The view the health's targets are numbered in.
static const struct view *view_now(const struct daemon *daemon)
{
	return daemon->first_view ? daemon->first_view : live_current()->view;
}

static void health_changed(void *ctx, size_t number)
{
	struct daemon *daemon = ctx;
	const struct view *view = view_now(daemon);
	const struct target *target = &view->targets[number];

	state_set_health(daemon->state, target->app->name, view->sites[target->site].name,
	                 health_probed(daemon->health, number), health_target(daemon->health, number)->up);
	arm(daemon->publish, 0, COALESCE_US);
	arm(daemon->save, SAVE_HEALTH_S, 0);
}

static int health_saved(void *ctx, const char *app, const char *site, uint32_t probed)
{
	const struct daemon *daemon = ctx;

	return state_health(daemon->state, app, site, probed);
}

// Begins to serve, once.
static void serve(struct daemon *daemon)
{
	struct tcp_limits limits = {daemon->config->server.tcp_clients, daemon->config->server.tcp_idle_ms};
	struct live *live = prepare(daemon->first_view);

	event_del(daemon->patience);
	if (live) {
		publish(daemon, live);
		daemon->first_view = NULL;
	}
	if (!live ||
	    workers_start(daemon->sockets, &limits, &daemon->workers) < 0) {
		log_error("cannot start the workers");
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

	if (daemon->first_view) // else a reload's round
		serve(daemon);
}

static void on_impatience(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	log_warning("the first round of health checks is not over after %d s: serving with what is known; targets not "
	            "checked yet count as down", FIRST_ROUND_MAX_S);
	serve(arg);
}

// ---- reload --------------------------------------------------------------------------------------------------------

static int take_generation(void *ctx, struct generation *generation, struct report *report)
{
	struct daemon *daemon = ctx;
	struct config *old = daemon->config;
	// What may fail comes before the health is of the new view: from there on the old one cannot be published any more.
	struct live *live = daemon->first_view ? NULL : prepare(generation->view);

	if ((!live && !daemon->first_view) || health_configure(daemon->health, generation->config) < 0) {
		if (live)
			free((void *)live->states);
		free(live);
		return E_NOMEM;
	}
	restart_warn(daemon->restart, generation->config, report);
	dangling_warn(daemon->state, generation->view, report);
	log_set_level((enum log_level)generation->config->server.log_level);
	daemon->config = generation->config;
	if (daemon->first_view) { // still before the first round
		view_free(daemon->first_view);
		daemon->first_view = generation->view;
	} else {
		state_reloading(daemon->state, live_current()->view, generation->view);
		publish(daemon, live);
	}
	config_free(old);
	state_retain_health(daemon->state, view_now(daemon));
	daemon->facts.generation_took_ms = generation->took_ms;
	log_notice("generation %llu %s, built in %lld ms", (unsigned long long)view_now(daemon)->generation,
	           daemon->first_view ? "waits for the first round of health checks" : "is served",
	           (long long)generation->took_ms);
	return E_OK;
}

static void control_reload(void *ctx, void (*done)(void *done_ctx, int err, const struct report *report),
                           void *done_ctx)
{
	struct daemon *daemon = ctx;

	service_notify("RELOADING=1");
	reload_begin(daemon->reload, done, done_ctx);
}

static void log_report_line(void *ctx, enum report_level level, const char *text)
{
	(void)ctx;
	log_line(level == REPORT_ERROR ? LOG_LEVEL_ERROR : level == REPORT_WARNING ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE,
	         "%s", text);
}

static void reload_finished(void *ctx, int err, const struct report *report)
{
	struct daemon *daemon = ctx;

	daemon->facts.last_reload_s = clock_wall_s();
	daemon->facts.last_reload_ok = err == E_OK;
	if (report)
		report_each(report, log_report_line, NULL);
	if (err < 0)
		log_error("reload failed (%s), what was served goes on", err_text(err));
	if (live_current()) // else serve() says so
		service_notify("READY=1");
	if (daemon->hung_up) {
		daemon->hung_up = false;
		event_active(daemon->signals[SIGNAL_HUP], EV_SIGNAL, 1); // from the loop, when this one is over
	}
}

static void signal_reload_done(void *done_ctx, int err, const struct report *report)
{
	struct daemon *daemon = done_ctx;

	(void)report;
	if (err == E_STATE)
		daemon->hung_up = true;
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	struct daemon *daemon = arg;

	(void)what;
	if (number == SIGHUP) {
		control_reload(daemon, signal_reload_done, daemon);
		return;
	}
	log_notice("%s: stopping", strsignal(number));
	service_notify("STOPPING=1");
	event_base_loopbreak(daemon->base);
}

// ---- control's view of us ------------------------------------------------------------------------------------------

static const struct config *control_config(void *ctx)
{
	const struct daemon *daemon = ctx;

	return daemon->config;
}

static const struct view *control_view(void *ctx)
{
	return view_now(ctx);
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

	facts.reload_began_s = reload_began_s(daemon->reload);
	return metrics_status(&facts, live_current());
}

// ---- beginning and end ---------------------------------------------------------------------------------------------

// A base on which orders, signals and publishing never stand behind a crowd of probes: probes have the lowest priority
// (see health/probe.h), everything else the middle one, which is libevent's default; and after PROBES_IN_A_ROW the loop
// looks whether something else has come.
static struct event_base *make_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config && event_config_set_max_dispatch_interval(config, NULL, PROBES_IN_A_ROW, PRIORITIES - 1) == 0)
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	if (base && event_base_priority_init(base, PRIORITIES) < 0) {
		event_base_free(base);
		base = NULL;
	}
	return base;
}

static int make_events(struct daemon *daemon)
{
	static const int numbers[SIGNALS] = {SIGTERM, SIGINT, [SIGNAL_HUP] = SIGHUP};

	daemon->base = make_base();
	if (!daemon->base)
		return E_NOMEM;
	for (int i = 0; i < SIGNALS; i++) {
		daemon->signals[i] = evsignal_new(daemon->base, numbers[i], on_signal, daemon);
		if (!daemon->signals[i] || event_add(daemon->signals[i], NULL) < 0)
			return E_NOMEM;
	}
	signal(SIGPIPE, SIG_IGN);
	daemon->publish = evtimer_new(daemon->base, on_publish, daemon);
	daemon->expiry = evtimer_new(daemon->base, on_expiry, daemon);
	daemon->save = evtimer_new(daemon->base, on_save, daemon);
	daemon->confirm = evtimer_new(daemon->base, on_confirm, daemon);
	daemon->patience = evtimer_new(daemon->base, on_impatience, daemon);
	return daemon->publish && daemon->expiry && daemon->save && daemon->confirm && daemon->patience ? E_OK : E_NOMEM;
}

// State and control log themselves what is wrong with their files.
static int open_slow_side(struct daemon *daemon, const char *config_path)
{
	struct health_ops health_ops = {
		.changed = health_changed, .settled = first_round_over, .saved = health_saved, .ctx = daemon};
	struct reload_ops reload_ops = {.take = take_generation, .finished = reload_finished, .ctx = daemon};
	const struct config_server *server = &daemon->config->server;
	int err = state_open(server->state_dir, &daemon->state);

	if (err < 0)
		return err;
	daemon->health = health_new(daemon->base, &health_ops);
	daemon->reload = reload_new(daemon->base, config_path, daemon->worker_rows, &reload_ops);
	if (!daemon->health || !daemon->reload)
		return E_NOMEM;

	struct control_ops control_ops = {
		.ctx = daemon,
		.health = daemon->health,
		.state = daemon->state,
		.config = control_config,
		.view = control_view,
		.reload = control_reload,
		.orders_changed = orders_changed,
		.stats = control_stats,
		.status = control_status,
	};

	return control_open(daemon->base, server->control, &control_ops, &daemon->control);
}

int daemon_new(const char *config_path, struct generation *first, struct report *report, struct daemon **ret_daemon)
{
	struct daemon *daemon = calloc(1, sizeof(*daemon));
	const struct config_server *server = &first->config->server;
	int err;

	if (!daemon) {
		view_free(first->view);
		config_free(first->config);
		return E_NOMEM;
	}
	publish_register_reader(); // the main thread reads live_current() as its owner; it retires, so it is never waited for
	daemon->config = first->config;
	daemon->first_view = first->view;
	daemon->restart = restart_new(first->config);
	daemon->worker_rows = first->view->workers;
	daemon->facts = (struct metrics_facts){
		.started_s = clock_wall_s(),
		.workers = generation_sets(first->config),
		.generation_took_ms = first->took_ms,
		.last_reload_ok = true,
	};
	service_raise_limits();
	err = daemon->restart ? E_OK : E_NOMEM;
	if (err == E_OK)
		err = sockets_open(server->listen, server->listen_count, daemon->facts.workers, report, &daemon->sockets);
	if (err == E_OK)
		err = service_drop_privileges(server, report);
	if (err == E_OK)
		service_check_files(first->config, report);
	if (err == E_OK)
		err = make_events(daemon);
	if (err == E_OK)
		err = open_slow_side(daemon, config_path);
	if (err == E_OK)
		dangling_warn(daemon->state, daemon->first_view, report);
	if (err < 0) {
		daemon_free(daemon);
		return err;
	}
	*ret_daemon = daemon;
	return E_OK;
}

int daemon_run(struct daemon *daemon)
{
	(void)expire(daemon);
	arm(daemon->confirm, STATE_CONFIRM_S, 0);
	if (health_configure(daemon->health, daemon->config) < 0) {
		log_error("cannot begin the health checks: out of memory");
		return E_NOMEM;
	}
	if (daemon->first_view) {
		arm(daemon->patience, FIRST_ROUND_MAX_S, 0);
		log_info("waiting for the first round of health checks");
	}
	event_base_dispatch(daemon->base);
	return daemon->result;
}

struct daemon *daemon_free(struct daemon *daemon)
{
	if (!daemon)
		return NULL;
	control_close(daemon->control);
	workers_stop(daemon->workers);
	live_withdraw();
	health_free(daemon->health);
	state_close(daemon->state); // first of all what must not be lost
	if (!reload_stop(daemon->reload, BUILD_PATIENCE_MS)) {
		log_warning("a reload is still under way, a source does not come to an end: it is left behind");
		return daemon;
	}
	reload_free(daemon->reload);
	restart_free(daemon->restart);
	sockets_close(daemon->sockets);
	for (int i = 0; i < SIGNALS; i++)
		if (daemon->signals[i])
			event_free(daemon->signals[i]);

	struct event *const timers[] = {daemon->publish, daemon->expiry, daemon->save, daemon->confirm,
	                                daemon->patience};

	for (size_t i = 0; i < ARRAY_LEN(timers); i++)
		if (timers[i])
			event_free(timers[i]);
	if (daemon->base)
		event_base_free(daemon->base);
	view_free(daemon->first_view);
	config_free(daemon->config);
	publish_drain();
	publish_unregister_reader();
	free(daemon);
	return NULL;
}
