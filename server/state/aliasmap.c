// Entries, their index and the list of those to be written; see aliasmap.h. What is forgotten stays until the store has no
// row of it.
#include "state/aliasmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "state/limits.h"

enum { ROOM_FIRST = 64 };

struct aliasmap_entry {
	struct aliasmap_row row; // its name is the key
	size_t at;               // in the map's entries
	bool is_dirty, is_taken;
};

static struct aliasmap_entry *find(const struct aliasmap *map, const char *name)
{
	const struct table_slot *slot = table_find(&map->index, name, "");

	return slot ? (struct aliasmap_entry *)(uintptr_t)slot->value : NULL;
}

static void set_dirty(struct aliasmap *map, struct aliasmap_entry *entry, bool is_dirty)
{
	map->dirty_count += is_dirty;
	map->dirty_count -= entry->is_dirty;
	entry->is_dirty = is_dirty;
}

// Its place goes to the last one.
static void drop(struct aliasmap *map, struct aliasmap_entry *entry)
{
	struct aliasmap_entry *last = map->entries[map->index.count - 1];

	set_dirty(map, entry, false);
	last->at = entry->at;
	map->entries[entry->at] = last;
	table_remove(&map->index, table_find(&map->index, entry->row.name, ""));
	free(entry->row.name);
	free(entry->row.addresses);
	free(entry);
}

void aliasmap_done(struct aliasmap *map)
{
	while (map->index.count > 0)
		drop(map, map->entries[map->index.count - 1]);
	free(map->entries);
	table_done(&map->index);
	*map = (struct aliasmap){0};
}

static int grow(struct aliasmap *map)
{
	size_t room = map->room ? map->room * 2 : ROOM_FIRST;
	struct aliasmap_entry **entries = reallocarray(map->entries, room, sizeof(struct aliasmap_entry *));

	if (!entries)
		return E_NOMEM;
	map->entries = entries;
	map->room = room;
	return E_OK;
}

static int add(struct aliasmap *map, const char *name, struct aliasmap_entry **ret_entry)
{
	size_t at = map->index.count;
	struct aliasmap_entry *entry;

	if (at >= STATE_ALIASES_MAX)
		return E_LIMIT;
	if (at == map->room && grow(map) < 0)
		return E_NOMEM;
	entry = calloc(1, sizeof(*entry));
	if (!entry || !(entry->row.name = strdup(name)) ||
	    table_add(&map->index, entry->row.name, "", (uintptr_t)entry) < 0) {
		if (entry)
			free(entry->row.name);
		free(entry);
		return E_NOMEM;
	}
	entry->at = at;
	map->entries[at] = entry;
	*ret_entry = entry;
	return E_OK;
}

int aliasmap_load(struct aliasmap *map, const char *name, const char *addresses, uint32_t ttl_s, int64_t since_s)
{
	struct aliasmap_entry *entry = find(map, name);
	char *copy = strdup(addresses);
	int err = !copy ? E_NOMEM : entry ? E_OK : add(map, name, &entry);

	if (err < 0) {
		free(copy);
		return err;
	}
	free(entry->row.addresses);
	entry->row.addresses = copy;
	entry->row.ttl_s = ttl_s;
	entry->row.since_s = since_s;
	return E_OK;
}

int aliasmap_set(struct aliasmap *map, const char *name, const char *addresses, uint32_t ttl_s, int64_t since_s)
{
	const struct aliasmap_row *old = aliasmap_get(map, name);
	int err;

	if (old && strcmp(old->addresses, addresses) == 0 && old->ttl_s == ttl_s && old->since_s == since_s)
		return E_OK;
	err = aliasmap_load(map, name, addresses, ttl_s, since_s);
	if (err == E_OK)
		set_dirty(map, find(map, name), true);
	return err;
}

const struct aliasmap_row *aliasmap_get(const struct aliasmap *map, const char *name)
{
	const struct aliasmap_entry *entry = find(map, name);

	return entry && entry->row.addresses ? &entry->row : NULL;
}

void aliasmap_retain(struct aliasmap *map, bool (*is_kept)(void *ctx, const char *name), void *ctx)
{
	for (size_t i = 0; i < map->index.count; i++) {
		struct aliasmap_entry *entry = map->entries[i];

		if (!entry->row.addresses || is_kept(ctx, entry->row.name))
			continue;
		free(entry->row.addresses);
		entry->row.addresses = NULL;
		set_dirty(map, entry, true);
	}
}

size_t aliasmap_take(struct aliasmap *map, struct aliasmap_row *rows, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < map->index.count && map->dirty_count > 0 && count < max; i++) {
		struct aliasmap_entry *entry = map->entries[i];
		struct aliasmap_row *row = &rows[count];

		if (!entry->is_dirty)
			continue;
		must(!entry->is_taken);
		*row = entry->row;
		row->name = strdup(entry->row.name);
		row->addresses = entry->row.addresses ? strdup(entry->row.addresses) : NULL;
		if (!row->name || (entry->row.addresses && !row->addresses)) {
			free(row->name);
			free(row->addresses);
			break;
		}
		set_dirty(map, entry, false);
		entry->is_taken = true;
		count++;
	}
	return count;
}

void aliasmap_written(struct aliasmap *map, struct aliasmap_row *rows, size_t count, bool is_written)
{
	for (size_t i = 0; i < count; i++) {
		struct aliasmap_entry *entry = find(map, rows[i].name);

		must(entry && entry->is_taken);
		entry->is_taken = false;
		if (!is_written)
			set_dirty(map, entry, true);
		else if (!entry->row.addresses && !entry->is_dirty)
			drop(map, entry);
		free(rows[i].name);
		free(rows[i].addresses);
	}
}
