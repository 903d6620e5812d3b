// From JSON to the contract's target; see given.h.
#include "given.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { ADDRESSES_MAX = 32, KEY_LEN = 512 };

#define wrong(why, ...) (snprintf(why, GIVEN_WHY_LEN, __VA_ARGS__), -1)

struct reading {
	struct edgesteer_target target;
	const char *addresses[ADDRESSES_MAX];
	char key[KEY_LEN];
};

static int read_addresses(struct reading *reading, const json_t *value, char *why)
{
	size_t count = json_is_array(value) ? json_array_size(value) : 1;

	if (count > ADDRESSES_MAX)
		return wrong(why, "`addresses` has %zu entries, expected at most %d", count, ADDRESSES_MAX);
	for (size_t i = 0; i < count; i++) {
		const json_t *address = json_is_array(value) ? json_array_get(value, i) : value;

		if (!json_is_string(address))
			return wrong(why, "`addresses` is neither a text nor a list of texts");
		reading->addresses[i] = json_string_value(address);
	}
	reading->target.addresses = reading->addresses;
	reading->target.address_count = count;
	return 0;
}

static int read_text(const char **field, const char *name, const json_t *value, char *why)
{
	if (!json_is_string(value) && !json_is_null(value))
		return wrong(why, "`%s` is not a text", name);
	*field = json_string_value(value); // NULL for null
	return 0;
}

static int read_member(struct reading *reading, const char *name, const json_t *value, char *why)
{
	struct edgesteer_target *target = &reading->target;
	const struct {
		const char *name, **field;
	} texts[] = {{"app", &target->app}, {"site", &target->site}, {"alias", &target->alias},
	             {"check-address", &target->check_address}, {"key", &target->key}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(name, texts[i].name) == 0)
			return read_text(texts[i].field, name, value, why);
	if (strcmp(name, "addresses") == 0 || strcmp(name, "address") == 0)
		return json_is_null(value) ? 0 : read_addresses(reading, value, why);
	if (strcmp(name, "created") == 0 && json_is_integer(value)) {
		target->created_s = json_integer_value(value);
		return 0;
	}
	if (strcmp(name, "ready") == 0 && json_is_boolean(value)) {
		target->health = json_is_true(value) ? EDGESTEER_HEALTH_READY : EDGESTEER_HEALTH_UNREADY;
		return 0;
	}
	if (strcmp(name, "created") == 0 || strcmp(name, "ready") == 0)
		return wrong(why, "`%s` is not %s", name, *name == 'c' ? "a whole number of seconds" : "true or false");
	return wrong(why, "unknown key `%.60s`, expected app, site, alias, addresses, check-address, key, created or ready",
	             name);
}

int given_put(const struct edgesteer_host *host, const json_t *json, char *why)
{
	struct reading reading = {.target = {.size = sizeof(struct edgesteer_target)}};
	struct edgesteer_target *target = &reading.target;
	const char *name;
	json_t *value;
	int err = 0;

	if (!json_is_object(json))
		return wrong(why, "a target is an object, such as {\"app\": \"shop.example.com\", \"site\": \"us-east-1\", "
		             "\"addresses\": [\"192.0.2.1\"]}");
	json_object_foreach((json_t *)json, name, value)
		if (err == 0)
			err = read_member(&reading, name, value, why);
	if (err < 0)
		return err;
	if (!target->app || !target->site)
		return wrong(why, "a target without `%s`", target->app ? "site" : "app");
	if (!target->key) {
		snprintf(reading.key, sizeof(reading.key), "%s %s", target->app, target->site);
		target->key = reading.key;
	}
	err = host->put(host, target);
	if (err < 0 && err != EDGESTEER_REFUSED)
		snprintf(why, GIVEN_WHY_LEN, "the daemon takes no more");
	return err == EDGESTEER_REFUSED ? 0 : err;
}

int given_put_list(const struct edgesteer_host *host, const json_t *list, char *why)
{
	int err = json_is_array(list) ? host->begin(host) : wrong(why, "not a list of targets");

	for (size_t i = 0; i < json_array_size(list) && err == 0; i++)
		err = given_put(host, json_array_get(list, i), why);
	return err;
}
