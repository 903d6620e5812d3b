// drain; see drain.h. undrain: undrain.c.
#include "control/drain.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "control/arguments.h"
#include "control/cover.h"
#include "control/forecast.h"
#include "control/gate.h"
#include "control/impact.h"
#include "control/outlook.h"
#include "control/pending.h"
#include "control/replaced.h"
#include "control/reply_json.h"
#include "control/safe.h"
#include "state/selector.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

enum { APPS_NAMED_MAX = 200, APPS_COMPARED_MAX = 2000 };

struct naming {
	const struct view *view;
	json_t *apps;
	size_t count;
	bool is_cut; // apps may be missing
};

static void name_app(void *ctx, uint32_t target)
{
	struct naming *naming = ctx;
	json_t *name;

	if (naming->count++ >= APPS_COMPARED_MAX || json_array_size(naming->apps) >= APPS_NAMED_MAX) {
		naming->is_cut = true;
		return;
	}
	name = reply_text(naming->view->targets[target].app->name);
	if (reply_has(naming->apps, name)) // of another site
		json_decref(name);
	else
		naming->apps = reply_append(naming->apps, name);
}

// The drain that the new one has replaced; NULL: none, or one that had already expired.
static const struct override *was_replaced(const struct override *drain, const struct state_result *result)
{
	const struct override *old = result->before_count ? result->before[0] : NULL;

	return old && override_holds(old, drain->since_s) ? old : NULL;
}

// For each of its sites what the drain leaves to clients, up to IMPACT_MAX lines; see impact.h.
static json_t *drain_impact(const struct live *live, const struct override *drain)
{
	int app = drain->app ? index_find_spelled(live->view, drain->app) : -1;
	json_t *lines = json_array(), *more;

	if (!drain->has_begun || (drain->app && app < 0)) // nothing has changed yet, or a reload has taken it away
		return lines;
	for (int site = 0; lines && (site = cover_next_site(live->view, drain, site)) >= 0; site++) {
		if (app >= 0 && index_target_at(live->view, (uint32_t)app, (uint32_t)site) < 0)
			continue;
		more = impact_by_drain(live, site, app);
		for (size_t i = 0; i < json_array_size(more) && json_array_size(lines) <= IMPACT_MAX; i++)
			if (!reply_has(lines, json_array_get(more, i)))
				lines = reply_append(lines, json_incref(json_array_get(more, i)));
		json_decref(more);
	}
	return lines;
}

// How many sites it covers.
static json_int_t count_sites(const struct view *view, const struct override *drain)
{
	json_int_t count = 0;

	for (int site = 0; (site = cover_next_site(view, drain, site)) >= 0; site++)
		count++;
	return count;
}

static json_t *drained(const struct pending *pending, const struct state_result *result)
{
	const struct override *drain = pending->override, *old = was_replaced(drain, result), *given;
	const struct control_ops *ops = &pending->call->ops;
	const struct live *live = ops->live(ops->ctx);
	struct naming naming = {.view = live ? live->view : NULL, .apps = json_array()};
	json_t *reply;

	if (!live) {
		json_decref(naming.apps);
		return NULL;
	}
	given = state_drain_given(ops->state, drain->app, drain->site); // with what it has become
	cover_each(live->view, drain, name_app, &naming);
	reply = reply_set(reply_drain_into(reply_ok(), given ? given : drain), "replaced", reply_drain(old));
	if (drain->app && !selector_is(drain->site)) {
		const struct override *site = state_drain_given(ops->state, NULL, drain->site);

		reply = reply_set(reply, "site_drain", reply_drain(site && override_holds(site, drain->since_s) ? site : NULL));
	}
	reply = reply_set(reply, "sites", json_integer(count_sites(live->view, drain)));
	reply = reply_set(reply, "targets", json_integer((json_int_t)naming.count));
	reply = reply_set(reply_set(reply, "apps", naming.apps), "apps_cut", json_boolean(naming.is_cut));
	reply = reply_set(reply, "safe_after", reply_time(safe_after_s(ops, given ? given : drain)));
	return reply_set(reply, "warnings", replaced_warn(json_array(), drain, old));
}

// What the drain that is given already means for the new one. False: *ret_refusal is the reply.
static bool follow(const struct call *call, struct override *drain, json_t **ret_refusal)
{
	const struct override *old = state_drain_given(call->ops.state, drain->app, drain->site);
	bool acts = old && old->has_begun && override_holds(old, drain->since_s);

	if (acts && drain->start_s) {
		*ret_refusal = reply_error(REPLY_REFUSED, "%s%s%s is drained already, by %s: a drain that starts later would take its "
		                           "place, and give clients back until then; undrain it first, or change its end with drain "
		                           "--for or --until", drain->app ? drain->app : "", drain->app ? " at " : "", drain->site,
		                           old->who);
		return false;
	}
	drain->whence = acts ? old->share_now : SHARE_WHOLE; // it turns round where it stands
	if (!drain->over_s)
		drain->whence = 0;
	return true;
}

bool drain_read(const struct call *call, char *sites, struct override *drain, json_t **ret_refusal)
{
	const struct live *live = call->ops.live(call->ops.ctx);

	*ret_refusal = NULL;
	*drain = (struct override){.kind = OVERRIDE_DRAIN, .who = (char *)call->who, .since_s = clock_wall_s(),
	                           .app = (char *)call_text(call, "app"), .site = sites,
	                           .is_forced = json_is_true(json_object_get(call->request, "force")),
	                           .is_volatile = json_is_true(json_object_get(call->request, "volatile"))};
	if (!live || !arguments_sites(call, sites, ret_refusal) || !arguments_find(live->view, drain, ret_refusal) ||
	    !arguments_times(call, drain, ret_refusal) || !arguments_texts(call, true, drain, ret_refusal) ||
	    !follow(call, drain, ret_refusal))
		return false;
	drain->has_begun = !drain->start_s;
	drain->begun_mono_ms = clock_mono_ms();
	override_step(drain, drain->begun_mono_ms);
	return true;
}

// ---- in its turn ----------------------------------------------------------------------------------------------------

// A drain that is looked at before it is given.
struct ordered {
	struct gate_turn turn;
	struct call *call;
};

// Leaves the gate. Takes the reply.
static void refuse(struct ordered *ordered, json_t *reply)
{
	struct gate *gate = ordered->call->ops.gate;

	call_finish(ordered->call, reply);
	free(ordered);
	gate_leave(gate);
}

// What the forecast warns of, and what is said of one that is given by force. NULL: nothing, or out of memory.
static json_t *said_of(const json_t *forecast)
{
	const json_t *lines = json_object_get(forecast, "refusals"), *line;
	json_t *said = json_copy(json_object_get(forecast, "warnings"));
	size_t i;

	json_array_foreach(lines, i, line)
		said = reply_append(said, json_sprintf("by force: it %s", json_string_value(line)));
	return said;
}

// The change is of what holds now: names and other drains may have changed while it was looked at.
static void looked_at(void *ctx, json_t *forecast)
{
	struct ordered *ordered = ctx;
	struct call *call = ordered->call;
	struct override drain;
	char sites[STATE_TEXT_MAX + 1], *why = forecast_refusal(forecast);
	json_t *refusal = NULL;

	if (gate_is_closed(call->ops.gate)) {
		refuse(ordered, reply_error(REPLY_REFUSED, "not done: the daemon is stopping"));
	} else if (!drain_read(call, sites, &drain, &refusal)) {
		refuse(ordered, refusal);
	} else if (!drain.is_forced && !forecast) {
		refuse(ordered, NULL);
	} else if (!drain.is_forced && json_array_size(json_object_get(forecast, "refusals")) > 0) {
		refuse(ordered, drain_refusal("not done", why, forecast));
	} else {
		json_t *said = said_of(forecast);

		free(ordered);
		pending_put_in_turn(call, &drain, said, drained, drain_impact, call->ops.gate);
		json_decref(said);
		call_drop(call);
	}
	free(why);
	json_decref(forecast);
}

json_t *drain_refusal(const char *what, const char *why, const json_t *forecast)
{
	static const char *const keys[] = {"refusals", "nothing", "nothing_more", "ceilings", "carriers", "later"};
	json_t *reply = reply_error(REPLY_REFUSED, "%s: %s; --force drains it all the same", what, why ? why : "it is not safe");

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (json_object_get(forecast, keys[i]))
			reply = reply_set(reply, keys[i], json_incref(json_object_get(forecast, keys[i])));
	return reply;
}

static void enter(struct gate_turn *turn, bool is_closed)
{
	struct ordered *ordered = (struct ordered *)((char *)turn - offsetof(struct ordered, turn));
	struct call *call = ordered->call;
	struct override drain;
	char sites[STATE_TEXT_MAX + 1];
	json_t *refusal = NULL;

	if (is_closed) {
		call_finish(call, reply_error(REPLY_REFUSED, "not done: the daemon is stopping"));
		free(ordered);
		return;
	}
	if (!drain_read(call, sites, &drain, &refusal)) {
		refuse(ordered, refusal);
		return;
	}
	outlook_begin(&call->ops, &drain, true, looked_at, ordered);
}

void drain_put(const struct call *call)
{
	struct ordered *ordered = calloc(1, sizeof(*ordered));

	if (!ordered) {
		call_answer(call, NULL);
		return;
	}
	ordered->turn.enter = enter;
	ordered->call = call_keep(call);
	if (!ordered->call)
		free(ordered);
	else
		gate_wait(call->ops.gate, &ordered->turn, true);
}
