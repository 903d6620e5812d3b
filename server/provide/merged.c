// Joining what several providers know; see merged.h.
#include "provide/merged.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "provide/object.h"
#include "provide/provider.h"

static int compare_places(const struct object *object, const char *app, const char *site)
{
	int order = strcmp(object->app, app);

	return order ? order : strcmp(object->site, site);
}

static int64_t age_key(const struct object *object)
{
	return object->created_s ? object->created_s : INT64_MAX;
}

static int by_preference(const void *a, const void *b)
{
	const struct object *left = *(struct object *const *)a, *right = *(struct object *const *)b;
	int order = compare_places(left, right->app, right->site);

	if (order)
		return order;
	if (age_key(left) != age_key(right))
		return age_key(left) < age_key(right) ? -1 : 1;
	if (left->provider->rank != right->provider->rank)
		return left->provider->rank < right->provider->rank ? -1 : 1;
	return strcmp(left->key, right->key);
}

void merged_done(struct merged *merged)
{
	must(merged->count == 0 && merged->added_count == 0); // their owners have removed them
	free(merged->objects);
	free(merged->room);
	free(merged->added);
	*merged = (struct merged){0};
}

static int grow(struct object ***list, size_t *cap, size_t count)
{
	struct object **grown;

	if (count <= *cap)
		return E_OK;
	grown = realloc(*list, count * sizeof(struct object *));
	if (!grown)
		return E_NOMEM;
	*list = grown;
	*cap = count;
	return E_OK;
}

int merged_reserve(struct merged *merged, size_t count)
{
	size_t objects_cap = merged->cap, room_cap = merged->cap, all = merged->count + merged->added_count + count;
	int err = grow(&merged->added, &merged->added_cap, merged->added_count + count);

	if (err == E_OK)
		err = grow(&merged->objects, &objects_cap, all);
	if (err == E_OK)
		err = grow(&merged->room, &room_cap, all);
	if (err == E_OK && all > merged->cap)
		merged->cap = all;
	return err;
}

void merged_add(struct merged *merged, struct object *object)
{
	must(merged->added_count < merged->added_cap);
	merged->added[merged->added_count++] = object;
}

void merged_remove(struct merged *merged, struct object *object)
{
	object->is_gone = true;
	merged->gone++;
}

// Adds to the array in room, or frees.
static size_t keep(struct merged *merged, size_t count, struct object *object)
{
	if (object->is_gone) {
		object_free(object);
		return count;
	}
	must(count < merged->cap);
	merged->room[count] = object;
	return count + 1;
}

void merged_settle(struct merged *merged)
{
	size_t count = 0, i = 0, j = 0;
	struct object **objects = merged->objects;

	if (merged->added_count == 0 && merged->gone == 0)
		return;
	if (merged->added_count > 0)
		qsort(merged->added, merged->added_count, sizeof(struct object *), by_preference);
	while (i < merged->count || j < merged->added_count) {
		bool is_added = i == merged->count || (j < merged->added_count &&
		                                       by_preference(&objects[i], &merged->added[j]) > 0);

		count = keep(merged, count, is_added ? merged->added[j++] : objects[i++]);
	}
	merged->objects = merged->room;
	merged->room = objects;
	merged->count = count;
	merged->added_count = merged->gone = 0;
}

void merged_sort(struct merged *merged)
{
	merged_settle(merged);
	if (merged->count > 0)
		qsort(merged->objects, merged->count, sizeof(struct object *), by_preference);
}

// The readiness of several servers, or groups of them, that are one.
static uint8_t join_ready(uint8_t a, uint8_t b)
{
	if (a == EDGESTEER_HEALTH_READY || b == EDGESTEER_HEALTH_READY)
		return EDGESTEER_HEALTH_READY;
	return a == EDGESTEER_HEALTH_UNREADY || b == EDGESTEER_HEALTH_UNREADY ? EDGESTEER_HEALTH_UNREADY
	                                                                     : EDGESTEER_HEALTH_UNKNOWN;
}

static void decide(struct merged_group *group)
{
	group->used = group->objects[0];
	for (size_t i = 0; i < group->count && group->used->vanished_ms; i++)
		if (!group->objects[i]->vanished_ms)
			group->used = group->objects[i];
	group->ready = group->used->ready;
	group->used_count = 1;
	for (size_t i = 0; i < group->count; i++) {
		const struct object *other = group->objects[i];

		if (other == group->used || !object_same_balancer(other, group->used))
			continue;
		group->used_count++;
		if (!other->vanished_ms)
			group->ready = join_ready(group->ready, other->ready);
	}
}

bool merged_next(const struct merged *merged, size_t *at, struct merged_group *ret_group)
{
	struct merged_group group = {.objects = merged->objects + *at};
	size_t end = *at;

	must(merged->added_count == 0 && merged->gone == 0);
	if (end == merged->count)
		return false;
	while (end < merged->count &&
	       compare_places(merged->objects[end], group.objects[0]->app, group.objects[0]->site) == 0)
		end++;
	group.count = end - *at;
	decide(&group);
	*at = end;
	*ret_group = group;
	return true;
}

bool merged_find(const struct merged *merged, const char *app, const char *site, struct merged_group *ret_group)
{
	size_t low = 0, high = merged->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_places(merged->objects[middle], app, site) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < merged->count && compare_places(merged->objects[low], app, site) == 0 &&
	       merged_next(merged, &low, ret_group);
}
