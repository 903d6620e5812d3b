// Plans; see plans.h.
#include "control/plans.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/must.h"
#include "control/call.h"
#include "control/cover.h"
#include "control/drain.h"
#include "control/force.h"
#include "control/forecast.h"
#include "control/gate.h"
#include "control/outlook.h"
#include "control/replaced.h"
#include "control/reply_json.h"
#include "control/undrain.h"
#include "state/state.h"
#include "view/live.h"
#include "view/view.h"

struct plan;

// Reads what the verb would do, and looks ahead. False: the call is refused, and *ret_refusal is the reply.
typedef bool plan_fn(struct plan *plan, json_t **ret_refusal);

struct plan {
	struct gate_turn turn;
	struct call *call;
	plan_fn *look;
	json_t *of; // what would be done, for the reply
	json_t *replaced, *said; // of a drain: whose place it would take, and the warning of that
	bool is_forced, is_drain;
};

static void end(struct plan *plan, json_t *reply, bool leaves)
{
	struct gate *gate = plan->call->ops.gate;

	call_finish(plan->call, reply);
	json_decref(plan->of);
	json_decref(plan->replaced);
	json_decref(plan->said);
	free(plan);
	if (leaves)
		gate_leave(gate);
}

// Takes the reply and returns it; NULL: out of memory.
static json_t *add_replaced(const struct plan *plan, json_t *reply)
{
	json_t *warnings = json_object_get(reply, "warnings");

	if (json_is_array(warnings) ? json_array_extend(warnings, plan->said) < 0
	                            : json_object_set(reply, "warnings", plan->said) < 0) {
		json_decref(reply);
		return NULL;
	}
	return reply_set(reply, "replaced", json_incref(plan->replaced));
}

static void looked(void *ctx, json_t *forecast)
{
	struct plan *plan = ctx;
	bool is_refused = plan->is_drain && !plan->is_forced && json_array_size(json_object_get(forecast, "refusals")) > 0;
	char *why = is_refused ? forecast_refusal(forecast) : NULL;
	json_t *reply;

	if (!forecast) {
		end(plan, gate_is_closed(plan->call->ops.gate) ? reply_error(REPLY_REFUSED, "the daemon is stopping") : NULL, true);
		return;
	}
	reply = is_refused ? drain_refusal("would be refused", why, forecast) : reply_ok();
	if (json_object_update(reply, forecast) < 0) {
		json_decref(reply);
		reply = NULL;
	}
	reply = reply_set(reply, "would_be_refused", json_boolean(is_refused));
	reply = reply_set(reply, "plan", json_incref(plan->of));
	if (plan->is_drain)
		reply = add_replaced(plan, reply);
	free(why);
	json_decref(forecast);
	end(plan, reply, true);
}

static void enter(struct gate_turn *turn, bool is_closed)
{
	struct plan *plan = (struct plan *)((char *)turn - offsetof(struct plan, turn));
	json_t *refusal = NULL;

	if (is_closed)
		end(plan, reply_error(REPLY_REFUSED, "the daemon is stopping"), false);
	else if (!plan->look(plan, &refusal))
		end(plan, refusal, true);
}

static void begin(const struct call *call, plan_fn *look)
{
	struct plan *plan = calloc(1, sizeof(*plan));

	if (!plan) {
		call_answer(call, NULL);
		return;
	}
	plan->turn.enter = enter;
	plan->look = look;
	plan->call = call_keep(call);
	if (!plan->call)
		free(plan);
	else
		gate_wait(call->ops.gate, &plan->turn, false);
}

// Of how many sites and targets it is.
static json_t *set_extent(json_t *object, const struct control_ops *ops, const struct override *override)
{
	const struct live *live = ops->live(ops->ctx);
	json_int_t sites = 0;

	for (int site = 0; live && (site = cover_next_site(live->view, override, site)) >= 0; site++)
		sites++;
	object = reply_set(object, "sites", json_integer(sites));
	return reply_set(object, "targets", json_integer(live ? (json_int_t)cover_count(live->view, override) : 0));
}

// ---- drain ----------------------------------------------------------------------------------------------------------

static bool look_at_drain(struct plan *plan, json_t **ret_refusal)
{
	const struct control_ops *ops = &plan->call->ops;
	struct override drain;
	char sites[STATE_TEXT_MAX + 1];

	if (!drain_read(plan->call, sites, &drain, ret_refusal))
		return false;
	plan->is_drain = true;
	plan->is_forced = drain.is_forced;
	plan->replaced = reply_drain(replaced_by(ops->state, &drain));
	plan->said = replaced_warn(json_array(), &drain, replaced_by(ops->state, &drain));
	plan->of = reply_set(reply_drain(&drain), "verb", json_string("drain"));
	plan->of = set_extent(plan->of, ops, &drain);
	outlook_begin(ops, &drain, false, looked, plan);
	return true;
}

void plans_drain(const struct call *call)
{
	begin(call, look_at_drain);
}

// ---- undrain --------------------------------------------------------------------------------------------------------

static bool is_any_taken(const struct state *state, const struct override_match *match)
{
	for (size_t i = 0; i < state_override_count(state); i++)
		if (override_matches(state_override_at(state, i), match))
			return true;
	return false;
}

static bool look_at_undrain(struct plan *plan, json_t **ret_refusal)
{
	const struct control_ops *ops = &plan->call->ops;
	struct undrain undrain;
	struct override_match match;
	struct control_change change = {.taken = &match};
	char sites[STATE_TEXT_MAX + 1];

	if (!undrain_read(plan->call, sites, &undrain, ret_refusal))
		return false;
	match = (struct override_match){OVERRIDE_DRAIN, sites, undrain.drain.app, undrain.every_app};
	if (!is_any_taken(ops->state, &match)) {
		*ret_refusal = undrain_nothing(ops, &undrain.drain);
		return false;
	}
	plan->of = reply_set(json_object(), "verb", json_string("undrain"));
	plan->of = reply_set(plan->of, "site", reply_text(sites));
	plan->of = reply_set(plan->of, "app", reply_text(undrain.drain.app));
	plan->of = set_extent(plan->of, ops, &undrain.drain);
	forecast_begin(ops, &change, false, looked, plan);
	return true;
}

void plans_undrain(const struct call *call)
{
	begin(call, look_at_undrain);
}

// ---- force ----------------------------------------------------------------------------------------------------------

static bool look_at_force(struct plan *plan, json_t **ret_refusal)
{
	const struct control_ops *ops = &plan->call->ops;
	struct override force;
	struct override_match match;
	struct control_change change = {0};

	if (!force_read(plan->call, &force, ret_refusal))
		return false;
	match = (struct override_match){OVERRIDE_FORCE, force.site, force.app, false};
	if (force.to == FORCE_AUTO && !is_any_taken(ops->state, &match)) {
		*ret_refusal = force_nothing(ops, &force);
		return false;
	}
	change.given = force.to == FORCE_AUTO ? NULL : &force;
	change.taken = force.to == FORCE_AUTO ? &match : NULL;
	plan->of = reply_set(json_object(), "verb", json_string("force"));
	plan->of = reply_set(plan->of, "site", reply_text(force.site));
	plan->of = reply_set(plan->of, "app", reply_text(force.app));
	plan->of = reply_set(plan->of, "to", reply_text(override_force_text(force.to)));
	forecast_begin(ops, &change, false, looked, plan);
	return true;
}

void plans_force(const struct call *call)
{
	begin(call, look_at_force);
}
