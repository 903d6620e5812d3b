// Checks of one entry of the config at a time, beyond those of its rows; see rules.h.
#include "config/rules.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/must.h"
#include "base/nearest.h"
#include "config/catalogue.h"
#include "config/config.h"
#include "config/scope.h"
#include "schema/text.h"

static bool given(const struct value *object, const char *key)
{
	return value_get(object, key) != NULL;
}

// The canonical form of a domain name that is a key, which it numbers. NULL after an error, which is reported.
static const char *take_name(struct reader *reader, struct dict *names, const char *key, bool wildcard)
{
	const char *name = text_canonical_name(reader, key, wildcard);

	if (!name)
		reader_error(reader, "is not a domain name, expected labels of letters, digits, `-`, `_` and `/`%s; anything else "
		             "as `\\DDD`", wildcard ? ", the first one may be `*`" : "");
	else if (reader_number(reader, names, name, 0))
		return name;
	else
		reader_error(reader, "is given twice (case is ignored), expected once");
	return NULL;
}

static const char *take_word(struct reader *reader, const char *key)
{
	if (!text_is_word(key))
		reader_error(reader, "is not a name, expected at most %d letters, digits, `-`, `_` and `.`", TEXT_WORD_MAX);
	return reader_strdup(reader, key);
}

void rules_server(struct reader *reader, struct value *object, void *entry)
{
	struct config_server *server = entry;

	(void)reader;
	server->user_mark = value_mark(value_get(object, "user"));
	server->state_dir_mark = value_mark(value_get(object, "state-dir"));
}

// Whether only this machine can reach an address, which is valid.
static bool is_loopback(const char *endpoint)
{
	struct sockaddr_storage name;
	socklen_t len;
	struct addr addr;
	struct prefix four, six;

	must(addr_parse_endpoint(endpoint, 0, &name, &len) == E_OK);
	must(prefix_parse("127.0.0.0/8", &four, NULL) == E_OK && prefix_parse("::1", &six, NULL) == E_OK);
	addr = addr_of_sockaddr(&name);
	addr = addr_cut(&addr, addr.family == ADDR_V4 ? four.len : six.len);
	return addr_equal(&addr, &four.addr) || addr_equal(&addr, &six.addr);
}

void rules_http(struct reader *reader, struct value *object, void *entry)
{
	const struct config_http *http = entry;

	if (http->tokens && !http->cert && http->listen && !is_loopback(http->listen))
		reader_error_at(reader, value_get(object, "tokens"), "would be sent in the clear to %s, which is not a loopback "
		                "address, expected `tls` beside it", http->listen);
}

void rules_domain_name(struct reader *reader, const char *name, void *entry)
{
	struct config_domain *domain = entry;

	domain->name = take_name(reader, scope_of(reader)->domains, name, false);
}

// NULL after an error, which is reported, and out of memory.
static const char *default_hostmaster(struct reader *reader, const char *domain)
{
	static const char label[] = "hostmaster.";
	size_t size = sizeof(label) + strlen(domain);
	char *text = reader_take(reader, size, 1);

	if (!text)
		return NULL;
	snprintf(text, size, "%s%s", label, domain); // in canonical form, as `domain` is
	if (text_name_fits(text))
		return text;
	reader_error(reader, "is too long a name for the default `hostmaster`, expected one");
	return NULL;
}

void rules_domain(struct reader *reader, struct value *object, void *entry)
{
	static const char *const without_file[] = {"ns", "hostmaster", "serial", "ttl", "negative-ttl"};
	struct config_domain *domain = entry;

	domain->has_watch = given(object, "watch"); // else crosscheck_config() sets it
	if (given(object, "file")) {
		for (size_t i = 0; i < ARRAY_LEN(without_file); i++)
			if (given(object, without_file[i]))
				reader_error_at(reader, value_get(object, without_file[i]),
				                "has no place beside the zone's `file`, expected one of the two");
		return;
	}
	if (!given(object, "ns"))
		reader_error(reader, "has neither `file` nor `ns`, expected one of them");
	if (domain->has_watch)
		reader_error_at(reader, value_get(object, "watch"), "has no place without a `file`, expected one to watch");
	if (domain->name && !domain->hostmaster)
		domain->hostmaster = default_hostmaster(reader, domain->name);
}

// The keys that are left when those that every entry has are gone: the plugin's. NULL for NULL, and out of memory.
static const struct value *take_plugin_keys(struct reader *reader, struct value *object, const char *const *keys,
                                            size_t count)
{
	const struct value *left;

	if (!object)
		return NULL;
	for (size_t i = 0; i < count; i++)
		value_remove(object, keys[i]);
	left = value_copy(reader->arena, object);
	if (!left)
		reader->err = E_NOMEM;
	return left;
}

void rules_locate(struct reader *reader, struct value *object, void *entry)
{
	static const char *const keys[] = {"plugin", "shrink-limit", "watch"};
	struct config_locate *locate = entry;

	locate->has_watch = object && given(object, "watch"); // else crosscheck_config() sets it
	locate->options = take_plugin_keys(reader, object, keys, ARRAY_LEN(keys));
}

void rules_provider(struct reader *reader, struct value *object, void *entry)
{
	static const char *const keys[] = {"plugin", "grace", "health"};
	struct config_provider *provider = entry;

	provider->options = take_plugin_keys(reader, object, keys, ARRAY_LEN(keys));
}

void rules_discovery(struct reader *reader, struct value *object, void *entry)
{
	static const char *const keys[] = {"plugin", "carriers", "rate", "concurrency", "timeout", "register"};
	struct config_discovery *discovery = entry;

	discovery->options = take_plugin_keys(reader, object, keys, ARRAY_LEN(keys));
}

void rules_damping(struct reader *reader, struct value *object, void *entry)
{
	const struct config_health *health = entry;

	if (health->reuse >= health->suppress)
		reader_error_at(reader, object, "`reuse` is %u, expected less than `suppress`, %u", health->reuse, health->suppress);
}

// Of a key of the mapping at the reader's position. NULL: it is not given.
static void warn_idle(struct reader *reader, const struct value *member, const char *why)
{
	struct reader_place place = reader_place(reader);

	if (!member)
		return;
	reader_enter_key(reader, member);
	reader_warning(reader, "has no effect, %s", why);
	reader_leave(reader, place);
}

void rules_observe(struct reader *reader, struct value *object, void *entry)
{
	static const char *const of_socket[] = {"socket-mode", "socket-group"};
	struct config_observe *observe = entry;
	size_t digits = strspn(observe->mode, "01234567"), len = strlen(observe->mode);
	char quote[READER_QUOTE_MAX];

	observe->is_on = true;
	if (!given(object, "socket"))
		for (size_t i = 0; i < ARRAY_LEN(of_socket); i++)
			warn_idle(reader, value_get(object, of_socket[i]), "there is no `socket`");
	if (digits == len && len >= 3 && len <= 4 && strtoul(observe->mode, NULL, 8) <= 0777)
		observe->socket_mode = (unsigned)strtoul(observe->mode, NULL, 8);
	else
		reader_error_at(reader, value_get(object, "socket-mode"), "cannot be %s, expected an octal mode such as 0660",
		                reader_quote(observe->mode, quote));
}

void rules_check_name(struct reader *reader, const char *name, void *entry)
{
	struct config_check *check = entry;

	if (strcmp(name, "none") == 0)
		reader_error(reader, "stands for no check, expected another name");
	check->name = take_word(reader, name);
}

void rules_site_name(struct reader *reader, const char *name, void *entry)
{
	struct config_site *site = entry;

	if (scope_of(reader)->catalogue)
		site->from_catalogue = catalogue_find(scope_of(reader)->catalogue, name, site);
	if (!site->from_catalogue) {
		site->kind = SITE_KINDS; // until `kind` is read
		site->latitude = site->longitude = NAN;
		site->region = "";
	}
	site->name = take_word(reader, name);
}

static void check_reach(struct reader *reader, const struct value *object, struct config_site *site)
{
	if (given(object, "reach"))
		site->is_public = site->carrier_count == 0;
	else if (!site->from_catalogue)
		site->is_public = site->kind != SITE_WAVELENGTH;
	if (!scope_of(reader)->catalogue || site->kind != SITE_WAVELENGTH || (!site->is_public && site->carrier_count > 0))
		return;
	if (site->is_public)
		reader_error_at(reader, value_get(object, given(object, "reach") ? "reach" : "kind"),
		                "a Wavelength Zone cannot be public: it is reached from its carrier's network only, "
		                "expected `reach: [CARRIER]`");
	else
		reader_error(reader, "the carrier of this Wavelength Zone is not known, expected `reach: [CARRIER]`");
}

// False after an error, which is reported.
static bool kind_is_known(struct reader *reader, const struct value *object, const struct config_site *site)
{
	struct nearest near = nearest_begin(site->name ? site->name : "");
	char meant[NEAREST_MEANT_MAX];

	if (site->from_catalogue || given(object, "kind"))
		return true;
	if (!scope_of(reader)->catalogue) {
		reader_error(reader, "has no `kind`, expected one");
		return false;
	}
	if (scope_of(reader)->is_catalogue_instead)
		return false;
	if (reader_may_help(reader))
		catalogue_offer(scope_of(reader)->catalogue, &near);
	reader_error(reader, "is not in the catalogue, expected a `kind`%s", nearest_meant(&near, '`', meant));
	return false;
}

// The parent region groups sites that fail together; a misspelt one would be a group of its own.
static void check_region(struct reader *reader, const struct config_site *site)
{
	struct config_site found;
	struct nearest nearest = nearest_begin(site->region);
	char quote[READER_QUOTE_MAX], meant[NEAREST_MEANT_MAX];

	if (scope_of(reader)->is_catalogue_instead || reader_find(scope_of(reader)->sites, site->region) >= 0 ||
	    catalogue_find(scope_of(reader)->catalogue, site->region, &found))
		return;
	if (reader_may_help(reader)) {
		scope_offer(&nearest, scope_of(reader)->sites);
		catalogue_offer(scope_of(reader)->catalogue, &nearest);
	}
	reader_warning(reader, "region: %s is neither a site nor in the catalogue%s", reader_quote(site->region, quote),
	               nearest_meant(&nearest, '`', meant));
}

void rules_site(struct reader *reader, struct value *object, void *entry)
{
	struct config_site *site = entry;

	if (!kind_is_known(reader, object, site) || site->kind == SITE_KINDS) // or the one given was refused
		return;
	check_reach(reader, object, site);
	if (scope_of(reader)->catalogue && given(object, "region") && *site->region)
		check_region(reader, site);
}

void rules_target_name(struct reader *reader, const char *name, void *entry)
{
	struct config_target *target = entry;
	struct config_site found;
	struct nearest nearest = nearest_begin(name);
	char quote[READER_QUOTE_MAX], meant[NEAREST_MEANT_MAX];
	int site = reader_find(scope_of(reader)->sites, name);

	target->check = CONFIG_CHECK_NONE;
	target->site = (unsigned)site; // -1, past the end, for none: crosscheck.c then skips the target
	if (site >= 0)
		return;
	if (catalogue_find(scope_of(reader)->catalogue, name, &found)) {
		reader_error(reader, "the site is not listed, expected `%s: {}` under `sites`", name);
		return;
	}
	if (reader_may_help(reader))
		scope_offer(&nearest, scope_of(reader)->sites);
	reader_error(reader, "%s is not a site, expected one listed under `sites`%s", reader_quote(name, quote),
	             nearest_meant(&nearest, '`', meant));
}

// Names that no host can have are not looked up.
static void refuse_odd_host(struct reader *reader, const struct value *object, const char *key, const char *name)
{
	if (name && (!text_is_plain_name(name) || !strchr(name, '.')))
		reader_error_at(reader, value_get(object, key), "cannot be `%s`, expected the full name of a host", name);
}

// Addresses, of which there may be several, or one name.
static void take_check_hosts(struct reader *reader, const struct value *object, struct config_target *target)
{
	size_t count = target->check_host_count;

	target->check_addresses = count ? reader_take(reader, count, sizeof(*target->check_addresses)) : NULL;
	for (size_t i = 0; target->check_addresses && i < count && target->check_hosts[i]; i++) {
		if (text_parse_address(target->check_hosts[i], &target->check_addresses[i]) == E_OK)
			target->check_address_count++;
		else
			target->check_name = target->check_hosts[i];
	}
	if (target->check_name && count > 1)
		reader_error_at(reader, value_get(object, "check-address"), "has the name %s among others, expected addresses, or "
		                "one name alone", target->check_name);
}

void rules_target(struct reader *reader, struct value *object, void *entry)
{
	struct config_target *target = entry;

	int count = given(object, "addresses") + given(object, "alias") + given(object, "cname");

	target->has_weight = given(object, "weight");
	if (count == 0)
		reader_error(reader, "has no `addresses`, `alias` or `cname`, expected one of them");
	else if (count > 1)
		reader_error(reader, "has %s of `addresses`, `alias` and `cname`, expected one of them", count == 2 ? "two" : "all");
	take_check_hosts(reader, object, target);
	refuse_odd_host(reader, object, "alias", target->alias);
	refuse_odd_host(reader, object, "check-address", target->check_name);
}

void rules_app_name(struct reader *reader, const char *name, void *entry)
{
	struct config_app *app = entry;

	app->name = take_name(reader, scope_of(reader)->apps, name, true);
	app->tie_us = UINT32_MAX; // these two not given: crosscheck_config() then sets those of `steering`
	app->unknown_metro = METRO_RULES;
}

void rules_app(struct reader *reader, struct value *object, void *entry)
{
	struct config_app *app = entry;
	const struct value *targets = value_get(object, "targets");
	size_t i = 0;

	app->last_resort = app->last_address_count > 0 ? LAST_RESORT_ADDRESSES : LAST_RESORT_SERVFAIL;
	app->lacks_targets = !targets && (!object || value_is(object, VALUE_MAP) || value_is(object, VALUE_NULL));
	if ((value_is(targets, VALUE_MAP) || value_is(targets, VALUE_NULL)) && value_count(targets) == 0)
		reader_error(reader, "has no targets, expected at least one");
	value_foreach (written, targets) {
		if (i == app->target_count)
			break;
		if (!given(written, "check"))
			app->targets[i].check = app->check;
		app->weighted |= app->targets[i].has_weight;
		i++;
	}
}
