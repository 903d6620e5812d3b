// Digests of configs; see config_digest.h.
#include "config/config_digest.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/err.h"
#include "schema/value.h"

static bool is_own(const char *key)
{
	return strcmp(key, "server") == 0 || strcmp(key, "include") == 0;
}

// Depth is bounded by YAML_DEPTH_MAX.
static void add_value(struct digest *digest, const struct value *value)
{
	static const char kinds[] = {[VALUE_NULL] = 'n', [VALUE_TEXT] = 't', [VALUE_LIST] = 'l', [VALUE_MAP] = 'm'};

	digest_add(digest, &kinds[value->kind], 1);
	if (value_text(value))
		digest_add_text(digest, value_text(value));
	value_foreach (child, value) {
		if (child->key)
			digest_add_text(digest, child->key);
		add_value(digest, child);
	}
	digest_add(digest, "e", 1);
}

static int compare_keys(const void *a, const void *b)
{
	const struct value *const *left = a, *const *right = b;

	return strcmp((*left)->key, (*right)->key);
}

// Sections by name: in which order they come is up to the files that they are in. Below them the order may mean
// something.
static int add_sections(struct digest *digest, const struct value *root)
{
	const struct value **sections = calloc(value_count(root) + 1, sizeof(struct value *));
	size_t count = 0;

	if (!sections)
		return E_NOMEM;
	value_foreach (section, root)
		if (section->key && !is_own(section->key))
			sections[count++] = section;
	if (count > 0)
		qsort(sections, count, sizeof(*sections), compare_keys);
	for (size_t i = 0; i < count; i++) {
		digest_add_text(digest, sections[i]->key);
		add_value(digest, sections[i]);
	}
	free(sections);
	return E_OK;
}

int config_digest(const struct value *root, char *buf)
{
	struct digest *digest = digest_begin();
	uint8_t octets[DIGEST_OCTETS];
	int err, added;

	if (!digest)
		return E_NOMEM;
	added = add_sections(digest, root);
	err = digest_end(digest, octets);
	if (added == E_OK && err == E_OK)
		digest_text(octets, buf);
	return added < 0 ? added : err;
}
