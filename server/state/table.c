// Open addressing with linear probing, at most half full; see table.h.
#include "state/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"

enum { TABLE_FIRST = 64 };

static uint32_t hash_of(const char *app, const char *site)
{
	return (uint32_t)hash_mix(hash_bytes(hash_bytes(0, app, strlen(app)), site, strlen(site)));
}

// The slot the key is in, or the empty one where it would go.
static struct table_slot *seek(struct table_slot *slots, size_t mask, const char *app, const char *site, uint32_t hash)
{
	for (size_t at = hash & mask;; at = (at + 1) & mask) {
		struct table_slot *slot = &slots[at];

		if (!slot->site || (slot->hash == hash && strcmp(slot->site, site) == 0 && strcmp(slot->app, app) == 0))
			return slot;
	}
}

char *table_key(const char *app, const char *site)
{
	size_t app_len = strlen(app) + 1, site_len = strlen(site) + 1;
	char *key = malloc(app_len + site_len);

	if (!key)
		return NULL;
	memcpy(key, app, app_len);
	memcpy(key + app_len, site, site_len);
	return key;
}

void table_done(struct table *table)
{
	free(table->slots);
	*table = (struct table){0};
}

struct table_slot *table_find(const struct table *table, const char *app, const char *site)
{
	if (table->count == 0)
		return NULL;

	struct table_slot *slot = seek(table->slots, table->mask, app, site, hash_of(app, site));

	return slot->site ? slot : NULL;
}

static int resize(struct table *table, size_t size)
{
	struct table_slot *slots = calloc(size, sizeof(*slots));

	if (!slots)
		return E_NOMEM;
	for (size_t i = 0; table->slots && i <= table->mask; i++) {
		const struct table_slot *old = &table->slots[i];

		if (old->site)
			*seek(slots, size - 1, old->app, old->site, old->hash) = *old;
	}
	free(table->slots);
	table->slots = slots;
	table->mask = size - 1;
	return E_OK;
}

int table_reserve(struct table *table, size_t count)
{
	size_t size = table->slots ? table->mask + 1 : TABLE_FIRST;

	while (count * 2 > size)
		size *= 2;
	return table->slots && size == table->mask + 1 ? E_OK : resize(table, size);
}

int table_add(struct table *table, const char *app, const char *site, uint64_t value)
{
	if (table_reserve(table, table->count + 1) < 0)
		return E_NOMEM;

	uint32_t hash = hash_of(app, site);
	struct table_slot *slot = seek(table->slots, table->mask, app, site, hash);

	must(table->count * 2 < table->mask + 1); // a search ends at a slot that is free
	if (slot->site)
		return E_EXISTS;
	*slot = (struct table_slot){app, site, value, hash};
	table->count++;
	return E_OK;
}

void table_remove(struct table *table, struct table_slot *slot)
{
	size_t hole = (size_t)(slot - table->slots);

	must(hole <= table->mask && slot->site && table->count > 0);

	// Linear probing: an entry behind the hole whose search would pass the hole moves into it.
	for (size_t at = (hole + 1) & table->mask; table->slots[at].site; at = (at + 1) & table->mask) {
		size_t from = table->slots[at].hash & table->mask;

		if (((at - from) & table->mask) >= ((at - hole) & table->mask)) {
			table->slots[hole] = table->slots[at];
			hole = at;
		}
	}
	table->slots[hole] = (struct table_slot){0};
	table->count--;
}
