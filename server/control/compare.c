// compare; see compare.h. Another config is built on the builder's thread, plain records are compared with on the
// background one.
#include "control/compare.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/report.h"
#include "control/background.h"
#include "control/call.h"
#include "control/effect_json.h"
#include "control/find.h"
#include "control/reply_json.h"
#include "traffic/effect.h"
#include "traffic/samples.h"
#include "view/live.h"
#include "view/view.h"

// ---- another config -------------------------------------------------------------------------------------------------

struct other {
	struct call *call;
	char *app; // NULL: all
};

static json_t *other_reply(const struct call *call, int err, const struct report *report)
{
	json_t *effect, *reply;

	if (err == E_OK) {
		effect = call->ops.effect(call->ops.ctx);
		return reply_set(reply_ok(), "effect", effect ? json_incref(effect) : json_null());
	}
	if (err == E_STATE)
		return reply_error(REPLY_REFUSED, "a reload is under way; try again when it has finished");
	if (err == E_STOPPED)
		return reply_error(REPLY_REFUSED, "the daemon is stopping");
	if (err == E_NOMEM || !report || report_ok(report))
		return reply_error(REPLY_REFUSED, "the other config cannot be built: %s", err_text(err));
	reply = reply_error(REPLY_USAGE, "the other config would be refused (%zu error%s)",
	                    report_count(report, REPORT_ERROR), report_count(report, REPORT_ERROR) == 1 ? "" : "s");
	return reply;
}

static void other_built(void *ctx, int err, const struct report *report)
{
	struct other *other = ctx;
	json_t *reply = other_reply(other->call, err, report);

	call_finish(other->call, report && err != E_STATE && err != E_STOPPED ? reply_report(reply, report) : reply);
	free(other->app);
	free(other);
}

static void compare_config(const struct call *call, const struct view *view, int app)
{
	struct other *other = calloc(1, sizeof(*other));
	char *name = app < 0 ? NULL : strdup(view->apps[app].name);

	if (!other || (app >= 0 && !name)) {
		call_answer(call, NULL);
	} else if ((other->call = call_keep(call))) {
		other->app = name;
		call->ops.compare(call->ops.ctx, call_text(other->call, "config"), name, other_built, other);
		return;
	}
	free(other);
	free(name);
}

// ---- plain weighted records -----------------------------------------------------------------------------------------

struct plain {
	struct background_job job;
	struct call *call;
	struct sample_set *samples;
	json_t *effect;
};

static struct plain *plain_of(struct background_job *job)
{
	return (struct plain *)((char *)job - offsetof(struct plain, job));
}

// On the background thread. Where there is another view by now, the samples are of none that is there.
static void weigh(struct background_job *job)
{
	struct plain *plain = plain_of(job);
	const struct live *live = live_read();
	struct effect effect;

	if (!live || live->view->generation != plain->samples->generation || plain->samples->count == 0 ||
	    effect_of_plain(plain->samples, live, &effect) < 0)
		return;
	plain->effect = effect_json(&effect, plain->samples, live->view, live->view);
	effect_wipe(&effect);
}

static void weighed(struct background_job *job)
{
	struct plain *plain = plain_of(job);

	call_finish(plain->call, reply_set(reply_ok(), "effect", plain->effect ? plain->effect : json_null()));
	free(plain->samples);
	free(plain);
}

static void compare_weights(const struct call *call, int app)
{
	struct plain *plain = calloc(1, sizeof(*plain));
	struct sample_set *samples = call->ops.samples(call->ops.ctx);

	if (!plain || !samples || !(plain->call = call_keep(call))) {
		if (!plain || !samples)
			call_answer(call, NULL);
		free(samples);
		free(plain);
		return;
	}
	if (app >= 0)
		samples_of_app(samples, (uint32_t)app);
	plain->samples = samples;
	plain->job = (struct background_job){.work = weigh, .done = weighed};
	background_run(call->ops.background, &plain->job);
}

// ---- the verb -------------------------------------------------------------------------------------------------------

// NULL: nothing is wrong.
static json_t *refusal_of(const struct call *call)
{
	const char *config = call_text(call, "config");
	bool weights = json_is_true(json_object_get(call->request, "weights"));

	if (weights == (config != NULL))
		return reply_error(REPLY_USAGE, "compare takes the path of another config, or --weights");
	// Whoever may name a file would be told what is in it, and what a config starts, it starts here.
	if (config && call->is_remote)
		return reply_error(REPLY_REFUSED, "another config is compared with at the control socket only, not over HTTP");
	if (config && config[0] != '/')
		return reply_error(REPLY_USAGE, "config: '%.64s' is not an absolute path", config);
	return NULL;
}

void compare_start(const struct call *call)
{
	json_t *refusal = refusal_of(call);
	const struct live *live = refusal ? NULL : find_live(&refusal);
	const char *name = call_text(call, "app");
	int app = live && name ? find_app(live->view, name, &refusal) : -1;

	if (!live || (name && app < 0))
		call_answer(call, refusal);
	else if (call_text(call, "config"))
		compare_config(call, live->view, app);
	else
		compare_weights(call, app);
}
