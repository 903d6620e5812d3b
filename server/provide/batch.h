// What a provider has told since its last commit(), on its thread; then on its way to the main thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct object;

enum {
	BATCH_OBJECTS_MAX = 65536,     // of one provider
	BATCH_BYTES_MAX = 64 << 20,
};

struct batch {
	struct object **objects; // owned
	size_t count, cap, bytes;
	bool is_whole;           // what is not in it is to go
};

// NULL when out of memory. An empty batch that is not whole.
struct batch *batch_new(void) MUST_USE;
// With the objects that are left in it. Takes NULL; returns NULL.
struct batch *batch_free(struct batch *batch);
// Forgets what was added, and begins a whole list.
void batch_begin(struct batch *batch);
// Takes ownership on success. E_LIMIT, E_NOMEM.
int batch_add(struct batch *batch, struct object *object) MUST_USE;
// Sorts by key; of several with one key the last one stays. Returns how many went.
size_t batch_seal(struct batch *batch);
