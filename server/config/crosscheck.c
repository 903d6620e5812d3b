// Checks of the complete config; see crosscheck.h. Entries with errors are checked too, so that all errors are reported
// at once: names may be NULL.
#include "config/crosscheck.h"

#include <string.h>

#include "base/dict.h"
#include "base/err.h"
#include "base/nearest.h"
#include "base/report.h"
#include "config/config.h"
#include "config/scope.h"
#include "config/site_blocks.h"
#include "schema/text.h"

enum { UNUSED_SHOWN_MAX = 10 }; // sites

struct used {
	bool *sites, *checks;
};

// The deepest domain that the name is, or is below: the end of `name` that is one. NULL: none.
static const char *enclosing_domain(const struct dict *domains, const char *name)
{
	while (name && !dict_find(domains, name))
		name = text_name_above(name);
	return name;
}

static bool has_data(const struct config_domain *domain)
{
	return domain->name && (domain->file || (domain->ns_count > 0 && domain->hostmaster));
}

int crosscheck_salvage(struct config *config)
{
	struct dict *domains = dict_new();
	size_t kept = 0;
	int err = domains ? E_OK : E_NOMEM;

	for (size_t i = 0; i < config->domain_count && err == E_OK; i++)
		if (has_data(&config->domains[i])) {
			err = dict_add(domains, config->domains[i].name, i);
			config->domains[kept++] = config->domains[i];
		}
	if (err < 0) {
		dict_free(domains);
		return E_NOMEM;
	}
	config->domain_count = kept;
	kept = 0;
	for (size_t i = 0; i < config->app_count; i++)
		if (config->apps[i].name && enclosing_domain(domains, config->apps[i].name))
			config->apps[kept++] = config->apps[i];
	config->app_count = kept;
	kept = 0;
	for (size_t i = 0; i < config->locate_count; i++)
		if (config->locates[i].plugin && config->locates[i].options)
			config->locates[kept++] = config->locates[i];
	config->locate_count = kept;
	kept = 0;
	for (size_t i = 0; i < config->provider_count; i++)
		if (config->providers[i].plugin && config->providers[i].options)
			config->providers[kept++] = config->providers[i];
	config->provider_count = kept;
	kept = 0;
	for (size_t i = 0; i < config->discovery_count; i++)
		if (config->discoveries[i].plugin && config->discoveries[i].options && config->discoveries[i].carrier_count > 0)
			config->discoveries[kept++] = config->discoveries[i];
	config->discovery_count = kept;
	dict_free(domains);
	return E_OK;
}

// The suffix of the name with as many labels as `domain`; the full name if it has fewer.
static const char *same_labels(const char *name, const char *domain)
{
	const char *at = name + strlen(name);
	size_t dots = 0;

	for (const char *c = domain; *c; c++)
		dots += *c == '.';
	for (; at > name; at--)
		if (at[-1] == '.' && dots-- == 0)
			break;
	return at;
}

static struct nearest nearest_domain(const struct config *config, const char *name)
{
	struct nearest nearest = nearest_begin(name);

	for (size_t i = 0; i < config->domain_count && !nearest.word; i++) {
		const char *domain = config->domains[i].name;

		if (!domain)
			continue;
		nearest.wanted = same_labels(name, domain);
		nearest_offer(&nearest, domain);
	}
	return nearest;
}

static void check_place(struct reader *reader, const struct config_app *app)
{
	char meant[NEAREST_MEANT_MAX];
	struct nearest near = nearest_begin(app->name);

	if (scope_of(reader)->config->domain_count == 0) // which is reported, whatever the reason
		return;
	if (enclosing_domain(scope_of(reader)->domains, app->name))
		return;
	if (reader_may_help(reader))
		near = nearest_domain(scope_of(reader)->config, app->name);
	report_error(reader->report, app->mark.file, app->mark.line, app->mark.column,
	             "apps.%s: is in none of the zones served, expected a name inside one listed under `domains`%s",
	             app->name, nearest_meant(&near, '`', meant));
}

#define complain(reader, app, target, ...) \
	report_error((reader)->report, (target)->mark.file, (target)->mark.line, (target)->mark.column, __VA_ARGS__)

// Whether a number is that of a check. Not in a section that was refused: the names in it have numbers all the same.
static bool has_check(const struct config *config, int check)
{
	return check >= 0 && (size_t)check < config->check_count;
}

static void check_cname(struct reader *reader, const struct config_app *app, const struct config_target *target)
{
	const char *site = scope_of(reader)->config->sites[target->site].name;

	if (target->check != CONFIG_CHECK_NONE && target->check_host_count == 0)
		complain(reader, app, target,
		         "apps.%s.targets.%s: a check cannot probe a `cname`, expected a `check-address` or `check: none`",
		         app->name, site);
	if (dict_find(scope_of(reader)->domains, app->name))
		complain(reader, app, target,
		         "apps.%s.targets.%s: a `cname` is not allowed at the apex of a zone, beside its SOA and NS (RFC "
		         "1034 section 3.6.2), expected `addresses`", app->name, site);
	if (strcmp(target->cname, app->name) == 0)
		complain(reader, app, target, "apps.%s.targets.%s: the `cname` points to the app itself, expected another name",
		         app->name, site);
}

// Looking up a name of ours would ask ourselves.
static void check_host(struct reader *reader, const struct config_app *app, const struct config_target *target,
                       const char *key, const char *name)
{
	const char *zone = name ? enclosing_domain(scope_of(reader)->domains, name) : NULL;

	if (zone)
		complain(reader, app, target, "apps.%s.targets.%s.%s: %s is in the zone %s, which is served here, expected a name "
		         "outside of `domains`", app->name, scope_of(reader)->config->sites[target->site].name, key, name, zone);
}

bool crosscheck_needs_host(const struct config_check *check, const char *app)
{
	return check_type_takes(check->type, "host") && !check->host && !text_is_plain_name(app);
}

static void check_target(struct reader *reader, const struct config_app *app, const struct config_target *target)
{
	const struct config *config = scope_of(reader)->config;
	const struct config_check *check = has_check(config, target->check) ? &config->checks[target->check] : NULL;

	if (target->cname)
		check_cname(reader, app, target);
	check_host(reader, app, target, "alias", target->alias);
	check_host(reader, app, target, "check-address", target->check_name);
	if (check && crosscheck_needs_host(check, app->name))
		complain(reader, app, target,
		         "apps.%s.targets.%s: %s name is not a Host header, expected a `host` in the check `%s`", app->name,
		         config->sites[target->site].name, app->name[0] == '*' ? "a wildcard's" : "such a", check->name);
}

static void check_app(struct reader *reader, struct config_app *app, const struct used *used)
{
	bool own_tie = app->tie_us != UINT32_MAX;

	if (!own_tie)
		app->tie_us = scope_of(reader)->config->steering.tie_us;
	if (app->unknown_metro == METRO_RULES)
		app->unknown_metro = scope_of(reader)->config->steering.unknown_metro;
	if (app->name)
		check_place(reader, app);
	if (app->name && app->lacks_targets && scope_of(reader)->config->provider_count == 0)
		report_error(reader->report, app->mark.file, app->mark.line, app->mark.column,
		             "apps.%s: targets is missing, expected a mapping of names, or `providers` that give it some", app->name);
	if (app->lacks_targets && has_check(scope_of(reader)->config, app->check))
		used->checks[app->check] = true;
	if (app->name && own_tie && !app->weighted)
		report_warning(reader->report, app->mark.file, app->mark.line, app->mark.column,
		               "apps.%s.tie: has no effect, no target has a `weight`", app->name);
	for (size_t i = 0; i < app->target_count; i++) {
		const struct config_target *target = &app->targets[i];

		if (target->site < scope_of(reader)->config->site_count) {
			used->sites[target->site] = true;
			if (app->name)
				check_target(reader, app, target);
		}
		if (has_check(scope_of(reader)->config, target->check))
			used->checks[target->check] = true;
	}
}

// Warns of each unused site, or once if there are many, as with a generated list of sites.
static void warn_unused_sites(struct reader *reader, const bool *used)
{
	const struct config *config = scope_of(reader)->config;
	const struct config_site *unused[UNUSED_SHOWN_MAX];
	size_t count = 0;

	for (size_t i = 0; i < config->site_count; i++) {
		if (used[i] || !config->sites[i].name)
			continue;
		if (count < UNUSED_SHOWN_MAX)
			unused[count] = &config->sites[i];
		count++;
	}
	if (count > UNUSED_SHOWN_MAX)
		report_warning(reader->report, unused[0]->mark.file, unused[0]->mark.line, unused[0]->mark.column,
		               "sites: no app has a target at %s, %s, %s and %zu more", unused[0]->name, unused[1]->name,
		               unused[2]->name, count - 3);
	for (size_t i = 0; i < count && count <= UNUSED_SHOWN_MAX; i++)
		report_warning(reader->report, unused[i]->mark.file, unused[i]->mark.line, unused[i]->mark.column,
		               "sites.%s: no app has a target there", unused[i]->name);
}

static void warn_unused_checks(struct reader *reader, const bool *used)
{
	const struct config *config = scope_of(reader)->config;

	for (size_t i = 0; i < config->check_count; i++)
		if (!used[i] && config->checks[i].name)
			report_warning(reader->report, config->checks[i].mark.file, config->checks[i].mark.line,
			               config->checks[i].mark.column, "checks.%s: no app or target uses it",
			               config->checks[i].name);
}

// A name server inside the zone needs an address there, which a zone without a file has from nowhere else but an app of
// that name. (A wildcard is no help: the delegation needs an address for the name itself.) Elsewhere an address would not
// be served.
static void check_name_servers(struct reader *reader, const struct config_domain *domain)
{
	for (size_t i = 0; domain->name && i < domain->ns_count; i++) {
		const struct hosts_host *ns = &domain->ns[i];
		const char *of = ns->name ? enclosing_domain(scope_of(reader)->domains, ns->name) : NULL;
		const bool inside = of && strcmp(of, domain->name) == 0;

		if (inside && ns->address_count == 0 && reader_find(scope_of(reader)->apps, ns->name) < 0)
			report_error(reader->report, ns->mark.file, ns->mark.line, ns->mark.column,
			             "domains.%s.ns: %s is inside the zone and has no address, expected `{%s: [ADDRESS]}`",
			             domain->name, ns->name, ns->name);
		if (!inside && ns->address_count > 0)
			report_error(reader->report, ns->mark.file, ns->mark.line, ns->mark.column,
			             "domains.%s.ns: %s is outside of the zone, which cannot serve its addresses, expected the name "
			             "alone", domain->name, ns->name);
	}
}

// What does not say itself whether it is watched.
static void inherit_watch(struct config *config)
{
	for (size_t i = 0; i < config->domain_count; i++)
		if (!config->domains[i].has_watch)
			config->domains[i].watch = config->server.watch == CONFIG_WATCH_ON;
	for (size_t i = 0; i < config->locate_count; i++)
		if (!config->locates[i].has_watch)
			config->locates[i].watch = config->server.watch != CONFIG_WATCH_OFF;
}

// What an app has that says nothing else, as in rules_app() and check_app().
static void complete_defaults(struct reader *reader, const struct value *object, struct config *config,
                              const struct used *used)
{
	struct config_app *defaults = &config->defaults;
	const struct value *given = value_get(object, "defaults");

	defaults->last_resort = defaults->last_address_count > 0 ? LAST_RESORT_ADDRESSES : LAST_RESORT_SERVFAIL;
	defaults->tie_us = config->steering.tie_us;
	if (!value_get(given, "unknown-metro"))
		defaults->unknown_metro = config->steering.unknown_metro;
	if (has_check(config, defaults->check))
		used->checks[defaults->check] = true;
	if (given && config->provider_count == 0)
		report_warning(reader->report, value_key_mark(given).file, given->key_line, given->key_column,
		               "defaults: has no effect, there are no `providers`");
}

int crosscheck_add_hosts(const struct config_target *target, struct dict *hosts)
{
	const char *const names[] = {target->alias, target->check_name};
	int err = E_OK;

	for (size_t i = 0; i < ARRAY_LEN(names) && err == E_OK; i++) {
		err = names[i] ? dict_add(hosts, names[i], 0) : E_OK;
		err = err == E_EXISTS ? E_OK : err;
	}
	return err;
}

static void check_host_count(struct reader *reader)
{
	const struct config *config = scope_of(reader)->config;
	struct dict *hosts = dict_new();
	int err = hosts ? E_OK : E_NOMEM;
	size_t count = 0;

	for (size_t i = 0; err == E_OK && i < config->app_count; i++)
		for (size_t k = 0; err == E_OK && k < config->apps[i].target_count; k++)
			err = crosscheck_add_hosts(&config->apps[i].targets[k], hosts);
	if (err == E_OK)
		dict_entries(hosts, &count);
	else
		reader->err = err;
	dict_free(hosts);
	if (count > CONFIG_HOSTS_MAX)
		reader_error(reader, "`alias` and `check-address` have %zu different names, expected %d at most", count,
		             CONFIG_HOSTS_MAX);
}

static void check_ceiling_count(struct reader *reader)
{
	const struct config *config = scope_of(reader)->config;
	size_t count = 0;

	for (size_t i = 0; i < config->site_count; i++)
		count += (config->sites[i].ceiling > 0) + (config->sites[i].load_ceiling > 0);
	for (size_t i = 0; i < config->app_count; i++)
		for (size_t k = 0; k < config->apps[i].target_count; k++)
			count += (config->apps[i].targets[k].ceiling > 0) + (config->apps[i].targets[k].load_ceiling > 0);
	if (count > CONFIG_CEILINGS_MAX)
		reader_error(reader, "sites and targets have %zu of `ceiling` and `load-ceiling`, expected %d at most", count, CONFIG_CEILINGS_MAX);
}

void crosscheck_config(struct reader *reader, struct value *object, void *target)
{
	struct config *config = target;
	struct used used = {reader_take(reader, config->site_count + 1, sizeof(bool)),
	                    reader_take(reader, config->check_count + 1, sizeof(bool))};

	if (!used.sites || !used.checks)
		return;
	inherit_watch(config);

	const struct value *domains = value_get(object, "domains");

	if ((value_is(domains, VALUE_MAP) && value_count(domains) == 0) || value_is(domains, VALUE_NULL))
		reader_error_at(reader, domains, "has no zones, expected at least one");
	for (size_t i = 0; i < config->domain_count; i++)
		check_name_servers(reader, &config->domains[i]);
	for (size_t i = 0; i < config->app_count; i++)
		check_app(reader, &config->apps[i], &used);
	complete_defaults(reader, object, config, &used);
	check_host_count(reader);
	check_ceiling_count(reader);
	site_blocks_fill(reader, config);
	if (config->provider_count == 0) // else their targets may be there
		warn_unused_sites(reader, used.sites);
	warn_unused_checks(reader, used.checks);
}
