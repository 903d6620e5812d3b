// force; see force.h.
#include "control/force.h"

#include "base/clock.h"
#include "base/must.h"
#include "control/arguments.h"
#include "control/find.h"
#include "control/impact.h"
#include "control/pending.h"
#include "control/reply_json.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

static json_t *forced(const struct pending *pending, const struct state_result *result UNUSED)
{
	const struct override *force = pending->override;
	const struct live *live = live_current();
	int target = live ? index_find_target(live->view, force->app, force->site) : -1;
	const struct target *at;
	json_t *reply = reply_ok();
	uint8_t state;

	must(force->kind == OVERRIDE_FORCE);
	reply = reply_set(reply, "app", reply_text(force->app));
	reply = reply_set(reply, "site", reply_text(force->site));
	reply = reply_set(reply, "to", reply_text(override_force_text(force->to)));
	if (target < 0)
		return reply_set(reply_set(reply, "state", json_null()), "warnings", json_array());
	state = live_state(live, (uint32_t)target);
	reply = reply_set(reply, "state", json_string(live_state_text(state)));
	at = &live->view->targets[target];
	return reply_set(reply, "warnings", !(state & TARGET_DOWN) ? json_array() :
	                                    impact_by_down(live, at->site, (int)(at->app - live->view->apps)));
}

json_t *force_nothing(const struct control_ops *ops, const struct override *force)
{
	const struct live *live = ops->live(ops->ctx);
	json_t *refusal = NULL;
	int app = live ? find_app(live->view, force->app, &refusal) : -1;
	int site = app >= 0 ? find_site(live->view, force->site, &refusal) : -1;

	if (site < 0 || find_target(live->view, app, site, &refusal) < 0)
		return refusal;
	return reply_error(REPLY_NOTHING, "%s at %s is not forced", force->app, force->site);
}

static json_t *not_forced(const struct pending *pending)
{
	return force_nothing(&pending->call->ops, pending->override);
}

bool force_read(const struct call *call, struct override *force, json_t **ret_refusal)
{
	const struct live *live = call->ops.live(call->ops.ctx);
	const char *to = call_text(call, "to");
	json_t *unknown = NULL;

	*ret_refusal = NULL;
	*force = (struct override){.kind = OVERRIDE_FORCE, .app = (char *)call_text(call, "app"),
	                           .site = (char *)call_text(call, "site"), .who = (char *)call->who, .since_s = clock_wall_s()};
	if (!live)
		return false;
	if (!override_force_read(to, &force->to)) {
		*ret_refusal = reply_error(REPLY_USAGE, "to: '%.64s' is not up, down or auto", to);
		return false;
	}
	if (!arguments_texts(call, force->to != FORCE_AUTO, force, ret_refusal))
		return false;

	int app = find_app(live->view, force->app, &unknown);
	int site = app >= 0 ? find_site(live->view, force->site, &unknown) : -1;
	bool there = site >= 0 && find_target(live->view, app, site, &unknown) >= 0;

	if (app >= 0 && (force->to != FORCE_AUTO || state_forced(call->ops.state, force->app, force->site) == FORCE_AUTO))
		force->app = (char *)live->view->apps[app].name;
	if (!there && force->to != FORCE_AUTO) { // a force of something that a reload removed can still be lifted
		*ret_refusal = unknown;
		return false;
	}
	json_decref(unknown);
	return true;
}

void force_put(const struct call *call)
{
	struct override force;
	json_t *refusal;

	if (!force_read(call, &force, &refusal))
		call_answer(call, refusal);
	else if (force.to == FORCE_AUTO)
		pending_remove(call, &force, false, forced, not_forced);
	else
		pending_put(call, &force, forced, NULL);
}
