// Lists of registered service endpoints; see registry.h.
#include "registry.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/inquiry.h"
#include "lib/perapp.h"

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

enum { APP_ID_LETTERS = 15, WORD_MIN_LEN = 3 };

static const char *text_of(const json_t *entry, const char *name)
{
	return json_string_value(json_object_get(entry, name));
}

// ---- entries --------------------------------------------------------------------------------------------------------

void registry_app_id(const char *app, char ret_id[static REGISTRY_WORD_SIZE])
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); // FNV-1a
	size_t len = 0;

	for (const char *c = app; *c; c++) {
		char lower = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;

		hash = (hash ^ (unsigned char)lower) * UINT64_C(0x100000001b3);
		if (len < APP_ID_LETTERS && strchr(ALNUM, lower))
			ret_id[len++] = lower;
	}
	snprintf(ret_id + len, REGISTRY_WORD_SIZE - len, "%016" PRIx64, hash);
}

bool registry_is_word(const char *text, const char *also)
{
	size_t len = strlen(text);

	for (const char *c = text; *c; c++)
		if (!strchr(ALNUM, *c) && !strchr(also, *c))
			return false;
	return len >= WORD_MIN_LEN && len < REGISTRY_WORD_SIZE;
}

// Both as the service writes it: of IPv6 there are many forms.
static bool is_same_address(const char *one, const char *other)
{
	uint8_t a[16], b[16];

	for (int family = AF_INET; one && other; family = AF_INET6) {
		if (inet_pton(family, one, a) == 1 && inet_pton(family, other, b) == 1)
			return memcmp(a, b, family == AF_INET ? 4 : 16) == 0;
		if (family == AF_INET6)
			break;
	}
	return one && other && strcmp(one, other) == 0;
}

// The endpoint's address of a family that is to be registered: that which is, while it is one of them, else the first.
static const char *choose(const struct edgesteer_endpoint *endpoint, bool ipv6, const char *had)
{
	const char *first = NULL;

	for (size_t i = 0; i < endpoint->address_count; i++) {
		const char *address = endpoint->addresses[i];

		if ((strchr(address, ':') != NULL) != ipv6)
			continue;
		if (is_same_address(address, had))
			return had;
		if (!first)
			first = address;
	}
	return endpoint->address_count == 0 ? had : first; // none is known now: what is registered stays
}

json_t *registry_make_entry(const struct registry_options *options, const struct edgesteer_endpoint *endpoint,
                            const char *ern, const json_t *had)
{
	const json_t *before = json_object_get(had, "serviceEndpoint");
	const char *ipv4 = choose(endpoint, false, text_of(before, "IPv4Address"));
	const char *ipv6 = choose(endpoint, true, text_of(before, "IPv6Address"));
	char app_id[REGISTRY_WORD_SIZE];
	json_t *where = json_pack("{s:s*, s:s*, s:s*}", "IPv4Address", ipv4, "IPv6Address", ipv6, "FQDN",
	                          registry_is_word(endpoint->app, ".") ? endpoint->app : NULL);
	json_t *entry;

	if (where && (ipv4 || ipv6))
		json_object_set_new(where, "port", json_integer(options->port));
	registry_app_id(endpoint->app, app_id);
	entry = json_pack("{s:s, s:s, s:s, s:s, s:s}", "ern", ern, "applicationServerProviderId", "AWS", "applicationId", app_id,
	                  "serviceDescription", options->mark, "serviceProfileID", options->profile_id);
	if (entry && where && json_object_size(where) > 0)
		json_object_set(entry, "serviceEndpoint", where);
	json_decref(where);
	return entry;
}

// As text; "none" for none, null and what is of another kind.
static const char *shown_of(const json_t *value, char buf[static 64])
{
	if (json_is_integer(value))
		snprintf(buf, 64, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else
		snprintf(buf, 64, "%.60s", json_is_string(value) ? json_string_value(value) : "none");
	return buf;
}

static bool is_same_member(const json_t *wanted, const json_t *had, const char *name, char ret_why[static REGISTRY_WHY_SIZE])
{
	const json_t *one = json_object_get(wanted, name), *other = json_object_get(had, name);
	char now[64], before[64];

	if (strcmp(shown_of(one, now), shown_of(other, before)) == 0 ||
	    is_same_address(json_string_value(one), json_string_value(other)))
		return true;
	snprintf(ret_why, REGISTRY_WHY_SIZE, "%s %s instead of %s", name, now, before);
	return false;
}

bool registry_is_same(const json_t *wanted, const json_t *had, char ret_why[static REGISTRY_WHY_SIZE])
{
	static const char *const outer[] = {"ern", "applicationServerProviderId", "applicationId", "serviceDescription",
	                                    "serviceProfileID"};
	static const char *const inner[] = {"IPv4Address", "IPv6Address", "port", "FQDN"};
	const json_t *one = json_object_get(wanted, "serviceEndpoint"), *other = json_object_get(had, "serviceEndpoint");

	for (size_t i = 0; i < sizeof(outer) / sizeof(*outer); i++)
		if (!is_same_member(wanted, had, outer[i], ret_why))
			return false;
	for (size_t i = 0; i < sizeof(inner) / sizeof(*inner); i++)
		if (!is_same_member(one, other, inner[i], ret_why))
			return false;
	return true;
}

bool registry_is_ours(const struct registry_options *options, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *mark = text_of(json_array_get(list, i), "serviceDescription");

		if (!mark || strcmp(mark, options->mark) != 0)
			return false;
	}
	return true;
}

// ---- requests -------------------------------------------------------------------------------------------------------

static bool set_url(const struct registry_options *options, const char *resource, const char *id,
                    char ret_url[static INQUIRY_URL_SIZE])
{
	const char *slash = options->base_url[strlen(options->base_url) - 1] == '/' ? "" : "/";

	return (size_t)snprintf(ret_url, INQUIRY_URL_SIZE, "%s%s%s%s%s", options->base_url, slash, resource, *id ? "/" : "",
	                        id) < INQUIRY_URL_SIZE;
}

// A reply's JSON, the caller's. NULL: *ret_verdict says why there is none.
static json_t *ask(struct visit *visit, const struct registry_options *options, const char *method, const char *resource,
                   const char *id, const json_t *body, struct verdict *ret_verdict)
{
	char url[INQUIRY_URL_SIZE];
	struct visit_reply reply = {0};

	if (!set_url(options, resource, id, url)) {
		verdict_set(ret_verdict, EDGESTEER_BROKEN, "the URL is too long");
		return NULL;
	}
	if (visit_ask(visit, method, url, body, &reply))
		return reply.json ? reply.json : json_null(); // of a DELETE nothing more is needed
	*ret_verdict = reply.verdict;
	// Of a wrong `base-url` it would have another form.
	if (reply.status == 404 && *id && visit_said(&reply, "message", "error"))
		ret_verdict->outcome = EDGESTEER_NOT_FOUND;
	json_decref(reply.json);
	return NULL;
}

json_t *registry_read(struct visit *visit, const struct registry_options *options, const char *id,
                      struct verdict *ret_verdict)
{
	json_t *list = ask(visit, options, NULL, "serviceendpoints", id, NULL, ret_verdict);
	bool good = json_is_array(list) && json_array_size(list) <= REGISTRY_LIST_MAX;

	for (size_t i = 0; i < json_array_size(list) && good; i++)
		good = json_is_object(json_array_get(list, i));
	if (!list || good)
		return list;
	json_decref(list);
	verdict_set(ret_verdict, EDGESTEER_BROKEN, "the reply is not a list of up to %d endpoints", (int)REGISTRY_LIST_MAX);
	return NULL;
}

bool registry_write(struct visit *visit, const struct registry_options *options, const json_t *list,
                    char id[static REGISTRY_ID_SIZE], struct verdict *ret_verdict)
{
	const char *method = json_array_size(list) == 0 ? "DELETE" : *id ? "PUT" : NULL;
	json_t *reply = ask(visit, options, method, "serviceendpoints", id, json_array_size(list) ? list : NULL, ret_verdict);
	const char *made = text_of(reply, "serviceEndpointsId");
	bool good = reply != NULL;

	if (reply && !*id && (good = made && perapp_is_good(made)))
		snprintf(id, REGISTRY_ID_SIZE, "%s", made);
	if (reply && !good)
		verdict_set(ret_verdict, EDGESTEER_BROKEN, "the reply has no `serviceEndpointsId` that can be used");
	json_decref(reply);
	return good;
}

json_t *registry_list_all(struct visit *visit, const struct registry_options *options, struct verdict *ret_verdict)
{
	json_t *reply = ask(visit, options, NULL, "serviceendpointsall", "", NULL, ret_verdict);
	json_t *all = json_object_get(reply, "data"), *ids = json_is_array(all) ? json_array() : NULL;

	for (size_t i = 0; i < json_array_size(all) && ids; i++) {
		json_t *id = json_array_get(all, i);

		if (json_is_string(id) && perapp_is_good(json_string_value(id)))
			json_array_append(ids, id);
	}
	if (reply && !ids)
		verdict_set(ret_verdict, EDGESTEER_BROKEN, "the reply has no list `data`");
	json_decref(reply);
	return ids;
}
