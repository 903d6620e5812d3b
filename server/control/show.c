// status, sites, explain, stats, version; see show.h. Of apps and their targets: show_apps.c.
#include "control/show.h"

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/must.h"
#include "config/config.h"
#include "control/adopt.h"
#include "control/call.h"
#include "control/cover.h"
#include "control/dangling.h"
#include "control/explain.h"
#include "control/explain_what_if.h"
#include "control/find.h"
#include "control/ops.h"
#include "control/pushed.h"
#include "control/reply_json.h"
#include "control/reports.h"
#include "health/health.h"
#include "health/judge.h"
#include "state/state.h"
#include "view/handouts.h"
#include "view/live.h"
#include "view/view.h"

static json_t *show_force(const struct override *force)
{
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "app", reply_text(force->app), "site", reply_text(force->site),
	                 "to", override_force_text(force->to), "who", reply_text(force->who), "by", reply_text(force->by),
	                 "reason", reply_text(force->reason), "since", reply_time(force->since_s));
}

// Targets counted by state.
struct counts {
	size_t total, up, down, drained;
	uint64_t answers; // that contained one of them; of sites only
};

static void count_state(struct counts *counts, uint8_t state)
{
	counts->total++;
	counts->drained += (state & TARGET_DRAINED) != 0;
	counts->down += !live_state_is_up(state) && !(state & TARGET_DRAINED);
	counts->up += live_state_is_up(state);
}

static json_t *counts_json(const struct counts *counts)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "total", (json_int_t)counts->total, "up", (json_int_t)counts->up, "down",
	                 (json_int_t)counts->down, "drained", (json_int_t)counts->drained);
}

// ---- status ---------------------------------------------------------------------------------------------------------

// Takes ownership of the object.
static json_t *set_dangling(json_t *object, const char *why)
{
	return why ? reply_set(object, "no_effect", json_string(why)) : object;
}

// What was taken back in memory only, and holds again after a restart.
static json_t *removed_json(const struct state *state)
{
	json_t *list = json_array();

	for (size_t i = 0; i < state_removed_count(state) && i < SHOW_OVERRIDES_MAX; i++)
		list = reply_append(list, reply_drain(state_removed_at(state, i)));
	return list;
}

// Takes ownership of the reply. Adds up to SHOW_OVERRIDES_MAX overrides starting at number `from`; "next", if any are
// left, is the "from" of the next part.
static json_t *set_overrides(json_t *reply, const struct control_ops *ops, size_t from)
{
	const struct state *state = ops->state;
	const struct live *live = ops->live(ops->ctx);
	size_t count = state_override_count(state), end = from + SHOW_OVERRIDES_MAX;
	json_t *drains = json_array(), *forces = json_array(), *adoptions = json_array();
	json_int_t counts[OVERRIDE_KINDS] = {0};
	int64_t now_s = clock_wall_s();

	if (!live) {
		json_decref(drains);
		json_decref(forces);
		json_decref(adoptions);
		json_decref(reply);
		return NULL;
	}

	for (size_t i = 0; i < count; i++)
		counts[state_override_at(state, i)->kind]++;
	for (size_t i = from; i < count && i < end; i++) {
		const struct override *override = state_override_at(state, i);
		const char *why = dangling_why(live->view, override);

		if (override->kind == OVERRIDE_FORCE)
			forces = reply_append(forces, set_dangling(show_force(override), why));
		else if (override->kind == OVERRIDE_ADOPT)
			adoptions = reply_append(adoptions, set_dangling(adopt_json(override), why));
		else if (override_holds(override, now_s))
			drains = reply_append(drains, set_dangling(reply_drain(override), why));
	}
	reply = reply_set(reply, "drain_count", json_integer(counts[OVERRIDE_DRAIN]));
	reply = reply_set(reply, "drains", drains);
	reply = reply_set(reply, "volatile_count", json_integer((json_int_t)state_volatile_count(state)));
	reply = reply_set(reply, "volatile_undrain_count", json_integer((json_int_t)state_removed_count(state)));
	if (state_removed_count(state))
		reply = reply_set(reply, "volatile_undrains", removed_json(state));
	reply = reply_set(reply, "force_count", json_integer(counts[OVERRIDE_FORCE]));
	reply = reply_set(reply, "forces", forces);
	reply = reply_set(reply, "adopt_count", json_integer(counts[OVERRIDE_ADOPT]));
	reply = reply_set(reply, "adoptions", adoptions);
	reply = reply_set(reply, "overrides_revision", json_integer((json_int_t)state_revision(state)));
	return count > end ? reply_set(reply, "next", json_integer((json_int_t)end)) : reply;
}

static json_t *locate_json(const struct places *places)
{
	json_t *list = json_array();

	for (size_t i = 0; i < places->sources; i++)
		list = reply_append(list, json_pack("{s:o, s:I}", "name", reply_text(places->source_names[i]), "prefixes",
		                                    (json_int_t)places->source_prefixes[i]));
	return list;
}

static json_t *states_json(const struct live *live, const struct health *health)
{
	struct counts counts = {0};

	for (uint32_t i = 0; i < live->states->count; i++)
		count_state(&counts, live_state(live, i));
	return reply_set(counts_json(&counts), "unchecked", json_integer((json_int_t)health_unchecked(health)));
}

static json_t *health_json(const struct health *health)
{
	struct health_stats stats;

	health_stats(health, &stats);
	return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I}", "settled", health_settled(health), "probes",
	                 (json_int_t)stats.probes, "failures", (json_int_t)stats.failures, "late",
	                 (json_int_t)stats.late, "under_way", (json_int_t)stats.under_way, "waiting",
	                 (json_int_t)stats.waiting);
}

// What vantages and the brake do to it. Takes ownership of the reply.
static json_t *set_judged(json_t *reply, const struct judge *judge)
{
	struct judge_stats stats;

	judge_stats(judge, &stats);
	reply = reply_set(reply, "vantages", json_integer(stats.vantages));
	reply = reply_set(reply, "targets_held", json_integer(stats.held));
	reply = reply_set(reply, "targets_damped", json_integer(stats.damped));
	reply = reply_set(reply, "targets_panicking", json_integer(stats.panicking));
	return reply_set(reply, "brakes", reports_brakes(judge));
}

// Takes ownership of the reply. Adds nothing when no file was damaged.
static json_t *set_damage(json_t *reply, const struct state *state)
{
	struct state_damage damage;
	json_t *object;

	if (state_damage(state, &damage) < 0)
		return reply_set(reply, "overrides_damaged", json_pack("{s:n}", "file"));
	if (!damage.path && !damage.is_counted)
		return reply;
	object = json_pack("{s:o, s:o, s:I}", "file", reply_text(damage.path), "time", reply_time(damage.time_s), "files",
	                   (json_int_t)damage.files);
	free(damage.path);
	if (damage.is_counted) {
		object = reply_set(object, "kept", json_integer((json_int_t)damage.kept));
		object = reply_set(object, "lost", json_integer((json_int_t)damage.lost));
		if (damage.is_lost_unknown) // there may be more
			object = reply_set(object, "lost_unknown", json_true());
	}
	return reply_set(reply, "overrides_damaged", object);
}

// Takes ownership of the reply. Adds nothing if all can be saved.
static json_t *set_trouble(json_t *reply, const struct state *state)
{
	struct state_trouble trouble;

	if (state_failing_s(state))
		reply = reply_set(reply, "not_kept_since", reply_time(state_failing_s(state)));
	if (!state_trouble(state, &trouble))
		return reply;
	return reply_set(reply, "changes_refused", json_pack("{s:o, s:o}", "since", reply_time(trouble.since_s), "why",
	                                                     reply_text(trouble.why)));
}

// Takes ownership of the object; adds what every reply has.
static json_t *as_reply(json_t *object)
{
	return reply_set(object, "ok", json_true());
}

// Takes ownership of the reply. What daemons that serve the same have the same.
static json_t *set_digests(json_t *reply, const struct config *config)
{
	if (!config)
		return reply;
	if (config->base)
		config = config->base; // without what has come by itself
	return reply_set(reply, "digests",
	                 json_pack("{s:s, s:o}", "config", config->digest, "files",
	                           config->feeds_digest[0] ? json_string(config->feeds_digest) : json_null()));
}

json_t *show_status(const struct call *call)
{
	const struct control_ops *ops = &call->ops;
	const struct live *live = live_current();
	json_int_t from = call_number(call, "from");

	if (from > 0) // everything but the lists was in the first part
		return set_overrides(reply_ok(), ops, from < STATE_OVERRIDES_MAX ? (size_t)from : STATE_OVERRIDES_MAX);

	json_t *reply = as_reply(ops->status(ops->ctx));

	if (live) {
		reply = reply_set(reply, "states", states_json(live, ops->health));
		reply = reply_set(reply, "locate", locate_json(live->view->places));
	}
	reply = set_digests(reply, ops->config(ops->ctx));
	reply = reply_set(reply, "health", health_json(ops->health));
	reply = ops->judge ? set_judged(reply, ops->judge) : reply;
	return set_overrides(set_trouble(set_damage(reply, ops->state), ops->state), ops, 0);
}

json_t *show_version(const struct call *call)
{
	json_t *facts = call->ops.status(call->ops.ctx);
	json_t *version = json_incref(json_object_get(facts, "version"));

	json_decref(facts);
	return reply_set(reply_ok(), "version", version);
}

json_t *show_stats(const struct call *call)
{
	return as_reply(call->ops.stats(call->ops.ctx));
}

// ---- sites ----------------------------------------------------------------------------------------------------------

static json_t *reach_json(const struct view *view, const struct site *site)
{
	if (site->is_public)
		return json_string("public");

	json_t *carriers = json_array();

	for (unsigned i = 0; i < site->carrier_count; i++)
		carriers = reply_append(carriers, reply_text(names_text(view->places->carriers, site->carriers[i])));
	return carriers;
}

static json_t *site_json(const struct view *view, const struct site *site, const struct counts *counts,
                         const struct override *drain)
{
	json_t *object = json_object();

	object = reply_set(object, "name", reply_text(site->name));
	object = reply_set(object, "kind", json_string(site_kind_text(site->kind)));
	object = reply_set(object, "region", reply_text(site->region[0] ? site->region : NULL));
	object = reply_set(object, "reach", reach_json(view, site));
	if (!isnan(site->latitude) && !isnan(site->longitude))
		object = reply_set(object, "location", json_pack("[f, f]", site->latitude, site->longitude));
	object = reply_set(object, "targets", counts_json(counts));
	object = reply_set(object, "answers", json_integer((json_int_t)counts->answers));
	return reply_set(object, "drained", reply_drain(drain));
}

json_t *show_sites(const struct call *call)
{
	json_t *refusal = NULL, *list = json_array();
	const struct live *live = find_live(&refusal);
	const char *name = call_text(call, "site");
	int only = live && name ? find_site(live->view, name, &refusal) : -1;

	if (!live || (name && only < 0)) {
		json_decref(list);
		return refusal;
	}

	const struct view *view = live->view;
	struct counts *counts = calloc(view->site_count + 1, sizeof(*counts));
	int64_t now_s = clock_wall_s();

	if (!counts) {
		json_decref(list);
		return NULL;
	}
	must(live->states->count == view->target_count);
	for (uint32_t i = 0; i < live->states->count; i++) {
		must(view->targets[i].site < view->site_count);
		count_state(&counts[view->targets[i].site], live_state(live, i));
		counts[view->targets[i].site].answers += handouts_of(view->handouts, view->targets[i].handouts);
	}
	for (uint32_t i = 0; i < view->site_count; i++)
		if (only < 0 || (uint32_t)only == i)
			list = reply_append(list, pushed_set_ceilings(&call->ops, NULL, view->sites[i].name,
			                                              site_json(view, &view->sites[i], &counts[i],
			                                                        cover_drained(call->ops.state, view, NULL, i, now_s))));
	free(counts);
	return reply_set(reply_ok(), "sites", list);
}

// ---- explain --------------------------------------------------------------------------------------------------------

json_t *show_explain(const struct call *call)
{
	json_t *refusal = NULL;
	const struct live *live = find_live(&refusal);
	const char *client = call_text(call, "client");
	struct prefix prefix;

	if (!live)
		return refusal;
	if (prefix_parse(client, &prefix, NULL) < 0)
		return reply_error(REPLY_USAGE, "client: '%.64s' is not an address or a prefix like 192.0.2.0/24", client);

	json_t *steps = call_text(call, "without") ? explain_what_if(call, live, &prefix, &refusal)
	                : explain_query(live, call->ops.state, call->ops.health, call->ops.judge, call->ops.learner,
	                              call_text(call, "name"), &prefix);
	const char *error = json_string_value(json_object_get(steps, "error"));

	if (refusal)
		return refusal;
	if (!error)
		return as_reply(steps);
	refusal = reply_error(REPLY_REFUSED, "%s", error);
	json_decref(steps);
	return refusal;
}
