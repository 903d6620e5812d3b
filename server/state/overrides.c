// The set and its index; see overrides.h.
#include "state/overrides.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "state/selector.h"

enum { ROOM_FIRST = 64 };

void overrides_done(struct overrides *overrides)
{
	for (size_t i = 0; i < overrides->count; i++)
		override_free(overrides->rows[i]);
	free(overrides->rows);
	free(overrides->selectors);
	for (size_t kind = 0; kind < OVERRIDE_KINDS; kind++)
		table_done(&overrides->index[kind]);
	*overrides = (struct overrides){0};
}

int overrides_reserve(struct overrides *overrides, size_t count)
{
	size_t room = overrides->room ? overrides->room : ROOM_FIRST;

	for (size_t kind = 0; kind < OVERRIDE_KINDS; kind++)
		if (table_reserve(&overrides->index[kind], count) < 0)
			return E_NOMEM;
	while (room < count)
		room *= 2;
	if (room == overrides->room)
		return E_OK;

	struct override **rows = reallocarray(overrides->rows, room, sizeof(*rows));

	if (!rows)
		return E_NOMEM;
	overrides->rows = rows;

	struct override **selectors = reallocarray(overrides->selectors, room, sizeof(*selectors));

	if (!selectors)
		return E_NOMEM;
	overrides->selectors = selectors;
	overrides->room = room;
	return E_OK;
}

static struct table_slot *find_slot(const struct overrides *overrides, enum override_kind kind, const char *app,
                                    const char *site)
{
	return table_find(&overrides->index[kind], app ? app : "", site);
}

struct override *overrides_find(const struct overrides *overrides, enum override_kind kind, const char *app,
                                const char *site)
{
	const struct table_slot *slot = find_slot(overrides, kind, app, site);

	return slot ? (struct override *)(uintptr_t)slot->value : NULL;
}

// Where in the rows it is. No two have the same revision, but what a damaged store gave is not relied on.
static size_t position(const struct overrides *overrides, const struct override *override)
{
	size_t low = 0, high = overrides->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (overrides->rows[middle]->revision <= override->revision)
			low = middle;
		else
			high = middle;
	}
	while (low > 0 && overrides->rows[low] != override)
		low--;
	must(low < overrides->count && overrides->rows[low] == override);
	return low;
}

// Takes it out of the index and the list of selectors.
static void unlist(struct overrides *overrides, const struct override *override)
{
	size_t i = 0;

	table_remove(&overrides->index[override->kind],
	             find_slot(overrides, override->kind, override->app, override->site));
	if (!selector_is(override->site))
		return;
	while (overrides->selectors[i] != override)
		must(++i < overrides->selector_count);
	overrides->selectors[i] = overrides->selectors[--overrides->selector_count];
}

void overrides_take(struct overrides *overrides, struct override *override)
{
	size_t at = position(overrides, override);

	unlist(overrides, override);
	must(overrides->count > 0);
	overrides->count--;
	memmove(overrides->rows + at, overrides->rows + at + 1, (overrides->count - at) * sizeof(*overrides->rows));
}

struct override *overrides_put(struct overrides *overrides, struct override *next)
{
	struct override *old = overrides_find(overrides, next->kind, next->app, next->site);

	if (old)
		overrides_take(overrides, old);
	must(overrides->count < overrides->room);
	must(table_add(&overrides->index[next->kind], next->app ? next->app : "", next->site, (uintptr_t)next) == E_OK);
	overrides->rows[overrides->count++] = next;
	if (selector_is(next->site))
		overrides->selectors[overrides->selector_count++] = next;
	return old;
}

size_t overrides_sweep(struct overrides *overrides, bool (*goes)(const void *ctx, const struct override *override),
                       const void *ctx)
{
	size_t kept = 0, before = overrides->count;

	for (size_t i = 0; i < before; i++) {
		struct override *override = overrides->rows[i];

		if (goes(ctx, override)) {
			unlist(overrides, override);
			continue;
		}
		// Those between `kept` and here go.
		overrides->rows[i] = overrides->rows[kept];
		overrides->rows[kept++] = override;
	}
	must(kept <= before);
	overrides->count = kept;
	return before - kept;
}
