// From JSON into rows; see import.h. Cut short anywhere, the next start does it once more with the same result.
#include "state/import.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "state/health_rows.h"
#include "state/legacy.h"

// Rows written by one transaction.
enum { HEALTH_CHUNK = 1024 };

// What the store had before, sorted. Those that an older version cannot hold are kept; see override_is_plain().
struct before {
	struct rows_found found;
	size_t plain; // the first so many are plain
};

static int put_all(struct rows *state, struct override *const *rows, size_t count)
{
	int err = E_OK;

	for (size_t i = 0; i < count && err == E_OK; i++) {
		rows[i]->revision = state->totals.revision + 1;
		err = rows_put(state, rows[i]);
	}
	return err;
}

static int write_overrides(struct rows *state, struct legacy_overrides *all, const struct before *before)
{
	int err = rows_begin(state);

	if (err == E_OK && before) {
		err = rows_clear(state);
		state->totals.revision++;
		if (err == E_OK)
			err = put_all(state, before->found.rows + before->plain, before->found.count - before->plain);
	}
	if (err == E_OK)
		err = put_all(state, all->rows, all->count);
	if (err == E_OK)
		err = rows_commit(state);
	if (err < 0)
		rows_rollback(state);
	return err;
}

// Of the plain ones of a set, whatever its order and its revisions; how many in *ret_count.
static uint64_t sum_of(struct override *const *rows, size_t count, size_t *ret_count)
{
	uint64_t sum = 0;

	*ret_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct override row = *rows[i];

		if (!override_is_plain(&row))
			continue;
		row.revision = 0;
		sum += rows_sum(&row);
		++*ret_count;
	}
	return sum;
}

static int plain_first(const void *a, const void *b)
{
	const struct override *left = *(struct override *const *)a, *right = *(struct override *const *)b;

	return (int)override_is_plain(right) - (int)override_is_plain(left);
}

// Whether the store has exactly these, as after an export that no older version has changed since.
static int compare(const struct rows *state, const struct legacy_overrides *all, struct before *ret_before,
                   bool *ret_is_known)
{
	struct rows_found *found = &ret_before->found;
	int err = rows_read(state->store, found);
	size_t plain;

	if (err < 0)
		return err;

	uint64_t sum = sum_of(found->rows, found->count, &ret_before->plain);

	*ret_is_known = sum == sum_of(all->rows, all->count, &plain) && plain == ret_before->plain;
	if (found->count > 1)
		qsort(found->rows, found->count, sizeof(struct override *), plain_first);
	return E_OK;
}

int import_overrides(const struct folder *folder, struct rows *state, struct import *ret_import)
{
	struct legacy_overrides all = {0};
	struct import import = {0};
	int err = legacy_read_overrides(folder, &all);

	if (err == E_NOTFOUND) {
		*ret_import = (struct import){0};
		return E_OK;
	}
	if (err < 0)
		return err;

	bool is_damaged = !all.is_readable || all.lost > 0, is_known = false;
	struct before before = {0};

	if (!is_damaged)
		err = compare(state, &all, &before, &is_known);
	if (err == E_OK && !is_known && (!is_damaged || all.count > 0))
		err = write_overrides(state, &all, is_damaged ? NULL : &before);
	rows_found_done(&before.found);
	if (err == E_LIMIT) // both together are too many
		err = E_IO;
	if (err < 0)
		folder_fail(folder, legacy_overrides_file, "cannot be taken over", store_error(state->store));
	if (err == E_OK && is_damaged)
		import.loss = (struct loss){clock_wall_s(), all.count, all.lost, !all.is_readable, true};
	import.is_known = is_known;
	legacy_overrides_done(&all);
	if (err == E_OK)
		*ret_import = import;
	return err;
}

int import_overrides_done(const struct folder *folder, const struct import *import)
{
	if (folder_look(folder, legacy_overrides_file) == FOLDER_NOTHING)
		return E_OK;
	if (!import->loss.found_s)
		return legacy_imported(folder, legacy_overrides_file, import->is_known);
	log_error("state file %s/%s is damaged: %zu of its drains and forces are taken over; sites that were drained may be "
	          "in service; look into the file set aside", folder->path, legacy_overrides_file, import->loss.kept);
	return folder_set_aside(folder, legacy_overrides_file, "damaged", import->loss.found_s);
}

static int write_health(struct store *health, struct healthmap *map, int64_t saved_s)
{
	struct healthmap_row *rows = calloc(HEALTH_CHUNK, sizeof(*rows));
	int err = rows ? health_rows_clear(health) : E_NOMEM;
	size_t count;

	while (err == E_OK && (count = healthmap_take(map, rows, HEALTH_CHUNK)) > 0)
		err = health_rows_write(health, rows, count, saved_s);
	free(rows);
	return err;
}

static int set_row(void *ctx, const struct healthmap_row *row)
{
	return healthmap_set(ctx, row->app, row->site, row->word, row->since_s);
}

// 0: not known.
static int64_t confirmed_at(struct store *health)
{
	struct healthmap map = {0};
	int64_t confirmed_s = 0;
	int err = health_rows_read(health, &map, &confirmed_s);

	healthmap_done(&map);
	return err == E_OK ? confirmed_s : 0;
}

int import_health(const struct folder *folder, struct store *health, bool is_read_only, int64_t now_s,
                  int64_t age_max_s)
{
	struct healthmap map = {0}, to_write = {0};
	int64_t saved_s = 0;
	int err = legacy_read_health(folder, &map, &saved_s);

	if (err == E_NOTFOUND)
		return E_OK;
	if (err == E_INVAL) {
		log_warning("starting without the targets' last health");
		return is_read_only ? E_OK : folder_set_aside(folder, legacy_health_file, "damaged", now_s);
	}
	if (err < 0)
		return err;
	// What the store has is as new after an export; an older version saves later.
	bool is_known = saved_s == confirmed_at(health);

	if (!is_known && saved_s > 0 && now_s - saved_s <= age_max_s && saved_s - now_s <= age_max_s) {
		err = healthmap_each(&map, set_row, &to_write);
		if (err == E_OK)
			err = write_health(health, &to_write, saved_s);
		if (err < 0)
			folder_fail(folder, legacy_health_file, "cannot be taken over", store_error(health));
	}
	healthmap_done(&map);
	healthmap_done(&to_write);
	return err == E_OK && !is_read_only ? legacy_imported(folder, legacy_health_file, is_known) : err;
}
