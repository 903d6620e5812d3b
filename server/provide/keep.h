// What providers gave, as rows of the state: they serve after a start while their sources are away. Main thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct batch;
struct object;
struct state;

// What was found at the start of one provider, by its id ("PLUGIN HASH").
struct keep_found {
	char *id;
	struct batch *objects; // sealed, whole
};

enum { KEEP_FOUND_MAX = 256 }; // ids

// Writes one, or forgets it. `state` NULL: does nothing.
void keep_write(struct state *state, const char *id, const struct object *object);
void keep_forget(struct state *state, const char *id, const char *key);
// What is there, for keep_found_free(). What cannot be read is left out. E_NOMEM.
int keep_load(struct state *state, struct keep_found *found, size_t *ret_count) MUST_USE;
void keep_found_free(struct keep_found *found);
// Whether it is of that plugin.
bool keep_is_of(const struct keep_found *found, const char *plugin);
