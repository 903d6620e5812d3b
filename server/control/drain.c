// drain and undrain; see drain.h.
#include "control/drain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "control/find.h"
#include "control/impact.h"
#include "control/pending.h"
#include "control/reply_json.h"
#include "schema/units.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

enum { APPS_NAMED_MAX = 200, DRAINS_SHOWN_MAX = 200, DRAIN_DAYS_MAX = 3650 };

// ---- drain ----------------------------------------------------------------------------------------------------------

// The numbers of the site and the app (-1: every app) that a drain names. False: *ret_refusal is the reply.
static bool find_drained(const struct call *call, const struct view *view, int *ret_site, int *ret_app,
                         json_t **ret_refusal)
{
	const char *app_name = call_text(call, "app");
	int site = find_site(view, call_text(call, "site"), ret_refusal);
	int app = site >= 0 && app_name ? find_app(view, app_name, ret_refusal) : -1;

	if (site < 0 || (app_name && (app < 0 || find_target(view, app, site, ret_refusal) < 0)))
		return false;
	*ret_site = site;
	*ret_app = app;
	return true;
}

// When the drain ends (wall clock), from "for"; 0 when the request has none. False: *ret_refusal is the reply.
static bool read_until(const struct call *call, int64_t now_s, int64_t *ret_until_s, json_t **ret_refusal)
{
	const char *text = call_text(call, "for");
	uint64_t ms = 0;

	if (!text) {
		*ret_until_s = 0;
		return true;
	}
	if (units_parse_duration_ms(text, &ms) < 0 || ms == 0) {
		*ret_refusal = reply_error(REPLY_USAGE, "for: '%.64s' is not a time like 30m, 2h or 1d12h", text);
		return false;
	}
	if (ms > (uint64_t)DRAIN_DAYS_MAX * 86400 * 1000) {
		*ret_refusal = reply_error(REPLY_USAGE, "for: %.64s is longer than %dd; leave it out to drain until undrain",
		                           text, DRAIN_DAYS_MAX);
		return false;
	}
	*ret_until_s = now_s + (int64_t)((ms + 999) / 1000);
	return true;
}

// The targets that an override affects: one, or all of a site. None when the view lacks what it names.
struct affected {
	const uint32_t *targets;
	uint32_t count;
	uint32_t one;      // storage for `targets` when it is a single one
	int site, app;     // -1: the view has none of that name; app also: every app
};

static void find_affected(const struct view *view, const char *site, const char *app, struct affected *ret_all)
{
	*ret_all = (struct affected){.site = index_find_site(view, site), .app = app ? index_find_spelled(view, app) : -1};
	if (ret_all->site < 0 || (app && ret_all->app < 0))
		return;
	if (!app) {
		ret_all->targets = index_targets_of(view, (uint32_t)ret_all->site, &ret_all->count);
		return;
	}

	int target = index_target_at(view, (uint32_t)ret_all->app, (uint32_t)ret_all->site);

	must(target < (int)view->target_count);
	ret_all->one = (uint32_t)target;
	ret_all->targets = &ret_all->one;
	ret_all->count = target >= 0;
}

// The largest TTL of the apps affected, 0 when there are none.
static uint32_t longest_ttl_s(const struct view *view, const struct affected *all)
{
	must(all->app < (int)view->app_count && all->site < (int)view->site_count);
	if (all->app >= 0)
		return view->apps[all->app].ttl_s;
	return all->count ? view->index->site_ttl_s[all->site] : 0;
}

static json_t *name_apps(const struct view *view, const struct affected *all)
{
	json_t *apps = json_array();

	for (uint32_t i = 0; i < all->count && i < APPS_NAMED_MAX; i++)
		apps = reply_append(apps, reply_text(view->targets[all->targets[i]].app->name));
	return apps;
}

// When caches have dropped the drained targets (wall clock): an answer given just before the drain lives for its TTL,
// one from before a reload for the TTL it had then. Plus a second, as the clock's seconds are rounded down.
static int64_t safe_after(const struct control_ops *ops, const struct override *drain, uint32_t ttl_s)
{
	int64_t cached_s = ops->cached_s(ops->ctx, drain->app, drain->site);

	return clock_wall_s() + 1 + (cached_s > ttl_s ? cached_s : ttl_s);
}

// The drain that the new one replaces; NULL: none, or one that had already expired.
static const struct override *replaced_by(const struct override *drain, const struct state_result *result)
{
	const struct override *old = result->before_count ? result->before[0] : NULL;

	return old && override_holds(old, drain->since_s) ? old : NULL;
}

// Appends a warning to the list, which it takes, if the new drain ends before the one it replaces.
static json_t *warn_of_sooner_end(json_t *warnings, const struct override *drain, const struct override *old)
{
	char text[3 * STATE_TEXT_MAX], span[UNITS_TEXT_LEN] = "";

	if (!old || !drain->until_s || (old->until_s && old->until_s <= drain->until_s))
		return warnings;
	if (old->until_s)
		units_format_duration_ms((uint64_t)(old->until_s - drain->until_s) * 1000, span);
	snprintf(text, sizeof(text),
	         "this drain ends sooner than the one it replaces, which would have held %s%s; that was by %s, reason: %s",
	         old->until_s ? span : "until undrain", old->until_s ? " longer" : "", old->who,
	         old->reason ? old->reason : "none given");
	return reply_append(warnings, reply_text(text));
}

static json_t *drain_impact(const struct live *live, const struct override *drain)
{
	struct affected all;

	find_affected(live->view, drain->site, drain->app, &all);
	if (all.count == 0) // a reload has taken away what it names
		return json_array();
	return impact_by_drain(live, all.site, all.app);
}

static json_t *drained(const struct pending *pending, const struct state_result *result)
{
	const struct override *drain = pending->override, *old = replaced_by(drain, result);
	const struct control_ops *ops = &pending->call->ops;
	const struct live *live = ops->live(ops->ctx);
	struct affected all;
	json_t *reply;

	if (!live)
		return NULL;
	find_affected(live->view, drain->site, drain->app, &all);
	reply = reply_set(reply_ok(), "replaced", reply_drain(old));
	reply = reply_set(reply, "site", reply_text(drain->site));
	reply = reply_set(reply, "app", reply_text(drain->app));
	reply = reply_set(reply, "reason", reply_text(drain->reason));
	reply = reply_set(reply, "who", reply_text(drain->who));
	reply = reply_set(reply, "since", reply_time(drain->since_s));
	reply = reply_set(reply, "until", reply_time(drain->until_s));
	if (drain->app)
		reply = reply_set(reply, "site_drain", reply_drain(state_drained(ops->state, NULL, drain->site, drain->since_s)));
	reply = reply_set(reply, "targets", json_integer((json_int_t)all.count));
	reply = reply_set(reply, "apps", name_apps(live->view, &all));
	reply = reply_set(reply, "safe_after", reply_time(safe_after(ops, drain, longest_ttl_s(live->view, &all))));
	return reply_set(reply, "warnings", warn_of_sooner_end(json_array(), drain, old));
}

void drain_put(const struct call *call)
{
	json_t *refusal = NULL;
	const struct live *live = call->ops.live(call->ops.ctx);
	const char *reason = call_text(call, "reason");
	struct override drain = {.kind = OVERRIDE_DRAIN, .reason = (char *)reason, .who = (char *)call->who,
	                         .since_s = clock_wall_s()};
	int site, app;

	if (!live) {
		call_answer(call, NULL);
		return;
	}
	if (!find_drained(call, live->view, &site, &app, &refusal) ||
	    !read_until(call, drain.since_s, &drain.until_s, &refusal)) {
		call_answer(call, refusal);
		return;
	}
	if (reason && strlen(reason) > STATE_TEXT_MAX) {
		call_answer(call, reply_error(REPLY_USAGE, "reason: longer than %d bytes", STATE_TEXT_MAX));
		return;
	}
	drain.site = (char *)live->view->sites[site].name;
	drain.app = app < 0 ? NULL : (char *)live->view->apps[app].name;
	pending_put(call, &drain, drained, drain_impact);
}

// ---- undrain --------------------------------------------------------------------------------------------------------

// Why there is nothing to undrain.
static json_t *nothing_drained(const struct pending *pending)
{
	const struct control_ops *ops = &pending->call->ops;
	const char *site = pending->override->site, *app = pending->override->app;
	const struct live *live = ops->live(ops->ctx);
	json_t *refusal = NULL;

	if (!live || find_site(live->view, site, &refusal) < 0 || (app && find_app(live->view, app, &refusal) < 0))
		return refusal;
	if (!app)
		return reply_error(REPLY_NOTHING, "%.255s is not drained", site);
	if (state_drained(ops->state, NULL, site, clock_wall_s()))
		return reply_error(REPLY_REFUSED, "%.255s has no drain of its own at %.255s: the whole site is drained", app,
		                   site);
	return reply_error(REPLY_NOTHING, "%.255s is not drained at %.255s", app, site);
}

// The targets that the removed drains affected, by their state now.
struct lifted {
	json_t *apps;      // names of the first APPS_NAMED_MAX
	json_int_t targets, up, still_drained;
};

static void count_lifted(const struct live *live, const struct override *drain, struct lifted *lifted)
{
	struct affected all;

	find_affected(live->view, drain->site, drain->app, &all);
	for (uint32_t i = 0; i < all.count; i++) {
		uint8_t state = live_state(live, all.targets[i]);

		if (state & TARGET_DRAINED) {
			lifted->still_drained++;
			continue;
		}
		lifted->up += live_state_is_up(state);
		if (++lifted->targets <= APPS_NAMED_MAX)
			lifted->apps = reply_append(lifted->apps, reply_text(live->view->targets[all.targets[i]].app->name));
	}
}

// Takes the reply. Those that had run out by then are not named.
static json_t *set_ended(json_t *reply, const struct state_result *result)
{
	json_t *drains = json_array();
	json_int_t count = 0;
	int64_t now_s = clock_wall_s();

	for (size_t i = 0; i < result->before_count; i++)
		if (override_holds(result->before[i], now_s) && ++count <= DRAINS_SHOWN_MAX)
			drains = reply_append(drains, reply_drain(result->before[i]));
	reply = reply_set(reply, "ended", drains);
	return reply_set(reply, "ended_count", json_integer(count));
}

static json_t *undrained(const struct pending *pending, const struct state_result *result)
{
	const struct control_ops *ops = &pending->call->ops;
	const struct live *live = ops->live(ops->ctx);
	struct lifted lifted = {.apps = json_array()};
	bool whole_site = false;
	json_t *reply;

	if (!live) {
		json_decref(lifted.apps);
		return NULL;
	}
	// A drain of the whole site covers the targets of all other drains there.
	for (size_t i = 0; i < result->before_count && !whole_site; i++) {
		whole_site = !result->before[i]->app;
		if (whole_site)
			count_lifted(live, result->before[i], &lifted);
	}
	for (size_t i = 0; i < result->before_count && !whole_site; i++)
		count_lifted(live, result->before[i], &lifted);
	reply = reply_set(reply_ok(), "site", reply_text(pending->override->site));
	reply = reply_set(reply, "app", reply_text(pending->override->app));
	reply = set_ended(reply, result);
	reply = reply_set(reply, "targets", json_integer(lifted.targets));
	reply = reply_set(reply, "up", live_current() ? json_integer(lifted.up) : json_null());
	reply = reply_set(reply, "still_drained", json_integer(lifted.still_drained));
	return reply_set(reply, "apps", lifted.apps);
}

void drain_remove(const struct call *call)
{
	// Looked up in the state, not the view: a drain of something that a reload removed can still be lifted.
	const struct live *live = call->ops.live(call->ops.ctx);
	const char *app = call_text(call, "app"), *site = call_text(call, "site");
	json_t *ignored = NULL;
	bool is_given = app && state_drain_given(call->ops.state, app, site);
	int number = live && app && !is_given ? find_app(live->view, app, &ignored) : -1;
	struct override drain = {.kind = OVERRIDE_DRAIN, .site = (char *)site, .who = (char *)call->who,
	                         .app = (char *)(number >= 0 ? live->view->apps[number].name : app)};

	json_decref(ignored);
	pending_remove(call, &drain, !app, undrained, nothing_drained);
}
