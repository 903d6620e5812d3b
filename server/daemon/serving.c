// The generation in use; see serving.h.
#include "daemon/serving.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "base/publish.h"
#include "config/config.h"
#include "daemon/handover.h"
#include "daemon/merge.h"
#include "generation/generation.h"
#include "health/health.h"
#include "state/ledger.h"
#include "state/state.h"
#include "view/live.h"
#include "view/view.h"

// The old view answers until the new one is published, and the clock's seconds are rounded down.
enum { SLACK_S = 2 };

struct serving {
	struct config *config;
	struct view *first_view;   // until it is published
	struct merge *merge;
	struct ledger ledger;
	struct live preview;       // see serving_live()
};

int64_t serving_now_s(void)
{
	return clock_mono_ms() / 1000;
}

struct serving *serving_new(struct generation *first)
{
	struct serving *serving = calloc(1, sizeof(*serving));

	if (!serving) {
		view_free(first->view);
		config_free(first->config);
		handover_free(first->handover);
		return NULL;
	}
	serving->config = first->config;
	serving->first_view = first->view;
	serving->merge = first->handover->merge;
	first->handover->merge = NULL;
	return serving;
}

static void drop_preview(struct serving *serving)
{
	free((void *)serving->preview.states);
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
	ledger_done(&serving->ledger);
	free(serving);
	return NULL;
}

bool serving_started(const struct serving *serving)
{
	return !serving->first_view;
}

// ---- publishing -----------------------------------------------------------------------------------------------------

// Publishes the states of `merge`, of its view. E_NOMEM.
static int publish(const struct merge *merge)
{
	struct live *live = live_next();
	struct target_states *states = live ? merge_states(merge) : NULL;

	if (!states) {
		free(live);
		return E_NOMEM;
	}
	live->view = merge_view(merge);
	live->states = states;
	live_publish(live);
	return E_OK;
}

void serving_publish(struct serving *serving)
{
	if (serving_started(serving) && publish(serving->merge) < 0)
		log_error("out of memory: a change of health or overrides is not published; answers follow the previous state");
	drop_preview(serving);
}

void serving_set_health(struct serving *serving, uint32_t target, bool up)
{
	merge_set_health(serving->merge, target, up);
}

static bool holds(const struct override *override, int64_t now_s)
{
	return !override->until_s || override->until_s > now_s;
}

void serving_set_override(struct serving *serving, const struct override *old, const struct override *next,
                          int64_t now_s)
{
	must(old || next);
	if (next)
		merge_set_override(serving->merge, next, holds(next, now_s));
	else
		merge_set_override(serving->merge, old, false);
	drop_preview(serving);
}

static void set_all_health(struct merge *merge, const struct health *health)
{
	uint32_t count = merge_view(merge)->target_count;

	must(health_count(health) == count);
	for (uint32_t i = 0; i < count; i++)
		merge_set_health(merge, i, health_up(health, i));
}

static void set_all_overrides(struct merge *merge, const struct state *state)
{
	int64_t now_s = clock_wall_s();

	for (size_t i = 0; i < state_override_count(state); i++) {
		const struct override *override = state_override_at(state, i);

		merge_set_override(merge, override, holds(override, now_s));
	}
}

int serving_start(struct serving *serving, const struct health *health)
{
	must(!serving_started(serving) && merge_view(serving->merge) == serving->first_view);
	set_all_health(serving->merge, health);
	drop_preview(serving);
	if (publish(serving->merge) < 0)
		return E_NOMEM;
	serving->first_view = NULL; // the publication's
	return E_OK;
}

// ---- the next generation --------------------------------------------------------------------------------------------

static void note_lingering(struct serving *serving, const struct handover *handover, struct state *state)
{
	int64_t now_s = serving_now_s();
	int err = E_OK;

	ledger_prune(&serving->ledger, now_s);
	for (size_t i = 0; i < handover->lingering_count; i++) {
		const struct handover_lingering *lingering = &handover->lingering[i];

		if (lingering->gone)
			state_forget_health(state, lingering->app, lingering->site);
		if (err == E_OK && serving_started(serving))
			err = ledger_add(&serving->ledger, lingering->app, lingering->site, now_s + lingering->ttl_s + SLACK_S,
			                 now_s);
	}
	if (err < 0)
		log_warning("%s: until the TTLs from before this reload have run out, drains may be reported safe too early",
		            err_text(err));
}

static void free_config(void *config)
{
	config_free(config);
}

int serving_take(struct serving *serving, struct generation *next, struct health *health, struct state *state)
{
	struct handover *handover = next->handover;
	struct merge *merge = handover->merge;
	struct live *live = live_next();
	struct target_states *states = live ? live_states_new(next->view->target_count) : NULL;

	must(merge && handover->watchlist && merge_view(merge) == next->view);
	if (!states) {
		free(live);
		return E_NOMEM;
	}
	note_lingering(serving, handover, state);
	health_configure(health, handover->watchlist, next->config->server.probes);
	set_all_overrides(merge, state);
	if (serving_started(serving)) {
		set_all_health(merge, health);
		merge_copy_states(merge, states);
		live->view = next->view;
		live->states = states;
		live_publish(live);
	} else {
		free(states);
		free(live);
		view_free(serving->first_view);
		serving->first_view = next->view;
	}
	// Freed on liburcu's thread: for a large config that takes longer than the loop may be blocked.
	publish_retire(serving->config, free_config);
	merge_free(serving->merge);
	serving->config = next->config;
	serving->merge = merge;
	handover->watchlist = NULL;
	handover->merge = NULL;
	handover_free(handover);
	drop_preview(serving);
	return E_OK;
}

// ---- queries --------------------------------------------------------------------------------------------------------

const struct config *serving_config(const struct serving *serving)
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
		*preview = (struct live){.view = serving->first_view, .states = merge_states(serving->merge)};
	return preview->states ? preview : NULL;
}

const struct ledger *serving_ledger(const struct serving *serving)
{
	return &serving->ledger;
}
