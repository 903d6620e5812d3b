// The addresses of targets by host name, as they are now; see resolved.h.
#include "online/resolved.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "config/config.h"
#include "config/site_blocks.h"
#include "online/recursor.h"
#include "resolve/resolve.h"

enum { SETTLE_MS = 10000, ERROR_LEN = RESOLVE_ERROR_LEN };

// ---- Looking up ----

static void on_changed(void *ctx, const struct resolve_name *name)
{
	(void)ctx, (void)name;
}

static bool on_saved(void *ctx, const char *name, struct resolve_addresses *ret_addresses)
{
	(void)ctx, (void)name, (void)ret_addresses;
	return false;
}

static void on_settled(void *ctx)
{
	event_base_loopbreak(ctx);
}

static size_t add_name(const char **names, size_t count, const char *name)
{
	if (name && names)
		names[count] = name;
	return count + (name != NULL);
}

// Into `names`, which may be NULL. Returns how many.
static size_t list_names(const struct config *config, const char **names)
{
	size_t count = 0;

	for (size_t i = 0; i < config->app_count; i++)
		for (size_t k = 0; k < config->apps[i].target_count; k++) {
			count = add_name(names, count, config->apps[i].targets[k].alias);
			count = add_name(names, count, config->apps[i].targets[k].check_name);
		}
	return count;
}

static int look_up(struct resolve *resolve, struct event_base *base, const struct config *config,
                   const struct recursors *recursors)
{
	const size_t count = list_names(config, NULL);
	const char **names = calloc(count + 1, sizeof(*names)), **zones = calloc(config->domain_count + 1, sizeof(*zones));
	const struct resolve_config wanted = {.servers = recursors->servers, .server_count = recursors->count,
	                                      .timeout_ms = config->resolver.timeout_ms,
	                                      .attempts = config->resolver.attempts, .max_age_s = config->alias_max_age_s,
	                                      .zones = zones, .zone_count = config->domain_count, .names = names,
	                                      .name_count = count};
	int err = names && zones ? E_OK : E_NOMEM;

	for (size_t i = 0; err == E_OK && i < config->domain_count; i++)
		zones[i] = config->domains[i].name;
	if (err == E_OK) {
		(void)list_names(config, names);
		err = resolve_configure(resolve, &wanted);
	}
	if (err == E_OK && event_base_dispatch(base) < 0)
		err = E_IO;
	free(names);
	free(zones);
	return err;
}

// ---- What came of it ----

struct target_shown {
	json_t *addresses, *refused, *suspect;
	int failed;
};

static int add_judged(json_t *list, const char *address, const char *why)
{
	return json_array_append_new(list, json_pack("{s:s, s:s}", "address", address, "text", why));
}

// `site` NULL: any address will do.
static void judge(const struct config_site *site, const struct addr *address, struct target_shown *shown)
{
	char text[ADDR_TEXT_LEN];
	const char *why = NULL;
	enum site_blocks_verdict verdict = site ? site_blocks_check(site, address, &why) : SITE_BLOCKS_GOOD;

	addr_format(address, text);
	if (verdict == SITE_BLOCKS_REFUSE)
		shown->failed |= add_judged(shown->refused, text, why);
	else
		shown->failed |= json_array_append_new(shown->addresses, json_string(text));
	if (verdict == SITE_BLOCKS_WARN)
		shown->failed |= add_judged(shown->suspect, text, why);
}

// Adds a name of a target to `list`. Returns how many of its addresses are taken, or E_NOMEM.
static int add_target(const struct resolve *resolve, const struct config_site *site, const char *host, bool is_probed,
                      json_t *list)
{
	const struct resolve_name *name = resolve_get(resolve, host);
	struct target_shown shown = {json_array(), json_array(), json_array(), 0};
	char error[ERROR_LEN] = "";

	for (size_t i = 0; i < name->last_good.count; i++)
		judge(is_probed ? NULL : site, &name->last_good.list[i], &shown);

	const int taken = (int)json_array_size(shown.addresses);

	if (!name->is_known)
		snprintf(error, sizeof(error), "no answer within %d s", SETTLE_MS / 1000);
	else if (name->last_good.count == 0)
		snprintf(error, sizeof(error), "%s", *name->error ? name->error : "it has no address");
	shown.failed |= json_array_append_new(
		list, json_pack("{s:s, s:s, s:b, s:I, s:o, s:o, s:o, s:s*}", "site", site->name, "name", host, "probed", is_probed,
	                    "ttl", (json_int_t)name->last_good.ttl_s, "addresses", shown.addresses, "refused", shown.refused,
	                    "suspect", shown.suspect, "error", *error ? error : NULL));
	return shown.failed ? E_NOMEM : taken;
}

// Adds the app to `apps` if any of its targets has a name.
static int add_app(const struct resolve *resolve, const struct config *config, const struct config_app *app,
                   json_t *apps)
{
	json_t *targets = json_array();
	bool has_address = false;
	int taken = targets ? 0 : E_NOMEM;

	for (size_t k = 0; k < app->target_count && taken >= 0; k++) {
		const struct config_target *target = &app->targets[k];
		const struct config_site *site = &config->sites[target->site];

		has_address |= !target->alias;
		if (target->alias)
			taken = add_target(resolve, site, target->alias, false, targets);
		has_address |= target->alias && taken > 0;
		if (target->check_name && taken >= 0)
			taken = add_target(resolve, site, target->check_name, true, targets);
	}
	if (taken < 0 || json_array_size(targets) == 0) {
		json_decref(targets);
		return taken < 0 ? E_NOMEM : E_OK;
	}
	return json_array_append_new(apps, json_pack("{s:s, s:b, s:o}", "app", app->name, "breaks", !has_address, "targets",
	                                             targets)) == 0 ? E_OK : E_NOMEM;
}

static int add_apps(const struct resolve *resolve, const struct config *config, json_t *apps)
{
	int err = E_OK;

	for (size_t i = 0; err == E_OK && i < config->app_count; i++)
		err = add_app(resolve, config, &config->apps[i], apps);
	return err;
}

int resolved_check(const struct config *config, const struct recursors *recursors, json_t **ret_apps)
{
	struct event_base *base = event_base_new();
	const struct resolve_ops ops = {.changed = on_changed, .save = on_changed, .saved = on_saved, .settled = on_settled,
	                                .ctx = base, .pace = {.first_ms = SETTLE_MS}};
	struct resolve *resolve = base ? resolve_new(base, &ops) : NULL;
	json_t *apps = json_array();
	int err = resolve && apps ? E_OK : E_NOMEM;

	if (err == E_OK && list_names(config, NULL) > 0) {
		err = look_up(resolve, base, config, recursors);
		if (err == E_OK)
			err = add_apps(resolve, config, apps);
	}
	resolve_free(resolve);
	if (base)
		event_base_free(base);
	if (err < 0) {
		json_decref(apps);
		return err;
	}
	*ret_apps = apps;
	return E_OK;
}
