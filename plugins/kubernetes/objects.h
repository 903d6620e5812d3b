// The objects of one kind in one cluster, by "namespace/name"; EndpointSlices by their Service, too.
#pragma once

#include "object.h"

LIST_HEAD(objects_slices, object);

// The slices of a Service.
struct objects_service {
	const char *id;
	struct objects_slices slices;
};

struct objects {
	void *by_id;      // a tree of struct object (tsearch)
	void *by_service; // a tree of struct objects_service
	TAILQ_HEAD(, object) all;
	size_t count;
};

enum { OBJECTS_MAX = 500000 };

enum { OBJECTS_SAME = 0, OBJECTS_CHANGED = 1, OBJECTS_FULL = -1 };

void objects_begin(struct objects *objects);
void objects_free(struct objects *objects);

// Takes `object` in place of one with the same id. OBJECTS_FULL: out of memory, or too many; `object` is then freed.
int objects_put(struct objects *objects, struct object *object);
// OBJECTS_SAME: there was none.
int objects_remove(struct objects *objects, const char *id);
// Removes all that the list number `seen` did not have.
int objects_sweep(struct objects *objects, uint64_t seen);

// NULL: none.
struct object *objects_find(const struct objects *objects, const char *id);
const struct objects_slices *objects_of_service(const struct objects *objects, const char *service);
