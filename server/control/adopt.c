// adopt; see adopt.h.
#include "control/adopt.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "answer/share.h"
#include "base/clock.h"
#include "base/must.h"
#include "config/config.h"
#include "control/arguments.h"
#include "control/call.h"
#include "control/find.h"
#include "control/pending.h"
#include "control/reply_json.h"
#include "schema/units.h"
#include "state/state.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

enum { PERCENT_LEN = 32, LINE_LEN = 1024 };

// Shares are of 65536, so that two decimals are what they are exact to.
static double percent_of(uint32_t share)
{
	return round(10000.0 * share / SHARE_WHOLE) / 100;
}

// ---- what is shown --------------------------------------------------------------------------------------------------

static json_t *given_into(json_t *object, const struct override *adoption)
{
	object = reply_set(object, "app", reply_text(adoption->app));
	object = reply_set(object, "to", json_real(percent_of(adoption->share)));
	if (adoption->over_s) {
		object = reply_set(object, "whence", json_real(percent_of(adoption->whence)));
		object = reply_set(object, "over_s", json_integer(adoption->over_s));
		object = reply_set(object, "until", reply_time(override_start_s(adoption) + adoption->over_s));
	}
	object = reply_set(object, "reason", reply_text(adoption->reason));
	object = reply_set(object, "who", reply_text(adoption->who));
	object = reply_set(object, "by", reply_text(adoption->by));
	return reply_set(object, "since", reply_time(adoption->since_s));
}

static json_t *into(json_t *object, const struct override *adoption)
{
	bool is_moving = adoption->share_now != adoption->share;

	object = given_into(object, adoption);
	object = reply_set(object, "percent", json_real(percent_of(adoption->share_now)));
	return reply_set(object, "phase", json_string(is_moving ? "moving" : "holding"));
}

json_t *adopt_given(const struct override *adoption)
{
	return given_into(json_object(), adoption);
}

json_t *adopt_json(const struct override *adoption)
{
	return adoption ? into(json_object(), adoption) : json_null();
}

// Of SHARE_ALL, as it is answered now.
static uint32_t steered(const struct live *live, const struct app *app)
{
	bool is_whole = app->target_count == 0 || !(live_state(live, app->first_target) & TARGET_ADOPTED);

	return is_whole ? SHARE_ALL : live->shares->of[app->first_target].steered;
}

json_t *adopt_of_app(const struct live *live, const struct state *state, const struct app *app,
                     const struct config_app *written)
{
	const struct override *adoption = state_adopted(state, app->name);
	uint32_t share = steered(live, app);
	json_t *object;

	if (!adoption && share == SHARE_ALL)
		return json_null();
	object = reply_set(json_object(), "percent", json_real(percent_of(share)));
	if (written)
		object = reply_set(object, "config", json_real((double)written->adopt * 100 / CONFIG_ADOPT_ALL));
	return reply_set(object, "override", adopt_json(adoption));
}

void adopt_explain(const struct live *live, const struct state *state, const struct app *app,
                   const struct location *where, json_t *object, json_t *steps)
{
	uint8_t len = locate_hash_len(app, where);
	struct prefix prefix = {addr_cut(where->client, len), len};
	const struct override *adoption = state_adopted(state, app->name);
	uint32_t share = steered(live, app), number = share_number(share_draw(where, len));
	bool is_steered = number < share;
	char text[ADDR_TEXT_LEN], line[LINE_LEN];
	json_t *adopt;

	if (share == SHARE_ALL)
		return;
	adopt = json_pack("{s:f, s:f, s:b, s:o, s:o}", "percent", percent_of(share), "client_from", percent_of(number + 1),
	                  "steered", is_steered, "client", json_string(prefix_format(&prefix, text)), "override",
	                  adopt_json(adoption));
	json_object_set_new(object, "adopt", adopt);
	snprintf(line, sizeof(line), "adopt: %.2f %% of the clients are steered, by %.255s%s%.255s", percent_of(share),
	         adoption ? adoption->who : "the config", adoption && adoption->reason ? ", reason: " : "",
	         adoption && adoption->reason ? adoption->reason : "");
	json_array_append_new(steps, json_string(line));
	snprintf(line, sizeof(line), "adopt: %s is %s, as it is one from %.2f %% on: it gets %s", prefix_format(&prefix, text),
	         is_steered ? "one of these" : "none of these", percent_of(number + 1),
	         is_steered ? "the first in order" : "any target in reach that is up, by weight and the client's hash");
	json_array_append_new(steps, json_string(line));
}

// ---- the verb -------------------------------------------------------------------------------------------------------

// "10", "10%", "0.5 %": of SHARE_WHOLE.
static bool read_percent(const char *text, uint32_t *ret_share, json_t **ret_refusal)
{
	size_t len = strlen(text);
	char with_unit[PERCENT_LEN];
	double percent;

	snprintf(with_unit, sizeof(with_unit), "%s%s", text, len > 0 && text[len - 1] == '%' ? "" : "%");
	if (len + 2 > sizeof(with_unit) || units_parse_share(with_unit, &percent) < 0 || percent < 0 || percent > 100) {
		*ret_refusal = reply_error(REPLY_USAGE,
		                           "percent: '%.64s' is not a share of the clients from 0 to 100, like 10, 10%% "
		                           "or 0.5%%",
		                           text);
		return false;
	}
	*ret_share = (uint32_t)lround(percent * SHARE_WHOLE / 100);
	return true;
}

static json_t *adopted(const struct pending *pending, const struct state_result *result)
{
	const struct override *old = result->before_count ? result->before[0] : NULL;
	const struct override *adoption = pending->override, *given = state_adopted(pending->call->ops.state, adoption->app);
	const struct live *live = pending->call->ops.live(pending->call->ops.ctx);
	int app = live ? index_find_spelled(live->view, adoption->app) : -1;
	json_t *reply = into(reply_ok(), given ? given : adoption); // as far as it has come already

	reply = reply_set(reply, "targets", json_integer(app < 0 ? 0 : live->view->apps[app].target_count));
	return reply_set(reply, "replaced", adopt_json(old));
}

static json_t *ended(const struct pending *pending, const struct state_result *result)
{
	const struct override *adoption = pending->override;
	const struct control_ops *ops = &pending->call->ops;
	const struct live *live = ops->live(ops->ctx);
	int app = live ? index_find_spelled(live->view, adoption->app) : -1;
	json_t *reply = reply_set(reply_ok(), "app", reply_text(adoption->app));

	reply = reply_set(reply, "percent",
	                  app < 0 ? json_null() : json_real(percent_of(steered(live, &live->view->apps[app]))));
	return reply_set(reply, "ended", adopt_json(result->before_count ? result->before[0] : NULL));
}

static json_t *nothing(const struct pending *pending)
{
	const struct control_ops *ops = &pending->call->ops;
	const struct live *live = ops->live(ops->ctx);
	json_t *refusal = NULL;

	if (!live || find_app(live->view, pending->override->app, &refusal) < 0)
		return refusal;
	return reply_error(REPLY_NOTHING, "nobody has set which share of %.255s is steered: the config's `adopt` holds",
	                   pending->override->app);
}

// Which share is steered at its start: what it has come to.
static bool follow(const struct call *call, const struct live *live, int app, struct override *adoption)
{
	const struct override *old = state_adopted(call->ops.state, adoption->app);

	adoption->whence = old ? old->share_now : steered(live, &live->view->apps[app]);
	adoption->has_begun = true;
	adoption->begun_mono_ms = clock_mono_ms();
	override_step(adoption, adoption->begun_mono_ms);
	return adoption->whence != adoption->share;
}

static void take_back(const struct call *call, struct override *adoption)
{
	const struct live *live = call->ops.live(call->ops.ctx);
	json_t *refusal = NULL;

	if (call_text(call, "percent") || call_text(call, "over") || call_text(call, "reason")) {
		call_answer(call,
		            reply_error(REPLY_USAGE, "adopt takes end or a percent, not both; with end there is no over nor "
		                                     "reason: to go on little by little, set a percent with over first"));
		return;
	}
	// Of an app that a reload has removed it can be taken back too, by its exact name.
	if (live && !state_adopted(call->ops.state, adoption->app)) {
		int app = find_app(live->view, adoption->app, &refusal);

		if (app >= 0)
			adoption->app = (char *)live->view->apps[app].name;
		json_decref(refusal);
	}
	pending_remove(call, adoption, false, ended, nothing);
}

void adopt_put(const struct call *call)
{
	const struct live *live = call->ops.live(call->ops.ctx);
	struct override adoption = {.kind = OVERRIDE_ADOPT,
	                            .site = (char *)"",
	                            .app = (char *)call_text(call, "app"),
	                            .who = (char *)call->who,
	                            .since_s = clock_wall_s()};
	bool is_end = json_is_true(json_object_get(call->request, "end"));
	json_t *refusal = NULL;
	int app;

	if (!live || !arguments_texts(call, !is_end, &adoption, &refusal)) {
		call_answer(call, refusal);
		return;
	}
	if (is_end) {
		take_back(call, &adoption);
		return;
	}
	if (!call_text(call, "percent")) {
		call_answer(call, reply_error(REPLY_USAGE, "adopt needs a percent of the clients, or --end"));
		return;
	}
	app = find_app(live->view, adoption.app, &refusal);
	if (app < 0 || !read_percent(call_text(call, "percent"), &adoption.share, &refusal) ||
	    !arguments_over(call, &adoption.over_s, &refusal)) {
		call_answer(call, refusal);
		return;
	}
	adoption.app = (char *)live->view->apps[app].name;
	if (!follow(call, live, app, &adoption))
		adoption.over_s = 0; // there is nothing to move
	if (!adoption.over_s)
		adoption.whence = 0;
	pending_put(call, &adoption, adopted, NULL);
}
