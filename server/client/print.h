// What edgesteerctl writes for people: text made safe for a terminal, times, aligned tables. Out of memory ends the
// program.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/attr.h"

enum { CTL_COLUMNS_MAX = 16, CTL_TIME_LEN = 32 };

// Sets the locale, and decides on colours. Before anything is printed.
void client_print_init(void);
// A copy, owned by the caller, without anything that could move a terminal's cursor, change its title or reorder its
// text (base/clean.h). Never NULL.
char *client_clean(const char *text) MUST_USE;
// Like fprintf(), with all output cleaned by client_clean() except a line feed at the end of `fmt`.
void client_print(FILE *out, const char *fmt, ...) PRINTF(2, 3);

// Seconds of the wall clock as local time, "2026-08-09 14:03:20 +0200"; "-" for 0. Into buf[CTL_TIME_LEN], which it
// returns.
const char *client_time(int64_t time_s, char *buf);
// A number of seconds as "45 s", "12 min", "2 h 5 min", "3 d 4 h". Into buf[CTL_TIME_LEN], which it returns.
const char *client_span(int64_t span_s, char *buf);

struct client_table;

// `titles` of up to CTL_COLUMNS_MAX columns, ended by NULL; must outlive the table. A title that starts with ">" aligns
// its column to the right.
struct client_table *client_table_new(const char *const *titles) MUST_USE;
// Adds a row of as many cells as there are columns, cleaned and copied. NULL: an empty cell.
void client_table_add(struct client_table *table, const char *const *cells);
// Prints the table (nothing without rows) and frees it. Columns that are empty in every row are left out.
void client_table_print(struct client_table *table);
