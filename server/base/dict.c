// An array of entries, and an open-addressing index of it; see dict.h.
#include "base/dict.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"

enum { FIRST_CAP = 32 };

struct dict {
	struct dict_entry *entries;
	size_t count, cap;
	uint32_t *slots; // 1 + an index in `entries`; 0: empty. Twice `cap`, which is a power of two
};

struct dict *dict_new(void)
{
	return calloc(1, sizeof(struct dict));
}

struct dict *dict_free(struct dict *dict)
{
	if (dict) {
		free(dict->entries);
		free(dict->slots);
	}
	free(dict);
	return NULL;
}

// The slot of the key, or the empty one where it would be. At most half of the slots are taken.
static size_t slot_of(const struct dict *dict, const char *key)
{
	size_t mask = 2 * dict->cap - 1;
	size_t at = hash_mix(hash_bytes(0, key, strlen(key))) & mask;

	while (dict->slots[at] && strcmp(dict->entries[dict->slots[at] - 1].key, key) != 0)
		at = (at + 1) & mask;
	return at;
}

static int grow(struct dict *dict)
{
	size_t cap = dict->cap ? 2 * dict->cap : FIRST_CAP;
	struct dict_entry *entries = realloc(dict->entries, cap * sizeof(*entries));

	if (!entries)
		return E_NOMEM;
	dict->entries = entries;

	uint32_t *slots = calloc(2 * cap, sizeof(*slots));

	if (!slots)
		return E_NOMEM;
	free(dict->slots);
	dict->slots = slots;
	dict->cap = cap;
	for (size_t i = 0; i < dict->count; i++)
		slots[slot_of(dict, entries[i].key)] = (uint32_t)i + 1;
	return E_OK;
}

int dict_add(struct dict *dict, const char *key, uintptr_t value)
{
	if (dict_find(dict, key))
		return E_EXISTS;
	if (dict->count == DICT_MAX)
		return E_LIMIT;
	if (dict->count == dict->cap && grow(dict) < 0)
		return E_NOMEM;
	must(dict->count < dict->cap);
	dict->entries[dict->count] = (struct dict_entry){key, value};
	dict->slots[slot_of(dict, key)] = (uint32_t)++dict->count;
	return E_OK;
}

const struct dict_entry *dict_find(const struct dict *dict, const char *key)
{
	uint32_t slot = dict->count > 0 ? dict->slots[slot_of(dict, key)] : 0;

	return slot ? &dict->entries[slot - 1] : NULL;
}

const struct dict_entry *dict_entries(const struct dict *dict, size_t *ret_count)
{
	*ret_count = dict->count;
	return dict->entries;
}
