// The objects of one kind; see kobjects.h. Trees and not hashes: the names are others' choice.
#include "kobjects.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare_objects(const void *a, const void *b)
{
	return strcmp(((const struct kobject *)a)->id, ((const struct kobject *)b)->id);
}

static int compare_services(const void *a, const void *b)
{
	return strcmp(((const struct kobjects_service *)a)->id, ((const struct kobjects_service *)b)->id);
}

void kobjects_begin(struct kobjects *objects)
{
	*objects = (struct kobjects){.by_id = NULL};
	TAILQ_INIT(&objects->all);
}

struct kobject *kobjects_find(const struct kobjects *objects, const char *id)
{
	const struct kobject key = {.id = id};
	struct kobject **found = tfind(&key, &objects->by_id, compare_objects);

	return found ? *found : NULL;
}

static struct kobjects_service *find_service(const struct kobjects *objects, const char *id)
{
	const struct kobjects_service key = {.id = id};
	struct kobjects_service **found = tfind(&key, &objects->by_service, compare_services);

	return found ? *found : NULL;
}

const struct kobjects_slices *kobjects_of_service(const struct kobjects *objects, const char *id)
{
	struct kobjects_service *service = find_service(objects, id);

	return service ? &service->slices : NULL;
}

// The id is in one block with the service.
static struct kobjects_service *new_service(struct kobjects *objects, const char *id)
{
	size_t size = strlen(id) + 1;
	struct kobjects_service *service = calloc(1, sizeof(*service) + size);

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

static int link_slice(struct kobjects *objects, struct kobject *object)
{
	struct kobjects_service *service = object->service ? find_service(objects, object->service) : NULL;

	if (!object->service)
		return 0;
	if (!service && !(service = new_service(objects, object->service)))
		return -1;
	LIST_INSERT_HEAD(&service->slices, object, with);
	return 0;
}

static void unlink_slice(struct kobjects *objects, struct kobject *object)
{
	struct kobjects_service *service = object->service ? find_service(objects, object->service) : NULL;

	if (!service)
		return;
	LIST_REMOVE(object, with);
	if (LIST_EMPTY(&service->slices)) {
		tdelete(service, &objects->by_service, compare_services);
		free(service);
	}
}

static void drop(struct kobjects *objects, struct kobject *object)
{
	unlink_slice(objects, object);
	tdelete(object, &objects->by_id, compare_objects);
	TAILQ_REMOVE(&objects->all, object, all);
	objects->count--;
	kobject_free(object);
}

int kobjects_put(struct kobjects *objects, struct kobject *object)
{
	struct kobject *old = kobjects_find(objects, object->id);

	if (old && kobject_same(old, object)) {
		old->seen = object->seen;
		kobject_free(object);
		return KOBJECTS_SAME;
	}
	if (old)
		drop(objects, old);
	if (objects->count == KOBJECTS_MAX || link_slice(objects, object) < 0) {
		kobject_free(object);
		return KOBJECTS_FULL;
	}
	if (!tsearch(object, &objects->by_id, compare_objects)) {
		unlink_slice(objects, object);
		kobject_free(object);
		return KOBJECTS_FULL;
	}
	TAILQ_INSERT_TAIL(&objects->all, object, all);
	objects->count++;
	return KOBJECTS_CHANGED;
}

int kobjects_remove(struct kobjects *objects, const char *id)
{
	struct kobject *object = kobjects_find(objects, id);

	if (!object)
		return KOBJECTS_SAME;
	drop(objects, object);
	return KOBJECTS_CHANGED;
}

int kobjects_sweep(struct kobjects *objects, uint64_t seen)
{
	int changed = KOBJECTS_SAME;

	for (struct kobject *object = TAILQ_FIRST(&objects->all), *next; object; object = next) {
		next = TAILQ_NEXT(object, all);
		if (object->seen == seen)
			continue;
		drop(objects, object);
		changed = KOBJECTS_CHANGED;
	}
	return changed;
}

void kobjects_free(struct kobjects *objects)
{
	while (!TAILQ_EMPTY(&objects->all))
		drop(objects, TAILQ_FIRST(&objects->all));
}
