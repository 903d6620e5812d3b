// The main thread: start, stop, signals, and the first round of checks; see daemon.h.
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
#include "config/config.h"
#include "control/control.h"
#include "control/dangling.h"
#include "control/gate.h"
#include "control/ops.h"
#include "daemon/aliases.h"
#include "daemon/building.h"
#include "daemon/handed.h"
#include "daemon/handover.h"
#include "daemon/inner.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"
#include "daemon/readiness.h"
#include "daemon/restart.h"
#include "daemon/rollback.h"
#include "daemon/scrape.h"
#include "daemon/service.h"
#include "daemon/serving.h"
#include "daemon/watching.h"
#include "door/door.h"
#include "door/keys.h"
#include "generation/generation.h"
#include "generation/reload.h"
#include "health/health.h"
#include "health/judge.h"
#include "learn/learner.h"
#include "health/watchlist.h"
#include "net/sockets.h"
#include "net/tcp.h"
#include "net/worker.h"
#include "provide/provide.h"
#include "state/state.h"
#include "traffic/samples.h"
#include "view/handouts.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

enum {
	FIRST_ROUND_MAX_S = 30,  // after this, serve with the health known so far
	BUILD_PATIENCE_MS = 2000, // for a build in progress when the daemon stops
	SAMPLING_US = 250000,
	CEILINGS_MS = 1000,
	WATCH_PATIENCE_MS = 500, // for a look at the files then
};

// Starts serving, once.
static void serve(struct daemon *daemon)
{
	const struct config_server *server = &serving_config(daemon->serving)->server;
	struct tcp_limits limits = {server->tcp_clients, server->tcp_idle_ms};

	must(!daemon->workers && !serving_started(daemon->serving));
	event_del(daemon->first_round_timeout);
	if (serving_start(daemon->serving, daemon->health,
	                  learner_overlay(daemon->learner, serving_view(daemon->serving)->tables)) < 0 ||
	    workers_start(daemon->sockets, &limits, daemon->workers_max, &daemon->workers) < 0) {
		log_error("cannot start the workers: stopping");
		daemon->result = E_NOMEM;
		event_base_loopbreak(daemon->base);
		return;
	}
	loop_arm(daemon->sampling, 0, SAMPLING_US);
	log_notice("serving %u apps in %zu zones with %u workers", live_current()->view->app_count,
	           zonedb_zone_count(live_current()->view->zones), daemon->facts.workers);
	service_notify("READY=1");
}

void daemon_first_round_over(struct daemon *daemon)
{
	if (!serving_started(daemon->serving) && !daemon->joins_first && health_settled(daemon->health) &&
	    aliases_settled(daemon->aliases))
		serve(daemon); // else it was the first round after a reload
}

// What workers were asked and what they answered is looked at now and then.
static void on_sampling(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *daemon = arg;
	int64_t now_ms = clock_mono_ms();

	(void)fd;
	(void)what;
	samples_read(serving_samples(daemon->serving), serving_view(daemon->serving), now_ms);
	if (now_ms - daemon->ceilings_ms >= CEILINGS_MS) {
		daemon->ceilings_ms = now_ms;
		if (serving_turn_ceilings(daemon->serving, now_ms))
			loop_arm(daemon->publish, 0, COALESCE_US);
	}
	loop_arm(daemon->sampling, 0, SAMPLING_US);
}

static void on_first_round_timeout(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	log_warning("the first round of health checks has not finished after %d s: serving with the results so far; "
	            "targets not checked yet count as down", FIRST_ROUND_MAX_S);
	serve(arg);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	struct daemon *daemon = arg;

	(void)what;
	if (number == SIGHUP) {
		reloads_by_signal(daemon);
		return;
	}
	log_notice("%s: stopping", strsignal(number));
	service_notify("STOPPING=1");
	event_base_loopbreak(daemon->base);
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
	daemon->publish = evtimer_new(daemon->base, reactions_on_publish, daemon);
	daemon->forget = evtimer_new(daemon->base, reloads_on_forget, daemon);
	daemon->expiry = evtimer_new(daemon->base, reactions_on_expiry, daemon);
	daemon->first_round_timeout = evtimer_new(daemon->base, on_first_round_timeout, daemon);
	daemon->sampling = evtimer_new(daemon->base, on_sampling, daemon);
	daemon->handed = handed_new(daemon->base);
	daemon->gate = gate_new();
	return daemon->publish && daemon->forget && daemon->expiry && daemon->first_round_timeout && daemon->sampling &&
	               daemon->handed && daemon->gate ? E_OK : E_NOMEM;
}

// State, health, reloads, control and the HTTP door. State and control log their own errors.
static int open_parts(struct daemon *daemon, const struct report *first, struct report *report)
{
	struct control_ops control_ops;
	struct keys *keys;
	int err = reactions_open(daemon);

	if (err == E_OK)
		err = reloads_open(daemon, first);
	if (err == E_OK)
		err = reloads_learn(daemon, report);
	if (err == E_OK)
		err = reloads_provide(daemon, report);
	if (err < 0)
		return err;
	control_ops = interface_ops(daemon);
	err = control_open(daemon->base, serving_config(daemon->serving)->server.control, &control_ops, &daemon->control);
	if (err < 0)
		return err;
	keys = daemon->keys;
	daemon->keys = NULL;
	return interface_open_door(daemon, keys);
}

// The first generation has no predecessor, but is prepared like any other. Takes ownership of `first` in every case.
static int take_first(struct daemon *daemon, struct generation *first)
{
	const struct config_server *server = &first->config->server;

	daemon->facts.workers = service_socket_sets(server);
	daemon->workers_max = (unsigned)sockets_workers_max(server->listen_count, daemon->facts.workers);
	daemon->facts.generation_took_ms = first->took_ms;
	daemon->keys = first->keys;
	first->keys = NULL;
	daemon->restart = restart_new(first->config);
	daemon->building.rollback = daemon->rollback = rollback_new();
	daemon->handouts = daemon->building.handouts = handouts_new(daemon->workers_max);
	if (!daemon->restart || !daemon->handouts ||
	    handover_prepare(first->config, first->view, &daemon->building.previous, daemon->handouts,
	                     &daemon->first) < 0) {
		building_discard(first);
		return E_NOMEM;
	}
	first->handover = daemon->first;
	daemon->serving = serving_new(first, daemon->workers_max);
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
		err = door_open(server, report, &daemon->door);
	if (err == E_OK)
		err = service_drop_privileges(server, report);
	if (err == E_OK)
		err = service_check_state(server, report);
	if (err == E_OK)
		service_check_files(config, report);
	if (err == E_OK)
		err = make_events(daemon);
	if (err == E_OK)
		err = open_parts(daemon, first_report, report);
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
		serving_set_override(daemon->serving, daemon->state, NULL, state_override_at(daemon->state, i));
	reactions_begin(daemon);
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
	int err;

	must(watchlist && !daemon->workers);
	apply_overrides(daemon);
	overrides = state_override_count(daemon->state);
	log_notice("edgesteerd " PACKAGE_VERSION " started with %s: %zu %s", file, overrides,
	           overrides == 1 ? "override holds" : "overrides hold");
	// For targets removed from the config while no daemon was running; later removals are seen by serving_take().
	state_retain_health(daemon->state, has_target, (void *)serving_view(daemon->serving));
	err = aliases_take(daemon->aliases, daemon->first->aliases, NULL);
	daemon->first->aliases = NULL;
	if (err < 0) {
		log_error("cannot begin to look up the names of targets: %s", err_text(err));
		return err;
	}
	daemon->first->watchlist = NULL;
	health_configure(daemon->health, watchlist, serving_config(daemon->serving)->server.probes);
	serving_begin(daemon->serving, daemon->judge, daemon->first, daemon->health, daemon->readiness);
	daemon->first = handover_free(daemon->first);
	if (serving_fill(daemon->serving, daemon->aliases, daemon->health) < 0)
		loop_arm(daemon->publish, PUBLISH_AGAIN_S, 0);
	if (!serving_started(daemon->serving)) {
		loop_arm(daemon->first_round_timeout, FIRST_ROUND_MAX_S, 0);
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
	gate_close(daemon->gate); // who looks ahead gives nothing any more, and does not look again
	control_settle(daemon->control); // an import that is under way, into what is learned and the state
	door_settle(daemon->door);
	learner_stop(daemon->learner); // what it has learned is kept by the state
	state_close(daemon->state); // before anything that may take long: it must not be lost. What is on its way is published
	daemon->state = NULL;
	daemon->aliases = aliases_free(daemon->aliases);

	bool stopped = reload_stop(daemon->reload, BUILD_PATIENCE_MS);
	bool watch_stopped = watching_stop(daemon->watching, WATCH_PATIENCE_MS);

	control_close(daemon->control); // whoever waited for the two has been answered
	daemon->scrape = scrape_free(daemon->scrape);
	daemon->door = door_close(daemon->door);
	daemon->keys = keys_free(daemon->keys);
	daemon->gate = gate_free(daemon->gate);
	if (!stopped) {
		log_warning("a reload is still under way: a source has not finished within %d ms; exiting without it",
		            BUILD_PATIENCE_MS);
		reload_leave(daemon->reload);
		return daemon;
	}
	daemon->provide = provide_free(daemon->provide); // builds read both
	daemon->learner = learner_free(daemon->learner);
	if (!watch_stopped || daemon->provide || daemon->learner)
		return daemon;
	building_end(&daemon->building);
	readiness_free(daemon->readiness);
	watching_free(daemon->watching);
	reload_free(daemon->reload);
	judge_free(daemon->judge);
	health_free(daemon->health);
	restart_free(daemon->restart);
	rollback_free(daemon->rollback);
	sockets_close(daemon->sockets);
	for (int i = 0; i < SIGNALS; i++)
		if (daemon->signals[i])
			event_free(daemon->signals[i]);

	struct event *const timers[] = {daemon->publish, daemon->forget, daemon->expiry, daemon->first_round_timeout,
	                                daemon->sampling};

	for (size_t i = 0; i < ARRAY_LEN(timers); i++)
		if (timers[i])
			event_free(timers[i]);
	handed_free(daemon->handed);
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
