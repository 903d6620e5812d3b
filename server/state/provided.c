// Rows of what providers gave; see provided.h.
#include "state/provided.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "state/store.h"
#include "state/sum.h"

// Copies with its texts.
static struct provided_row *make_row(const char *owner, const char *key, const char *text)
{
	size_t owner_size = strlen(owner) + 1, key_size = strlen(key) + 1, text_size = text ? strlen(text) + 1 : 0;
	struct provided_row *row = malloc(sizeof(*row) + owner_size + key_size + text_size);
	char *at = (char *)(row + 1);

	if (!row)
		return NULL;
	row->owner = memcpy(at, owner, owner_size);
	row->key = memcpy(at + owner_size, key, key_size);
	row->text = text ? memcpy(at + owner_size + key_size, text, text_size) : NULL;
	return row;
}

int provided_add(struct provided_list *list, const char *owner, const char *key, const char *text)
{
	struct provided_row *row;

	if (list->count == PROVIDED_ROWS_MAX || strlen(owner) > PROVIDED_OWNER_MAX || strlen(key) > PROVIDED_KEY_MAX ||
	    (text && strlen(text) > PROVIDED_TEXT_MAX))
		return E_LIMIT;
	if (list->count == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 64;
		struct provided_row **rows = realloc(list->rows, cap * sizeof(*rows));

		if (!rows)
			return E_NOMEM;
		list->rows = rows;
		list->cap = cap;
	}
	row = make_row(owner, key, text);
	if (!row)
		return E_NOMEM;
	list->rows[list->count++] = row;
	return E_OK;
}

void provided_drop(struct provided_list *list, size_t count)
{
	must(count <= list->count);
	for (size_t i = 0; i < count; i++)
		free(list->rows[i]);
	list->count -= count;
	if (list->count > 0)
		memmove(list->rows, list->rows + count, list->count * sizeof(*list->rows));
}

void provided_done(struct provided_list *list)
{
	provided_drop(list, list->count);
	free(list->rows);
	*list = (struct provided_list){0};
}

static int64_t sum_of(const char *owner, const char *key, const char *text)
{
	return (int64_t)sum_text(sum_text(sum_text(sum_begin("provided"), owner), key), text);
}

struct reading {
	struct provided_list *list;
	size_t damaged;
};

static int read_row(void *ctx, const struct store_value *columns, size_t count)
{
	struct reading *reading = ctx;
	bool is_good = count == 4 && columns[0].type == STORE_TEXT && columns[1].type == STORE_TEXT &&
	               columns[2].type == STORE_TEXT && columns[3].type == STORE_NUMBER &&
	               columns[3].number == sum_of(columns[0].text, columns[1].text, columns[2].text);
	int err = is_good ? provided_add(reading->list, columns[0].text, columns[1].text, columns[2].text) : E_INVAL;

	if (err == E_INVAL || err == E_LIMIT)
		reading->damaged++;
	return err == E_NOMEM ? err : E_OK;
}

int provided_read(struct store *store, struct provided_list *list, size_t *ret_damaged)
{
	struct reading reading = {list, 0};
	int err = store_each(store, "SELECT owner, key, text, sum FROM provided", NULL, 0, read_row, &reading);

	*ret_damaged = reading.damaged;
	return err;
}

static int write_row(struct store *store, const struct provided_row *row)
{
	const struct store_value values[] = {
		store_text(row->owner), store_text(row->key), store_text(row->text),
		store_number(row->text ? sum_of(row->owner, row->key, row->text) : 0)};

	if (!row->text)
		return store_run(store, "DELETE FROM provided WHERE owner = ? AND key = ?", values, 2, NULL);
	return store_run(store, "INSERT OR REPLACE INTO provided (owner, key, text, sum) VALUES (?, ?, ?, ?)", values, 4, NULL);
}

int provided_write(struct store *store, struct provided_row *const *rows, size_t count)
{
	int err = store_begin(store);

	for (size_t i = 0; i < count && err == E_OK; i++)
		err = write_row(store, rows[i]);
	if (err == E_OK)
		err = store_commit(store);
	if (err < 0)
		store_rollback(store);
	return err;
}
