// reload; see reconfigure.h.
#include "control/reconfigure.h"

#include "base/err.h"
#include "base/log.h"
#include "base/report.h"
#include "control/call.h"
#include "control/reply_json.h"
#include "view/live.h"
#include "view/view.h"

static json_t *reload_reply(const struct call *call, int err, const struct report *report)
{
	json_t *reply;

	if (err == E_OK) {
		const struct live *live = call->ops.live(call->ops.ctx);

		reply = live ? reply_set(reply_ok(), "generation", json_integer((json_int_t)live->view->generation)) : NULL;
		reply = reply_set(reply, "serving", json_boolean(live_current() != NULL));
	} else if (err == E_STATE) {
		reply = reply_error(REPLY_REFUSED, "a reload is already under way; try again when it has finished");
	} else if (err == E_STOPPED) {
		reply = reply_error(REPLY_REFUSED, "the daemon is stopping; nothing was reloaded");
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

void reconfigure_reload(const struct call *call)
{
	struct call *kept = call_keep(call);

	if (!kept)
		return;

	bool force = json_is_true(json_object_get(kept->request, "force"));

	log_notice("control: %s: reload: requested%s", kept->who, force ? ", by force" : "");
	kept->ops.reload(kept->ops.ctx, force, done, kept);
}
