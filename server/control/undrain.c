// undrain; see undrain.h.
#include "control/undrain.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/must.h"
#include "control/arguments.h"
#include "control/cover.h"
#include "control/find.h"
#include "control/pending.h"
#include "control/reply_json.h"
#include "control/safe.h"
#include "state/selector.h"
#include "view/live.h"
#include "view/view.h"

enum { APPS_NAMED_MAX = 200, DRAINS_SHOWN_MAX = 200, NAMED_MAX = 5, NAMES_LEN = 1024 };

// ---- nothing to undrain ---------------------------------------------------------------------------------------------

// The refusal of taking back a part of a drain: it is taken back whole, or not.
static json_t *only_part_of(const struct override *drain, const char *what, const char *site)
{
	return reply_error(REPLY_REFUSED, "%.255s%s%.255s has no drain of its own: the drain of %s%s%s holds there, by %s, reason: "
	                   "%s; undrain that one, or drain what is to stay drained and then undrain it", what, what[0] ? " at " : "",
	                   site, drain->app ? drain->app : "", drain->app ? " at " : "", drain->site, drain->who,
	                   drain->reason ? drain->reason : "none given");
}

// The drains, by selectors or names, whose sites a selector shares, "a, b". Returns how many there are.
static size_t name_others(const struct state *state, const struct view *view, const struct override *wanted, char *buf)
{
	size_t count = 0, at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < state_override_count(state); i++) {
		const struct override *drain = state_override_at(state, i);
		bool shares = false;

		if (drain->kind != OVERRIDE_DRAIN)
			continue;
		for (int site = 0; !shares && (site = cover_next_site(view, drain, site)) >= 0; site++)
			shares = cover_site(view, wanted, (uint32_t)site);
		if (shares && ++count <= NAMED_MAX && at < NAMES_LEN)
			at += (size_t)snprintf(buf + at, NAMES_LEN - at, "%s%s%s%s", count > 1 ? ", " : "", drain->app ? drain->app : "",
			                       drain->app ? " at " : "", drain->site);
	}
	return count;
}

static json_t *no_such_selector(const struct control_ops *ops, const struct view *view, const struct override *wanted)
{
	char names[NAMES_LEN];
	size_t count = name_others(ops->state, view, wanted, names);

	if (count == 0)
		return reply_error(REPLY_NOTHING, "no site that matches '%.255s' is drained", wanted->site);
	return reply_error(REPLY_REFUSED, "no drain of '%.255s'%s%.255s was given; drains of sites that match it: %s%s", wanted->site,
	                   wanted->app ? " for " : "", wanted->app ? wanted->app : "", names, count > NAMED_MAX ? ", ..." : "");
}

json_t *undrain_nothing(const struct control_ops *ops, const struct override *wanted)
{
	const struct live *live = ops->live(ops->ctx);
	const struct override *holds;
	json_t *refusal = NULL;
	int site;

	if (!live)
		return NULL;
	if (wanted->app && find_app(live->view, wanted->app, &refusal) < 0)
		return refusal;
	if (selector_is(wanted->site))
		return no_such_selector(ops, live->view, wanted);
	site = find_site(live->view, wanted->site, &refusal);
	if (site < 0)
		return refusal;
	holds = cover_drained(ops->state, live->view, wanted->app, (uint32_t)site, clock_wall_s());
	if (holds && !holds->app && !selector_is(holds->site))
		return reply_error(REPLY_REFUSED, "%.255s has no drain of its own at %.255s: the whole site is drained", wanted->app,
		                   wanted->site);
	if (holds)
		return only_part_of(holds, wanted->app ? wanted->app : "", wanted->site);
	if (!wanted->app)
		return reply_error(REPLY_NOTHING, "%.255s is not drained", wanted->site);
	return reply_error(REPLY_NOTHING, "%.255s is not drained at %.255s", wanted->app, wanted->site);
}

static json_t *nothing_drained(const struct pending *pending)
{
	return undrain_nothing(&pending->call->ops, pending->override);
}

// ---- done -----------------------------------------------------------------------------------------------------------

// The targets that the removed drains affected, by their state now.
struct lifted {
	json_t *apps;      // names of the first APPS_NAMED_MAX
	json_int_t targets, up, still_drained;
	bool any;          // of them is handed out again, if only to a part of its clients
};

struct lifting {
	const struct live *live;
	struct lifted *lifted;
};

static void count_one(void *ctx, uint32_t target)
{
	const struct lifting *lifting = ctx;
	struct lifted *lifted = lifting->lifted;
	uint8_t state = live_state(lifting->live, target);

	lifted->any = lifted->any || !(state & TARGET_DRAINED);
	if (state & (TARGET_DRAINED | TARGET_LEAVING)) {
		lifted->still_drained++;
		return;
	}
	lifted->up += live_state_is_up(state);
	if (++lifted->targets <= APPS_NAMED_MAX)
		lifted->apps = reply_append(lifted->apps, reply_text(lifting->live->view->targets[target].app->name));
}

static void count_lifted(const struct live *live, const struct override *drain, struct lifted *lifted)
{
	struct lifting lifting = {live, lifted};

	cover_each(live->view, drain, count_one, &lifting);
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

// In how many seconds caches have forgotten what they were answered while the drains held.
static int64_t longest_left_s(const struct control_ops *ops, const struct state_result *result)
{
	int64_t longest_s = 1;

	for (size_t i = 0; i < result->before_count && i < DRAINS_SHOWN_MAX; i++) {
		int64_t left_s = safe_left_s(ops, result->before[i]);

		if (longest_s < left_s)
			longest_s = left_s;
	}
	return longest_s;
}

static json_t *set_settled(json_t *reply, int64_t left_s)
{
	reply = reply_set(reply, "settled_left_s", json_integer(left_s));
	return reply_set(reply, "settled_after", reply_time(clock_wall_s() + left_s));
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
		whole_site = !result->before[i]->app && result->before[i]->has_begun;
		if (whole_site)
			count_lifted(live, result->before[i], &lifted);
	}
	for (size_t i = 0; i < result->before_count && !whole_site; i++)
		if (result->before[i]->has_begun)
			count_lifted(live, result->before[i], &lifted);
	reply = reply_set(reply_ok(), "site", reply_text(pending->override->site));
	reply = reply_set(reply, "app", reply_text(pending->override->app));
	reply = set_ended(reply, result);
	reply = reply_set(reply, "targets", json_integer(lifted.targets));
	reply = reply_set(reply, "up", live_current() ? json_integer(lifted.up) : json_null());
	reply = reply_set(reply, "still_drained", json_integer(lifted.still_drained));
	reply = set_settled(reply, lifted.any ? longest_left_s(ops, result) : 0);
	return reply_set(reply, "apps", lifted.apps);
}

// ---- over a time ----------------------------------------------------------------------------------------------------

static json_t *returning(const struct pending *pending, const struct state_result *result UNUSED)
{
	const struct control_ops *ops = &pending->call->ops;
	const struct override *drain = pending->override, *given = state_drain_given(ops->state, drain->app, drain->site);
	const struct live *live = ops->live(ops->ctx);
	json_t *reply = reply_drain_into(reply_ok(), given && given->is_returning ? given : drain); // as far as it has come already

	if (!live) {
		json_decref(reply);
		return NULL;
	}
	reply = reply_set(reply, "targets", json_integer((json_int_t)cover_count(live->view, drain)));
	reply = set_settled(reply, drain->over_s + safe_left_s(ops, drain));
	return reply_set(reply, "warnings", json_array());
}

// The drain goes on as one that gives clients back, from the share that it has come to.
static void give_back(const struct call *call, const struct override *old, uint32_t over_s, bool is_volatile)
{
	struct override drain = *old;

	override_return(&drain, over_s, clock_wall_s(), clock_mono_ms());
	drain.ender = (char *)call->who;
	drain.is_volatile = is_volatile;
	pending_put(call, &drain, returning, NULL);
}

// ---- the verb -------------------------------------------------------------------------------------------------------

// Looked up in the state, not the view: a drain of something that a reload removed can still be lifted.
bool undrain_read(const struct call *call, char *sites, struct undrain *undrain, json_t **ret_refusal)
{
	const struct live *live = call->ops.live(call->ops.ctx);
	const char *app = call_text(call, "app");

	*ret_refusal = NULL;
	*undrain = (struct undrain){
		.drain = {.kind = OVERRIDE_DRAIN, .site = sites, .who = (char *)call->who, .app = (char *)app,
		          .is_volatile = json_is_true(json_object_get(call->request, "volatile"))}};
	if (!arguments_sites(call, sites, ret_refusal) || !arguments_over(call, &undrain->over_s, ret_refusal) ||
	    !arguments_texts(call, false, &undrain->drain, ret_refusal))
		return false;
	undrain->every_app = !app && !undrain->over_s;
	if (live && app && !state_drain_given(call->ops.state, app, sites)) {
		json_t *unknown = NULL;
		int number = find_app(live->view, app, &unknown);

		if (number >= 0)
			undrain->drain.app = (char *)live->view->apps[number].name;
		json_decref(unknown);
	}
	return true;
}

void undrain_remove(const struct call *call)
{
	char sites[STATE_TEXT_MAX + 1];
	struct undrain undrain;
	const struct override *old;
	json_t *refusal;

	if (!undrain_read(call, sites, &undrain, &refusal)) {
		call_answer(call, refusal);
		return;
	}
	old = undrain.over_s ? state_drain_given(call->ops.state, undrain.drain.app, sites) : NULL;
	if (old && old->has_begun && override_holds(old, clock_wall_s()))
		give_back(call, old, undrain.over_s, undrain.drain.is_volatile);
	else
		pending_remove(call, &undrain.drain, undrain.every_app, undrained, nothing_drained);
}
