// The apps and each of their targets: its configuration, its state and its last probe; see show.h.
#include "base/clock.h"
#include "base/must.h"
#include "config/config.h"
#include "control/adopt.h"
#include "control/call.h"
#include "control/cover.h"
#include "control/find.h"
#include "control/ops.h"
#include "control/pushed.h"
#include "control/reply_json.h"
#include "control/show.h"
#include "control/target_json.h"
#include "health/health.h"
#include "state/state.h"
#include "view/handouts.h"
#include "view/live.h"
#include "view/view.h"

// What a reply is made from.
struct source {
	const struct control_ops *ops;
	const struct live *live;
	const struct config *config; // NULL: it is not the config of the view
	int only_site;               // -1: every site
	int64_t now_s;
};

static const struct config_target *config_target(const struct source *source, uint32_t app, uint32_t slot)
{
	if (!source->config)
		return NULL;
	must(app < source->config->app_count && slot < source->config->apps[app].target_count);
	return &source->config->apps[app].targets[slot];
}

// Whether the prober's targets are those of the view.
static bool has_health(const struct source *source)
{
	return health_count(source->ops->health) == source->live->states->count;
}

static json_t *health_json(const struct source *source, uint32_t number, const struct config_target *written)
{
	if (!has_health(source))
		return json_null();

	const struct health_target *health = health_target(source->ops->health, number);
	json_t *object = json_object();

	if (!health->checked)
		return json_decref(object), json_null();
	if (written && written->check >= 0)
		object = reply_set(object, "check", reply_text(source->config->checks[written->check].name));
	object = target_json_shown(object, health);
	return reply_set(object, "addresses", target_json_probed(source->ops->health, number));
}

static json_t *addresses_json(const struct source *source, uint32_t number, const struct config_target *written)
{
	json_t *list;
	char text[ADDR_TEXT_LEN];

	if (!written->cname && written->address_count == 0 && has_health(source)) // they come at run time
		return target_json_addresses(source->live, source->ops->health, number);
	list = json_array();
	for (size_t i = 0; i < written->address_count; i++)
		list = reply_append(list, reply_text(addr_format(&written->addresses[i], text)));
	return list;
}

static json_t *target_json(const struct source *source, uint32_t app, uint32_t slot)
{
	const struct view *view = source->live->view;
	uint32_t number = view->apps[app].first_target + slot;
	const char *app_name = view->apps[app].name, *site = view->sites[view->targets[number].site].name;
	const struct config_target *written = config_target(source, app, slot);
	json_t *object = json_object();

	object = reply_set(object, "site", reply_text(site));
	object = target_json_state(object, source->live, source->ops->state, source->ops->judge, number);
	if (written) {
		object = reply_set(object, "addresses", addresses_json(source, number, written));
		if (written->alias)
			object = reply_set(object, "alias", reply_text(written->alias));
		if (written->cname)
			object = reply_set(object, "cname", reply_text(written->cname));
		if (written->from) {
			object = reply_set(object, "provider", reply_text(written->from));
			object = reply_set(object, "provider_says", target_json_ready(source->ops->provide, app_name, site));
		}
		if (source->config->apps[app].weighted)
			object = reply_set(object, "weight", json_integer(written->weight));
	}
	object = reply_set(object, "answers",
	                   json_integer((json_int_t)handouts_of(view->handouts, view->targets[number].handouts)));
	object = reply_set(object, "last_answer", reply_time(source->ops->last_answer_s(source->ops->ctx, number)));
	object = reply_set(object, "health", health_json(source, number, written));
	if (written && (written->ceiling || written->load_ceiling))
		object = pushed_set_ceilings(source->ops, app_name, site, object);
	return reply_set(object, "drained", reply_drain(cover_drained(source->ops->state, view, app_name, view->targets[number].site, source->now_s)));
}

// NULL when the app has no target at the only site asked for, or when out of memory, and then *ret_ok is false.
static json_t *app_json(const struct source *source, uint32_t number, bool *ret_ok)
{
	const struct app *app = &source->live->view->apps[number];
	json_t *targets = json_array();

	for (uint32_t slot = 0; slot < app->target_count; slot++)
		if (source->only_site < 0 ||
		    source->live->view->targets[app->first_target + slot].site == source->only_site)
			targets = reply_append(targets, target_json(source, number, slot));
	*ret_ok = targets != NULL;
	if (json_array_size(targets) == 0 && source->only_site >= 0) {
		json_decref(targets);
		return NULL;
	}

	json_t *object = json_object();

	object = reply_set(object, "name", reply_text(app->name));
	object = reply_set(object, "ttl_s", json_integer(app->ttl_s));
	object = reply_set(object, "adopt", adopt_of_app(source->live, source->ops->state, app,
	                                                 source->config ? &source->config->apps[number] : NULL));
	object = reply_set(object, "targets", targets);
	*ret_ok = object != NULL;
	return object;
}

// The addresses that are probed of the app's targets, but for the first of each: they take as much room as a target.
static size_t more_addresses(const json_t *app)
{
	const json_t *target;
	size_t i, more = 0;

	json_array_foreach(json_object_get(app, "targets"), i, target) {
		size_t count = json_array_size(json_object_get(json_object_get(target, "health"), "addresses"));

		more += count > 1 ? count - 1 : 0;
	}
	return more;
}

// Apps first..last, as many as fit into one reply. NULL: out of memory.
static json_t *page(const struct source *source, uint32_t first, uint32_t last)
{
	const struct view *view = source->live->view;
	json_t *reply = reply_ok(), *list = json_array();
	size_t targets = 0;
	uint32_t i;
	bool ok = true;

	must(first <= last && last < view->app_count);
	for (i = first; i <= last && ok && targets < SHOW_TARGETS_MAX; i++) {
		json_t *app = app_json(source, i, &ok);

		targets += view->apps[i].target_count + more_addresses(app);
		if (app)
			list = reply_append(list, app);
	}
	if (!ok || !list) {
		json_decref(list);
		json_decref(reply);
		return NULL;
	}
	reply = reply_set(reply, "generation", json_integer((json_int_t)view->generation));
	reply = reply_set(reply, "apps", list);
	return i <= last ? reply_set(reply, "next", json_integer(i)) : reply;
}

json_t *show_apps(const struct call *call)
{
	json_t *refusal = NULL;
	const struct live *live = find_live(&refusal);
	const char *app_name = call_text(call, "app"), *site_name = call_text(call, "site");
	json_int_t from = call_number(call, "from");

	if (!live)
		return refusal;

	const struct config *config = call->ops.config(call->ops.ctx);
	struct source source = {&call->ops, live, config && config->app_count == live->view->app_count ? config : NULL, -1,
	                        clock_wall_s()};
	int app = app_name ? find_app(live->view, app_name, &refusal) : -1;

	if (app_name && app < 0)
		return refusal;
	if (site_name && (source.only_site = find_site(live->view, site_name, &refusal)) < 0)
		return refusal;
	if (app >= 0)
		return page(&source, (uint32_t)app, (uint32_t)app);
	if (from >= live->view->app_count || live->view->app_count == 0)
		return reply_set(reply_set(reply_ok(), "generation", json_integer((json_int_t)live->view->generation)), "apps",
		                 json_array());
	return page(&source, (uint32_t)from, live->view->app_count - 1);
}
