// The generation in use; see serving.h.
#include "daemon/serving.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "base/recycle.h"
#include "base/publish.h"
#include "config/config.h"
#include "daemon/addresses.h"
#include "daemon/adopts.h"
#include "daemon/aliases.h"
#include "daemon/by_carrier.h"
#include "daemon/caches.h"
#include "daemon/ceilings.h"
#include "daemon/handover.h"
#include "daemon/impose.h"
#include "daemon/lead.h"
#include "daemon/merge.h"
#include "daemon/readiness.h"
#include "daemon/service.h"
#include "generation/generation.h"
#include "health/health.h"
#include "health/judge.h"
#include "state/state.h"
#include "traffic/samples.h"
#include "view/columns.h"
#include "view/index.h"
#include "view/learned.h"
#include "view/live.h"
#include "view/view.h"

struct serving {
	struct config *config;
	struct view *first_view;   // until it is published
	struct merge *merge;
	struct merge *coming;      // of the generation that is being taken; NULL: none is
	struct judge *judge;       // NULL until serving_begin()
	struct caches *caches;
	struct ledger cached;      // by caches_now_s(): of the process before, and with TTLs that are lowered now
	struct lead *lead;
	struct samples *samples;
	struct ceilings *ceilings;
	struct handover *leaving;  // of the last generation taken: what goes, to be forgotten; NULL: nothing is left
	struct live preview;       // see serving_live()
	bool columns_are_old;      // what differs by carrier is to be made anew
	bool answers_are_old;      // some are: there was no memory for new ones
	bool is_short;             // of memory; said in the log
};

struct serving *serving_new(struct generation *first, unsigned workers)
{
	struct serving *serving = calloc(1, sizeof(*serving));

	if (!serving || !(serving->lead = lead_new()) || !(serving->samples = samples_new(workers)) ||
	    adopts_apply(first->handover->merge, NULL, first->config) < 0) {
		if (serving) {
			lead_free(serving->lead);
			samples_free(serving->samples);
		}
		free(serving);
		view_free(first->view);
		config_free(first->config);
		handover_free(first->handover);
		return NULL;
	}
	serving->config = first->config;
	serving->first_view = first->view;
	serving->merge = first->handover->merge;
	serving->caches = first->handover->caches;
	serving->ceilings = first->handover->ceilings;
	first->handover->ceilings = NULL;
	first->handover->merge = NULL;
	first->handover->caches = NULL;
	return serving;
}

static void drop_preview(struct serving *serving)
{
	free((void *)serving->preview.states);
	free((void *)serving->preview.shares);
	serving->preview = (struct live){0};
}

struct serving *serving_free(struct serving *serving)
{
	if (!serving)
		return NULL;
	live_withdraw();
	drop_preview(serving);
	merge_free(serving->merge);
	view_free(serving->first_view);
	config_free(serving->config);
	handover_free(serving->leaving);
	recycle_clear();
	caches_free(serving->caches);
	ledger_done(&serving->cached);
	lead_free(serving->lead);
	samples_free(serving->samples);
	ceilings_free(serving->ceilings);
	free(serving);
	return NULL;
}

bool serving_started(const struct serving *serving)
{
	return !serving->first_view;
}

// ---- publishing -----------------------------------------------------------------------------------------------------

// What differs by carrier, beside the states of `merge`: what is published already, unless that is old. Out of memory, nothing
// does.
static const struct columns *columns_of(struct serving *serving, const struct merge *merge, const struct live *live)
{
	struct columns *columns = NULL;

	if (!judge_columns_moved(serving->judge) && !serving->columns_are_old)
		return live->columns;
	serving->columns_are_old = by_carrier_make(merge, serving->judge, &columns) < 0;
	return columns;
}

// Publishes the states of the merge, of its view. E_NOMEM.
static int publish_once(struct serving *serving)
{
	struct merge *merge = serving->merge;
	struct live *live = live_next();
	struct target_states *states = live ? merge_states(merge) : NULL;
	struct target_shares *shares;

	if (!states || merge_shares(merge, &shares) < 0) {
		free(live);
		free(states);
		return E_NOMEM;
	}
	live->view = merge_view(merge);
	live->columns = columns_of(serving, merge, live);
	by_carrier_mark(live->columns, states);
	live->states = states;
	live->shares = shares;
	live_publish(live);
	return E_OK;
}

// What is published is acknowledged as published, so it must not fail: out of memory, the parts that were published
// before are waited for and filled anew (live_reserve()).
static int publish(struct serving *serving)
{
	if (publish_once(serving) == E_OK)
		return E_OK;
	publish_drain();
	return publish_once(serving);
}

bool serving_publish(struct serving *serving, const struct health *health)
{
	int err = E_OK;

	if (serving->answers_are_old)
		err = addresses_compose_all(merge_view(serving->merge), health);
	serving->answers_are_old = err < 0;
	if (serving->judge)
		judge_settle(serving->judge);
	if (serving_started(serving) && publish(serving) < 0)
		err = E_NOMEM;
	if (err < 0 && !serving->is_short)
		log_error("out of memory: a change of health or overrides is not published; answers follow the previous state");
	serving->is_short = err < 0;
	drop_preview(serving);
	return err == E_OK;
}

void serving_set_health(struct serving *serving, const struct health *health, uint32_t target)
{
	judge_probed(serving->judge, target);
	if (addresses_compose(merge_view(serving->merge), health, target) < 0)
		serving->answers_are_old = true;
}

int serving_set_addresses(struct serving *serving, struct health *health, uint32_t target, const struct addr *list,
                          size_t count, uint32_t ttl_s)
{
	int err = addresses_set(merge_view(serving->merge), serving->merge, health, target, list, count, ttl_s);

	drop_preview(serving);
	if (err == E_OK)
		judge_probed(serving->judge, target);
	return err;
}

int serving_set_probed(struct serving *serving, struct health *health, uint32_t target, const struct addr *list,
                       size_t count)
{
	int err = health_set_addresses(health, target, list, count);

	drop_preview(serving);
	if (err == E_OK)
		judge_probed(serving->judge, target);
	return err;
}

// Where the word of the target's provider counts.
static void set_ready(struct judge *judge, const struct view *view, const struct config *config, const char *app,
                      const char *site, bool ready)
{
	int number = index_find_target(view, app, site);
	const struct target *target = number < 0 ? NULL : &view->targets[number];
	const struct config_target *written = target ? &config->apps[target->app - view->apps].targets[target->slot] : NULL;

	if (written && written->from && written->ready != READY_PROBE)
		judge_told(judge, (uint32_t)number, !ready);
}

void serving_set_ready(struct serving *serving, const char *app, const char *site, bool ready)
{
	if (serving->judge) // else serving_begin() asks
		set_ready(serving->judge, merge_view(serving->merge), serving->config, app, site, ready);
	drop_preview(serving);
}

void serving_judge_again(struct serving *serving, const char *app, const char *site)
{
	int number = serving->judge ? index_find_target(merge_view(serving->merge), app, site) : -1;

	if (number >= 0)
		judge_probed(serving->judge, (uint32_t)number);
}

static struct merge *judged_merge(const struct serving *serving)
{
	return serving->coming ? serving->coming : serving->merge;
}

void serving_judged(struct serving *serving, uint32_t target, bool up)
{
	merge_set_health(judged_merge(serving), target, up);
}

void serving_eased(struct serving *serving, uint32_t target, uint32_t share)
{
	if (merge_set_share(judged_merge(serving), target, MERGE_EASED, share) < 0)
		log_error("out of memory: a target that is up again takes all of its clients at once");
}

void serving_set_override(struct serving *serving, const struct state *state, const struct override *old,
                          const struct override *next)
{
	const struct override *which = next ? next : old;

	must(which);
	serving->columns_are_old = true;
	impose_one(serving->merge, state, serving->config, which, next != NULL);
	drop_preview(serving);
}

bool serving_step_drains(struct serving *serving, const struct state *state)
{
	int moving = impose_step(serving->merge, state);

	if (moving < 0 && !serving->is_short)
		log_error("out of memory: drains and adoptions over a time do not go on");
	drop_preview(serving);
	return moving != 0;
}

// For readiness_each().
struct unready {
	struct judge *judge;
	const struct view *view;
	const struct config *config;
};

static void set_unready(void *ctx, const char *app, const char *site)
{
	const struct unready *unready = ctx;

	set_ready(unready->judge, unready->view, unready->config, app, site, false);
}

void serving_begin(struct serving *serving, struct judge *judge, struct handover *first, const struct health *health,
                   const struct readiness *readiness)
{
	struct unready unready = {judge, serving->first_view, serving->config};

	must(!serving->judge && !serving_started(serving));
	serving->judge = judge;
	judge_take(judge, first->frame, health, first->old_of_new);
	first->frame = NULL;
	readiness_each(readiness, set_unready, &unready);
}

// Before the workers: it is in the first answer. Out of memory, the learner makes another one, and there are no samples.
static void add_rest(const struct serving *serving, struct learned *learned)
{
	struct live *live = live_next();

	if (!live) {
		learned_free(learned);
		return;
	}
	live->learned = learned;
	live->samples = samples_notes(serving->samples);
	live_publish(live);
}

int serving_start(struct serving *serving, const struct health *health, struct learned *learned)
{
	must(!serving_started(serving) && merge_view(serving->merge) == serving->first_view);
	judge_start(serving->judge);
	drop_preview(serving);
	if (addresses_prepare(serving->first_view, serving->merge, health) < 0 ||
	    live_reserve(serving->first_view->target_count) < 0 || publish(serving) < 0) {
		learned_free(learned);
		return E_NOMEM;
	}
	add_rest(serving, learned);
	serving->first_view = NULL; // the publication's
	return E_OK;
}

// ---- caches ---------------------------------------------------------------------------------------------------------

void serving_note_cached(struct serving *serving, const char *site, int64_t left_s)
{
	int64_t now_s = caches_now_s();

	if (ledger_add(&serving->cached, "", site, now_s + left_s, now_s) < 0)
		log_warning("out of memory: until %lld s from now, drains of %s may be reported safe too early", (long long)left_s,
		            site);
}

static void note_lowered(void *ctx, const char *site, uint32_t ttl_s)
{
	serving_note_cached(ctx, site, (int64_t)ttl_s + 1);
}

// ---- the next generation --------------------------------------------------------------------------------------------

bool serving_forget(struct serving *serving, struct state *state, size_t count)
{
	struct handover *leaving = serving->leaving;

	for (; leaving && leaving->gone_done < leaving->gone_count && count > 0; count--) {
		const struct handover_gone *gone = &leaving->gone[leaving->gone_done++];

		state_forget_health(state, gone->app, gone->site);
	}
	if (leaving && leaving->gone_done == leaving->gone_count)
		serving->leaving = handover_free(leaving);
	return !serving->leaving;
}

// What is retired last of a generation, on the reclaimer's thread: then the rest of it has been freed.
static void free_config(void *config)
{
	config_free(config);
	service_trim_memory();
}

// The new view takes the place of the one that is answered from, with what it was before.
static void take_caches(struct serving *serving, struct handover *handover)
{
	if (!serving_started(serving)) // nothing has been answered
		return;
	if (handover->caches_are_incomplete)
		log_warning("more targets have changed than are kept track of: until the TTLs from before this reload have run out, "
		            "drains may be reported safe too early");
	handover->caches->replaced_s = caches_now_s();
	publish_retire(serving->caches, caches_free);
	serving->caches = handover->caches;
	handover->caches = NULL;
}

// A view that is not in use yet, for aliases.c.
struct filling {
	const struct view *view;
	struct merge *merge;
	struct health *health;
	struct judge *judge;
};

static int fill_addresses(void *ctx, uint32_t target, const struct addr *list, size_t count, uint32_t ttl_s)
{
	const struct filling *filling = ctx;

	int err = addresses_set(filling->view, filling->merge, filling->health, target, list, count, ttl_s);

	if (err == E_OK)
		judge_probed(filling->judge, target);
	return err;
}

static int fill_probed(void *ctx, uint32_t target, const struct addr *list, size_t count)
{
	const struct filling *filling = ctx;

	int err = health_set_addresses(filling->health, target, list, count);

	if (err == E_OK)
		judge_probed(filling->judge, target);
	return err;
}

static int fill(struct aliases *aliases, const struct view *view, struct merge *merge, struct health *health,
                struct judge *judge)
{
	struct filling filling = {view, merge, health, judge};
	const struct aliases_sink sink = {fill_addresses, fill_probed, &filling};

	return aliases_fill(aliases, &sink);
}

int serving_fill(struct serving *serving, struct aliases *aliases, struct health *health)
{
	drop_preview(serving);
	return fill(aliases, merge_view(serving->merge), serving->merge, health, serving->judge);
}

// NULL: there are none. Out of memory, those that were published before are waited for.
static struct target_shares *shares_of(const struct merge *merge)
{
	struct target_shares *shares;
	int err = merge_shares(merge, &shares);

	if (err < 0) {
		publish_drain();
		err = merge_shares(merge, &shares);
	}
	must(err == E_OK); // see live_reserve_shares()
	return shares;
}

int serving_take(struct serving *serving, struct generation *next, struct health *health, struct aliases *aliases,
                 const struct readiness *readiness, struct state *state)
{
	struct handover *handover = next->handover;
	struct merge *merge = handover->merge;
	struct live *live = live_next();
	struct target_states *states = live ? live_states_new(next->view->target_count) : NULL;
	struct unready unready = {serving->judge, next->view, next->config};

	must(merge && handover->watchlist && merge_view(merge) == next->view);
	int err = !states || live_reserve(next->view->target_count) < 0 ? E_NOMEM : E_OK;

	if (err == E_OK)
		err = addresses_carry(next->view, serving_view(serving), serving->merge);
	if (err == E_OK) {
		err = aliases_take(aliases, handover->aliases, handover->old_of_new);
		handover->aliases = NULL;
	}
	if (err < 0) {
		free(live);
		free(states);
		return err;
	}
	(void)serving_forget(serving, state, SIZE_MAX); // of the reload before
	take_caches(serving, handover);
	health_configure(health, handover->watchlist, next->config->server.probes);
	impose_all(merge, state, next->config);
	serving->coming = merge;
	judge_take(serving->judge, handover->frame, health, handover->old_of_new);
	handover->frame = NULL;
	readiness_each(readiness, set_unready, &unready);
	ceilings_follow(handover->ceilings, serving->ceilings);
	serving->ceilings = handover->ceilings;
	handover->ceilings = NULL;
	ceilings_apply(serving->ceilings, next->view, merge);
	serving->answers_are_old = addresses_prepare(next->view, merge, health) < 0;
	(void)fill(aliases, next->view, merge, health, serving->judge); // or later, see aliases_is_short()
	(void)lead_apply(serving->lead, next->view, state, next->config->server.ttl_lead_s, note_lowered, serving); // or later
	if (serving_started(serving)) {
		samples_follow(serving->samples, live->view, next->view);
		merge_copy_states(merge, states);
		serving->columns_are_old = true;
		live->columns = columns_of(serving, merge, live);
		by_carrier_mark(live->columns, states);
		live->shares = shares_of(merge);
		if (next->view->tables != live->view->tables)
			live->learned = handover->learned; // what there was is for other sites and places
		else
			learned_free(handover->learned);
		handover->learned = NULL;
		live->view = next->view;
		live->states = states;
		live_publish(live);
	} else {
		free(states);
		free(live);
		view_free(serving->first_view);
		serving->first_view = next->view;
	}
	// Freed on the reclaimer's thread: for a large config that takes longer than the loop may be blocked.
	publish_retire(serving->config, free_config);
	merge_free(serving->merge);
	serving->config = next->config;
	serving->merge = merge;
	serving->coming = NULL;
	handover->watchlist = NULL;
	handover->merge = NULL;
	serving->leaving = handover;
	drop_preview(serving);
	return E_OK;
}

// ---- queries --------------------------------------------------------------------------------------------------------

struct config *serving_config(const struct serving *serving)
{
	return serving->config;
}

const struct view *serving_view(const struct serving *serving)
{
	must(serving->first_view || live_current());
	return serving->first_view ? serving->first_view : live_current()->view;
}

const struct live *serving_live(struct serving *serving)
{
	struct live *preview = &serving->preview;

	if (serving_started(serving))
		return live_current();
	if (!preview->states)
		*preview = (struct live){.view = serving->first_view,
		                         .states = merge_states(serving->merge),
		                         .shares = shares_of(serving->merge)};
	return preview->states ? preview : NULL;
}

bool serving_turn_ceilings(struct serving *serving, int64_t now_ms)
{
	const struct view *view = serving_view(serving);

	if (!ceilings_turn(serving->ceilings, view, now_ms))
		return false;
	ceilings_apply(serving->ceilings, view, serving->merge);
	return true;
}

const struct merge *serving_merge(const struct serving *serving)
{
	return serving->merge;
}

int serving_load(struct serving *serving, const char *app, const char *site, double figure, int64_t ttl_ms, int64_t now_ms)
{
	return ceilings_load(serving->ceilings, app, site, figure, ttl_ms, now_ms);
}

const struct ceilings *serving_ceilings(const struct serving *serving)
{
	return serving->ceilings;
}

struct samples *serving_samples(const struct serving *serving)
{
	return serving->samples;
}

const struct caches *serving_caches(const struct serving *serving)
{
	return serving->caches;
}

int64_t serving_cached_s(const struct serving *serving,
                         bool (*is_wanted)(const void *ctx, const char *app, const char *site), const void *ctx)
{
	int64_t generations_s = caches_left_s(serving->caches, is_wanted, ctx);
	int64_t others_s = ledger_left_of(&serving->cached, is_wanted, ctx, caches_now_s());

	return others_s > generations_s ? others_s : generations_s;
}

bool serving_lead(struct serving *serving, const struct state *state)
{
	return lead_apply(serving->lead, merge_view(serving->merge), state, serving->config->server.ttl_lead_s, note_lowered,
	                  serving);
}
