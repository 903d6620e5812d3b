// force; see force.h.
#include "control/force.h"

#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "control/find.h"
#include "control/impact.h"
#include "control/pending.h"
#include "control/reply_json.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

static const char *const words[] = {[FORCE_AUTO] = "auto", [FORCE_UP] = "up", [FORCE_DOWN] = "down"};

static bool read_to(const char *text, enum force_to *ret_to)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i], text) == 0) {
			*ret_to = (enum force_to)i;
			return true;
		}
	}
	return false;
}

static json_t *forced(const struct pending *pending, const struct state_result *result UNUSED)
{
	const struct override *force = pending->override;
	const struct live *live = live_current();
	int app = live ? index_find_spelled(live->view, force->app) : -1;
	int site = live ? index_find_site(live->view, force->site) : -1;
	int target = app < 0 || site < 0 ? -1 : index_target_at(live->view, (uint32_t)app, (uint32_t)site);
	json_t *reply = reply_ok();
	uint8_t state;

	must(force->kind == OVERRIDE_FORCE && (size_t)force->to < ARRAY_LEN(words));
	reply = reply_set(reply, "app", reply_text(force->app));
	reply = reply_set(reply, "site", reply_text(force->site));
	reply = reply_set(reply, "to", reply_text(words[force->to]));
	if (target < 0)
		return reply_set(reply_set(reply, "state", json_null()), "warnings", json_array());
	state = live_state(live, (uint32_t)target);
	reply = reply_set(reply, "state", json_string(live_state_text(state)));
	return reply_set(reply, "warnings", state & TARGET_DOWN ? impact_by_down(live, site, app) : json_array());
}

static json_t *not_forced(const struct pending *pending)
{
	const struct override *force = pending->override;
	const struct control_ops *ops = &pending->call->ops;
	const struct live *live = ops->live(ops->ctx);
	json_t *refusal = NULL;
	int app = live ? find_app(live->view, force->app, &refusal) : -1;
	int site = app >= 0 ? find_site(live->view, force->site, &refusal) : -1;

	if (site < 0 || find_target(live->view, app, site, &refusal) < 0)
		return refusal;
	return reply_error(REPLY_NOTHING, "%s at %s is not forced", force->app, force->site);
}

void force_put(const struct call *call)
{
	const struct live *live = call->ops.live(call->ops.ctx);
	const char *to = call_text(call, "to");
	struct override force = {.kind = OVERRIDE_FORCE, .app = (char *)call_text(call, "app"),
	                         .site = (char *)call_text(call, "site"), .who = (char *)call->who,
	                         .since_s = clock_wall_s()};
	json_t *refusal = NULL;

	if (!live) {
		call_answer(call, NULL);
		return;
	}
	if (!read_to(to, &force.to)) {
		call_answer(call, reply_error(REPLY_USAGE, "to: '%.64s' is not up, down or auto", to));
		return;
	}

	int app = find_app(live->view, force.app, &refusal);
	int site = app >= 0 ? find_site(live->view, force.site, &refusal) : -1;
	bool there = site >= 0 && find_target(live->view, app, site, &refusal) >= 0;

	if (app >= 0 && (force.to != FORCE_AUTO || state_forced(call->ops.state, force.app, force.site) == FORCE_AUTO))
		force.app = (char *)live->view->apps[app].name;
	if (!there && force.to != FORCE_AUTO) { // a force of something that a reload removed can still be lifted
		call_answer(call, refusal);
		return;
	}
	json_decref(refusal);
	if (force.to == FORCE_AUTO)
		pending_remove(call, &force, false, forced, not_forced);
	else
		pending_put(call, &force, forced, NULL);
}
