// Interned names: a growing array of texts and an open-addressing index of it.
#include "base/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"

struct names {
	size_t count;
	size_t cap;       // of texts
	size_t mask;      // slots - 1
	char **texts;     // texts[0] is ""
	uint16_t *slots;  // 0: empty
};

static size_t slot_of(const struct names *names, const char *text, size_t len)
{
	size_t at = hash_bytes(0, text, len) & names->mask;

	while (names->slots[at]) {
		const char *have = names->texts[names->slots[at]];

		if (strncmp(have, text, len) == 0 && have[len] == '\0')
			break;
		at = (at + 1) & names->mask;
	}
	return at;
}

static int grow(struct names *names, size_t cap)
{
	must((cap & (cap - 1)) == 0 && names->count <= cap); // the mask below needs a power of two

	char **texts = realloc(names->texts, cap * sizeof(*texts));

	if (!texts)
		return E_NOMEM;
	names->texts = texts;

	uint16_t *slots = calloc(cap * 2, sizeof(*slots)); // at most half full

	if (!slots)
		return E_NOMEM;
	free(names->slots);
	names->slots = slots;
	names->cap = cap;
	names->mask = cap * 2 - 1;
	for (size_t i = 1; i < names->count; i++)
		slots[slot_of(names, texts[i], strlen(texts[i]))] = (uint16_t)i;
	return E_OK;
}

struct names *names_new(void)
{
	struct names *names = calloc(1, sizeof(*names));

	if (!names)
		return NULL;
	names->count = 1;
	if (grow(names, 64) < 0 || !(names->texts[0] = strdup("")))
		return names->count = 0, names_free(names);
	return names;
}

struct names *names_free(struct names *names)
{
	if (!names)
		return NULL;
	for (size_t i = 0; i < names->count; i++)
		free(names->texts[i]);
	free(names->texts);
	free(names->slots);
	free(names);
	return NULL;
}

int names_add(struct names *names, const char *text, size_t len, uint16_t *ret_number)
{
	if (len == 0) {
		*ret_number = 0;
		return E_OK;
	}
	if (len > NAME_MAX_LEN || memchr(text, '\0', len))
		return E_LIMIT;

	size_t at = slot_of(names, text, len);

	if (!names->slots[at]) {
		if (names->count > NAMES_MAX)
			return E_LIMIT;
		if (names->count == names->cap) {
			if (grow(names, names->cap * 2) < 0)
				return E_NOMEM;
			at = slot_of(names, text, len);
		}

		char *copy = strndup(text, len);

		if (!copy)
			return E_NOMEM;
		must(names->count < names->cap && !names->slots[at]);
		names->texts[names->count] = copy;
		names->slots[at] = (uint16_t)names->count++;
	}
	*ret_number = names->slots[at];
	return E_OK;
}

int names_find(const struct names *names, const char *text, size_t len)
{
	if (len == 0)
		return 0;

	uint16_t number = names->slots[slot_of(names, text, len)];

	return number ? number : -1;
}

const char *names_text(const struct names *names, uint16_t number)
{
	return number < names->count ? names->texts[number] : "";
}

size_t names_count(const struct names *names)
{
	return names->count;
}

char *names_lower(char *buf, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i]);
	buf[len] = '\0';
	return buf;
}
