// What edgesteerctl writes for people: texts made safe for a terminal, times, aligned tables.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"

enum { CTL_COLUMNS_MAX = 12, CTL_TIME_LEN = 32 };

// Before anything else is printed.
void client_print_init(void);
// A copy (the caller's) without what could move a terminal's cursor, change its title or turn its text around: control
// characters, invalid UTF-8 and directional overrides become "?". Never NULL: without memory it ends the program.
char *client_clean(const char *text) MUST_USE;
// printf, whose %s are safe: everything that comes out is cleaned, but for line feeds in `fmt`'s own text at its end.
void client_print(FILE *out, const char *fmt, ...) PRINTF(2, 3);

// "2026-08-09 14:03:20 +0200" in local time, "-" for 0. Into buf[CTL_TIME_LEN], returned.
const char *client_time(int64_t time_s, char *buf);
// "45 s", "12 min", "2 h 5 min", "3 d 4 h". Into buf[CTL_TIME_LEN], returned.
const char *client_span(int64_t span_s, char *buf);

struct client_table;

// Columns' titles, NULL at the end; one that begins with ">" has its cells flushed right.
struct client_table *client_table_new(const char *const *titles) MUST_USE;
// One row; cells as many as columns; cleaned and copied. NULL is an empty cell.
void client_table_add(struct client_table *table, const char *const *cells);
// Prints it, nothing when it has no rows, and frees it. Columns that are empty in every row are left out.
void client_table_print(struct client_table *table);
