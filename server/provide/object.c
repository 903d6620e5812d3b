// Checking and copying targets of providers; see object.h.
#include "provide/object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "schema/text.h"

// A target being checked. Its texts are the plugin's, or in the buffers.
struct checking {
	const struct edgesteer_target *target;
	char app[TEXT_NAME_MAX], alias[TEXT_NAME_MAX], check_name[TEXT_NAME_MAX];
	struct addr addresses[OBJECT_ADDRESSES_MAX];
	struct addr check_address;
	bool has_check_name;
};

#define refuse(why, ...) (snprintf(why, OBJECT_WHY_LEN, __VA_ARGS__), E_INVAL)

static int check_key(const char *key, char *why)
{
	if (!key || !*key)
		return refuse(why, "has no key");
	for (size_t len = 0; key[len]; len++)
		if (len == OBJECT_KEY_MAX_LEN || key[len] < ' ' || key[len] > '~')
			return refuse(why, "has a key that is not 1 to %d printable ASCII characters", OBJECT_KEY_MAX_LEN);
	return E_OK;
}

// A host's name: as a domain name, of letters, digits and the like.
static bool read_host(const char *text, char *buf)
{
	return text_canonise(text, false, buf) && text_is_plain_name(buf);
}

static int check_addresses(struct checking *checking, char *why)
{
	const struct edgesteer_target *target = checking->target;

	if (target->address_count > OBJECT_ADDRESSES_MAX)
		return refuse(why, "has %zu addresses, expected at most %d", target->address_count, OBJECT_ADDRESSES_MAX);
	for (size_t i = 0; i < target->address_count; i++) {
		const char *text = target->addresses ? target->addresses[i] : NULL;

		if (!text || text_parse_address(text, &checking->addresses[i]) < 0)
			return refuse(why, "has the address `%.60s`, which is not that of a host", text ? text : "");
		for (size_t j = 0; j < i; j++)
			if (addr_equal(&checking->addresses[i], &checking->addresses[j]))
				return refuse(why, "has the address `%.60s` twice", text);
	}
	return E_OK;
}

static int check_texts(struct checking *checking, char *why)
{
	const struct edgesteer_target *target = checking->target;
	const char *check = target->check_address;

	if (!target->app || !text_canonise(target->app, true, checking->app))
		return refuse(why, "names the app `%.60s`, which is not a domain name", target->app ? target->app : "");
	if (!target->site || !text_is_word(target->site))
		return refuse(why, "names the site `%.60s`, which is not the name of one", target->site ? target->site : "");
	if (!target->alias == (target->address_count == 0))
		return refuse(why, "has %s an alias %s addresses, expected one of them", target->alias ? "both" : "neither",
		              target->alias ? "and" : "nor");
	if (target->alias && !read_host(target->alias, checking->alias))
		return refuse(why, "has the alias `%.60s`, which is not a host's name", target->alias);
	if (target->alias && strcmp(checking->alias, checking->app) == 0)
		return refuse(why, "is an alias of its own app");
	if (check && text_parse_address(check, &checking->check_address) < 0) {
		checking->has_check_name = read_host(check, checking->check_name);
		if (!checking->has_check_name)
			return refuse(why, "has the check address `%.60s`, which is neither an address nor a host's name", check);
	}
	return E_OK;
}

// Appends a text to the block.
static const char *store(char **at, const char *text)
{
	size_t size = strlen(text) + 1;
	char *to = memcpy(*at, text, size);

	*at += size;
	return to;
}

static struct object *assemble(const struct checking *checking)
{
	const struct edgesteer_target *target = checking->target;
	size_t addresses_size = target->address_count * sizeof(struct addr);
	size_t size = sizeof(struct object) + addresses_size + strlen(target->key) + strlen(checking->app) +
	              strlen(target->site) + (target->alias ? strlen(checking->alias) : 0) +
	              (checking->has_check_name ? strlen(checking->check_name) : 0) + 5;
	struct object *object = calloc(1, size);
	char *at = (char *)(object + 1);

	if (!object)
		return NULL;
	object->size = size;
	object->addresses = memcpy(at, checking->addresses, addresses_size);
	object->address_count = target->address_count;
	at += addresses_size;
	object->key = store(&at, target->key);
	object->app = store(&at, checking->app);
	object->site = store(&at, target->site);
	object->alias = target->alias ? store(&at, checking->alias) : NULL;
	object->check_name = checking->has_check_name ? store(&at, checking->check_name) : NULL;
	object->check_address = checking->check_address;
	object->created_s = target->created_s > 0 ? target->created_s : 0;
	object->ready = target->health <= EDGESTEER_HEALTH_UNREADY ? (uint8_t)target->health : EDGESTEER_HEALTH_UNKNOWN;
	return object;
}

int object_make(const struct edgesteer_target *target, struct object **ret_object, char *why)
{
	struct checking checking = {.target = target};
	int err = check_key(target->key, why);

	if (err == E_OK)
		err = check_texts(&checking, why);
	if (err == E_OK)
		err = check_addresses(&checking, why);
	if (err < 0)
		return err;

	struct object *object = assemble(&checking);

	if (!object)
		return E_NOMEM;
	*ret_object = object;
	return E_OK;
}

int object_make_drop(const char *key, struct object **ret_object, char *why)
{
	int err = check_key(key, why);

	if (err < 0)
		return err;

	size_t size = sizeof(struct object) + strlen(key) + 1;
	struct object *object = calloc(1, size);
	char *at = (char *)(object + 1);

	if (!object)
		return E_NOMEM;
	object->size = size;
	object->key = store(&at, key);
	object->is_drop = true;
	*ret_object = object;
	return E_OK;
}

void object_free(struct object *object)
{
	free(object);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool has_address(const struct object *object, const struct addr *address)
{
	for (size_t i = 0; i < object->address_count; i++)
		if (addr_equal(&object->addresses[i], address))
			return true;
	return false;
}

bool object_same_balancer(const struct object *a, const struct object *b)
{
	if (a->address_count != b->address_count || !same_text(a->alias, b->alias))
		return false;
	for (size_t i = 0; i < a->address_count; i++) // none twice, see check_addresses()
		if (!has_address(b, &a->addresses[i]))
			return false;
	return true;
}

bool object_same(const struct object *a, const struct object *b)
{
	return strcmp(a->key, b->key) == 0 && strcmp(a->app, b->app) == 0 && strcmp(a->site, b->site) == 0 &&
	       object_same_balancer(a, b) && same_text(a->check_name, b->check_name) &&
	       addr_equal(&a->check_address, &b->check_address) && a->created_s == b->created_s;
}

int object_by_key(const void *a, const void *b)
{
	const struct object *const *left = a, *const *right = b;

	return strcmp((*left)->key, (*right)->key);
}
