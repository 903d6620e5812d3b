// Adding provided targets to a config; see join.h.
#include "provide/join.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/dict.h"
#include "base/err.h"
#include "config/catalogue.h"
#include "config/config.h"
#include "config/crosscheck.h"
#include "config/site_blocks.h"
#include "provide/snapshot.h"
#include "schema/text.h"
#include "wire/name.h"
#include "zone/overlay.h"

#define BYTES_MAX ((size_t)2 << 30)

struct joining {
	const struct config *read;
	const struct snapshot *snapshot;
	const struct zonedb *zones;
	struct arena *arena;
	struct config *config;          // being made
	struct config_refused *refused; // its
	struct dict *sites, *apps;      // names to numbers in it; of the config's own apps only
	struct dict *domains;           // names
	struct dict *hosts;             // names that are looked up
	size_t sites_max;
};

static int refuse(struct joining *joining, const struct provided *target, const char *why)
{
	struct config_refused *refused = &joining->refused[joining->config->refused_count++];

	*refused = (struct config_refused){
		.from = arena_strdup(joining->arena, target->from),
		.provider = arena_strdup(joining->arena, target->provider),
		.app = arena_strdup(joining->arena, target->app),
		.site = arena_strdup(joining->arena, target->site),
		.why = why,
	};
	return refused->from && refused->provider && refused->app && refused->site ? E_OK : E_NOMEM;
}

// ---- sites ----------------------------------------------------------------------------------------------------------

// The number of a site; where only the catalogue has it, of one behind those of the config, for keep_site(). -1: there is
// none.
static int find_site(struct joining *joining, const char *name)
{
	struct config *config = joining->config;
	const struct catalogue catalogue = {(struct config_site *)config->known_sites, config->known_site_count};
	const struct dict_entry *entry = dict_find(joining->sites, name);
	struct config_site *site = &config->sites[config->site_count];

	if (entry)
		return (int)entry->value;
	if (config->site_count == joining->sites_max || !catalogue_find(&catalogue, name, site))
		return -1;
	return (int)config->site_count;
}

// A target is at that site: it becomes one of the config's, if it is not.
static int keep_site(struct joining *joining, const char *name, unsigned number)
{
	struct config_site *site = &joining->config->sites[number];

	if (number < joining->config->site_count)
		return E_OK;
	site->name = arena_strdup(joining->arena, name);
	if (!site->name || dict_add(joining->sites, site->name, number) < 0)
		return E_NOMEM;
	joining->config->site_count++;
	return E_OK;
}

// Room for one more site for each target is enough, and for no more than there may be.
static int copy_sites(struct joining *joining)
{
	const struct config *read = joining->read;
	size_t max = read->site_count + joining->snapshot->count;

	joining->sites_max = max < SITES_MAX ? max : SITES_MAX;
	joining->config->sites = arena_take_array(joining->arena, joining->sites_max + 1, sizeof(*read->sites));
	joining->sites = dict_new();
	if (!joining->config->sites || !joining->sites)
		return E_NOMEM;
	for (size_t i = 0; i < read->site_count; i++) {
		joining->config->sites[i] = read->sites[i];
		if (dict_add(joining->sites, read->sites[i].name, i) == E_NOMEM)
			return E_NOMEM;
	}
	return E_OK;
}

// ---- targets --------------------------------------------------------------------------------------------------------

static const struct config_target *target_at(const struct config_app *app, unsigned site)
{
	for (size_t i = 0; i < app->target_count; i++)
		if (app->targets[i].site == site)
			return &app->targets[i];
	return NULL;
}

static bool is_allowed(const struct config_site *site, const struct addr *address)
{
	const char *why;

	return site_blocks_check(site, address, &why) != SITE_BLOCKS_REFUSE;
}

// Some of its addresses may be refused, as those of an alias are; not all: then what is wrong with the last. NULL: it has
// one that is not, or none at all.
static const char *find_address_fault(const struct joining *joining, const struct config_site *site,
                                      const struct provided *from)
{
	enum { TEXT_LEN = 128 };
	const char *why = NULL;

	for (size_t i = 0; i < from->address_count; i++)
		if (site_blocks_check(site, &from->addresses[i], &why) != SITE_BLOCKS_REFUSE)
			return NULL;

	char *text = why ? arena_take(joining->arena, TEXT_LEN) : NULL;

	if (text)
		snprintf(text, TEXT_LEN, "its address cannot be used: %s", why);
	return text ? text : why;
}

static int add_target(struct joining *joining, struct config_app *app, const struct provided *from, unsigned site)
{
	struct arena *arena = joining->arena;
	struct config_target *target = &app->targets[app->target_count];

	*target = (struct config_target){
		.site = site,
		.addresses = arena_take_array(arena, from->address_count, sizeof(struct addr)),
		.alias = arena_strdup(arena, from->alias),
		.check_addresses = arena_copy(arena, &from->check_address, sizeof(from->check_address)),
		.check_address_count = from->check_address.family != ADDR_NONE,
		.check_name = arena_strdup(arena, from->check_name),
		.check = from->rule == READY_ENDPOINTS ? CONFIG_CHECK_NONE : app->check,
		.weight = 1,
		.from = arena_strdup(arena, from->from),
		.ready = from->rule,
		.mark = {arena_strdup(arena, from->mark.file), from->mark.line, from->mark.column},
	};
	if (!target->addresses || !target->check_addresses || (from->alias && !target->alias) ||
	    (from->check_name && !target->check_name) || !target->from || (from->mark.file && !target->mark.file))
		return E_NOMEM;
	for (size_t i = 0; i < from->address_count; i++)
		if (is_allowed(&joining->config->sites[site], &from->addresses[i]))
			target->addresses[target->address_count++] = from->addresses[i];
	for (size_t i = 0; i < from->address_count; i++)
		if (!is_allowed(&joining->config->sites[site], &from->addresses[i]))
			target->addresses[target->address_count + target->refused_count++] = from->addresses[i];
	app->target_count++;
	return crosscheck_add_hosts(target, joining->hosts);
}

// Whether it is a name of ours: to look it up would be to ask ourselves.
static bool is_ours(const struct joining *joining, const char *name)
{
	while (name && !dict_find(joining->domains, name))
		name = text_name_above(name);
	return name != NULL;
}

// Whether there is room for the names that a target is looked up by.
static bool has_room(const struct joining *joining, const struct provided *from)
{
	const char *const names[] = {from->alias, from->check_name};
	size_t count;

	(void)dict_entries(joining->hosts, &count);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		count += names[i] && !dict_find(joining->hosts, names[i]);
	return count <= CONFIG_HOSTS_MAX;
}

// Why the app cannot have the target, at a site that there is; NULL: it can.
static const char *find_fault(const struct joining *joining, const struct config_app *app, const struct provided *from,
                              unsigned site)
{
	const struct config_check *check = app->check >= 0 ? &joining->config->checks[app->check] : NULL;
	const char *fault;

	if (target_at(app, site))
		return "the config has a target at this site of the app";
	if (is_ours(joining, from->alias) || is_ours(joining, from->check_name))
		return "its host name is in a zone that is served here";
	if (app->target_count == APP_TARGETS_MAX)
		return "the app has as many targets as it may";
	if ((fault = find_address_fault(joining, &joining->config->sites[site], from)) != NULL)
		return fault;
	if (!has_room(joining, from))
		return "as many host names are looked up as may be";
	if (check && crosscheck_needs_host(check, app->name))
		return "such a name is not a Host header, and the app's check has no `host`";
	return NULL;
}

static int take_target(struct joining *joining, struct config_app *app, const struct provided *from)
{
	int site = find_site(joining, from->site), err;
	const char *fault;

	if (site < 0)
		return refuse(joining, from, "its site is neither in `sites` nor in the catalogue");
	fault = find_fault(joining, app, from, (unsigned)site);
	if (fault)
		return refuse(joining, from, fault);
	err = keep_site(joining, from->site, (unsigned)site);
	return err < 0 ? err : add_target(joining, app, from, (unsigned)site);
}

// ---- apps -----------------------------------------------------------------------------------------------------------

// Why no app can be made of that name; NULL: one can.
static const char *find_app_fault(const struct joining *joining, const char *name)
{
	struct wire_name wire;
	size_t len;

	if (joining->config->app_count == CONFIG_APPS_MAX)
		return "there are as many apps as there may be";
	if (name_from_text(name, wire.wire, &len) < 0)
		return "its app is not a domain name";
	wire.len = len;
	return overlay_refusal(joining->zones, &wire);
}

static int make_app(struct joining *joining, const struct provided *first, struct config_app *app)
{
	*app = joining->read->defaults;
	app->name = arena_strdup(joining->arena, first->app);
	app->is_provided = true;
	app->mark = (struct mark){arena_strdup(joining->arena, first->mark.file), first->mark.line, first->mark.column};
	return app->name && (app->mark.file || !first->mark.file) ? E_OK : E_NOMEM;
}

// Makes room for `more` targets.
static int extend(struct joining *joining, struct config_app *app, size_t more)
{
	struct config_target *targets = arena_take_array(joining->arena, app->target_count + more, sizeof(*targets));

	if (!targets)
		return E_NOMEM;
	if (app->target_count > 0)
		memcpy(targets, app->targets, app->target_count * sizeof(*targets));
	app->targets = targets;
	return E_OK;
}

// The place of a target's site among the config's; all others are behind.
static size_t site_place(const struct joining *joining, const struct config_target *target)
{
	return target->site < joining->read->site_count ? target->site : joining->read->site_count;
}

// `targets` are sorted by the names of their sites. Some may come first where nothing tells them apart (the default Region
// among public ones), so the operator's order of sites counts.
static void sort_by_site(const struct joining *joining, struct config_target *targets, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct config_target target = targets[i];
		size_t at = i;

		for (; at > 0 && site_place(joining, &target) < site_place(joining, &targets[at - 1]); at--)
			targets[at] = targets[at - 1];
		targets[at] = target;
	}
}

static int refuse_all(struct joining *joining, const struct provided *targets, size_t count, const char *why)
{
	int err = E_OK;

	for (size_t i = 0; i < count && err == E_OK; i++)
		err = refuse(joining, &targets[i], why);
	return err;
}

// The targets of one app.
static int take_app(struct joining *joining, const struct provided *targets, size_t count)
{
	struct config *config = joining->config;
	const struct dict_entry *entry = dict_find(joining->apps, targets->app);
	struct config_app *app = &config->apps[entry ? entry->value : config->app_count];
	const char *fault = entry ? NULL : find_app_fault(joining, targets->app);
	size_t own_count = entry ? app->target_count : 0;
	int err = E_OK;

	if (fault)
		return refuse_all(joining, targets, count, fault);
	if (!entry)
		err = make_app(joining, targets, app);
	if (err == E_OK)
		err = extend(joining, app, count);
	for (size_t i = 0; i < count && err == E_OK; i++)
		err = take_target(joining, app, &targets[i]);
	if (err == E_OK)
		sort_by_site(joining, app->targets + own_count, app->target_count - own_count);
	config->app_count += !entry && app->target_count > 0;
	return err;
}

static size_t count_apps(const struct snapshot *snapshot)
{
	size_t count = 0;

	for (size_t i = 0; i < snapshot->count; i++)
		count += i == 0 || strcmp(snapshot->targets[i - 1].app, snapshot->targets[i].app) != 0;
	return count;
}

static int copy_apps(struct joining *joining)
{
	const struct config *read = joining->read;
	size_t max = read->app_count + count_apps(joining->snapshot) + 1;

	joining->config->apps = arena_take_array(joining->arena, max, sizeof(*read->apps));
	joining->apps = dict_new();
	if (!joining->config->apps || !joining->apps)
		return E_NOMEM;
	for (size_t i = 0; i < read->app_count; i++) {
		joining->config->apps[i] = read->apps[i];
		if (dict_add(joining->apps, read->apps[i].name, i) == E_NOMEM)
			return E_NOMEM;
	}
	return E_OK;
}

static int list_domains(struct joining *joining)
{
	joining->domains = dict_new();
	if (!joining->domains)
		return E_NOMEM;
	for (size_t i = 0; i < joining->read->domain_count; i++)
		if (dict_add(joining->domains, joining->read->domains[i].name, i) == E_NOMEM)
			return E_NOMEM;
	return E_OK;
}

static int list_hosts(struct joining *joining)
{
	int err = E_OK;

	joining->hosts = dict_new();
	if (!joining->hosts)
		return E_NOMEM;
	for (size_t i = 0; i < joining->read->app_count && err == E_OK; i++)
		for (size_t k = 0; k < joining->read->apps[i].target_count && err == E_OK; k++)
			err = crosscheck_add_hosts(&joining->read->apps[i].targets[k], joining->hosts);
	return err;
}

static int join(struct joining *joining)
{
	const struct snapshot *snapshot = joining->snapshot;
	int err = copy_sites(joining);

	if (err == E_OK)
		err = list_domains(joining);
	if (err == E_OK)
		err = list_hosts(joining);
	if (err == E_OK)
		err = copy_apps(joining);
	for (size_t i = 0, end; i < snapshot->count && err == E_OK; i = end) {
		for (end = i + 1; end < snapshot->count; end++)
			if (strcmp(snapshot->targets[i].app, snapshot->targets[end].app) != 0)
				break;
		err = take_app(joining, &snapshot->targets[i], end - i);
	}
	return err;
}

// All but the number of users, which others change meanwhile.
static void copy_config(struct config *to, const struct config *from)
{
	const size_t begin = sizeof(from->users);

	_Static_assert(offsetof(struct config, users) == 0, "the rest is copied");
	memcpy((char *)to + begin, (const char *)from + begin, sizeof(*from) - begin);
}

int join_config(void *given, struct config *read, const struct zonedb *zones, struct report *report,
                struct config **ret_config)
{
	const struct snapshot *snapshot = given;
	struct arena *arena;
	struct joining joining = {.read = read, .snapshot = snapshot, .zones = zones};
	int err = E_NOMEM;

	(void)report;
	if (!snapshot)
		return E_NOMEM;
	if (snapshot->count == 0) {
		*ret_config = config_hold(read);
		return E_OK;
	}
	arena = joining.arena = arena_new(BYTES_MAX);
	if (!arena)
		return E_NOMEM;
	joining.config = arena_take(arena, sizeof(*joining.config));
	joining.refused = arena_take_array(arena, snapshot->count + 1, sizeof(*joining.refused));
	if (joining.config && joining.refused) {
		copy_config(joining.config, read);
		users_start(&joining.config->users);
		joining.config->arena = arena;
		joining.config->base = NULL;
		joining.config->refused = joining.refused;
		joining.config->refused_count = 0;
		err = join(&joining);
	}
	dict_free(joining.sites);
	dict_free(joining.apps);
	dict_free(joining.domains);
	dict_free(joining.hosts);
	if (err < 0) {
		arena_free(arena);
		return err;
	}
	joining.config->base = config_hold(read);
	*ret_config = joining.config;
	return E_OK;
}
