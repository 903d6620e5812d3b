// SQL and sums of health; see health_rows.h.
#include "state/health_rows.h"

#include <string.h>

#include "base/err.h"
#include "state/sum.h"

static const char confirmed_name[] = "confirmed";

// Rows written before there was a `since` have the sum without it, and 0 there.
static int64_t sum_of(const char *app, const char *site, int64_t word, int64_t since_s)
{
	uint64_t sum = sum_number(sum_text(sum_text(sum_begin("health"), app), site), (uint64_t)word);

	return (int64_t)(since_s ? sum_number(sum, (uint64_t)since_s) : sum);
}

static int64_t sum_of_meta(const char *name, int64_t value)
{
	return (int64_t)sum_number(sum_text(sum_begin("meta"), name), (uint64_t)value);
}

static int load_row(void *ctx, const struct store_value *columns, size_t count)
{
	if (count != 6 || columns[0].type != STORE_TEXT || columns[1].type != STORE_TEXT)
		return E_INVAL;
	for (size_t i = 2; i < count; i++)
		if (columns[i].type != STORE_NUMBER)
			return E_INVAL;

	const char *app = columns[0].text, *site = columns[1].text;
	int64_t probed = columns[2].number, word = columns[3].number, since_s = columns[4].number;

	if (word < 0 || word > UINT32_MAX || probed != word >> 1 || strlen(app) > STORE_ROW_MAX / 4 ||
	    columns[5].number != sum_of(app, site, word, since_s))
		return E_INVAL;

	int err = healthmap_load(ctx, app, site, (uint32_t)word, since_s);

	return err == E_EXISTS || err == E_LIMIT ? E_INVAL : err;
}

static int load_confirmed(void *ctx, const struct store_value *columns, size_t count)
{
	if (count != 2 || columns[0].type != STORE_NUMBER || columns[1].type != STORE_NUMBER ||
	    columns[1].number != sum_of_meta(confirmed_name, columns[0].number))
		return E_INVAL;
	*(int64_t *)ctx = columns[0].number;
	return E_OK;
}

int health_rows_read(struct store *store, struct healthmap *map, int64_t *ret_confirmed_s)
{
	int64_t confirmed_s = 0;
	int err = store_each(store, "SELECT value, sum FROM meta WHERE name = 'confirmed'", NULL, 0, load_confirmed,
	                     &confirmed_s);

	if (err == E_OK)
		err = store_each(store, "SELECT app, site, probed, word, since, sum FROM health", NULL, 0, load_row, map);
	if (err == E_OK)
		*ret_confirmed_s = confirmed_s;
	return err;
}

static int write_row(struct store *store, const struct healthmap_row *row)
{
	const struct store_value values[] = {store_text(row->app), store_text(row->site), store_number(row->word >> 1),
	                                     store_number(row->word), store_number(row->since_s),
	                                     store_number(sum_of(row->app, row->site, row->word, row->since_s))};

	if (row->is_gone)
		return store_run(store, "DELETE FROM health WHERE app = ? AND site = ? AND probed = ?", values, 3, NULL);
	return store_run(store,
	                 "INSERT OR REPLACE INTO health (app, site, probed, word, since, sum) VALUES (?, ?, ?, ?, ?, ?)",
	                 values, ARRAY_LEN(values), NULL);
}

int health_rows_write(struct store *store, const struct healthmap_row *rows, size_t count, int64_t confirmed_s)
{
	const struct store_value meta[] = {store_text(confirmed_name), store_number(confirmed_s),
	                                   store_number(sum_of_meta(confirmed_name, confirmed_s))};
	int err = store_begin(store);

	for (size_t i = 0; i < count && err == E_OK; i++)
		err = write_row(store, &rows[i]);
	if (err == E_OK)
		err = store_run(store, "INSERT OR REPLACE INTO meta (name, value, sum) VALUES (?, ?, ?)", meta, 3, NULL);
	if (err == E_OK)
		err = store_commit(store);
	if (err < 0)
		store_rollback(store);
	return err;
}

int health_rows_clear(struct store *store)
{
	return store_run(store, "DELETE FROM health", NULL, 0, NULL);
}
