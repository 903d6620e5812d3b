// The objects of one kind in one cluster, by "namespace/name"; EndpointSlices by their Service, too.
#pragma once

#include "kobject.h"

LIST_HEAD(kobjects_slices, kobject);

// The slices of a Service.
struct kobjects_service {
	const char *id;
	struct kobjects_slices slices;
};

struct kobjects {
	void *by_id;      // a tree of struct kobject (tsearch)
	void *by_service; // a tree of struct kobjects_service
	TAILQ_HEAD(, kobject) all;
	size_t count;
};

enum { KOBJECTS_MAX = 500000 };

enum { KOBJECTS_SAME = 0, KOBJECTS_CHANGED = 1, KOBJECTS_FULL = -1 };

void kobjects_begin(struct kobjects *objects);
void kobjects_free(struct kobjects *objects);

// Takes `object` in place of one with the same id. KOBJECTS_FULL: out of memory, or too many; `object` is then freed.
int kobjects_put(struct kobjects *objects, struct kobject *object);
// KOBJECTS_SAME: there was none.
int kobjects_remove(struct kobjects *objects, const char *id);
// Removes all that the list number `seen` did not have.
int kobjects_sweep(struct kobjects *objects, uint64_t seen);

// NULL: none.
struct kobject *kobjects_find(const struct kobjects *objects, const char *id);
const struct kobjects_slices *kobjects_of_service(const struct kobjects *objects, const char *service);
