// Orders and the reload; see command.h.
#include "control/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/report.h"
#include "control/call.h"
#include "control/find.h"
#include "control/impact.h"
#include "control/ops.h"
#include "control/reply_json.h"
#include "control/show.h"
#include "schema/units.h"
#include "state/state.h"
#include "view/live.h"
#include "view/view.h"

enum { APPS_NAMED_MAX = 200, DRAIN_DAYS_MAX = 3650 };

static json_t *not_saved(int err)
{
	switch (err) {
	case E_IO: return reply_error(REPLY_REFUSED, "not done: it cannot be saved in the state folder (see the log)");
	case E_LIMIT: return reply_error(REPLY_REFUSED, "not done: there are %d orders, the most there can be",
	                                 STATE_ORDERS_MAX);
	}
	return reply_error(REPLY_REFUSED, "not done: %s", err_text(err));
}

// Drains --------------------------------------------------------------------------------------------------------------

// The site and the app (-1: none) of a drain. False: *ret_refusal.
static bool find_drained(const struct call *call, const struct view *view, int *ret_site, int *ret_app,
                         json_t **ret_refusal)
{
	const char *app_name = call_text(call, "app");
	int site = find_site(view, call_text(call, "site"), ret_refusal);
	int app = site >= 0 && app_name ? find_app(view, app_name, ret_refusal) : -1;

	if (site < 0 || (app_name && (app < 0 || find_target(view, app, site, ret_refusal) < 0)))
		return false;
	*ret_site = site;
	*ret_app = app;
	return true;
}

// `until_s` from "for"; 0 without. False: *ret_refusal.
static bool read_until(const struct call *call, int64_t now_s, int64_t *ret_until_s, json_t **ret_refusal)
{
	const char *text = call_text(call, "for");
	uint64_t ms = 0;

	if (!text) {
		*ret_until_s = 0;
		return true;
	}
	if (units_parse_duration_ms(text, &ms) < 0 || ms == 0) {
		*ret_refusal = reply_error(REPLY_USAGE, "for: '%.64s' is not a time like 30m, 2h or 1d12h", text);
		return false;
	}
	if (ms > (uint64_t)DRAIN_DAYS_MAX * 86400 * 1000) {
		*ret_refusal = reply_error(REPLY_USAGE, "for: %.64s is over %dd; without it a drain stays until undrain", text,
		                           DRAIN_DAYS_MAX);
		return false;
	}
	*ret_until_s = now_s + (int64_t)((ms + 999) / 1000);
	return true;
}

static const char *app_name(const struct view *view, int app)
{
	return app < 0 ? NULL : view->apps[app].name;
}

// What an order at a site concerns.
struct concerned {
	size_t targets;
	uint32_t ttl_s;    // the largest of the apps'
	json_t *apps;      // names of the first of them
};

// What is published or, before anything is, the drains alone. Not published: *ret_own is it, the caller's to free. NULL
// without memory.
static const struct live *live_or_drains(const struct control_ops *ops, struct live **ret_own)
{
	const struct live *published = live_current();
	const struct view *view = ops->view(ops->ctx);
	struct live *own = published ? NULL : live_next();
	struct target_states *states = own ? live_states_new(view->target_count) : NULL;
	int64_t now_s = clock_wall_s();

	for (uint32_t i = 0; states && i < states->count; i++)
		if (state_drained(ops->state, view->targets[i].app->name, view->sites[view->targets[i].site].name, now_s))
			states->octets[i] = TARGET_DRAINED;
	if (states)
		*own = (struct live){.view = view, .states = states};
	*ret_own = own;
	return published ? published : states ? own : NULL;
}

static struct concerned concerned_by(const struct live *live, int site, int app)
{
	const struct view *view = live->view;
	struct concerned all = {.apps = json_array()};

	for (uint32_t i = 0; i < view->target_count; i++) {
		const struct target *target = &view->targets[i];

		if (target->site != site || (app >= 0 && target->app != &view->apps[app]))
			continue;
		all.targets++;
		if (target->app->ttl_s > all.ttl_s)
			all.ttl_s = target->app->ttl_s;
		if (all.targets <= APPS_NAMED_MAX && all.apps)
			all.apps = reply_append(all.apps, reply_text(target->app->name));
	}
	return all;
}

// An answer of the moment before lives for its TTL, and one of before a reload for the TTL it had then; whoever keeps it
// longer is not a correct cache. One second more for the fraction that the clock leaves out.
static int64_t safe_after(const struct state *state, const struct drain *drain, uint32_t ttl_s)
{
	int64_t cached_s = state_cached_s(state, drain->app, drain->site);

	return clock_wall_s() + 1 + (cached_s > ttl_s ? cached_s : ttl_s);
}

// What a drain takes the place of, looked at before it is gone.
struct replaced {
	json_t *drain;                   // null: nothing
	char warning[3 * STATE_TEXT_MAX]; // "" but where the new one ends sooner
};

static struct replaced look_at_replaced(const struct state *state, const struct drain *next)
{
	const struct drain *old = state_drain_given(state, next->app, next->site);
	struct replaced replaced = {0};

	if (old && old->until_s && old->until_s <= next->since_s)
		old = NULL; // it has run out
	replaced.drain = show_drain(old);
	if (old && next->until_s && (!old->until_s || old->until_s > next->until_s)) {
		char span[UNITS_TEXT_LEN] = "";

		if (old->until_s)
			units_format_duration_ms((uint64_t)(old->until_s - next->until_s) * 1000, span);
		snprintf(replaced.warning, sizeof(replaced.warning),
		         "this drain ends sooner than the one it replaces, which was to hold %s%s; that was by %s, reason: %s",
		         old->until_s ? span : "until undrain", old->until_s ? " longer" : "", old->who,
		         old->reason ? old->reason : "none given");
	}
	return replaced;
}

static json_t *drain_warnings(const struct live *live, int site, int app, const struct replaced *replaced)
{
	json_t *warnings = json_array();

	if (replaced->warning[0])
		warnings = reply_append(warnings, reply_text(replaced->warning));

	json_t *stranded = impact_by_drain(live, site, app);

	if (!stranded || json_array_extend(warnings, stranded) < 0) {
		json_decref(warnings);
		warnings = NULL;
	}
	json_decref(stranded);
	return warnings;
}

// Takes what is in `replaced`.
static json_t *drain_reply(const struct control_ops *ops, const struct drain *drain, int site, int app,
                           const struct replaced *replaced)
{
	struct live *own;
	const struct live *live = live_or_drains(ops, &own);

	if (!live) {
		json_decref(replaced->drain);
		return NULL;
	}

	struct concerned all = concerned_by(live, site, app);
	json_t *reply = reply_set(reply_ok(), "replaced", replaced->drain);

	reply = reply_set(reply, "site", reply_text(drain->site));
	reply = reply_set(reply, "app", reply_text(drain->app));
	reply = reply_set(reply, "reason", reply_text(drain->reason));
	reply = reply_set(reply, "who", reply_text(drain->who));
	reply = reply_set(reply, "since", reply_time(drain->since_s));
	reply = reply_set(reply, "until", reply_time(drain->until_s));
	reply = reply_set(reply, "targets", json_integer((json_int_t)all.targets));
	reply = reply_set(reply, "apps", all.apps);
	reply = reply_set(reply, "safe_after", reply_time(safe_after(ops->state, drain, all.ttl_s)));
	reply = reply_set(reply, "warnings", drain_warnings(live, site, app, replaced));
	if (own)
		free((void *)own->states);
	free(own);
	return reply;
}

json_t *command_drain(const struct call *call)
{
	json_t *refusal = NULL;
	const struct view *view = call->ops->view(call->ops->ctx);
	const char *reason = call_text(call, "reason");
	int site, app;
	struct drain drain = {.reason = (char *)reason, .who = (char *)call->who, .since_s = clock_wall_s()};

	if (!find_drained(call, view, &site, &app, &refusal) ||
	    !read_until(call, drain.since_s, &drain.until_s, &refusal))
		return refusal;
	if (reason && strlen(reason) > STATE_TEXT_MAX)
		return reply_error(REPLY_USAGE, "reason: longer than %d bytes", STATE_TEXT_MAX);
	drain.site = (char *)view->sites[site].name;
	drain.app = (char *)app_name(view, app);

	struct replaced replaced = look_at_replaced(call->ops->state, &drain);
	int err = state_drain(call->ops->state, &drain);

	if (err < 0) {
		json_decref(replaced.drain);
		return not_saved(err);
	}
	call->ops->orders_changed(call->ops->ctx);
	return drain_reply(call->ops, &drain, site, app, &replaced);
}

// Why there is nothing to undrain.
static json_t *nothing_drained(const struct call *call, const struct view *view, const char *site,
                               const char *app)
{
	json_t *refusal = NULL;

	if (find_site(view, site, &refusal) < 0 || (app && find_app(view, app, &refusal) < 0))
		return refusal;
	if (!app)
		return reply_error(REPLY_REFUSED, "%.255s is not drained", site);
	if (state_drained(call->ops->state, NULL, site, clock_wall_s()))
		return reply_error(REPLY_REFUSED, "%.255s is not drained by itself at %.255s: the whole site is", app, site);
	return reply_error(REPLY_REFUSED, "%.255s is not drained at %.255s", app, site);
}

// The targets that an undrain is about, and which of them were drained before it.
struct lifting {
	const struct view *view;
	int site, app;     // -1: the view has none of the name
	bool every_app;
	bool *was_drained; // by target number
};

static bool is_lifted(const struct lifting *lifting, uint32_t number)
{
	const struct target *target = &lifting->view->targets[number];

	return target->site == lifting->site &&
	       (lifting->every_app || (lifting->app >= 0 && target->app == &lifting->view->apps[lifting->app]));
}

static bool is_drained_now(const struct state *state, const struct view *view, uint32_t number, int64_t now_s)
{
	const struct target *target = &view->targets[number];

	return state_drained(state, target->app->name, view->sites[target->site].name, now_s) != NULL;
}

// False without memory.
static bool look_at_drained(const struct state *state, struct lifting *lifting, int64_t now_s)
{
	const struct view *view = lifting->view;

	lifting->was_drained = calloc((size_t)view->target_count + 1, sizeof(bool));
	for (uint32_t i = 0; lifting->was_drained && i < view->target_count; i++)
		lifting->was_drained[i] = is_lifted(lifting, i) && is_drained_now(state, view, i, now_s);
	return lifting->was_drained;
}

static json_t *undrain_reply(const struct control_ops *ops, const struct lifting *lifting, const char *site,
                             const char *app, int64_t now_s)
{
	const struct live *live = live_current(); // NULL: health is not known yet
	const struct view *view = lifting->view;
	json_t *reply = reply_ok(), *apps = json_array();
	json_int_t lifted = 0, up = 0, still = 0;

	for (uint32_t i = 0; i < view->target_count; i++) {
		if (!lifting->was_drained[i])
			continue;
		if (is_drained_now(ops->state, view, i, now_s)) {
			still++;
			continue;
		}
		up += live && live_state(live, i) == 0;
		if (++lifted <= APPS_NAMED_MAX)
			apps = reply_append(apps, reply_text(view->targets[i].app->name));
	}
	reply = reply_set(reply, "site", reply_text(site));
	reply = reply_set(reply, "app", reply_text(app));
	reply = reply_set(reply, "targets", json_integer(lifted));
	reply = reply_set(reply, "up", live ? json_integer(up) : json_null());
	reply = reply_set(reply, "still_drained", json_integer(still));
	return reply_set(reply, "apps", apps);
}

json_t *command_undrain(const struct call *call)
{
	// The state is asked, not the view: what a reload took out of the config can still be undrained.
	const struct view *view = call->ops->view(call->ops->ctx);
	struct state *state = call->ops->state;
	const char *site = call_text(call, "site"), *app = call_text(call, "app");
	int64_t now_s = clock_wall_s();
	json_t *ignored = NULL;
	struct lifting lifting = {.view = view, .site = view_find_site(view, site), .app = -1, .every_app = !app};

	if (app && (lifting.app = find_app(view, app, &ignored)) >= 0)
		app = view->apps[lifting.app].name;
	json_decref(ignored);
	if (!look_at_drained(state, &lifting, now_s))
		return NULL;

	int err = state_undrain(state, site, app);
	json_t *reply;

	if (err == E_NOTFOUND) {
		reply = nothing_drained(call, view, site, app);
	} else if (err < 0) {
		reply = not_saved(err);
	} else {
		call->ops->orders_changed(call->ops->ctx);
		reply = undrain_reply(call->ops, &lifting, site, app, now_s);
	}
	free(lifting.was_drained);
	return reply;
}

// Forces --------------------------------------------------------------------------------------------------------------

static bool read_to(const char *text, enum force_to *ret_to)
{
	static const char *const words[] = {[FORCE_AUTO] = "auto", [FORCE_UP] = "up", [FORCE_DOWN] = "down"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i], text) == 0) {
			*ret_to = (enum force_to)i;
			return true;
		}
	}
	return false;
}

static json_t *force_reply(const struct force *force, const char *to)
{
	const struct live *live = live_current();
	int target = live ? view_find_target(live->view, force->app, force->site) : -1;
	json_t *reply = reply_ok();

	reply = reply_set(reply, "app", reply_text(force->app));
	reply = reply_set(reply, "site", reply_text(force->site));
	reply = reply_set(reply, "to", reply_text(to));
	reply = reply_set(reply, "state", target < 0 ? json_null() : json_string(live_state_text(live_state(live, target))));
	if (target < 0 || !(live_state(live, target) & TARGET_DOWN))
		return reply_set(reply, "warnings", json_array());

	const struct target *down = &live->view->targets[target];

	return reply_set(reply, "warnings", impact_by_down(live, down->site, (int)(down->app - live->view->apps)));
}

json_t *command_force(const struct call *call)
{
	json_t *refusal = NULL;
	const struct view *view = call->ops->view(call->ops->ctx);
	const char *to = call_text(call, "to");
	struct force force = {.app = (char *)call_text(call, "app"), .site = (char *)call_text(call, "site"),
	                      .who = (char *)call->who, .since_s = clock_wall_s()};

	if (!read_to(to, &force.to))
		return reply_error(REPLY_USAGE, "to: '%.64s' is not up, down or auto", to);

	int app = find_app(view, force.app, &refusal);
	int site = app >= 0 ? find_site(view, force.site, &refusal) : -1;
	bool there = site >= 0 && find_target(view, app, site, &refusal) >= 0;

	if (app >= 0)
		force.app = (char *)view->apps[app].name;
	if (!there && force.to != FORCE_AUTO) // a force of what a reload took out of the config can still be lifted
		return refusal;

	int err = state_force(call->ops->state, &force);

	if (err == E_NOTFOUND && !there)
		return refusal;
	json_decref(refusal);
	if (err == E_NOTFOUND)
		return reply_error(REPLY_REFUSED, "%s at %s is not forced", force.app, force.site);
	if (err < 0)
		return not_saved(err);
	call->ops->orders_changed(call->ops->ctx);
	return force_reply(&force, to);
}

// Reload --------------------------------------------------------------------------------------------------------------

// Outlives the connection that asked, and the socket.
struct reload_request {
	void (*reply)(void *ctx, json_t *reply);
	void *reply_ctx;
	char *who;
	struct control_ops ops;
};

static json_t *reload_reply(const struct control_ops *ops, int err, const struct report *report)
{
	json_t *reply;

	if (err == E_OK) {
		reply = reply_set(reply_ok(), "generation", json_integer((json_int_t)ops->view(ops->ctx)->generation));
		reply = reply_set(reply, "serving", json_boolean(live_current() != NULL));
	} else if (err == E_STATE) {
		reply = reply_error(REPLY_REFUSED, "a reload is under way; try again when it is done");
	} else if (err != E_NOMEM && report && !report_ok(report)) {
		reply = reply_error(REPLY_USAGE, "the config is refused (%zu error%s); what was served is served on",
		                    report_count(report, REPORT_ERROR),
		                    report_count(report, REPORT_ERROR) == 1 ? "" : "s");
	} else {
		reply = reply_error(REPLY_REFUSED, "the reload failed: %s; what was served is served on", err_text(err));
	}
	// Whatever else went wrong has been said, and the report says it once more.
	return report && (err == E_OK || err == E_INVAL) ? reply_report(reply, report) : reply;
}

static void reload_done(void *ctx, int err, const struct report *report)
{
	struct reload_request *reload = ctx;

	if (err == E_OK)
		log_notice("control: %s: reload: done", reload->who);
	else
		log_warning("control: %s: reload: refused: %s", reload->who, err_text(err));
	reload->reply(reload->reply_ctx, reload_reply(&reload->ops, err, report));
	free(reload->who);
	free(reload);
}

void command_reload(const struct call *call)
{
	struct reload_request *reload = calloc(1, sizeof(*reload));
	char *who = strdup(call->who);

	if (!reload || !who) {
		free(reload);
		free(who);
		call->reply(call->reply_ctx, NULL);
		return;
	}
	*reload = (struct reload_request){call->reply, call->reply_ctx, who, *call->ops};
	log_notice("control: %s: reload: asked for", who);
	call->ops->reload(call->ops->ctx, reload_done, reload);
}
