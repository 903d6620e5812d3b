// What the rules of a config look names up in while it is read: the `context` of its struct reader. Filled by load.c,
// lives on its stack.
#pragma once

#include <jansson.h>

#include "schema/reader.h"

struct catalogue;
struct config;

struct scope {
	const struct catalogue *catalogue; // NULL: it is the catalogue that is read, and nothing below is set
	struct config *config;             // being filled
	// Names to numbers, from the tree before it is read, so that a reference may stand before what it names.
	json_t *sites, *checks;
	// Names in canonical form to numbers, as they are read.
	json_t *domains, *apps;
};

static inline struct scope *scope_of(const struct reader *reader)
{
	return reader->context;
}
