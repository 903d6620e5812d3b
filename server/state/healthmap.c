// Entries, their index and the list of those to be written; see healthmap.h. What is forgotten stays in the index until
// the store has no row of it, so that it may come back meanwhile and the two writes are still in order.
#include "state/healthmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"

enum { ROOM_FIRST = 64 };

// The entries of a target are a list, and share their key.
struct healthmap_entry {
	char *key;          // table_key()'s; NULL: not used
	uint32_t word;
	int64_t since_s;
	uint32_t next;      // number + 1 of the next one of the target, or of those not used
	bool is_gone, is_dirty, is_taken;
};

static bool is_last(const struct healthmap_entry *entry)
{
	return entry->key && !entry->next;
}

void healthmap_done(struct healthmap *map)
{
	for (size_t i = 0; i < map->used; i++)
		if (is_last(&map->entries[i]))
			free(map->entries[i].key);
	free(map->entries);
	free(map->dirty);
	table_done(&map->index);
	*map = (struct healthmap){0};
}

static const char *site_of(const struct healthmap_entry *entry)
{
	return entry->key + strlen(entry->key) + 1;
}

static int grow(struct healthmap *map)
{
	size_t room = map->room ? map->room * 2 : ROOM_FIRST;
	struct healthmap_entry *entries = reallocarray(map->entries, room, sizeof(*entries));

	if (!entries)
		return E_NOMEM;
	map->entries = entries;

	uint32_t *dirty = reallocarray(map->dirty, room, sizeof(*dirty));

	if (!dirty)
		return E_NOMEM;
	map->dirty = dirty;
	map->room = room;
	return E_OK;
}

static struct healthmap_entry *next_of(const struct healthmap *map, const struct healthmap_entry *entry)
{
	must(entry->next <= map->used);
	return entry->next ? &map->entries[entry->next - 1] : NULL;
}

// The first of a target; NULL: there is none.
static struct healthmap_entry *first_of(const struct healthmap *map, const char *app, const char *site)
{
	const struct table_slot *slot = table_find(&map->index, app, site);

	must(!slot || slot->value < map->used);
	return slot ? &map->entries[slot->value] : NULL;
}

static struct healthmap_entry *find(const struct healthmap *map, const char *app, const char *site, uint32_t probed)
{
	struct healthmap_entry *entry = first_of(map, app, site);

	while (entry && entry->word >> 1 != probed)
		entry = next_of(map, entry);
	return entry;
}

static size_t count_of(const struct healthmap *map, const struct healthmap_entry *entry)
{
	size_t count = 0;

	for (; entry; entry = next_of(map, entry))
		count++;
	return count;
}

// Puts an entry into the list of its target: behind the first, whose number the index has, or as the first. E_NOMEM.
static int link_entry(struct healthmap *map, const char *app, const char *site, uint32_t number)
{
	struct healthmap_entry *entry = &map->entries[number], *first = first_of(map, app, site);

	if (first) {
		entry->key = first->key;
		entry->next = first->next;
		first->next = number + 1;
		return E_OK;
	}
	entry->key = table_key(app, site);
	if (entry->key && table_add(&map->index, entry->key, site_of(entry), number) == E_OK)
		return E_OK;
	free(entry->key);
	entry->key = NULL;
	return E_NOMEM;
}

static int add(struct healthmap *map, const char *app, const char *site, uint32_t word, int64_t since_s,
               uint32_t *ret_number)
{
	if (map->count >= STATE_HEALTH_MAX || count_of(map, first_of(map, app, site)) >= STATE_HEALTH_OF_TARGET_MAX)
		return E_LIMIT;
	if (!map->free_head && map->used == map->room && grow(map) < 0)
		return E_NOMEM;

	uint32_t number = map->free_head ? map->free_head - 1 : (uint32_t)map->used;
	uint32_t next_free = map->free_head ? map->entries[number].next : 0;

	must(number < map->room);
	map->entries[number] = (struct healthmap_entry){.word = word, .since_s = since_s};
	if (link_entry(map, app, site, number) < 0) {
		map->entries[number].next = next_free;
		return E_NOMEM;
	}
	map->used += !map->free_head;
	map->free_head = next_free;
	map->count++;
	*ret_number = number;
	return E_OK;
}

// There is room in the list for every entry.
static void mark(struct healthmap *map, struct healthmap_entry *entry)
{
	if (entry->is_dirty)
		return;
	must(map->dirty_count < map->room);
	entry->is_dirty = true;
	map->dirty[map->dirty_count++] = (uint32_t)(entry - map->entries);
}

int healthmap_set(struct healthmap *map, const char *app, const char *site, uint32_t word, int64_t since_s)
{
	struct healthmap_entry *entry = find(map, app, site, word >> 1);

	if (!entry) {
		uint32_t number = 0;
		int err = add(map, app, site, word, since_s, &number);

		if (err < 0)
			return err;
		mark(map, &map->entries[number]);
	} else if (entry->is_gone || entry->word != word || entry->since_s != since_s) {
		entry->is_gone = false;
		entry->word = word;
		entry->since_s = since_s;
		mark(map, entry);
	}
	return E_OK;
}

int healthmap_load(struct healthmap *map, const char *app, const char *site, uint32_t word, int64_t since_s)
{
	uint32_t number;

	return find(map, app, site, word >> 1) ? E_EXISTS : add(map, app, site, word, since_s, &number);
}

int healthmap_get(const struct healthmap *map, const char *app, const char *site, uint32_t probed,
                  int64_t *ret_since_s)
{
	const struct healthmap_entry *entry = find(map, app, site, probed);

	if (!entry || entry->is_gone)
		return -1;
	*ret_since_s = entry->since_s;
	return (int)(entry->word & 1);
}

static bool is_among(uint32_t probed, const uint32_t *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == probed)
			return true;
	return false;
}

void healthmap_retain(struct healthmap *map, const char *app, const char *site, const uint32_t *probed, size_t count)
{
	for (struct healthmap_entry *entry = first_of(map, app, site); entry; entry = next_of(map, entry)) {
		if (entry->is_gone || is_among(entry->word >> 1, probed, count))
			continue;
		entry->is_gone = true;
		mark(map, entry);
	}
}

static struct healthmap_row row_of(const struct healthmap *map, uint32_t number)
{
	const struct healthmap_entry *entry = &map->entries[number];

	return (struct healthmap_row){entry->key, site_of(entry), entry->word, entry->since_s, number, entry->is_gone};
}

int healthmap_each(const struct healthmap *map, int (*row)(void *ctx, const struct healthmap_row *row), void *ctx)
{
	int result = E_OK;

	for (uint32_t i = 0; i < map->used && result == E_OK; i++) {
		if (!map->entries[i].key || map->entries[i].is_gone)
			continue;

		const struct healthmap_row known = row_of(map, i);

		result = row(ctx, &known);
	}
	return result;
}

size_t healthmap_take(struct healthmap *map, struct healthmap_row *rows, size_t max)
{
	size_t count = 0;

	while (count < max && map->dirty_count > 0) {
		uint32_t number = map->dirty[--map->dirty_count];
		struct healthmap_entry *entry = &map->entries[number];

		must(number < map->used && entry->key && !entry->is_taken);
		entry->is_dirty = false;
		entry->is_taken = true;
		rows[count++] = row_of(map, number);
	}
	return count;
}

// Takes an entry out of the list of its target; with the last one the target goes.
static void unlink_entry(struct healthmap *map, uint32_t number)
{
	struct healthmap_entry *entry = &map->entries[number];
	struct table_slot *slot = table_find(&map->index, entry->key, site_of(entry));
	struct healthmap_entry *before;

	must(slot && slot->value < map->used);
	if (slot->value == number && !entry->next) {
		table_remove(&map->index, slot);
		free(entry->key);
	} else if (slot->value == number) {
		slot->value = entry->next - 1;
	} else {
		for (before = &map->entries[slot->value]; before->next != number + 1; before = next_of(map, before))
			must(before->next);
		before->next = entry->next;
	}
}

static void drop(struct healthmap *map, uint32_t number)
{
	struct healthmap_entry *entry = &map->entries[number];

	must(entry->key && !entry->is_dirty && !entry->is_taken && map->count > 0);
	unlink_entry(map, number);
	*entry = (struct healthmap_entry){.next = map->free_head};
	map->free_head = number + 1;
	map->count--;
}

void healthmap_written(struct healthmap *map, const struct healthmap_row *rows, size_t count, bool is_written)
{
	for (size_t i = 0; i < count; i++) {
		struct healthmap_entry *entry = &map->entries[rows[i].number];

		must(rows[i].number < map->used && entry->is_taken);
		entry->is_taken = false;
		if (!is_written)
			mark(map, entry);
		else if (entry->is_gone && !entry->is_dirty)
			drop(map, rows[i].number);
	}
}
