// Functions on trees of nodes; see value.h.
#include "schema/value.h"

#include <string.h>

#include "base/arena.h"
#include "base/must.h"

struct value *value_get(const struct value *map, const char *key)
{
	if (!value_is(map, VALUE_MAP))
		return NULL;
	value_foreach (member, map)
		if (strcmp(member->key, key) == 0)
			return member;
	return NULL;
}

void value_remove(struct value *map, const char *key)
{
	must(map->kind == VALUE_MAP);
	for (struct value **link = &map->first; *link; link = &(*link)->next)
		if (strcmp((*link)->key, key) == 0) {
			*link = (*link)->next;
			map->count--;
			return;
		}
}

bool value_equal(const struct value *a, const struct value *b)
{
	const char *a_key = a->key ? a->key : "", *b_key = b->key ? b->key : "";

	if (a->kind != b->kind || strcmp(a_key, b_key) != 0 || value_count(a) != value_count(b))
		return false;
	if (a->kind == VALUE_TEXT)
		return strcmp(a->text, b->text) == 0;
	b = value_first(b);
	value_foreach (child, a) {
		if (!value_equal(child, b))
			return false;
		b = b->next;
	}
	return true;
}

struct value *value_copy(struct arena *arena, const struct value *node)
{
	struct value *copy = arena_copy(arena, node, sizeof(*node));

	if (!copy)
		return NULL;
	copy->next = NULL;
	if (node->key && !(copy->key = arena_strdup(arena, node->key)))
		return NULL;
	if (node->kind == VALUE_TEXT)
		return (copy->text = arena_strdup(arena, node->text)) ? copy : NULL;

	struct value **link = &copy->first;

	*link = NULL;
	value_foreach (child, node) {
		*link = value_copy(arena, child);
		if (!*link)
			return NULL;
		link = &(*link)->next;
	}
	return copy;
}

struct mark value_mark(const struct value *node)
{
	return node ? (struct mark){node->file->name, node->line, node->column} : (struct mark){0};
}

struct mark value_key_mark(const struct value *node)
{
	return node ? (struct mark){node->file->name, node->key_line, node->key_column} : (struct mark){0};
}
