// The tables in which names are looked up while a config is read: the `context` of its struct reader. Filled by load.c,
// on its stack.
#pragma once

#include <jansson.h>

#include "schema/reader.h"

struct catalogue;
struct config;

struct scope {
	const struct catalogue *catalogue; // NULL: the catalogue itself is being read, and nothing below is set
	struct config *config;             // being filled in
	// Names to numbers, collected before the sections are read, so that a reference may precede the entry it refers to.
	json_t *sites, *checks;
	// Names in canonical form to numbers, added as they are read.
	json_t *domains, *apps;
};

static inline struct scope *scope_of(const struct reader *reader)
{
	return reader->context;
}
