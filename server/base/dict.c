// An array of entries, and an index of it; see dict.h.
#include "base/dict.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/intern.h"
#include "base/must.h"

enum { FIRST_CAP = 32 };

struct dict {
	struct dict_entry *entries;
	size_t count, cap;
	struct intern index;
};

struct dict *dict_new(void)
{
	return calloc(1, sizeof(struct dict));
}

struct dict *dict_free(struct dict *dict)
{
	if (dict) {
		free(dict->entries);
		intern_wipe(&dict->index);
	}
	free(dict);
	return NULL;
}

static uint64_t hash_of(const char *key)
{
	return hash_mix(hash_bytes(0, key, strlen(key)));
}

static bool is_equal(const void *dict, uint32_t number, const void *key)
{
	return strcmp(((const struct dict *)dict)->entries[number].key, key) == 0;
}

static int grow(struct dict *dict)
{
	size_t cap = dict->cap ? 2 * dict->cap : FIRST_CAP;
	struct dict_entry *entries = reallocarray(dict->entries, cap, sizeof(*entries));

	if (!entries)
		return E_NOMEM;
	dict->entries = entries;
	dict->cap = cap;
	return E_OK;
}

int dict_add(struct dict *dict, const char *key, uintptr_t value)
{
	uint64_t hash = hash_of(key);

	if (intern_find(&dict->index, hash, is_equal, dict, key) >= 0)
		return E_EXISTS;
	if (dict->count == DICT_MAX)
		return E_LIMIT;
	if (dict->count == dict->cap && grow(dict) < 0)
		return E_NOMEM;
	if (intern_add(&dict->index, hash, (uint32_t)dict->count) < 0)
		return E_NOMEM;
	must(dict->count < dict->cap);
	dict->entries[dict->count++] = (struct dict_entry){key, value};
	return E_OK;
}

const struct dict_entry *dict_find(const struct dict *dict, const char *key)
{
	int64_t number = intern_find(&dict->index, hash_of(key), is_equal, dict, key);

	return number < 0 ? NULL : &dict->entries[number];
}

const struct dict_entry *dict_entries(const struct dict *dict, size_t *ret_count)
{
	*ret_count = dict->count;
	return dict->entries;
}
