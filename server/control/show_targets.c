// What each target is answered with: its addresses, where they are from, how old they are, and which were refused; see
// show.h.
#include "base/clock.h"
#include "base/must.h"
#include "config/config.h"
#include "config/site_blocks.h"
#include "control/call.h"
#include "control/find.h"
#include "control/ops.h"
#include "control/reply_json.h"
#include "control/show.h"
#include "control/target_json.h"
#include "health/health.h"
#include "resolve/resolve.h"
#include "view/answers.h"
#include "view/live.h"
#include "view/view.h"

// What a reply is made from.
struct source {
	const struct control_ops *ops;
	const struct live *live;
	const struct config *config;
};

// Of some addresses those that the site may not have; those that it has in spite of that, with `is_taken`.
static json_t *refused_json(const struct config_site *site, const struct addr *list, size_t count, bool is_taken)
{
	const enum site_blocks_verdict wanted = is_taken ? SITE_BLOCKS_WARN : SITE_BLOCKS_REFUSE;
	json_t *array = json_array();
	char text[ADDR_TEXT_LEN];
	const char *why;

	for (size_t i = 0; i < count; i++)
		if (site_blocks_check(site, &list[i], &why) == wanted)
			array = reply_append(array, json_pack("{s:s, s:s}", "address", addr_format(&list[i], text), "why", why));
	return array;
}

static json_t *set_refused(json_t *object, const struct config_site *site, const struct addr *list, size_t count)
{
	object = reply_set(object, "refused", refused_json(site, list, count, false));
	return reply_set(object, "outside", refused_json(site, list, count, true));
}

// Takes ownership of the object. Adds what is known of the name that the target has its addresses from.
static json_t *set_name(json_t *object, const struct config_site *site, const struct resolve_name *name)
{
	int64_t now_s = clock_wall_s(), left_ms = name->next_ms - clock_mono_ms();
	const struct resolve_addresses *have = &name->last_good;

	object = reply_set(object, "alias", reply_text(name->name));
	object = reply_set(object, "stale", json_boolean(name->is_stale));
	object = reply_set(object, "expired", json_boolean(name->is_expired));
	if (have->good_s)
		object = reply_set(object, "age_s", json_integer(now_s > have->good_s ? now_s - have->good_s : 0));
	object = reply_set(object, "alias_ttl_s", json_integer(have->ttl_s));
	object = reply_set(object, "failures", json_integer((json_int_t)name->failures));
	if (name->error[0])
		object = reply_set(object, "error", reply_text(name->error));
	object = reply_set(object, "next_s", json_integer(name->next_ms && left_ms > 0 ? (left_ms + 999) / 1000 : 0));
	return set_refused(object, site, have->list, have->count);
}

// The same of the name of the host that is probed for it.
static json_t *set_probed_name(json_t *object, const char *written, const struct resolve *resolve)
{
	const struct resolve_name *name = resolve ? resolve_get(resolve, written) : NULL;

	object = reply_set(object, "check_name", reply_text(written));
	return name && name->error[0] ? reply_set(object, "check_error", reply_text(name->error)) : object;
}

static json_t *target_json(const struct source *source, uint32_t app, uint32_t slot)
{
	const struct control_ops *ops = source->ops;
	const struct view *view = source->live->view;
	uint32_t number = view->apps[app].first_target + slot;
	const struct answers *answers = answers_of(&view->targets[number]);
	const struct config_target *written = &source->config->apps[app].targets[slot];
	const struct config_site *site = &source->config->sites[written->site];
	const struct resolve_name *name = written->alias && ops->resolve ? resolve_get(ops->resolve, written->alias) : NULL;
	json_t *object = json_pack("{s:o, s:o, s:s}", "app", reply_text(view->apps[app].name), "site",
	                           reply_text(site->name), "from", written->alias ? "alias" : written->cname ? "cname" : written->from ? "provider" : "config");

	object = target_json_state(object, source->live, ops->state, ops->judge, number);
	if (health_count(ops->health) == source->live->states->count) {
		object = reply_set(object, "addresses", target_json_addresses(source->live, ops->health, number));
		object = reply_set(object, "health", target_json_probed(ops->health, number));
	}
	if (written->from && !written->alias)
		object = set_refused(object, site, written->addresses, written->address_count + written->refused_count);
	if (written->from) {
		object = reply_set(object, "provider", reply_text(written->from));
		object = reply_set(object, "provider_says", target_json_ready(ops->provide, view->apps[app].name, site->name));
	}
	object = reply_set(object, "ttl_s", json_integer(answers ? answers->ttl_s : 0));
	if (written->cname)
		object = reply_set(object, "cname", reply_text(written->cname));
	if (written->check_name)
		object = set_probed_name(object, written->check_name, ops->resolve);
	return name ? set_name(object, site, name) : object;
}

// Of apps first..last, as many as fit into one reply. NULL: out of memory.
static json_t *page(const struct source *source, uint32_t first, uint32_t last)
{
	const struct view *view = source->live->view;
	json_t *list = json_array();
	uint32_t i;

	must(first <= last && last < view->app_count);
	for (i = first; i <= last && list && json_array_size(list) < SHOW_TARGETS_MAX; i++)
		for (uint32_t slot = 0; slot < view->apps[i].target_count; slot++)
			list = reply_append(list, target_json(source, i, slot));

	json_t *reply = reply_set(reply_ok(), "generation", json_integer((json_int_t)view->generation));

	reply = reply_set(reply, "targets", list);
	return i <= last ? reply_set(reply, "next", json_integer(i)) : reply;
}

json_t *show_targets(const struct call *call)
{
	json_t *refusal = NULL;
	const struct live *live = find_live(&refusal);
	const char *app_name = call_text(call, "app");
	json_int_t from = call_number(call, "from");

	if (!live)
		return refusal;

	const struct source source = {&call->ops, live, call->ops.config(call->ops.ctx)};
	int app = app_name ? find_app(live->view, app_name, &refusal) : -1;

	if (app_name && app < 0)
		return refusal;
	if (!source.config || source.config->app_count != live->view->app_count)
		return reply_error(REPLY_REFUSED, "the configuration is being replaced; try again");
	if (app >= 0)
		return page(&source, (uint32_t)app, (uint32_t)app);
	if (from >= live->view->app_count || live->view->app_count == 0)
		return reply_set(reply_set(reply_ok(), "generation", json_integer((json_int_t)live->view->generation)), "targets",
		                 json_array());
	return page(&source, (uint32_t)from, live->view->app_count - 1);
}
