// Which targets the objects of a cluster stand for; see claims.h.
//
// The site is what says it first:  annotation edgesteer.io/site
//                                  `namespaces`, by the load balancer's namespace
//                                  `subnets`, by its annotation; all subnets that are listed agree
//                                  the zone of the endpoints behind it; all that have one agree
// The app is what says it first:   annotation edgesteer.io/app; several are divided by commas or blanks
//                                  Ingress: every rule's host
//                                  Gateway: hostnames of HTTPRoutes that it has accepted, as far as its listeners have
//                                  them; without such, the listeners' own
// An app counts where the namespace that names it may have it. With a Gateway's route, that is the route's namespace.
#include "claims.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/glob.h"
#include "lib/shown.h"

enum { APP_MAX_LEN = 255 };

// A route that a Gateway has accepted.
struct link {
	const char *gateway;
	const struct kobject *route;
	const struct kobject_parent *parent;
};

// What the functions below work on.
struct round {
	struct claims *claims;
	const struct settings *settings;
	const char *cluster;
	const struct kobjects *const *objects;
	struct remarks *remarks;
	struct link *links; // by gateway
	size_t link_count;
};

// Who claims a name, with which servers behind it.
struct claimant {
	const struct kobject *object; // that has the load balancer
	const char *space;           // the namespace that gives the name
	const struct kobject_rule *rules;
	size_t rule_count;
	bool by_annotation;
};

static const char *name_of(const struct kobject *object)
{
	return object->id + strlen(object->space) + 1;
}

#define refuse(round, object, fmt, ...) \
	remark((round)->remarks, "cluster %s: %s %s: " fmt, (round)->cluster, kobject_kind_name((object)->kind), (object)->id, \
	       ##__VA_ARGS__)

// ---- site -----------------------------------------------------------------------------------------------------------

static const char *site_of_namespace(const struct settings *settings, const char *space)
{
	for (size_t i = 0; i < settings->namespaces.count; i++)
		if (glob_match(settings->namespaces.rows[i].key, space))
			return settings->namespaces.rows[i].value;
	return NULL;
}

static const char *site_of_subnet(const struct settings *settings, const char *subnet, size_t len)
{
	for (size_t i = 0; i < settings->subnets.count; i++)
		if (strlen(settings->subnets.rows[i].key) == len && memcmp(settings->subnets.rows[i].key, subnet, len) == 0)
			return settings->subnets.rows[i].value;
	return NULL;
}

static const char *site_of_subnets(const struct round *round, const struct kobject *object)
{
	const char *site = NULL;

	for (const char *at = object->subnets; at && *at;) {
		at += strspn(at, ", \t");

		size_t len = strcspn(at, ", \t");
		const char *next = len ? site_of_subnet(round->settings, at, len) : NULL;

		if (site && next && strcmp(site, next) != 0) {
			refuse(round, object, "its subnets are in two sites, %s and %s: they do not tell its site", site, next);
			return NULL;
		}
		site = next ? next : site;
		at += len;
	}
	return site;
}

static const char *zone_of_service(const struct round *round, const char *service, bool *differ)
{
	const struct kobjects_slices *slices = kobjects_of_service(round->objects[KOBJECT_SLICE], service);
	const struct kobject *slice;
	const char *zone = NULL;

	if (!slices)
		return NULL;
	LIST_FOREACH(slice, slices, with) {
		*differ |= slice->zones_differ || (zone && slice->zone && strcmp(zone, slice->zone) != 0);
		zone = slice->zone ? slice->zone : zone;
	}
	return zone;
}

static const char *site_of_zones(const struct round *round, const struct claimant *claimant)
{
	const char *zone = NULL;
	bool differ = false;

	for (size_t i = 0; i < claimant->rule_count; i++)
		for (size_t n = 0; n < claimant->rules[i].service_count; n++) {
			const char *next = zone_of_service(round, claimant->rules[i].services[n], &differ);

			differ |= zone && next && strcmp(zone, next) != 0;
			zone = next ? next : zone;
		}
	if (differ)
		refuse(round, claimant->object, "its endpoints are in several zones, which do not tell its site");
	return differ ? NULL : zone;
}

static const char *find_site(const struct round *round, const struct claimant *claimant)
{
	const struct kobject *object = claimant->object;
	const char *site = round->settings->annotations ? object->site : NULL;

	if (!site)
		site = site_of_namespace(round->settings, object->space);
	if (!site)
		site = site_of_subnets(round, object);
	return site ? site : site_of_zones(round, claimant);
}

// ---- app ------------------------------------------------------------------------------------------------------------

enum permission { GRANTED, NAME_DENIED, NAMESPACE_DENIED };

static enum permission may_have(const struct settings *settings, const char *space, const char *app)
{
	enum permission found = NAMESPACE_DENIED;

	if (!settings->apps_given)
		return site_of_namespace(settings, space) ? GRANTED : NAMESPACE_DENIED;
	for (size_t i = 0; i < settings->apps.count; i++) {
		if (!glob_match(settings->apps.rows[i].key, space))
			continue;
		if (glob_match(settings->apps.rows[i].value, app))
			return GRANTED;
		found = NAME_DENIED;
	}
	return found;
}

// Lower case, without a final dot; NULL: no name, or out of memory. The host checks the name in full.
static const char *fold_name(struct claims *claims, const char *text, size_t len)
{
	char *app = len <= APP_MAX_LEN ? pool_alloc(&claims->pool, len + 1) : NULL;

	if (!app)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return NULL;
		app[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a' : text[i]);
	}
	if (len > 1 && app[len - 1] == '.')
		app[len - 1] = '\0';
	return app;
}

// ---- claims ---------------------------------------------------------------------------------------------------------

// Ready where one of the Services is; unready only where all of them are known not to be.
static enum edgesteer_health health_of(const struct round *round, const struct claimant *claimant)
{
	size_t services = 0, unready = 0;

	for (size_t i = 0; i < claimant->rule_count; i++)
		for (size_t n = 0; n < claimant->rules[i].service_count; n++) {
			const struct kobjects_slices *slices =
				kobjects_of_service(round->objects[KOBJECT_SLICE], claimant->rules[i].services[n]);
			const struct kobject *slice;

			services++;
			unready += slices != NULL; // without slices it is gone, or a name outside of the cluster
			if (!slices)
				continue;
			LIST_FOREACH(slice, slices, with)
				if (slice->ready)
					return EDGESTEER_HEALTH_READY;
		}
	return services && unready == services ? EDGESTEER_HEALTH_UNREADY : EDGESTEER_HEALTH_UNKNOWN;
}

static const char *balancer_of(struct claims *claims, const struct kobject *object)
{
	const char *text = object->alias;

	for (size_t i = 0; !object->alias && i < object->address_count; i++)
		text = text ? pool_printf(&claims->pool, "%s %s", text, object->addresses[i]) : object->addresses[i];
	return text;
}

static struct claim *grow(struct claims *claims)
{
	if (claims->count == claims->cap) {
		size_t cap = claims->cap ? claims->cap * 2 : 64;
		struct claim *list = realloc(claims->list, cap * sizeof(*list));

		if (!list) {
			claims->failed = true;
			return NULL;
		}
		claims->list = list;
		claims->cap = cap;
	}
	return &claims->list[claims->count];
}

static void append(const struct round *round, const struct claimant *claimant, const char *app, const char *site)
{
	const struct kobject *object = claimant->object;
	struct claims *claims = round->claims;
	struct claim *claim = grow(claims);

	if (!claim)
		return;
	*claim = (struct claim){
		.key = pool_printf(&claims->pool, "%s/%s/%s/%s %s", round->cluster, object->space,
	                       kobject_kind_name(object->kind), name_of(object), app),
		.app = app,
		.site = site,
		.balancer = balancer_of(claims, object),
		.object = object,
		.health = health_of(round, claimant),
	};
	if (claim->key && claim->balancer)
		claims->count++;
	else
		claims->failed = true;
}

static void claim_name(const struct round *round, const struct claimant *claimant, const char *text, size_t len)
{
	const char *app = fold_name(round->claims, text, len), *site;
	char buf[SHOWN_SIZE], written[SHOWN_SIZE];

	if (!app) {
		snprintf(written, sizeof(written), "%.*s", (int)(len < SHOWN_SIZE ? len : SHOWN_SIZE), text);
		refuse(round, claimant->object, "'%s' is no name", shown(buf, written));
		return;
	}
	switch (may_have(round->settings, claimant->space, app)) {
	case NAMESPACE_DENIED: // in most clusters most namespaces are none of ours
		if (claimant->by_annotation)
			refuse(round, claimant->object, "namespace %s may have no name, not %s: it is not in `%s`", claimant->space, app,
			       round->settings->apps_given ? "apps" : "namespaces");
		return;
	case NAME_DENIED:
		refuse(round, claimant->object, "namespace %s may not have the name %s: it is not in its `apps`", claimant->space,
		       shown(buf, app));
		return;
	case GRANTED:
		break;
	}
	site = find_site(round, claimant);
	if (site)
		append(round, claimant, app, site);
	else
		refuse(round, claimant->object, "nothing tells the site of %s: neither its annotation, `namespaces`, `subnets`, nor "
		       "the zone of its endpoints", shown(buf, app));
}

static void claim_host(const struct round *round, const struct claimant *claimant, const char *host)
{
	if (host)
		claim_name(round, claimant, host, strlen(host));
}

static void claim_annotated(const struct round *round, struct claimant claimant)
{
	const char *divide = ", \t\r\n";

	claimant.by_annotation = true;
	for (const char *at = claimant.object->app; *(at += strspn(at, divide));) {
		size_t len = strcspn(at, divide);

		claim_name(round, &claimant, at, len);
		at += len;
	}
}

static bool is_annotated(const struct round *round, const struct kobject *object)
{
	return round->settings->annotations && object->app;
}

static void claim_rules(const struct round *round, const struct kobject *object)
{
	const struct claimant whole = {object, object->space, object->rules, object->rule_count, false};

	if (is_annotated(round, object)) {
		claim_annotated(round, whole);
		return;
	}
	for (size_t i = 0; i < object->rule_count; i++) {
		const struct claimant one = {object, object->space, &object->rules[i], 1, false};

		claim_host(round, &one, object->rules[i].host);
	}
}

// ---- Gateways -------------------------------------------------------------------------------------------------------

static int compare_links(const void *a, const void *b)
{
	return strcmp(((const struct link *)a)->gateway, ((const struct link *)b)->gateway);
}

static void gather_links(struct round *round)
{
	const struct kobjects *routes = round->objects[KOBJECT_ROUTE];
	const struct kobject *route;
	size_t count = 0;

	TAILQ_FOREACH(route, &routes->all, all)
		count += route->parent_count;
	round->links = count ? pool_alloc(&round->claims->pool, count * sizeof(*round->links)) : NULL;
	if (count && !round->links) {
		round->claims->failed = true;
		return;
	}
	TAILQ_FOREACH(route, &routes->all, all)
		for (size_t i = 0; i < route->parent_count; i++)
			round->links[round->link_count++] = (struct link){route->parents[i].gateway, route, &route->parents[i]};
	if (count)
		qsort(round->links, count, sizeof(*round->links), compare_links);
}

static size_t first_link(const struct round *round, const char *gateway)
{
	size_t low = 0, high = round->link_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(round->links[middle].gateway, gateway) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_below(const char *host, const char *wildcard)
{
	size_t len = strlen(host), tail = strlen(wildcard) - 1;

	return wildcard[0] == '*' && wildcard[1] == '.' && len > tail && strcmp(host + len - tail, wildcard + 1) == 0;
}

// The names that both have, NULL standing for all names; NULL also when there are none.
static const char *intersect(const char *a, const char *b)
{
	if (!a || !b)
		return a ? a : b;
	if (strcmp(a, b) == 0 || is_below(a, b))
		return a;
	return is_below(b, a) ? b : NULL;
}

// Returns how many names the route has from this Gateway.
static size_t claim_route(const struct round *round, const struct kobject *gateway, const struct link *link)
{
	const struct kobject *route = link->route;
	size_t names = 0;

	for (size_t i = 0; i < route->rule_count; i++) {
		const struct claimant claimant = {gateway, route->space, &route->rules[i], 1, false};

		for (size_t n = 0; n < gateway->rule_count; n++) {
			const struct kobject_rule *listener = &gateway->rules[n];
			const char *wanted = link->parent->listener, *host;

			if (wanted && (!listener->listener || strcmp(wanted, listener->listener) != 0))
				continue;
			host = intersect(route->rules[i].host, listener->host);
			claim_host(round, &claimant, host);
			names += host != NULL;
		}
	}
	return names;
}

// The rules of all routes, as one array: a route's have the same Services, so its first one stands for it.
static struct claimant routed(const struct round *round, const struct kobject *gateway, const struct link *links,
                              size_t count)
{
	struct kobject_rule *rules = pool_alloc(&round->claims->pool, count * sizeof(*rules));

	round->claims->failed |= !rules;
	for (size_t i = 0; i < count && rules; i++)
		rules[i] = links[i].route->rules[0];
	return (struct claimant){gateway, gateway->space, rules, rules ? count : 0, true};
}

static void claim_gateway(const struct round *round, const struct kobject *gateway)
{
	size_t first = first_link(round, gateway->id), end = first, names = 0;

	while (end < round->link_count && strcmp(round->links[end].gateway, gateway->id) == 0)
		end++;
	if (is_annotated(round, gateway)) {
		claim_annotated(round, routed(round, gateway, &round->links[first], end - first));
		return;
	}
	for (size_t i = first; i < end; i++)
		names += claim_route(round, gateway, &round->links[i]);
	if (!names)
		claim_rules(round, gateway);
}

// ---- the list -------------------------------------------------------------------------------------------------------

void claims_add(struct claims *claims, const struct settings *settings, const char *cluster,
                const struct kobjects *const objects[KOBJECT_KINDS], struct remarks *remarks)
{
	struct round round = {claims, settings, cluster, objects, remarks, NULL, 0};
	static const enum kobject_kind kinds[] = {KOBJECT_INGRESS, KOBJECT_SERVICE, KOBJECT_GATEWAY};
	const struct kobject *object;

	gather_links(&round);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		TAILQ_FOREACH(object, &objects[kinds[i]]->all, all) {
			if (!object->alias && !object->address_count) // it has no load balancer yet
				continue;
			if (object->cut)
				refuse(&round, object, "%zu of its rules, addresses or Services are over the limits and do not count",
				       object->cut);
			if (object->kind == KOBJECT_GATEWAY)
				claim_gateway(&round, object);
			else
				claim_rules(&round, object);
		}
}

static int compare_ages(const struct kobject *a, const struct kobject *b)
{
	// An unknown age is none to give precedence to.
	if (!a->created_s != !b->created_s)
		return a->created_s ? -1 : 1;
	return a->created_s < b->created_s ? -1 : a->created_s > b->created_s;
}

static int compare_load(const struct claim *a, const struct claim *b)
{
	int order = strcmp(a->app, b->app);

	if (order == 0)
		order = strcmp(a->site, b->site);
	return order ? order : strcmp(a->balancer, b->balancer);
}

static int compare_claims(const void *a_claim, const void *b_claim)
{
	const struct claim *a = a_claim, *b = b_claim;
	int order = compare_load(a, b);

	if (order == 0)
		order = compare_ages(a->object, b->object);
	return order ? order : strcmp(a->key, b->key);
}

static enum edgesteer_health unite(enum edgesteer_health a, enum edgesteer_health b)
{
	if (a == EDGESTEER_HEALTH_READY || b == EDGESTEER_HEALTH_READY)
		return EDGESTEER_HEALTH_READY;
	return a == EDGESTEER_HEALTH_UNKNOWN ? a : b;
}

void claims_unite(struct claims *claims)
{
	size_t kept = 0;

	if (claims->count)
		qsort(claims->list, claims->count, sizeof(*claims->list), compare_claims);
	for (size_t i = 0; i < claims->count; i++) {
		struct claim *last = kept ? &claims->list[kept - 1] : NULL;

		if (last && compare_load(last, &claims->list[i]) == 0)
			last->health = unite(last->health, claims->list[i].health);
		else
			claims->list[kept++] = claims->list[i];
	}
	claims->count = kept;
}

void claims_free(struct claims *claims)
{
	free(claims->list);
	pool_free(&claims->pool);
	*claims = (struct claims){.list = NULL};
}
