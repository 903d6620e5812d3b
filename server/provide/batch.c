// Collecting objects; see batch.h.
#include "provide/batch.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "provide/object.h"

struct batch *batch_new(void)
{
	return calloc(1, sizeof(struct batch));
}

static void empty(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		object_free(batch->objects[i]);
	batch->count = batch->bytes = 0;
}

struct batch *batch_free(struct batch *batch)
{
	if (!batch)
		return NULL;
	empty(batch);
	free(batch->objects);
	free(batch);
	return NULL;
}

void batch_begin(struct batch *batch)
{
	empty(batch);
	batch->is_whole = true;
}

int batch_add(struct batch *batch, struct object *object)
{
	if (batch->count == BATCH_OBJECTS_MAX || object->size > BATCH_BYTES_MAX - batch->bytes)
		return E_LIMIT;
	if (batch->count == batch->cap) {
		size_t cap = batch->cap ? batch->cap * 2 : 16;
		struct object **objects = realloc(batch->objects, cap * sizeof(struct object *));

		if (!objects)
			return E_NOMEM;
		batch->objects = objects;
		batch->cap = cap;
	}
	batch->objects[batch->count++] = object;
	batch->bytes += object->size;
	return E_OK;
}

// While a batch is sealed, `vanished_ms` has the order in which the objects came: nobody else uses it yet.
static int by_key_and_age(const void *a, const void *b)
{
	const struct object *const *left = a, *const *right = b;
	int order = object_by_key(a, b);

	return order ? order : (*left)->vanished_ms < (*right)->vanished_ms ? -1 : 1;
}

size_t batch_seal(struct batch *batch)
{
	struct object **objects = batch->objects;
	size_t kept = 0, gone;

	for (size_t i = 0; i < batch->count; i++)
		objects[i]->vanished_ms = (int64_t)i;
	if (batch->count > 0)
		qsort(objects, batch->count, sizeof(struct object *), by_key_and_age);
	for (size_t i = 0; i < batch->count; i++) {
		if (i + 1 < batch->count && strcmp(objects[i]->key, objects[i + 1]->key) == 0) {
			object_free(objects[i]);
			continue;
		}
		objects[i]->vanished_ms = 0;
		objects[kept++] = objects[i];
	}
	gone = batch->count - kept;
	batch->count = kept;
	return gone;
}
