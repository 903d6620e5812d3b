// From names to targets; see aliases.h.
#include "daemon/aliases.h"

#include <stdlib.h>
#include <string.h>

#include "base/dict.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "config/config.h"
#include "config/site_blocks.h"
#include "daemon/alias_plan.h"
#include "resolve/resolve.h"
#include "resolve/resolve_log.h"
#include "state/state.h"

enum { STALE_TTL_S = 30 }; // RFC 8767 section 4

_Static_assert((int)RESOLVE_ADDRESSES_MAX == (int)CONFIG_ADDRESSES_MAX, "a name has no more addresses than a target");
_Static_assert((int)RESOLVE_NAMES_MAX == (int)CONFIG_HOSTS_MAX && (int)RESOLVE_SERVERS_MAX == (int)CONFIG_RESOLVERS_MAX,
               "as the config is checked");

struct aliases {
	struct resolve *resolve;
	struct state *state;
	struct aliases_ops ops;
	struct alias_plan *plan;   // in use; NULL: none yet
	bool is_settled;
	bool is_short;             // some targets have not what is known
	struct resolve_log log;
};

// ---- from a name to its targets -------------------------------------------------------------------------------------

// What a target gets of a name's addresses.
struct share {
	struct addr addresses[RESOLVE_ADDRESSES_MAX];
	size_t count;
	uint32_t ttl_s;
};

static void tell_refused(struct aliases *aliases, const struct config_app *app, const struct config_site *site,
                         const char *name, const struct addr *addr, const char *why, bool is_taken)
{
	char text[ADDR_TEXT_LEN];

	resolve_log_refused(&aliases->log, app->name, site->name, name, addr_format(addr, text), why, is_taken);
}

// The addresses that the site may have. What is refused is told once.
static void take_share(struct aliases *aliases, const struct alias_plan *plan, const struct alias_user *user,
                       const struct resolve_name *name, struct share *share)
{
	const struct config_app *app = &plan->config->apps[user->app];
	const struct config_site *site = &plan->config->sites[app->targets[user->slot].site];
	const struct resolve_addresses *have = &name->last_good;
	bool is_dropped = name->is_expired && plan->config->alias_expired;
	uint64_t refused = 0, told = plan->told[user->target];

	share->count = 0;
	share->ttl_s = have->ttl_s < app->ttl_s ? have->ttl_s : app->ttl_s;
	if (name->is_stale && share->ttl_s > STALE_TTL_S)
		share->ttl_s = STALE_TTL_S;
	for (size_t i = 0; i < have->count; i++) {
		const char *why;
		enum site_blocks_verdict verdict = site_blocks_check(site, &have->list[i], &why);

		if (verdict != SITE_BLOCKS_REFUSE && !is_dropped)
			share->addresses[share->count++] = have->list[i];
		if (verdict != SITE_BLOCKS_GOOD)
			refused += hash_mix(hash_bytes(1, &have->list[i], sizeof(have->list[i])));
	}
	plan->told[user->target] = refused;
	for (size_t i = 0; i < have->count && refused && refused != told; i++) {
		const char *why;
		enum site_blocks_verdict verdict = site_blocks_check(site, &have->list[i], &why);

		if (verdict != SITE_BLOCKS_GOOD)
			tell_refused(aliases, app, site, name->name, &have->list[i], why, verdict == SITE_BLOCKS_WARN);
	}
}

// Gives a target what is known of a name.
static int give(struct aliases *aliases, const struct alias_plan *plan, const struct alias_user *user,
                const struct resolve_name *name, const struct aliases_sink *sink)
{
	struct share share;
	int err;

	if (user->is_probed) {
		err = sink->set_probed(sink->ctx, user->target, name->last_good.list, name->last_good.count);
	} else {
		take_share(aliases, plan, user, name, &share);
		err = sink->set(sink->ctx, user->target, share.addresses, share.count, share.ttl_s);
	}
	aliases->is_short |= err < 0;
	return err;
}

static void on_changed(void *ctx, const struct resolve_name *name)
{
	struct aliases *aliases = ctx;
	struct alias_plan *plan = aliases->plan;
	const struct dict_entry *found = dict_find(plan->first, name->name);

	must(found);
	for (uint32_t i = (uint32_t)found->value - 1; i != ALIAS_PLAN_NONE; i = plan->users[i].next)
		(void)give(aliases, plan, &plan->users[i], name, &aliases->ops.sink);
}

int aliases_fill(struct aliases *aliases, const struct aliases_sink *sink)
{
	struct alias_plan *plan = aliases->plan;
	int err = E_OK;

	aliases->is_short = false;
	for (size_t i = 0; err == E_OK && i < plan->user_count; i++) {
		const struct alias_user *user = &plan->users[i];
		const struct resolve_name *name = resolve_get(aliases->resolve, alias_plan_name(plan, user));

		if (name->is_known)
			err = give(aliases, plan, user, name, sink);
	}
	return err;
}

static void on_settled(void *ctx)
{
	struct aliases *aliases = ctx;

	aliases->is_settled = true;
	aliases->ops.settled(aliases->ops.ctx);
}

// ---- what is saved --------------------------------------------------------------------------------------------------

static void on_save(void *ctx, const struct resolve_name *name)
{
	struct aliases *aliases = ctx;
	const struct resolve_addresses *have = &name->last_good;
	char text[RESOLVE_ADDRESSES_MAX * ADDR_TEXT_LEN], one[ADDR_TEXT_LEN];
	size_t at = 0;

	_Static_assert((int)sizeof(text) <= (int)STATE_ALIAS_TEXT_MAX, "it fits into a row");
	for (size_t i = 0; i < have->count; i++) {
		size_t len = strlen(addr_format(&have->list[i], one));

		if (i)
			text[at++] = ' ';
		memcpy(text + at, one, len);
		at += len;
		must(at < sizeof(text));
	}
	text[at] = '\0';
	state_set_alias(aliases->state, name->name, text, have->ttl_s, have->good_s);
}

static bool on_saved(void *ctx, const char *name, struct resolve_addresses *ret_addresses)
{
	const struct aliases *aliases = ctx;
	struct resolve_addresses found = {.count = 0};
	const char *text = state_alias(aliases->state, name, &found.ttl_s, &found.good_s);

	while (text && *text) {
		size_t len = strcspn(text, " ");
		char one[ADDR_TEXT_LEN];

		if (len >= sizeof(one) || found.count == RESOLVE_ADDRESSES_MAX)
			return false;
		memcpy(one, text, len);
		one[len] = '\0';
		if (addr_parse(one, &found.list[found.count++]) < 0)
			return false;
		text += len + (text[len] == ' ');
	}
	*ret_addresses = found;
	return found.count > 0;
}

static bool is_wanted(void *ctx, const char *name)
{
	const struct alias_plan *plan = ctx;

	return dict_find(plan->first, name) != NULL;
}

// ---- generations ----------------------------------------------------------------------------------------------------

// Joins to one load share its options.
static const struct config *load_of(const struct alias_plan *plan)
{
	return plan->config->base ? plan->config->base : plan->config;
}

static int configure(struct aliases *aliases, const struct alias_plan *plan)
{
	const struct config *config = plan->config;
	struct sockaddr_storage servers[CONFIG_RESOLVERS_MAX] = {0};
	const char **zones = calloc(config->domain_count + 1, sizeof(*zones));
	struct resolve_config wanted = {.servers = servers, .server_count = config->resolver.server_count,
	                                .timeout_ms = config->resolver.timeout_ms, .attempts = config->resolver.attempts,
	                                .keeps_servers = aliases->plan && load_of(aliases->plan) == load_of(plan),
	                                .max_age_s = config->alias_max_age_s, .zones = zones,
	                                .zone_count = config->domain_count, .names = plan->names,
	                                .name_count = plan->name_count};
	int err = zones ? E_OK : E_NOMEM;

	must(wanted.server_count <= CONFIG_RESOLVERS_MAX);
	for (size_t i = 0; i < wanted.server_count; i++) {
		socklen_t len;

		must(addr_parse_endpoint(config->resolver.servers[i], 53, &servers[i], &len) == E_OK); // checked
	}
	for (size_t i = 0; zones && i < config->domain_count; i++)
		zones[i] = config->domains[i].name;
	if (err == E_OK)
		err = resolve_configure(aliases->resolve, &wanted);
	free(zones);
	return err;
}

// What was told of a target is not told again for another generation.
static void inherit_told(struct alias_plan *plan, const struct alias_plan *before, const uint32_t *old_of_new)
{
	for (size_t i = 0; i < plan->target_count; i++) {
		must(old_of_new[i] == ALIAS_PLAN_NONE || old_of_new[i] < before->target_count);
		if (old_of_new[i] != ALIAS_PLAN_NONE)
			plan->told[i] = before->told[old_of_new[i]];
	}
}

int aliases_take(struct aliases *aliases, struct alias_plan *plan, const uint32_t *old_of_new)
{
	int err = configure(aliases, plan);

	if (err < 0) {
		alias_plan_free(plan);
		return err;
	}
	state_retain_aliases(aliases->state, is_wanted, plan);
	if (aliases->plan)
		inherit_told(plan, aliases->plan, old_of_new);
	alias_plan_free(aliases->plan);
	aliases->plan = plan;
	return E_OK;
}

struct aliases *aliases_new(struct event_base *base, struct state *state, const struct aliases_ops *ops)
{
	struct aliases *aliases = calloc(1, sizeof(*aliases));
	const struct resolve_ops resolve_ops = {.changed = on_changed, .save = on_save, .saved = on_saved,
	                                        .settled = on_settled, .ctx = aliases};

	if (!aliases)
		return NULL;
	aliases->state = state;
	aliases->ops = *ops;
	aliases->resolve = resolve_new(base, &resolve_ops);
	return aliases->resolve ? aliases : aliases_free(aliases);
}

struct aliases *aliases_free(struct aliases *aliases)
{
	if (!aliases)
		return NULL;
	resolve_free(aliases->resolve);
	alias_plan_free(aliases->plan);
	free(aliases);
	return NULL;
}

bool aliases_is_short(const struct aliases *aliases)
{
	return aliases->is_short;
}

bool aliases_settled(const struct aliases *aliases)
{
	return aliases->is_settled;
}

const struct resolve *aliases_resolve(const struct aliases *aliases)
{
	return aliases->resolve;
}
