// Merging what a provider tells into what it has told; see roll.h.
#include "provide/roll.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "provide/batch.h"
#include "provide/object.h"

// Monotonic time 0 means that it is there.
static int64_t some_time(int64_t now_ms)
{
	return now_ms ? now_ms : 1;
}

static void confirm(struct roll *roll, struct object *object)
{
	roll->stale -= object->is_stale;
	object->is_stale = false;
}

static void vanish(struct roll *roll, struct object *object, int64_t now_ms, const struct roll_ops *ops)
{
	if (object->vanished_ms)
		return;
	object->vanished_ms = some_time(now_ms);
	confirm(roll, object); // the source has said so
	roll->vanished++;
	ops->vanished(ops->ctx, object);
}

// It is not counted any more.
static void discount(struct roll *roll, const struct object *object)
{
	roll->vanished -= object->vanished_ms != 0;
	roll->stale -= object->is_stale;
}

// Both have the same key. Returns the one that stays; the other one is gone.
static struct object *renew(struct roll *roll, struct object *old, struct object *given, const struct roll_ops *ops)
{
	bool was_there = !old->vanished_ms;

	if (!object_same(old, given)) {
		discount(roll, old);
		ops->replaced(ops->ctx, old, given);
		return given;
	}
	confirm(roll, old);
	roll->vanished -= !was_there;
	old->vanished_ms = 0;
	old->ready = given->ready;
	object_free(given);
	if (!was_there)
		ops->returned(ops->ctx, old);
	return old;
}

// The same for what may be a drop.
static struct object *take_given(struct roll *roll, struct object *old, struct object *given, int64_t now_ms,
                                 const struct roll_ops *ops)
{
	if (!given->is_drop)
		return renew(roll, old, given, ops);
	object_free(given);
	vanish(roll, old, now_ms, ops);
	return old;
}

// Of a key that is not in the roll. NULL: there is nothing to drop.
static struct object *take_new(struct object *given, const struct roll_ops *ops)
{
	if (!given->is_drop) {
		ops->added(ops->ctx, given);
		return given;
	}
	object_free(given);
	return NULL;
}

int roll_apply(struct roll *roll, struct batch *batch, int64_t now_ms, const struct roll_ops *ops)
{
	size_t cap = roll->count + batch->count, count = 0, i = 0, j = 0;
	struct object **merged = malloc((cap + 1) * sizeof(struct object *));

	if (!merged)
		return E_NOMEM;
	while (i < roll->count || j < batch->count) {
		struct object *old = i < roll->count ? roll->objects[i] : NULL;
		struct object *given = j < batch->count ? batch->objects[j] : NULL;
		int order = !given ? -1 : !old ? 1 : strcmp(old->key, given->key);

		i += order <= 0;
		j += order >= 0;
		if (order < 0 && batch->is_whole)
			vanish(roll, old, now_ms, ops);
		if (order == 0)
			old = take_given(roll, old, given, now_ms, ops);
		else if (order > 0)
			old = take_new(given, ops);
		if (old)
			merged[count++] = old;
	}
	must(count <= cap);
	batch->count = 0;
	free(roll->objects);
	roll->objects = merged;
	roll->count = count;
	return E_OK;
}

void roll_expire(struct roll *roll, int64_t now_ms, int64_t grace_ms, const struct roll_ops *ops)
{
	size_t kept = 0;

	if (roll->vanished == 0)
		return;
	for (size_t i = 0; i < roll->count; i++) {
		struct object *object = roll->objects[i];

		if (!object->vanished_ms || now_ms - object->vanished_ms < grace_ms) {
			roll->objects[kept++] = object;
			continue;
		}
		discount(roll, object);
		ops->removed(ops->ctx, object);
	}
	roll->count = kept;
}

void roll_mark_stale(struct roll *roll)
{
	for (size_t i = 0; i < roll->count; i++)
		roll->objects[i]->is_stale = true;
	roll->stale = roll->count;
}

void roll_clear(struct roll *roll, const struct roll_ops *ops)
{
	for (size_t i = 0; i < roll->count; i++)
		ops->removed(ops->ctx, roll->objects[i]);
	free(roll->objects);
	*roll = (struct roll){0};
}
