// drains: those that are given, how far each has come, and when caches have forgotten what it takes away; or those that
// have ended within the last week. See show.h.
#include <string.h>

#include "base/clock.h"
#include "control/adopt.h"
#include "control/call.h"
#include "control/cover.h"
#include "control/dangling.h"
#include "control/reply_json.h"
#include "control/safe.h"
#include "control/show.h"
#include "state/state.h"
#include "view/live.h"
#include "view/view.h"

static json_t *drain_json(const struct control_ops *ops, const struct live *live, const struct override *drain,
                          int64_t now_s)
{
	const char *why = dangling_why(live->view, drain);
	int64_t safe_s = safe_after_s(ops, drain);
	json_t *object = reply_drain(drain);

	object = reply_set(object, "targets", json_integer((json_int_t)cover_count(live->view, drain)));
	object = reply_set(object, "safe_after", reply_time(safe_s));
	object = reply_set(object, "safe_left_s", safe_s ? json_integer(safe_s > now_s ? safe_s - now_s : 0) : json_null());
	return why ? reply_set(object, "no_effect", json_string(why)) : object;
}

static json_t *adoption_json(const struct live *live, const struct override *adoption)
{
	const char *why = dangling_why(live->view, adoption);
	json_t *object = adopt_json(adoption);

	return why ? reply_set(object, "no_effect", json_string(why)) : object;
}

static json_t *ended_json(const struct ended *ended)
{
	const struct override *given = ended->override; // how far it came is not kept
	json_t *object = given->kind == OVERRIDE_ADOPT ? adopt_given(given) : reply_given(json_object(), given);

	object = reply_set(object, "kind", json_string(override_kind_text(ended->override->kind)));
	if (ended->override->kind == OVERRIDE_FORCE)
		object = reply_set(object, "to", json_string(override_force_text(ended->override->to)));
	object = reply_set(object, "how", json_string(ended_how_text(ended->how)));
	object = reply_set(object, "ended", reply_time(ended->at_s));
	object = reply_set(object, "ended_who", reply_text(ended->ender));
	return reply_set(object, "ended_by", reply_text(ended->by));
}

// The last ones first.
static json_t *show_ended(const struct state *state, size_t from)
{
	size_t count = state_ended_count(state), i = from;
	json_t *list = json_array(), *reply;

	for (; i < count && i - from < SHOW_OVERRIDES_MAX; i++)
		list = reply_append(list, ended_json(state_ended_at(state, count - 1 - i)));
	reply = reply_set(reply_ok(), "ended", list);
	return i < count ? reply_set(reply, "next", json_integer((json_int_t)i)) : reply;
}

// With "site" and "app" only the drain that was given in these words.
static bool is_asked_for(const struct call *call, const struct override *drain)
{
	const char *site = call_text(call, "site"), *app = call_text(call, "app");

	return (!site || strcmp(site, drain->site) == 0) && (!app || (drain->app && strcmp(app, drain->app) == 0));
}

json_t *show_drains(const struct call *call)
{
	const struct control_ops *ops = &call->ops;
	const struct live *live = ops->live(ops->ctx);
	json_int_t from = call_number(call, "from");
	size_t count = state_override_count(ops->state), i = from < STATE_OVERRIDES_MAX ? (size_t)from : STATE_OVERRIDES_MAX;
	size_t end = i + SHOW_OVERRIDES_MAX;
	int64_t now_s = clock_wall_s();
	json_t *list, *adoptions, *reply;

	if (!live)
		return NULL;
	if (json_is_true(json_object_get(call->request, "ended")))
		return show_ended(ops->state, i);
	list = json_array();
	adoptions = json_array();
	for (; i < count && i < end; i++) {
		const struct override *override = state_override_at(ops->state, i);

		if (override->kind == OVERRIDE_DRAIN && override_holds(override, now_s) && is_asked_for(call, override))
			list = reply_append(list, drain_json(ops, live, override, now_s));
		if (override->kind == OVERRIDE_ADOPT && is_asked_for(call, override))
			adoptions = reply_append(adoptions, adoption_json(live, override));
	}
	reply = reply_set(reply_ok(), "now", reply_time(now_s));
	reply = reply_set(reply, "drains", list);
	reply = reply_set(reply, "adoptions", adoptions);
	reply = reply_set(reply, "overrides_revision", json_integer((json_int_t)state_revision(ops->state)));
	return i < count ? reply_set(reply, "next", json_integer((json_int_t)i)) : reply;
}
