// The tables in which names are looked up while a config is read: the `context` of its struct reader. Filled by load.c,
// on its stack.
#pragma once

#include "base/dict.h"
#include "base/nearest.h"
#include "schema/reader.h"

struct catalogue;
struct config;

struct scope {
	const struct catalogue *catalogue; // NULL: the catalogue itself is being read, and nothing below is set
	bool is_catalogue_instead;         // the built-in one, as the operator's has errors: what it lacks may be in that
	struct config *config;             // being filled in
	// Names to numbers, collected before the sections are read, so that a reference may precede the entry it refers to.
	struct dict *sites, *checks;
	// Names in canonical form to numbers, added as they are read.
	struct dict *domains, *apps;
};

static inline struct scope *scope_of(const struct reader *reader)
{
	return reader->context;
}

// Offers all names of one of the tables.
static inline void scope_offer(struct nearest *nearest, const struct dict *names)
{
	size_t count;
	const struct dict_entry *entries = dict_entries(names, &count);

	for (size_t i = 0; i < count; i++)
		nearest_offer(nearest, entries[i].key);
}
