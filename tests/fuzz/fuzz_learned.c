// Any octets as a CSV of `edgesteerctl learned import`. It must terminate; a row that it takes has what a request may have, is
// the same when it is written and read again. What it refuses has a place in the text.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "client/json.h"
#include "client/learned_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_wrong(void *ctx, size_t line, size_t column, const char *why)
{
	const struct client_rows *rows = ctx;

	must(*why && line <= rows->line && column <= rows->len + 1);
}

static void check_row(const json_t *row)
{
	json_t *again;
	struct client_rows rows;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	must(out && json_object_get(row, "prefix") && json_array_size(json_object_get(row, "sites")) <= 4);
	client_rows_header(out);
	must(client_rows_write(out, row));
	must(fclose(out) == 0);
	client_rows_begin(&rows, text, len, check_wrong, &rows);
	again = client_rows_next(&rows);
	must(again);
	// A time or a number of 0 is none, and an empty list neither.
	for (const char *const *key = (const char *const[]){"prefix", "carrier", "class", "sites", NULL}; *key; key++) {
		const json_t *a = json_object_get(row, *key), *b = json_object_get(again, *key);

		must(json_equal(a, b) || (!b && json_array_size(a) == 0 && json_string_length(a) == 0));
	}
	json_decref(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client_rows rows;

	client_rows_begin(&rows, (const char *)data, size, check_wrong, &rows);
	for (json_t *row; (row = client_rows_next(&rows)); json_decref(row))
		check_row(row);
	must(rows.at == size || rows.is_over);
	return 0;
}
