// Remembered health; see memory.h. A key is table_key()'s, found by its app.
#include "state/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "state/orders.h"
#include "state/state.h"
#include "view/view.h"

void memory_done(struct memory *memory)
{
	for (size_t i = 0; memory->up.slots && i <= memory->up.mask; i++)
		free((char *)memory->up.slots[i].app);
	table_done(&memory->up);
}

int memory_set(struct memory *memory, const char *app, const char *site, uint32_t probed, bool up, bool *ret_changed)
{
	struct table_slot *slot = table_find(&memory->up, app, site);
	uint32_t value = probed << 1 | up;

	if (slot) {
		*ret_changed = slot->value != value;
		slot->value = value;
		return E_OK;
	}
	if (memory->up.count >= STATE_HEALTH_MAX)
		return E_LIMIT;

	char *key = table_key(app, site);

	if (!key || table_add(&memory->up, key, key + strlen(app) + 1, value) < 0) {
		free(key);
		return E_NOMEM;
	}
	*ret_changed = true;
	return E_OK;
}

int memory_get(const struct memory *memory, const char *app, const char *site, uint32_t probed)
{
	const struct table_slot *slot = table_find(&memory->up, app, site);

	return slot && slot->value >> 1 == probed ? (int)(slot->value & 1) : -1;
}

int memory_retain(struct memory *memory, const struct view *view, bool *ret_changed)
{
	struct table *old = &memory->up, kept = {0};

	for (uint32_t i = 0; i < view->target_count; i++) {
		const struct target *target = &view->targets[i];
		const struct table_slot *slot = table_find(old, target->app->name, view->sites[target->site].name);

		if (slot && table_add(&kept, slot->app, slot->site, slot->value) == E_NOMEM) {
			table_done(&kept);
			return E_NOMEM;
		}
	}
	*ret_changed = kept.count != old->count;
	for (size_t i = 0; old->slots && i <= old->mask; i++)
		if (old->slots[i].site && !table_find(&kept, old->slots[i].app, old->slots[i].site))
			free((char *)old->slots[i].app);
	table_done(old);
	memory->up = kept;
	return E_OK;
}

json_t *memory_to_json(const struct memory *memory, int64_t now_s)
{
	json_t *apps = json_object();

	for (size_t i = 0; memory->up.slots && i <= memory->up.mask; i++) {
		const struct table_slot *slot = &memory->up.slots[i];

		if (!slot->site)
			continue;

		json_t *sites = json_object_get(apps, slot->app);

		if (!sites && json_object_set_new(apps, slot->app, sites = json_object()) < 0)
			goto out;
		if (json_object_set_new(sites, slot->site, json_pack("{s:b, s:I}", "up", (int)(slot->value & 1), "probed",
		                                                     (json_int_t)(slot->value >> 1))) < 0)
			goto out;
	}
	return json_pack("{s:i, s:I, s:o}", "version", STATE_VERSION, "saved", (json_int_t)now_s, "health", apps);
out:
	json_decref(apps);
	return NULL;
}

int64_t memory_saved_s(const json_t *root)
{
	return json_integer_value(json_object_get(root, "saved"));
}

int memory_from_json(const json_t *root, struct memory *ret_memory)
{
	json_t *apps = json_object_get(root, "health"), *sites, *health;
	struct memory memory = {0};
	const char *app, *site;
	int err = json_is_object(apps) ? E_OK : E_INVAL;

	json_object_foreach(apps, app, sites) {
		if (!json_is_object(sites))
			err = E_INVAL;
		json_object_foreach(sites, site, health) {
			bool changed;
			int is_up;
			json_int_t probed;

			if (err == E_OK && (json_unpack(health, "{s:b, s:I !}", "up", &is_up, "probed", &probed) < 0 || probed < 0 ||
			                    probed > STATE_PROBED_MAX))
				err = E_INVAL;
			if (err == E_OK)
				err = memory_set(&memory, app, site, (uint32_t)probed, is_up, &changed);
		}
	}
	if (err < 0) {
		memory_done(&memory);
		return err;
	}
	*ret_memory = memory;
	return E_OK;
}
