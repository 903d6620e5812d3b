// The fake daemon; see fake_daemon.h.
#include "fake_daemon.h"

#include <event2/event.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/must.h"
#include "base/publish.h"
#include "base/report.h"
#include "control/cover.h"
#include "control/call.h"
#include "control/explain.h"
#include "control/gate.h"
#include "control/verbs.h"
#include "daemon/drains.h"
#include "daemon/merge.h"
#include "daemon/what_if.h"
#include "state/state.h"
#include "traffic/samples.h"
#include "view/ground.h"
#include "view/handouts.h"
#include "view/index.h"
#include "view/live.h"
#include "view/tables.h"
#include "view/view.h"
#include "zone/builder.h"
#include "zone/zone.h"

static const struct {
	const char *app;
	uint32_t ttl_s;
	int sites[FAKE_SITES + 1]; // -1 at the end
} apps[] = {
	{"app.example.com", 30, {FAKE_BOS, FAKE_NYC, FAKE_USE1, -1}},
	{"video.example.com", 60, {FAKE_BOS, FAKE_BER, FAKE_USE1, -1}},
	{"carrier.example.com", 20, {FAKE_BOS, FAKE_BER, -1}},
	{"web.example.com", 5, {FAKE_USE1, -1}},
};

struct fake_daemon fake_daemon;

static struct fake_daemon *fake_of_health; // health_target() has nothing else to find it by
static struct config config;

// ---- stand-ins for other layers -------------------------------------------------------------------------------------

size_t health_count(const struct health *health UNUSED)
{
	return live_current() ? live_current()->states->count : 0;
}

const struct health_target *health_target(const struct health *health UNUSED, size_t target)
{
	return &fake_of_health->health[target];
}

bool health_up(const struct health *health UNUSED, size_t target)
{
	return fake_of_health->health[target].up;
}

bool health_checked(const struct health *health UNUSED, size_t target UNUSED)
{
	return true;
}

bool health_known(const struct health *health UNUSED, size_t target UNUSED)
{
	return true;
}

bool health_whole(const struct health *health UNUSED, size_t target UNUSED)
{
	return true;
}

// One for each target, that of its answer.
size_t health_addresses(const struct health *health UNUSED, size_t target, struct health_address *list)
{
	list[0] = (struct health_address){{ADDR_V4, {192, 0, 2, (uint8_t)target}}, &fake_of_health->health[target], 1};
	return fake_of_health->health[target].checked;
}

size_t health_unchecked(const struct health *health UNUSED)
{
	size_t count = 0;

	for (size_t i = 0; i < health_count(NULL); i++)
		count += !fake_of_health->health[i].checked;
	return count;
}

bool health_settled(const struct health *health UNUSED)
{
	return true;
}

const char *health_layer_text(enum health_layer layer)
{
	return layer == HEALTH_STATUS ? "status" : "ok";
}

void health_stats(const struct health *health UNUSED, struct health_stats *ret_stats)
{
	*ret_stats = (struct health_stats){.probes = 12, .failures = 3, .late = 4, .under_way = 2, .waiting = 1};
}

json_t *explain_query(const struct live *live UNUSED, const struct state *state UNUSED,
                      const struct health *health UNUSED, struct judge *judge UNUSED, struct learner *learner UNUSED,
                      const char *name, const struct prefix *client)
{
	char text[ADDR_TEXT_LEN];

	if (strcmp(name, "unknown.example.com") == 0)
		return json_pack("{s:s}", "error", "no such name: NXDOMAIN");
	return json_pack("{s:s, s:s, s:[s]}", "name", name, "client", prefix_format(client, text), "steps", "locate: here");
}

// ---- ops ------------------------------------------------------------------------------------------------------------

static const struct config *ops_config(void *ctx UNUSED)
{
	return &config;
}

static const struct live *ops_live(void *ctx)
{
	struct fake_daemon *fake = ctx;

	return live_current() ? live_current() : &fake->preview;
}

static int64_t ops_cached_s(void *ctx, const struct override *drain)
{
	const struct fake_daemon *fake = ctx;

	return ledger_left_s(&fake->ledger, drain->app, drain->site, 0);
}

static int64_t ops_last_answer_s(void *ctx, uint32_t target)
{
	(void)ctx;
	return target == 0 ? 1234 : 0;
}

void fake_daemon_end_reload(struct fake_daemon *fake, int err)
{
	struct report *report = report_new();
	void (*done)(void *ctx, int err, const struct report *report) = fake->reload_done;

	must(report && done);
	if (err == E_INVAL) {
		report_error(report, "edgesteer.yaml", 3, 5, "apps: unknown key 'tll'\xff");
		report_error(report, "edgesteer.yaml", 9, 1, "checks: 'interval' is too short");
	}
	report_warning(report, "edgesteer.yaml", 4, 1, "app web is served by one site only");
	fake->reload_done = NULL;
	done(fake->reload_ctx, err, report);
	report_free(report);
}

static void ops_reload(void *ctx, enum control_reload how, void (*done)(void *done_ctx, int err, const struct report *report),
                       void *done_ctx)
{
	struct fake_daemon *fake = ctx;

	fake->reload_forced = how == CONTROL_RELOAD_FORCE;

	if (fake->reload_done) {
		done(done_ctx, E_STATE, NULL);
		return;
	}
	fake->reload_done = done;
	fake->reload_ctx = done_ctx;
	if (!fake->keep_reload)
		fake_daemon_end_reload(fake, fake->reload_err);
}

static struct target_states *make_states(struct fake_daemon *fake, bool health_known)
{
	const struct view *view = fake->view;
	struct target_states *states = live_states_new(view->target_count);

	must(states);
	for (uint32_t i = 0; i < states->count; i++) {
		const char *app = view->targets[i].app->name, *site = view->sites[view->targets[i].site].name;
		bool drained = fake->ops.state && cover_drained(fake->ops.state, view, app, view->targets[i].site, clock_wall_s());
		enum force_to forced = fake->ops.state ? state_forced(fake->ops.state, app, site) : FORCE_AUTO;

		states->octets[i] = merge_state(forced, !health_known || fake->health[i].up, drained, false);
	}
	return states;
}

void fake_daemon_publish(struct fake_daemon *fake)
{
	struct live *live = live_next();

	must(live);
	live->view = fake->view;
	live->states = make_states(fake, true);
	live_publish(live);
}

static void make_preview(struct fake_daemon *fake)
{
	free((void *)fake->preview.states);
	fake->preview = (struct live){.view = fake->view, .states = make_states(fake, false)};
}

static void on_committed(void *ctx)
{
	struct fake_daemon *fake = ctx;

	fake->changes++;
	if (live_current())
		fake_daemon_publish(fake);
	else
		make_preview(fake);
}

static int ops_what_if(void *ctx, const struct control_change *change, struct live *ret_live)
{
	struct fake_daemon *fake = ctx;
	struct merge *merge = merge_new(fake->view);
	int err;

	must(merge);
	for (uint32_t i = 0; i < fake->view->target_count; i++)
		merge_set_health(merge, i, fake->health[i].up);
	for (size_t i = 0; i < state_override_count(fake->ops.state); i++) {
		const struct override *override = state_override_at(fake->ops.state, i);

		if (override->kind == OVERRIDE_DRAIN)
			drains_set(merge, fake->ops.state, override, true);
		else
			merge_set_override(merge, override, true);
	}
	err = what_if_make(merge, NULL, fake->ops.state, change, ret_live);
	merge_free(merge);
	return err;
}

// Nobody asks.
static struct sample_set *ops_samples(void *ctx)
{
	struct fake_daemon *fake = ctx;
	struct sample_set *set = calloc(1, sizeof(*set));

	must(set);
	set->generation = fake->view->generation;
	return set;
}

static size_t ops_ceilings(void *ctx UNUSED, struct control_ceiling *list UNUSED)
{
	return 0;
}

static json_t *ops_stats(void *ctx)
{
	struct fake_daemon *fake = ctx;
	char *pad = malloc(fake->pad + 1);

	must(pad);
	memset(pad, 'x', fake->pad);
	pad[fake->pad] = '\0';

	json_t *stats = json_pack("{s:i, s:s}", "queries", 42, "pad", pad);

	free(pad);
	return stats;
}

static json_t *ops_status(void *ctx)
{
	struct fake_daemon *fake = ctx;

	return json_pack("{s:s, s:i, s:b}", "version", fake->version, "pid", 7, "serving", live_current() != NULL);
}

// ---- view and config ------------------------------------------------------------------------------------------------

static struct places *make_places(void)
{
	static const char *const carriers[] = {"verizon", "vodafone-de"};
	struct place_builder *builder = place_builder_new(200);
	struct places *places = NULL;

	must(builder && place_source_begin(builder, "ranges") == E_OK);
	for (size_t i = 0; i < ARRAY_LEN(carriers); i++) {
		struct place_facts facts = {.carrier = carriers[i], .carrier_len = strlen(carriers[i]), .latitude = NAN,
		                            .longitude = NAN};
		struct prefix prefix = {{ADDR_V4, {10, (uint8_t)i}}, 16};

		must(place_source_add(builder, &prefix, &facts) == E_OK);
	}
	must(place_source_end(builder) == E_OK && place_finish(builder, &places) == E_OK);
	place_builder_free(builder);
	return places;
}

// None: every name is outside of them.
static struct zonedb *make_zones(void)
{
	struct zone_builder *builder = zone_builder_new();
	struct report *report = report_new();
	struct zonedb *zones = NULL;

	must(builder && report && zone_builder_finish(builder, report, &zones) == E_OK);
	report_free(report);
	zone_builder_free(builder);
	return zones;
}

static struct tables *make_tables(void)
{
	struct ground *ground = ground_new();
	struct tables *tables = ground ? tables_new(ground) : NULL;

	must(tables);
	ground->places = make_places();
	ground->zones = make_zones();
	ground_free(ground); // the tables use it
	return tables;
}

static struct site *make_sites(struct view *view)
{
	struct site *sites = arena_take_array(view->arena, FAKE_SITES, sizeof(*sites));
	uint16_t *carriers = arena_take_array(view->arena, 2, sizeof(*carriers));

	must(sites && carriers);
	carriers[0] = (uint16_t)names_find(view->places->carriers, "verizon", 7);
	carriers[1] = (uint16_t)names_find(view->places->carriers, "vodafone-de", 11);
	sites[FAKE_BOS] = (struct site){.name = "bos", .region = "use1", .kind = SITE_WAVELENGTH, .carriers = carriers,
	                                 .carrier_count = 1, .latitude = 42.36, .longitude = -71.06};
	sites[FAKE_NYC] = (struct site){.name = "nyc", .region = "use1", .kind = SITE_WAVELENGTH, .carriers = carriers,
	                                 .carrier_count = 1, .latitude = 40.71, .longitude = -74.01};
	sites[FAKE_BER] = (struct site){.name = "ber", .region = "euc1", .kind = SITE_WAVELENGTH, .carriers = carriers + 1,
	                                 .carrier_count = 1, .latitude = NAN, .longitude = NAN};
	sites[FAKE_USE1] = (struct site){.name = "use1", .region = "", .kind = SITE_REGION, .is_public = true,
	                                  .latitude = NAN, .longitude = NAN};
	return sites;
}

// Puts app number view->app_count, its targets and their config in place.
static void add_app(struct view *view, struct app *all, struct target *targets, const char *name, uint32_t ttl_s,
                    const int *sites)
{
	struct config_app *written = &config.apps[view->app_count];
	struct app *app = &all[view->app_count++];

	*app = (struct app){.name = arena_strdup(view->arena, name), .ttl_s = ttl_s, .first_target = view->target_count,
	                    .last_resort = all + FAKE_LAST_RESORT == app ? LAST_RESORT_ADDRESSES : LAST_RESORT_SERVFAIL};
	written->name = app->name;
	written->targets = arena_take_array(view->arena, FAKE_SITES, sizeof(*written->targets));
	must(app->name && written->targets);
	for (; sites[app->target_count] >= 0; app->target_count++) {
		struct config_target *target = &written->targets[written->target_count++];

		must(view->target_count < FAKE_TARGETS_MAX);
		targets[view->target_count] = (struct target){.app = app, .site = (uint16_t)sites[app->target_count],
		                                              .slot = app->target_count};
		target->addresses = arena_take_array(view->arena, 1, sizeof(struct addr));
		must(target->addresses);
		target->addresses[0] = (struct addr){ADDR_V4, {192, 0, 2, (uint8_t)view->target_count}};
		target->address_count = 1;
		view->target_count++;
	}
}

static struct view *make_view(unsigned many)
{
	struct view *view = calloc(1, sizeof(*view));
	size_t count = ARRAY_LEN(apps) + many;
	char name[64];

	must(view);
	view->arena = arena_new(64 << 20);
	view->generation = 3;
	view->tables = make_tables();
	view->places = view->tables->ground->places;
	view->zones = view->tables->ground->zones;
	view->sites = make_sites(view);
	view->site_count = FAKE_SITES;

	struct app *all = arena_take_array(view->arena, count, sizeof(*all));
	struct target *targets = arena_take_array(view->arena, FAKE_TARGETS_MAX, sizeof(*targets));

	config = (struct config){.apps = arena_take_array(view->arena, count, sizeof(struct config_app)), .app_count = count};
	config.checks = arena_take_array(view->arena, 1, sizeof(*config.checks));
	must(all && targets && config.apps && config.checks);
	config.checks[0].name = "alb";
	config.check_count = 1;
	for (size_t i = 0; i < ARRAY_LEN(apps); i++)
		add_app(view, all, targets, apps[i].app, apps[i].ttl_s, apps[i].sites);
	for (unsigned i = 0; i < many; i++) {
		snprintf(name, sizeof(name), "many%u.example.com", i);
		add_app(view, all, targets, name, 10, (const int[]){FAKE_USE1, -1});
	}
	view->apps = all;
	view->targets = targets;
	must(index_view(view) == E_OK);
	return view;
}

// ---- the fake -------------------------------------------------------------------------------------------------------

void fake_daemon_open(struct fake_daemon *fake, unsigned many, bool serving)
{
	*fake = (struct fake_daemon){.ops = {.ctx = fake, .config = ops_config, .live = ops_live, .reload = ops_reload,
	                                     .what_if = ops_what_if, .samples = ops_samples, .ceilings = ops_ceilings, .gate = gate_new(), .cached_s = ops_cached_s, .last_answer_s = ops_last_answer_s, .stats = ops_stats, .status = ops_status},
	                             .version = "1.2.3", .folder = "fake-XXXXXX"};
	fake_of_health = fake;
	must(mkdtemp(fake->folder));
	fake->base = event_base_new();
	must(fake->base && event_base_priority_init(fake->base, 3) == 0); // as the daemon's
	for (size_t i = 0; i < FAKE_TARGETS_MAX; i++)
		fake->health[i] = (struct health_target){.checked = true, .up = true, .text = "HTTP status 200",
		                                          .since_s = 1000, .last_probe_s = 2000, .took_us = 1500};
	fake->view = make_view(many);
	fake->handouts = handouts_new(2);
	must(fake->handouts && handouts_bind(fake->handouts, fake->view, NULL, NULL) == E_OK);
	fake_daemon_open_state(fake);
	make_preview(fake);
	if (serving)
		fake_daemon_serve(fake);
}

void fake_daemon_open_state(struct fake_daemon *fake)
{
	struct state_ops ops = {.ctx = fake, .committed = on_committed};

	must(state_open(fake->base, fake->folder, &ops, &fake->ops.state) == E_OK);
}

void fake_daemon_serve(struct fake_daemon *fake)
{
	fake_daemon_publish(fake);
}

void fake_daemon_close(struct fake_daemon *fake)
{
	char command[128];

	gate_close(fake->ops.gate);
	fake->ops.state = state_close(fake->ops.state);
	fake->ops.gate = gate_free(fake->ops.gate);
	free((void *)fake->preview.states);
	if (!live_current())
		view_free(fake->view);
	live_withdraw();
	publish_drain();
	handouts_free(fake->handouts);
	ledger_done(&fake->ledger);
	event_base_free(fake->base);
	snprintf(command, sizeof(command), "rm -rf %s", fake->folder);
	must(system(command) == 0);
}

int fake_daemon_set_up(void **unused UNUSED)
{
	fake_daemon_open(&fake_daemon, 0, true);
	return 0;
}

int fake_daemon_set_up_starting(void **unused UNUSED)
{
	fake_daemon_open(&fake_daemon, 0, false);
	return 0;
}

int fake_daemon_set_up_many(void **unused UNUSED)
{
	fake_daemon_open(&fake_daemon, FAKE_MANY, true);
	return 0;
}

int fake_daemon_tear_down(void **unused UNUSED)
{
	fake_daemon_close(&fake_daemon);
	return 0;
}

// ---- asking ---------------------------------------------------------------------------------------------------------

struct answer {
	struct fake_daemon *fake;
	json_t *reply;
	bool there;
};

static void keep_reply(void *ctx, json_t *reply)
{
	struct answer *answer = ctx;

	must(reply && !answer->there);
	answer->fake->changes_replied = answer->fake->changes;
	answer->reply = reply;
	answer->there = true;
}

json_t *fake_daemon_ask(struct fake_daemon *fake, const char *line, size_t len)
{
	static struct answer answer; // outlives a kept reload
	struct call call = {.ops = fake->ops, .who = "uid 1000 (alice), pid 4711", .reply = keep_reply,
	                    .reply_ctx = &answer};

	answer.fake = fake;
	verbs_run(&call, line, len);
	while (!answer.there && !fake->reload_done)
		event_base_loop(fake->base, EVLOOP_ONCE);

	json_t *reply = answer.reply;

	answer = (struct answer){.fake = fake};
	return reply;
}

struct outcome {
	int err;
	bool there;
};

static void keep_outcome(void *ctx, const struct state_result *result)
{
	struct outcome *outcome = ctx;

	*outcome = (struct outcome){result->err, true};
}

int fake_daemon_put(struct fake_daemon *fake, const struct override *override)
{
	struct outcome outcome = {0};

	state_put(fake->ops.state, override, keep_outcome, &outcome);
	while (!outcome.there)
		event_base_loop(fake->base, EVLOOP_ONCE);
	return outcome.err;
}

void fake_daemon_remove_all(struct fake_daemon *fake)
{
	while (state_override_count(fake->ops.state)) {
		const struct override *first = state_override_at(fake->ops.state, 0);
		struct override_match match = {first->kind, first->site, first->app, false};
		struct outcome outcome = {0};

		state_remove(fake->ops.state, &match, keep_outcome, &outcome);
		while (!outcome.there)
			event_base_loop(fake->base, EVLOOP_ONCE);
		must(outcome.err == E_OK);
	}
}

size_t fake_daemon_count(const struct fake_daemon *fake, enum override_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < state_override_count(fake->ops.state); i++)
		count += state_override_at(fake->ops.state, i)->kind == kind;
	return count;
}
