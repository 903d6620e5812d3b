// Objects as JSON in the state; see keep.h.
#include "provide/keep.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "provide/batch.h"
#include "provide/object.h"
#include "state/state.h"

// ---- writing --------------------------------------------------------------------------------------------------------

static json_t *addresses_json(const struct object *object)
{
	char text[ADDR_TEXT_LEN];
	json_t *list = json_array();

	for (size_t i = 0; i < object->address_count; i++)
		if (json_array_append_new(list, json_string(addr_format(&object->addresses[i], text))) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static char *to_text(const struct object *object)
{
	char address[ADDR_TEXT_LEN];
	const char *check = object->check_address.family == ADDR_NONE ? object->check_name
	                                                              : addr_format(&object->check_address, address);
	json_t *json = json_pack("{s:s, s:s, s:s?, s:o, s:s?, s:I}", "app", object->app, "site", object->site, "alias",
	                         object->alias, "addresses", addresses_json(object), "check", check, "created",
	                         (json_int_t)object->created_s);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return text;
}

void keep_write(struct state *state, const char *id, const struct object *object)
{
	char *text = state ? to_text(object) : NULL;

	if (state && text)
		state_set_provided(state, id, object->key, text);
	free(text);
}

void keep_forget(struct state *state, const char *id, const char *key)
{
	if (state)
		state_set_provided(state, id, key, NULL);
}

// ---- reading --------------------------------------------------------------------------------------------------------

// Refuses what no version writes. NULL: it is not used.
static struct object *from_json(const char *key, const json_t *json)
{
	const char *addresses[OBJECT_ADDRESSES_MAX];
	const json_t *list = json_object_get(json, "addresses");
	char why[OBJECT_WHY_LEN];
	struct object *object = NULL;
	struct edgesteer_target target = {
		.size = sizeof(target),
		.key = key,
		.app = json_string_value(json_object_get(json, "app")),
		.site = json_string_value(json_object_get(json, "site")),
		.alias = json_string_value(json_object_get(json, "alias")),
		.addresses = addresses,
		.address_count = json_array_size(list),
		.check_address = json_string_value(json_object_get(json, "check")),
		.created_s = json_integer_value(json_object_get(json, "created")),
	};

	for (size_t i = 0; i < target.address_count && i < OBJECT_ADDRESSES_MAX; i++)
		addresses[i] = json_string_value(json_array_get(list, i));
	return object_make(&target, &object, why) == E_OK ? object : NULL;
}

struct loading {
	struct keep_found *found;
	size_t count, left_out;
};

static struct keep_found *find(struct loading *loading, const char *id)
{
	struct keep_found *found = loading->found;

	for (size_t i = 0; i < loading->count; i++)
		if (strcmp(found[i].id, id) == 0)
			return &found[i];
	if (loading->count == KEEP_FOUND_MAX)
		return NULL;
	found += loading->count;
	*found = (struct keep_found){strdup(id), batch_new()};
	if (!found->id || !found->objects) {
		keep_found_free(found);
		return NULL;
	}
	found->objects->is_whole = true;
	loading->count++;
	return found;
}

static int load_row(void *ctx, const char *id, const char *key, const char *text)
{
	struct loading *loading = ctx;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct object *object = json ? from_json(key, json) : NULL;
	struct keep_found *found = object ? find(loading, id) : NULL;

	json_decref(json);
	if (found && batch_add(found->objects, object) == E_OK)
		return E_OK;
	object_free(object);
	loading->left_out++;
	return E_OK;
}

int keep_load(struct state *state, struct keep_found *found, size_t *ret_count)
{
	struct loading loading = {.found = found};
	int err = state ? state_take_provided(state, load_row, &loading) : E_OK;

	for (size_t i = 0; i < loading.count; i++)
		(void)batch_seal(found[i].objects); // keys are unique in the state
	if (loading.left_out > 0)
		log_warning("providers: %zu saved targets cannot be used", loading.left_out);
	*ret_count = loading.count;
	return err;
}

void keep_found_free(struct keep_found *found)
{
	free(found->id);
	batch_free(found->objects);
	*found = (struct keep_found){0};
}

bool keep_is_of(const struct keep_found *found, const char *plugin)
{
	size_t len = strlen(plugin);

	return found->id && strncmp(found->id, plugin, len) == 0 && found->id[len] == ' ';
}
