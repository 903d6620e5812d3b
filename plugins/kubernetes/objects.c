// The objects of one kind; see objects.h. Trees and not hashes: the names are others' choice.
#include "objects.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare_objects(const void *a, const void *b)
{
	return strcmp(((const struct object *)a)->id, ((const struct object *)b)->id);
}

static int compare_services(const void *a, const void *b)
{
	return strcmp(((const struct objects_service *)a)->id, ((const struct objects_service *)b)->id);
}

void objects_begin(struct objects *objects)
{
	*objects = (struct objects){.by_id = NULL};
	TAILQ_INIT(&objects->all);
}

struct object *objects_find(const struct objects *objects, const char *id)
{
	const struct object key = {.id = id};
	struct object **found = tfind(&key, &objects->by_id, compare_objects);

	return found ? *found : NULL;
}

static struct objects_service *find_service(const struct objects *objects, const char *id)
{
	const struct objects_service key = {.id = id};
	struct objects_service **found = tfind(&key, &objects->by_service, compare_services);

	return found ? *found : NULL;
}

const struct objects_slices *objects_of_service(const struct objects *objects, const char *id)
{
	struct objects_service *service = find_service(objects, id);

	return service ? &service->slices : NULL;
}

// The id is in one block with the service.
static struct objects_service *new_service(struct objects *objects, const char *id)
{
	size_t size = strlen(id) + 1;
	struct objects_service *service = calloc(1, sizeof(*service) + size);

	if (!service)
		return NULL;
	service->id = memcpy(service + 1, id, size);
	LIST_INIT(&service->slices);
	if (!tsearch(service, &objects->by_service, compare_services)) {
		free(service);
		return NULL;
	}
	return service;
}

static int link_slice(struct objects *objects, struct object *object)
{
	struct objects_service *service = object->service ? find_service(objects, object->service) : NULL;

	if (!object->service)
		return 0;
	if (!service && !(service = new_service(objects, object->service)))
		return -1;
	LIST_INSERT_HEAD(&service->slices, object, with);
	return 0;
}

static void unlink_slice(struct objects *objects, struct object *object)
{
	struct objects_service *service = object->service ? find_service(objects, object->service) : NULL;

	if (!service)
		return;
	LIST_REMOVE(object, with);
	if (LIST_EMPTY(&service->slices)) {
		tdelete(service, &objects->by_service, compare_services);
		free(service);
	}
}

static void drop(struct objects *objects, struct object *object)
{
	unlink_slice(objects, object);
	tdelete(object, &objects->by_id, compare_objects);
	TAILQ_REMOVE(&objects->all, object, all);
	objects->count--;
	object_free(object);
}

int objects_put(struct objects *objects, struct object *object)
{
	struct object *old = objects_find(objects, object->id);

	if (old && object_same(old, object)) {
		old->seen = object->seen;
		object_free(object);
		return OBJECTS_SAME;
	}
	if (old)
		drop(objects, old);
	if (objects->count == OBJECTS_MAX || link_slice(objects, object) < 0) {
		object_free(object);
		return OBJECTS_FULL;
	}
	if (!tsearch(object, &objects->by_id, compare_objects)) {
		unlink_slice(objects, object);
		object_free(object);
		return OBJECTS_FULL;
	}
	TAILQ_INSERT_TAIL(&objects->all, object, all);
	objects->count++;
	return OBJECTS_CHANGED;
}

int objects_remove(struct objects *objects, const char *id)
{
	struct object *object = objects_find(objects, id);

	if (!object)
		return OBJECTS_SAME;
	drop(objects, object);
	return OBJECTS_CHANGED;
}

int objects_sweep(struct objects *objects, uint64_t seen)
{
	int changed = OBJECTS_SAME;

	for (struct object *object = TAILQ_FIRST(&objects->all), *next; object; object = next) {
		next = TAILQ_NEXT(object, all);
		if (object->seen == seen)
			continue;
		drop(objects, object);
		changed = OBJECTS_CHANGED;
	}
	return changed;
}

void objects_free(struct objects *objects)
{
	while (!TAILQ_EMPTY(&objects->all))
		drop(objects, TAILQ_FIRST(&objects->all));
}
