// SQL and sums of names' addresses; see alias_rows.h.
#include "state/alias_rows.h"

#include "base/err.h"
#include "state/limits.h"
#include "state/sum.h"

static int64_t sum_of(const char *name, const char *addresses, int64_t ttl_s, int64_t since_s)
{
	uint64_t sum = sum_text(sum_text(sum_begin("alias"), name), addresses);

	return (int64_t)sum_number(sum_number(sum, (uint64_t)ttl_s), (uint64_t)since_s);
}

static int load_row(void *ctx, const struct store_value *columns, size_t count)
{
	if (count != 5 || columns[0].type != STORE_TEXT || columns[1].type != STORE_TEXT ||
	    columns[2].type != STORE_NUMBER || columns[3].type != STORE_NUMBER || columns[4].type != STORE_NUMBER ||
	    columns[2].number < 0 || columns[2].number > UINT32_MAX || strlen(columns[0].text) > STATE_ALIAS_NAME_MAX ||
	    strlen(columns[1].text) > STATE_ALIAS_TEXT_MAX ||
	    columns[4].number != sum_of(columns[0].text, columns[1].text, columns[2].number, columns[3].number))
		return E_INVAL;

	int err = aliasmap_load(ctx, columns[0].text, columns[1].text, (uint32_t)columns[2].number, columns[3].number);

	return err == E_LIMIT ? E_INVAL : err;
}

int alias_rows_read(struct store *store, struct aliasmap *map)
{
	return store_each(store, "SELECT name, addresses, ttl, since, sum FROM alias", NULL, 0, load_row, map);
}

static int write_row(struct store *store, const struct aliasmap_row *row)
{
	const struct store_value values[] = {
		store_text(row->name), store_text(row->addresses), store_number(row->ttl_s), store_number(row->since_s),
		store_number(row->addresses ? sum_of(row->name, row->addresses, row->ttl_s, row->since_s) : 0)};

	if (!row->addresses)
		return store_run(store, "DELETE FROM alias WHERE name = ?", values, 1, NULL);
	return store_run(store, "INSERT OR REPLACE INTO alias (name, addresses, ttl, since, sum) VALUES (?, ?, ?, ?, ?)", values,
	                 5, NULL);
}

int alias_rows_write(struct store *store, const struct aliasmap_row *rows, size_t count)
{
	int err = store_begin(store);

	for (size_t i = 0; i < count && err == E_OK; i++)
		err = write_row(store, &rows[i]);
	if (err == E_OK)
		err = store_commit(store);
	if (err < 0)
		store_rollback(store);
	return err;
}
