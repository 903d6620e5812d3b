// From the JSON of an object to what is kept of it; see kobject.h. Field by field as the API describes them
// (networking.k8s.io/v1, v1, discovery.k8s.io/v1, gateway.networking.k8s.io/v1); a field of another type counts as
// absent.
#include "kobject.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SITE_ANNOTATION "edgesteer.io/site"
#define APP_ANNOTATION "edgesteer.io/app"
#define INGRESS_SUBNETS "alb.ingress.kubernetes.io/subnets"
#define SERVICE_SUBNETS "service.beta.kubernetes.io/aws-load-balancer-subnets"
#define CLASS_ANNOTATION "kubernetes.io/ingress.class" // older than spec.ingressClassName
#define SERVICE_LABEL "kubernetes.io/service-name"

enum { NAMESPACE_MAX_LEN = 63, NAME_MAX_LEN = 253 };

const char *kobject_kind_name(enum kobject_kind kind)
{
	static const char *const names[KOBJECT_KINDS] = {"ingress", "service", "endpointslice", "gateway", "httproute"};

	return names[kind];
}

// ---- parts of JSON --------------------------------------------------------------------------------------------------

// The value at a path of keys, NULL-terminated; NULL: there is none.
static json_t *at(json_t *json, const char *const *path)
{
	for (; *path && json; path++)
		json = json_object_get(json, *path);
	return json;
}

#define AT(json, ...) at(json, (const char *const[]){__VA_ARGS__, NULL})

// NULL: no text, an empty one, or one with a NUL in it, which is none that we want.
static const char *text_of(json_t *json)
{
	const char *text = json_string_value(json);

	return text && *text && strlen(text) == json_string_length(json) ? text : NULL;
}

static bool text_is(json_t *json, const char *text)
{
	return json_is_string(json) && strcmp(json_string_value(json), text) == 0;
}

static size_t limited(json_t *list, size_t max, size_t *cut)
{
	size_t count = json_array_size(list);

	*cut += count > max ? count - max : 0;
	return count < max ? count : max;
}

// A name as Kubernetes allows it. What is none would make messages and keys ambiguous.
static bool name_is_good(const char *name, size_t max)
{
	size_t len = name ? strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") : 0;

	return len > 0 && len <= max && !name[len];
}

// "namespace/name"; NULL: out of memory (errno), or no valid names.
static const char *join(struct kobject *object, const char *space, const char *name)
{
	errno = EINVAL;
	return name_is_good(space, NAMESPACE_MAX_LEN) && name_is_good(name, NAME_MAX_LEN)
	           ? pool_printf(&object->pool, "%s/%s", space, name) : NULL;
}

// A copy of a text, NULL when there is none; sets *failed when out of memory.
static const char *keep(struct kobject *object, json_t *json, bool *failed)
{
	const char *text = text_of(json), *copy = text ? pool_text(&object->pool, text) : NULL;

	*failed |= text && !copy;
	return copy;
}

static void *make(struct kobject *object, size_t count, size_t size, bool *failed)
{
	void *array = pool_alloc(&object->pool, count * size);

	*failed |= !array;
	return array;
}

// ---- rules ----------------------------------------------------------------------------------------------------------

// Services as they are gathered for a rule.
struct services {
	const char *list[KOBJECT_BACKENDS_MAX];
	size_t count;
};

static void add_service(struct kobject *object, struct services *services, const char *space, json_t *name)
{
	const char *id = text_of(name) ? join(object, space, text_of(name)) : NULL;

	if (!id)
		return;
	for (size_t i = 0; i < services->count; i++)
		if (strcmp(services->list[i], id) == 0)
			return;
	if (services->count < KOBJECT_BACKENDS_MAX)
		services->list[services->count++] = id;
	else
		object->cut++;
}

static void set_services(struct kobject *object, struct kobject_rule *rule, const struct services *services, bool *failed)
{
	const char **list = make(object, services->count + 1, sizeof(*list), failed);

	if (!list)
		return;
	memcpy(list, services->list, services->count * sizeof(*list));
	rule->services = list;
	rule->service_count = services->count;
}

static void decode_ingress_rules(struct kobject *object, json_t *spec, bool *failed)
{
	json_t *rules = json_object_get(spec, "rules"), *fallback = AT(spec, "defaultBackend", "service", "name");
	size_t count = limited(rules, KOBJECT_RULES_MAX, &object->cut);
	// One more: the backend of what no rule has.
	struct kobject_rule *list = make(object, count + 1, sizeof(*list), failed);

	if (!list)
		return;
	for (size_t i = 0; i < count; i++) {
		json_t *rule = json_array_get(rules, i), *path;
		struct services services = {.count = 0};
		size_t n;

		list[i].host = keep(object, json_object_get(rule, "host"), failed);
		json_array_foreach(AT(rule, "http", "paths"), n, path)
			add_service(object, &services, object->space, AT(path, "backend", "service", "name"));
		if (!services.count) // a host without paths is served by the default
			add_service(object, &services, object->space, fallback);
		set_services(object, &list[i], &services, failed);
	}
	if (text_of(fallback)) {
		struct services services = {.count = 0};

		add_service(object, &services, object->space, fallback);
		set_services(object, &list[count++], &services, failed);
	}
	object->rules = list;
	object->rule_count = count;
}

static void decode_service_rule(struct kobject *object, bool *failed)
{
	struct kobject_rule *rule = make(object, 1, sizeof(*rule), failed);
	const struct services services = {{object->id}, 1};

	if (!rule)
		return;
	set_services(object, rule, &services, failed);
	object->rules = rule;
	object->rule_count = 1;
}

static void decode_listeners(struct kobject *object, json_t *spec, bool *failed)
{
	json_t *listeners = json_object_get(spec, "listeners");
	size_t count = limited(listeners, KOBJECT_RULES_MAX, &object->cut);
	struct kobject_rule *list = make(object, count, sizeof(*list), failed);

	for (size_t i = 0; i < count && list; i++) {
		list[i].host = keep(object, AT(json_array_get(listeners, i), "hostname"), failed);
		list[i].listener = keep(object, AT(json_array_get(listeners, i), "name"), failed);
	}
	object->rules = list;
	object->rule_count = list ? count : 0;
}

// The kind and group that references have by default.
static bool refers_to(json_t *reference, const char *kind, const char *group)
{
	json_t *said_kind = json_object_get(reference, "kind"), *said_group = json_object_get(reference, "group");

	return (!said_kind || text_is(said_kind, kind)) && (!said_group || text_is(said_group, group));
}

static void add_route_services(struct kobject *object, struct services *services, json_t *rules)
{
	json_t *rule, *backend;
	size_t i, n;

	json_array_foreach(rules, i, rule) {
		json_array_foreach(json_object_get(rule, "backendRefs"), n, backend) {
			const char *space = text_of(json_object_get(backend, "namespace"));

			if (refers_to(backend, "Service", ""))
				add_service(object, services, space ? space : object->space, json_object_get(backend, "name"));
		}
	}
}

static void decode_hostnames(struct kobject *object, json_t *spec, bool *failed)
{
	json_t *hostnames = json_object_get(spec, "hostnames");
	size_t count = limited(hostnames, KOBJECT_RULES_MAX, &object->cut);
	struct kobject_rule *list = make(object, count + 1, sizeof(*list), failed);
	struct services services = {.count = 0};

	if (!list)
		return;
	add_route_services(object, &services, json_object_get(spec, "rules"));
	set_services(object, &list[0], &services, failed);
	for (size_t i = 0; i < count; i++) {
		list[i] = list[0];
		list[i].host = keep(object, json_array_get(hostnames, i), failed);
	}
	object->rules = list;
	object->rule_count = count ? count : 1; // without hostnames: those of the listeners
}

static bool is_accepted(json_t *parent)
{
	json_t *condition;
	size_t i;

	json_array_foreach(json_object_get(parent, "conditions"), i, condition)
		if (text_is(json_object_get(condition, "type"), "Accepted"))
			return text_is(json_object_get(condition, "status"), "True");
	return false;
}

// Only a Gateway that has accepted the route serves it: anybody may write a reference to a Gateway of somebody else.
static void decode_parents(struct kobject *object, json_t *status, bool *failed)
{
	json_t *parents = json_object_get(status, "parents");
	size_t count = limited(parents, KOBJECT_PARENTS_MAX, &object->cut);
	struct kobject_parent *list = make(object, count, sizeof(*list), failed);

	object->parents = list;
	for (size_t i = 0; i < count && list; i++) {
		json_t *parent = json_array_get(parents, i), *reference = json_object_get(parent, "parentRef");
		const char *space = text_of(json_object_get(reference, "namespace"));
		const char *name = text_of(json_object_get(reference, "name"));

		if (!is_accepted(parent) || !refers_to(reference, "Gateway", "gateway.networking.k8s.io"))
			continue;

		struct kobject_parent *kept = &list[object->parent_count];

		kept->gateway = join(object, space ? space : object->space, name);
		kept->listener = keep(object, json_object_get(reference, "sectionName"), failed);
		object->parent_count += kept->gateway != NULL;
	}
}

// ---- the load balancer ----------------------------------------------------------------------------------------------

// `hostname` and `ip` name the two members of an entry of an Ingress or a Service; those of a Gateway have a type.
static void decode_addresses(struct kobject *object, json_t *list, bool typed, bool *failed)
{
	size_t count = limited(list, KOBJECT_ADDRESSES_MAX, &object->cut);
	const char **addresses = make(object, count, sizeof(*addresses), failed);

	object->addresses = addresses;
	for (size_t i = 0; i < count && addresses; i++) {
		json_t *entry = json_array_get(list, i), *type = json_object_get(entry, "type");
		json_t *value = json_object_get(entry, "value");
		json_t *hostname = !typed ? json_object_get(entry, "hostname") : text_is(type, "Hostname") ? value : NULL;
		json_t *ip = !typed ? json_object_get(entry, "ip") : !type || text_is(type, "IPAddress") ? value : NULL;

		if (!object->alias)
			object->alias = keep(object, hostname, failed);
		if ((addresses[object->address_count] = keep(object, ip, failed)))
			object->address_count++;
	}
}

static void decode_annotations(struct kobject *object, json_t *metadata, bool *failed)
{
	json_t *annotations = json_object_get(metadata, "annotations");
	json_t *subnets = json_object_get(annotations, INGRESS_SUBNETS);

	object->site = keep(object, json_object_get(annotations, SITE_ANNOTATION), failed);
	object->app = keep(object, json_object_get(annotations, APP_ANNOTATION), failed);
	object->subnets = keep(object, subnets ? subnets : json_object_get(annotations, SERVICE_SUBNETS), failed);
}

static bool class_is(json_t *json, const char *class_)
{
	json_t *said = AT(json, "spec", "ingressClassName");

	return text_is(said ? said : AT(json, "metadata", "annotations", CLASS_ANNOTATION), class_);
}

// ---- EndpointSlices -------------------------------------------------------------------------------------------------

static void decode_slice(struct kobject *object, json_t *json, bool *failed)
{
	const char *service = text_of(AT(json, "metadata", "labels", SERVICE_LABEL));
	json_t *endpoint;
	size_t i;

	object->service = service ? join(object, object->space, service) : NULL;
	json_array_foreach(json_object_get(json, "endpoints"), i, endpoint) {
		json_t *ready = AT(endpoint, "conditions", "ready"), *zone = json_object_get(endpoint, "zone");

		object->ready |= !json_is_false(ready); // absent and null mean ready
		if (!text_of(zone))
			continue;
		if (!object->zone)
			object->zone = keep(object, zone, failed);
		else
			object->zones_differ |= !text_is(zone, object->zone);
	}
}

// ---- objects --------------------------------------------------------------------------------------------------------

static int64_t read_time(const char *text)
{
	struct tm tm = {0};
	const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;
	time_t when = end && !*end ? timegm(&tm) : 0;

	return when > 0 ? when : 0;
}

static void decode_kind(struct kobject *object, json_t *json, bool *failed)
{
	json_t *spec = json_object_get(json, "spec"), *status = json_object_get(json, "status");

	switch (object->kind) {
	case KOBJECT_INGRESS:
		decode_ingress_rules(object, spec, failed);
		decode_addresses(object, AT(status, "loadBalancer", "ingress"), false, failed);
		break;
	case KOBJECT_SERVICE:
		decode_service_rule(object, failed);
		decode_addresses(object, AT(status, "loadBalancer", "ingress"), false, failed);
		break;
	case KOBJECT_GATEWAY:
		decode_listeners(object, spec, failed);
		decode_addresses(object, json_object_get(status, "addresses"), true, failed);
		break;
	case KOBJECT_ROUTE:
		decode_hostnames(object, spec, failed);
		decode_parents(object, status, failed);
		break;
	default:
		decode_slice(object, json, failed);
	}
}

bool kobject_read_id(const void *json, char *buf, size_t size)
{
	json_t *metadata = json_object_get(json, "metadata");
	const char *space = text_of(json_object_get(metadata, "namespace")), *name = text_of(json_object_get(metadata, "name"));

	return name_is_good(space, NAMESPACE_MAX_LEN) && name_is_good(name, NAME_MAX_LEN) &&
	       (size_t)snprintf(buf, size, "%s/%s", space, name) < size;
}

struct kobject *kobject_decode(enum kobject_kind kind, const void *decoded, const char *ingress_class, const char **ret_why)
{
	json_t *json = (json_t *)decoded, *metadata = json_object_get(json, "metadata");
	bool failed = false;

	*ret_why = NULL;
	errno = 0;
	if ((kind == KOBJECT_INGRESS && ingress_class && !class_is(json, ingress_class)) ||
	    (kind == KOBJECT_SERVICE && !text_is(AT(json, "spec", "type"), "LoadBalancer")))
		return NULL;

	struct kobject *object = calloc(1, sizeof(*object));

	if (!object) {
		errno = ENOMEM;
		return NULL;
	}
	object->kind = kind;
	object->space = keep(object, json_object_get(metadata, "namespace"), &failed);
	object->id = join(object, object->space, text_of(json_object_get(metadata, "name")));
	failed |= !object->id && errno == ENOMEM;
	if (object->id) {
		object->created_s = read_time(text_of(json_object_get(metadata, "creationTimestamp")));
		decode_annotations(object, metadata, &failed);
		decode_kind(object, json, &failed);
	}
	if (!object->id || failed) {
		*ret_why = failed ? NULL : "its namespace or name is no name";
		kobject_free(object);
		errno = failed ? ENOMEM : 0;
		return NULL;
	}
	return object;
}

void kobject_free(struct kobject *object)
{
	if (!object)
		return;
	pool_free(&object->pool);
	free(object);
}

// ---- comparing ------------------------------------------------------------------------------------------------------

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_list(const char *const *a, size_t a_count, const char *const *b, size_t b_count)
{
	bool equal = a_count == b_count;

	for (size_t i = 0; equal && i < a_count; i++)
		equal = same(a[i], b[i]);
	return equal;
}

static bool same_rule(const struct kobject_rule *a, const struct kobject_rule *b)
{
	return same(a->host, b->host) && same(a->listener, b->listener) &&
	       same_list(a->services, a->service_count, b->services, b->service_count);
}

bool kobject_same(const struct kobject *a, const struct kobject *b)
{
	bool equal = same(a->id, b->id) && a->created_s == b->created_s && same(a->site, b->site) && same(a->app, b->app) &&
	             same(a->subnets, b->subnets) && same(a->alias, b->alias) && same(a->service, b->service) &&
	             same(a->zone, b->zone) && a->zones_differ == b->zones_differ && a->ready == b->ready && a->cut == b->cut &&
	             a->rule_count == b->rule_count && a->parent_count == b->parent_count &&
	             same_list(a->addresses, a->address_count, b->addresses, b->address_count);

	for (size_t i = 0; equal && i < a->rule_count; i++)
		equal = same_rule(&a->rules[i], &b->rules[i]);
	for (size_t i = 0; equal && i < a->parent_count; i++)
		equal = same(a->parents[i].gateway, b->parents[i].gateway) &&
		        same(a->parents[i].listener, b->parents[i].listener);
	return equal;
}
