// discovery register; see register.h. Gathers the targets of the apps in `register`, at sites that the service's carriers
// reach, and makes the reply of the steps that its plugin has told.
#include "control/register.h"

#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "config/config.h"
#include "control/call.h"
#include "control/reply_json.h"
#include "control/target_json.h"
#include "learn/registering.h"
#include "learn/registrar.h"
#include "learn/registration.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

// ---- what is to be registered ---------------------------------------------------------------------------------------

struct gathering {
	const struct live *live;
	const struct health *health;
};

static int gather_app(const struct gathering *g, struct registration_part *part, const struct app *app,
                      char *const *carriers, size_t carrier_count)
{
	const struct view *view = g->live->view;
	struct addr list[CONFIG_ADDRESSES_MAX];
	int err = E_OK;

	for (uint32_t i = app->first_target; i < app->first_target + app->target_count && err == E_OK; i++) {
		uint16_t site = view->targets[i].site;

		if (registrar_reaches(view, site, carriers, carrier_count))
			err = registration_add(part, app->name, view->sites[site].name, list, target_json_list(g->live, g->health, i, list));
	}
	return err;
}

// An app that is not served may be one that is misspelled, or that a provider has not told of yet: it is left alone.
static void leave_unknown(struct registration_part *part, const char *app)
{
	const struct edgesteer_step step = {
		.size = sizeof(step), .action = EDGESTEER_LEAVE, .app = app,
		.text = "no app of that name is served: what is registered of it stays",
	};

	registration_take_step(part, &step);
}

// `register` may spell one app in two ways.
static bool is_there(const struct registration_part *part, const char *app)
{
	for (size_t i = 0; i < part->app_count; i++)
		if (strcmp(part->apps[i], app) == 0)
			return true;
	return false;
}

static int gather(void *ctx, struct registration_part *part, char *const *carriers, size_t carrier_count)
{
	const struct gathering *g = ctx;
	const struct registrar *registrar = part->registrar;
	int err = E_OK;

	for (size_t i = 0; i < registrar->app_count && err == E_OK; i++) {
		int app = index_find_app(g->live->view, registrar->apps[i]);

		if (app < 0) {
			leave_unknown(part, registrar->apps[i]);
			continue;
		}
		if (is_there(part, g->live->view->apps[app].name))
			continue;
		err = registration_add_app(part, g->live->view->apps[app].name);
		if (err == E_OK)
			err = gather_app(g, part, &g->live->view->apps[app], carriers, carrier_count);
	}
	return err;
}

// ---- the reply ------------------------------------------------------------------------------------------------------

struct tally {
	size_t kept, planned, done, failed; // failed: left, too
};

static json_t *step_json(const struct registration_step *step)
{
	static const char *const actions[] = {"keep", "add", "change", "remove", "leave"};
	static const char *const states[] = {"planned", "done", "failed"};
	json_t *object = reply_set(json_object(), "action", json_string(actions[step->action]));

	if (step->action != EDGESTEER_KEEP && step->action != EDGESTEER_LEAVE)
		object = reply_set(object, "state", json_string(states[step->progress]));
	object = reply_set(object, "app", reply_text(step->app));
	object = reply_set(object, "site", reply_text(step->site));
	object = reply_set(object, "endpoint", reply_text(step->endpoint));
	return reply_set(object, "text", reply_text(step->text));
}

static void count_step(const struct registration_step *step, struct tally *tally)
{
	if (step->action == EDGESTEER_KEEP)
		tally->kept++;
	else if (step->action == EDGESTEER_LEAVE || step->progress == EDGESTEER_FAILED)
		tally->failed++;
	else if (step->progress == EDGESTEER_DONE)
		tally->done++;
	else
		tally->planned++;
}

static json_t *part_json(const struct registration_part *part, struct tally *tally)
{
	json_t *object = reply_set(json_object(), "name", reply_text(part->label)), *steps = json_array();

	for (size_t i = 0; i < part->step_count; i++) {
		count_step(&part->steps[i], tally);
		steps = reply_append(steps, step_json(&part->steps[i]));
	}
	tally->failed += part->error[0] != '\0' || part->steps_lost > 0;
	object = reply_set(object, "error", reply_text(part->error[0] ? part->error : NULL));
	object = reply_set(object, "steps_not_shown", json_integer((json_int_t)part->steps_lost));
	return reply_set(object, "steps", steps);
}

// Of one or several services:
//
//   something failed  else something is as it should be, or would be  reply
//   no                nothing is to be changed                        3
//   no                otherwise                                       0
//   yes               no                                              1
//   yes               yes                                             5
static json_t *verdict(const struct registration *registration, const struct tally *tally)
{
	const char *what = registration->is_applied ? "changed" : "would be changed";
	size_t changes = tally->planned + tally->done;

	if (tally->failed > 0 && tally->kept + changes == 0)
		return reply_error(REPLY_REFUSED, "nothing %s: see what is said of each", what);
	if (tally->failed > 0)
		return reply_error(REPLY_PARTLY, "%zu of %zu endpoints %s, %zu are not as they should be: see what is said of each",
		                   changes, tally->kept + changes + tally->failed, what, tally->failed);
	if (changes == 0)
		return reply_error(REPLY_NOTHING, "all %zu endpoints are registered as they should be", tally->kept);
	return reply_ok();
}

static void done(void *ctx, const struct registration *registration)
{
	struct call *call = ctx;
	struct tally tally = {0};
	json_t *services = json_array(), *reply;

	if (!registration) {
		json_decref(services);
		call_finish(call, reply_error(REPLY_REFUSED, "the daemon is stopping: what was registered by then is in its log"));
		return;
	}
	for (size_t i = 0; i < registration->part_count; i++)
		services = reply_append(services, part_json(&registration->parts[i], &tally));
	reply = verdict(registration, &tally);
	reply = reply_set(reply, "applied", json_boolean(registration->is_applied));
	reply = reply_set(reply, "kept", json_integer((json_int_t)tally.kept));
	reply = reply_set(reply, "changes", json_integer((json_int_t)(tally.planned + tally.done)));
	reply = reply_set(reply, "failures", json_integer((json_int_t)tally.failed));
	call_finish(call, reply_set(reply, "services", services));
}

// ---- the request ----------------------------------------------------------------------------------------------------

static json_t *refusal_of(int err)
{
	switch (err) {
	case E_NOTFOUND: return reply_error(REPLY_NOTHING, "nothing to register: no entry of `discovery` has `register`");
	case E_STATE: return reply_error(REPLY_REFUSED, "a registration is already under way; try again when it has finished");
	case E_LIMIT: return reply_error(REPLY_REFUSED, "not done: the apps in `register` have more than %d targets at the "
	                                 "carrier's sites", REGISTRATION_ENDPOINTS_MAX);
	}
	return NULL; // out of memory
}

void register_begin(const struct call *call)
{
	bool is_applied = json_is_true(json_object_get(call->request, "apply"));
	struct gathering gathering = {call->ops.live(call->ops.ctx), call->ops.health};
	struct registration *registration = NULL;
	int err = !gathering.live ? E_NOMEM : !call->ops.learner ? E_NOTFOUND
	          : registering_gather(call->ops.learner, is_applied, call->who, gather, &gathering, &registration);
	struct call *kept;

	if (err < 0) {
		call_answer(call, refusal_of(err));
		return;
	}
	kept = call_keep(call);
	if (!kept)
		registration_free(registration);
	else if (registering_begin(call->ops.learner, registration, done, kept) < 0)
		call_finish(kept, reply_error(REPLY_REFUSED, "not done: there is no thread for it"));
}
