// Copying what is used of the merged list; see snapshot.h.
#include "provide/snapshot.h"

#include <stdio.h>

#include "base/arena.h"
#include "provide/merged.h"
#include "provide/object.h"
#include "provide/provider.h"

enum { FROM_MAX_LEN = INSTANCE_LABEL_LEN + OBJECT_KEY_MAX_LEN + 32 };

#define BYTES_MAX ((size_t)1 << 30)

static size_t count_groups(const struct merged *merged)
{
	struct merged_group group;
	size_t count = 0;

	for (size_t at = 0; merged_next(merged, &at, &group);)
		count++;
	return count;
}

static bool copy_group(struct arena *arena, const struct merged_group *group, struct provided *to)
{
	const struct object *object = group->used;
	const struct provider *provider = object->provider;
	char from[FROM_MAX_LEN];
	int len = snprintf(from, sizeof(from), "%s: %s", provider->label, object->key);

	if (group->used_count > 1)
		snprintf(from + len, sizeof(from) - (size_t)len, " and %zu more", group->used_count - 1);
	*to = (struct provided){
		.app = arena_strdup(arena, object->app),
		.site = arena_strdup(arena, object->site),
		.alias = arena_strdup(arena, object->alias),
		.addresses = arena_copy(arena, object->addresses, object->address_count * sizeof(struct addr)),
		.address_count = object->address_count,
		.check_address = object->check_address,
		.check_name = arena_strdup(arena, object->check_name),
		.from = arena_strdup(arena, from),
		.provider = arena_strdup(arena, provider->label),
		.key = arena_strdup(arena, object->key),
		.mark = {arena_strdup(arena, provider->file), provider->line, provider->column},
		.rule = provider->rule,
		.ready = group->ready,
		.is_stale = object->is_stale,
	};
	return to->app && to->site && (to->alias || !object->alias) && to->addresses &&
	       (to->check_name || !object->check_name) && to->from && to->provider && to->key && to->mark.file;
}

struct snapshot *snapshot_new(const struct merged *merged)
{
	struct arena *arena = arena_new(BYTES_MAX);
	struct snapshot *snapshot = arena ? arena_take(arena, sizeof(*snapshot)) : NULL;
	struct provided *targets = snapshot ? arena_take_array(arena, count_groups(merged), sizeof(*targets)) : NULL;
	struct merged_group group;

	if (!targets) {
		arena_free(arena);
		return NULL;
	}
	snapshot->arena = arena;
	snapshot->targets = targets;
	users_start(&snapshot->users);
	for (size_t at = 0; merged_next(merged, &at, &group);)
		if (!copy_group(arena, &group, &targets[snapshot->count++])) {
			arena_free(arena);
			return NULL;
		}
	return snapshot;
}

struct snapshot *snapshot_hold(struct snapshot *snapshot)
{
	users_add(&snapshot->users);
	return snapshot;
}

struct snapshot *snapshot_release(struct snapshot *snapshot)
{
	if (snapshot && users_leave(&snapshot->users))
		arena_free(snapshot->arena); // contains the snapshot itself
	return NULL;
}
