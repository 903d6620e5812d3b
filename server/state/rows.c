// SQL, sums and totals of overrides; see rows.h.
#include "state/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "state/sum.h"

#define COLUMNS "kind, site, app, reason, who, since, until, direction, revision, sum, behalf, ender, starts," \
	" ramp, whence, gives_back, share, forced"

enum { COLUMN_COUNT = 18 };
// No store comes near to it; what says so is damaged.
#define REVISION_MAX (INT64_MAX / 2)

uint64_t rows_sum(const struct override *override)
{
	uint64_t sum = sum_number(sum_begin("override"), override->kind);

	sum = sum_text(sum_text(sum, override->site), override->app ? override->app : "");
	sum = sum_text(sum_text(sum, override->reason), override->who);
	sum = sum_number(sum_number(sum, (uint64_t)override->since_s), (uint64_t)override->until_s);
	sum = sum_number(sum_number(sum, override->to), override->revision);
	if (override->kind == OVERRIDE_ADOPT)
		sum = sum_number(sum, override->share);
	// Rows from before there were these fields keep their sum.
	if (override->is_forced)
		sum = sum_text(sum, "forced");
	if (!override->by && !override->start_s && !override->over_s)
		return sum;
	sum = sum_text(sum_text(sum, override->by), override->ender);
	sum = sum_number(sum_number(sum, (uint64_t)override->start_s), override->over_s);
	return sum_number(sum_number(sum, override->whence), override->is_returning);
}

static uint64_t sum_of_meta(const char *name, int64_t value)
{
	return sum_number(sum_text(sum_begin("meta"), name), (uint64_t)value);
}

bool rows_totals_equal(const struct rows_totals *a, const struct rows_totals *b)
{
	return a->revision == b->revision && a->count == b->count && a->sum == b->sum;
}

// Reading -------------------------------------------------------------------------------------------------------------

static const char *text_or(const struct store_value *value, const char *instead)
{
	return value->type == STORE_TEXT ? value->text : instead;
}

// What a row says it is, of one that is not what was written.
static void name_damaged(struct rows_found *found, const struct store_value *columns)
{
	int64_t kind = columns[0].type == STORE_NUMBER ? columns[0].number : -1;
	const char *app = text_or(&columns[2], "?");

	found->damaged++;
	if (found->name_count == ROWS_NAMED_MAX)
		return;
	if (!found->names && !(found->names = calloc(ROWS_NAMED_MAX, sizeof(*found->names))))
		return;
	snprintf(found->names[found->name_count++], sizeof(*found->names), "%s of %.255s%s%.255s",
	         kind >= 0 && kind < OVERRIDE_KINDS ? override_kind_text((enum override_kind)kind) : "override",
	         text_or(&columns[1], "?"), app[0] ? " for " : "", app);
}

// NULL when the row is not what rows_put() writes. Valid as long as the columns are.
static const struct override *read_row(const struct store_value *columns, size_t count, struct override *override)
{
	static const enum store_type types[COLUMN_COUNT] = {STORE_NUMBER, STORE_TEXT, STORE_TEXT, STORE_NULL, STORE_TEXT,
	                                                    STORE_NUMBER, STORE_NUMBER, STORE_NUMBER, STORE_NUMBER,
	                                                    STORE_NUMBER, STORE_NULL, STORE_NULL, STORE_NUMBER,
	                                                    STORE_NUMBER, STORE_NUMBER, STORE_NUMBER, STORE_NUMBER, STORE_NUMBER};

	for (size_t i = 0; i < count; i++)
		if (columns[i].type != types[i] && !(types[i] == STORE_NULL && columns[i].type == STORE_TEXT))
			return NULL;
	if (columns[13].number < 0 || columns[13].number > OVERRIDE_OVER_MAX_S || columns[14].number < 0 ||
	    columns[14].number > SHARE_WHOLE || columns[15].number < 0 || columns[15].number > 1 ||
	    columns[16].number < 0 || columns[16].number > SHARE_WHOLE || columns[17].number < 0 || columns[17].number > 1)
		return NULL;
	if (columns[0].number < 0 || columns[0].number >= OVERRIDE_KINDS || columns[7].number < FORCE_AUTO ||
	    columns[7].number > FORCE_DOWN || columns[8].number < 1 || columns[8].number > REVISION_MAX)
		return NULL;
	*override = (struct override){
		.kind = (enum override_kind)columns[0].number, .site = (char *)columns[1].text,
		.app = columns[2].text[0] ? (char *)columns[2].text : NULL, .reason = (char *)columns[3].text,
		.who = (char *)columns[4].text, .since_s = columns[5].number, .until_s = columns[6].number,
		.to = (enum force_to)columns[7].number, .revision = (uint64_t)columns[8].number,
		.by = (char *)columns[10].text, .ender = (char *)columns[11].text, .start_s = columns[12].number,
		.over_s = (uint32_t)columns[13].number, .whence = (uint32_t)columns[14].number,
		.is_returning = columns[15].number == 1, .share = (uint32_t)columns[16].number, .is_forced = columns[17].number == 1};
	return rows_sum(override) == (uint64_t)columns[9].number && override_check(override) == E_OK ? override : NULL;
}

struct reading {
	struct rows_found found;
	size_t room;
	uint64_t sum, newest;
	bool backwards; // what was read before is met again
};

static int add_row(void *ctx, const struct store_value *columns, size_t count)
{
	struct reading *reading = ctx;
	struct rows_found *found = &reading->found;
	struct override override;

	if (!read_row(columns, count, &override)) {
		if (!reading->backwards)
			name_damaged(found, columns);
		return E_OK;
	}
	if (found->count == STATE_OVERRIDES_MAX * 2)
		return E_LIMIT;
	if (found->count == reading->room) {
		size_t room = reading->room ? reading->room * 2 : 64;
		struct override **rows = reallocarray(found->rows, room, sizeof(*rows));

		if (!rows)
			return E_NOMEM;
		found->rows = rows;
		reading->room = room;
	}
	if (!(found->rows[found->count] = override_copy(&override)))
		return E_NOMEM;
	found->count++;
	reading->sum += rows_sum(&override);
	if (override.revision > reading->newest)
		reading->newest = override.revision;
	return E_OK;
}

static int add_total(void *ctx, const struct store_value *columns, size_t count)
{
	struct rows_totals *totals = ctx;
	static const char *const names[] = {"count", "revision", "sum"};
	uint64_t *const fields[] = {&totals->count, &totals->revision, &totals->sum};

	if (count != 3 || columns[0].type != STORE_TEXT || columns[1].type != STORE_NUMBER ||
	    columns[2].type != STORE_NUMBER ||
	    (uint64_t)columns[2].number != sum_of_meta(columns[0].text, columns[1].number))
		return E_OK;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(columns[0].text, names[i]) == 0)
			*fields[i] = (uint64_t)columns[1].number;
	return E_OK;
}

static int read_totals(struct store *store, struct rows_found *found)
{
	struct rows_totals totals = {UINT64_MAX, UINT64_MAX, 0};
	int err = store_each(store, "SELECT name, value, sum FROM meta", NULL, 0, add_total, &totals);

	if (err < 0)
		return err;
	found->has_totals = totals.revision <= REVISION_MAX && totals.count != UINT64_MAX;
	if (found->has_totals)
		found->totals = totals;
	return E_OK;
}

int rows_read(struct store *store, struct rows_found *ret_found)
{
	struct reading reading = {0};
	struct rows_found *found = &reading.found;
	int err = read_totals(store, found);

	if (err == E_OK || err == E_INVAL) {
		bool has_totals = err == E_OK && found->has_totals;

		err = store_each(store, "SELECT " COLUMNS " FROM override", NULL, 0, add_row, &reading);
		found->is_sound = err == E_OK && has_totals && !found->damaged && found->count == found->totals.count &&
		                  reading.sum == found->totals.sum && reading.newest <= found->totals.revision;
	}
	if (err == E_INVAL || err == E_LIMIT) { // from the other end, up to what could not be read
		reading.backwards = true;
		err = store_each(store, "SELECT " COLUMNS " FROM override ORDER BY kind DESC, site DESC, app DESC", NULL, 0,
		                 add_row, &reading);
	}
	if (err == E_OK || err == E_INVAL || err == E_LIMIT) {
		*ret_found = reading.found;
		return E_OK;
	}
	rows_found_done(found);
	return err;
}

void rows_found_done(struct rows_found *found)
{
	for (size_t i = 0; i < found->count; i++)
		override_free(found->rows[i]);
	free(found->rows);
	free(found->names);
	*found = (struct rows_found){0};
}

static int by_revision(const void *a, const void *b)
{
	const struct override *left = *(struct override *const *)a, *right = *(struct override *const *)b;

	return (left->revision > right->revision) - (left->revision < right->revision);
}

void rows_sort(struct override **rows, size_t count)
{
	if (count > 1)
		qsort(rows, count, sizeof(*rows), by_revision);
}

// Writing -------------------------------------------------------------------------------------------------------------

int rows_begin(struct rows *rows)
{
	must(rows->store);
	rows->committed = rows->totals;
	return store_begin(rows->store);
}

static int write_meta(struct store *store, const char *name, uint64_t value)
{
	const struct store_value values[] = {store_text(name), store_number((int64_t)value),
	                                     store_number((int64_t)sum_of_meta(name, (int64_t)value))};

	return store_run(store, "INSERT OR REPLACE INTO meta (name, value, sum) VALUES (?, ?, ?)", values, 3, NULL);
}

int rows_seal(struct rows *rows)
{
	int err = write_meta(rows->store, "revision", rows->totals.revision);

	if (err == E_OK)
		err = write_meta(rows->store, "count", rows->totals.count);
	if (err == E_OK)
		err = write_meta(rows->store, "sum", rows->totals.sum);
	return err;
}

int rows_commit(struct rows *rows)
{
	int err = rows_seal(rows);

	must(rows->totals.revision >= rows->committed.revision);
	if (err == E_OK)
		err = store_commit(rows->store);
	if (err == E_OK)
		rows->committed = rows->totals;
	return err;
}

void rows_rollback(struct rows *rows)
{
	store_rollback(rows->store);
	rows->totals = rows->committed;
}

// Takes rows that are about to go out of the totals.
static int subtract(void *ctx, const struct store_value *columns, size_t count)
{
	struct rows_totals *totals = ctx;

	if (count != 1 || columns[0].type != STORE_NUMBER)
		return E_INVAL;
	totals->count--;
	totals->sum -= (uint64_t)columns[0].number;
	return E_OK;
}

// The rows of a condition, which both statements end with.
static int drop(struct rows *rows, const char *select, const char *drop_sql, const struct store_value *values,
                size_t count, size_t *ret_removed)
{
	struct rows_totals before = rows->totals;
	int err = store_each(rows->store, select, values, count, subtract, &rows->totals);

	if (err == E_OK && rows->totals.count != before.count)
		err = store_run(rows->store, drop_sql, values, count, NULL);
	if (err == E_OK)
		*ret_removed = before.count - rows->totals.count;
	return err;
}

static int drop_one(struct rows *rows, enum override_kind kind, const char *site, const char *app, size_t *ret_removed)
{
	const struct store_value values[] = {store_number(kind), store_text(site), store_text(app ? app : "")};

	return drop(rows, "SELECT sum FROM override WHERE kind = ? AND site = ? AND app = ?",
	            "DELETE FROM override WHERE kind = ? AND site = ? AND app = ?", values, 3, ret_removed);
}

int rows_put(struct rows *rows, const struct override *o)
{
	uint64_t sum = rows_sum(o);
	const struct store_value values[COLUMN_COUNT] = {
		store_number(o->kind), store_text(o->site), store_text(o->app ? o->app : ""), store_text(o->reason),
		store_text(o->who), store_number(o->since_s), store_number(o->until_s), store_number(o->to),
		store_number((int64_t)o->revision), store_number((int64_t)sum), store_text(o->by), store_text(o->ender),
		store_number(o->start_s), store_number(o->over_s), store_number(o->whence), store_number(o->is_returning),
		store_number(o->share), store_number(o->is_forced)};
	size_t removed = 0;
	int err = drop_one(rows, o->kind, o->site, o->app, &removed);

	if (err < 0)
		return err;
	if (!removed && rows->totals.count >= STATE_OVERRIDES_MAX)
		return E_LIMIT;
	err = store_run(rows->store, "INSERT INTO override (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	                values, COLUMN_COUNT, NULL);
	rows->totals.count++;
	rows->totals.sum += sum;
	if (rows->totals.revision < o->revision)
		rows->totals.revision = o->revision;
	return err;
}

int rows_remove(struct rows *rows, const struct override_match *match, size_t *ret_removed)
{
	const struct store_value values[] = {store_number(match->kind), store_text(match->site)};

	if (!match->every_app)
		return drop_one(rows, match->kind, match->site, match->app, ret_removed);
	return drop(rows, "SELECT sum FROM override WHERE kind = ? AND site = ?",
	            "DELETE FROM override WHERE kind = ? AND site = ?", values, 2, ret_removed);
}

int rows_expire(struct rows *rows, int64_t now_s, uint64_t upto)
{
	const struct store_value values[] = {store_number(now_s), store_number((int64_t)upto)};
	size_t removed;

	return drop(rows, "SELECT sum FROM override WHERE until <> 0 AND until <= ? AND revision <= ?",
	            "DELETE FROM override WHERE until <> 0 AND until <= ? AND revision <= ?", values, 2, &removed);
}

int rows_clear(struct rows *rows)
{
	rows->totals.count = 0;
	rows->totals.sum = 0;
	return store_run(rows->store, "DELETE FROM override", NULL, 0, NULL);
}
