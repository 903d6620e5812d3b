// reload and learned forget; see reconfigure.h.
#include "control/reconfigure.h"

#include "base/addr.h"
#include "base/err.h"
#include "base/log.h"
#include "base/report.h"
#include "control/arguments.h"
#include "control/call.h"
#include "control/reply_json.h"
#include "learn/learner.h"
#include "view/live.h"
#include "view/view.h"

static json_t *effect_of_build(const struct call *call)
{
	json_t *effect = call->ops.effect ? call->ops.effect(call->ops.ctx) : NULL;

	return effect ? json_incref(effect) : json_null();
}

static json_t *reload_reply(const struct call *call, int err, const struct report *report)
{
	json_t *reply;

	if (err == E_OK) {
		const struct live *live = call->ops.live(call->ops.ctx);

		reply = live ? reply_set(reply_ok(), "generation", json_integer((json_int_t)live->view->generation)) : NULL;
		reply = reply_set(reply, "serving", json_boolean(live_current() != NULL));
		reply = reply_set(reply, "effect", effect_of_build(call));
	} else if (err == E_STATE) {
		reply = reply_error(REPLY_REFUSED, "a reload is already under way; try again when it has finished");
	} else if (err == E_STOPPED) {
		reply = reply_error(REPLY_REFUSED, "the daemon is stopping; nothing was reloaded");
	} else if (err == E_HELD) {
		reply = reply_error(REPLY_REFUSED, "the reload is held: it would move more of the recent queries than `guard` allows; the "
		                                   "previous generation stays in service");
		reply = reply_set(reply_set(reply, "held", json_true()), "effect", effect_of_build(call));
	} else if (err != E_NOMEM && report && !report_ok(report)) {
		reply = reply_error(REPLY_USAGE,
		                    "the config is refused (%zu error%s); the previous generation stays in service",
		                    report_count(report, REPORT_ERROR),
		                    report_count(report, REPORT_ERROR) == 1 ? "" : "s");
	} else {
		reply = reply_error(REPLY_REFUSED, "the reload failed: %s; the previous generation stays in service",
		                    err_text(err));
	}
	// For those two the text above says it all.
	return report && err != E_STATE && err != E_STOPPED ? reply_report(reply, report) : reply;
}

static void done(void *ctx, int err, const struct report *report)
{
	struct call *call = ctx;

	call_finish(call, reload_reply(call, err, report));
}

// A check of what would be held is refused as a reload would be, so that scripts can go by it, but shows the effect.
static void checked(void *ctx, int err, const struct report *report)
{
	struct call *call = ctx;
	json_t *reply;

	if (err != E_OK && err != E_HELD) {
		call_finish(call, reload_reply(call, err, report));
		return;
	}
	reply = err == E_OK ? reply_ok()
	                    : reply_error(REPLY_REFUSED, "a reload would be held: it would move more of the recent queries than `guard` "
	                                                 "allows");
	reply = reply_set(reply, "would_be_taken", json_boolean(err == E_OK));
	reply = reply_set(reply, "effect", effect_of_build(call));
	call_finish(call, report ? reply_report(reply, report) : reply);
}

void reconfigure_reload(const struct call *call)
{
	struct call *kept = call_keep(call);

	if (!kept)
		return;

	bool force = json_is_true(json_object_get(kept->request, "force"));
	bool check = json_is_true(json_object_get(kept->request, "check"));

	if (force && check) {
		call_finish(kept, reply_error(REPLY_USAGE, "reload takes force or check, not both"));
		return;
	}
	log_notice("control: %s: reload: requested%s", kept->who, force ? ", by force" : check ? ", to be looked at only" : "");
	kept->ops.reload(kept->ops.ctx, force ? CONTROL_RELOAD_FORCE : check ? CONTROL_RELOAD_CHECK : CONTROL_RELOAD,
	                 check ? checked : done, kept);
}

static json_t *rollback_reply(const struct call *call, int err)
{
	const struct live *live = call->ops.live(call->ops.ctx);
	json_t *reply;

	if (err == E_STATE)
		return reply_error(REPLY_REFUSED, "a reload that somebody has asked for is under way; try again when it has finished");
	if (err == E_STOPPED)
		return reply_error(REPLY_REFUSED, "the daemon is stopping; nothing was rolled back");
	if (err < 0)
		return reply_error(REPLY_REFUSED, "the rollback failed: %s; the generation in use stays in service", err_text(err));
	reply = live ? reply_set(reply_ok(), "generation", json_integer((json_int_t)live->view->generation)) : NULL;
	reply = reply_set(reply, "serving", json_boolean(live_current() != NULL));
	return reply_set(reply, "effect", effect_of_build(call));
}

static void rolled_back(void *ctx, int err, const struct report *report)
{
	struct call *call = ctx;
	json_t *reply = rollback_reply(call, err);

	call_finish(call, report && err != E_STATE && err != E_STOPPED ? reply_report(reply, report) : reply);
}

void reconfigure_rollback(const struct call *call)
{
	struct override texts = {0};
	json_t *refusal = NULL;
	struct call *kept;
	int err;

	if (!arguments_texts(call, true, &texts, &refusal)) {
		call_answer(call, refusal);
		return;
	}
	kept = call_keep(call);
	if (!kept)
		return;
	log_notice("control: %s: rollback: requested", kept->who);
	err = kept->ops.rollback(kept->ops.ctx, kept->who, call_text(kept, "by"), call_text(kept, "reason"), rolled_back, kept);
	if (err == E_NOTFOUND)
		call_finish(kept, reply_error(REPLY_NOTHING, "there is nothing to go back to: nothing was reloaded since the start, it was "
		                                             "rolled back already, or the config has `server.rollback: off`"));
	else if (err < 0)
		call_finish(kept, NULL);
}

json_t *reconfigure_forget(const struct call *call)
{
	const char *text = call_text(call, "prefix");
	bool all = json_is_true(json_object_get(call->request, "all"));
	struct prefix prefix;
	size_t count;

	if (all == (text != NULL))
		return reply_error(REPLY_USAGE, "learned forget needs a prefix, or --all");
	if (text && prefix_parse(text, &prefix, NULL) < 0)
		return reply_error(REPLY_USAGE, "'%.64s' is not a prefix like 192.0.2.0/24", text);
	count = call->ops.learner ? learner_forget(call->ops.learner, text ? &prefix : NULL) : 0;
	if (count == 0)
		return reply_error(REPLY_NOTHING, text ? "nothing is learned of %.64s; `learned` lists the prefixes" : "nothing is learned%s",
		                   text ? text : "");
	return reply_set(reply_ok(), "forgotten", json_integer((json_int_t)count));
}
