// A report collects everything that is wrong (or worth a warning) with what an operator gave us, so that all of it is
// told at once. Config, zone files, CSV sources and plugins write into one; the caller prints it. Not thread-safe:
// one owner at a time. Slow side only.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

enum report_level { REPORT_ERROR, REPORT_WARNING, REPORT_NOTE };

// Further lines are counted, not kept; warnings and notes sooner, so that they leave room for errors.
enum { REPORT_MAX = 1000, REPORT_WARNINGS_MAX = 500 };

struct report;

// A new empty report, or NULL without memory. The caller frees it with report_free().
struct report *report_new(void);
// Frees it; takes NULL; returns NULL.
struct report *report_free(struct report *report);

// Adds a line "FILE:LINE:COLUMN: text"; a NULL file leaves the place out, line or column 0 leaves that number out.
void report_add(struct report *report, enum report_level level, const char *file, size_t line, size_t column,
                const char *fmt, ...) PRINTF(6, 7) NONNULL(1, 6);

#define report_error(report, file, line, column, ...) \
	report_add(report, REPORT_ERROR, file, line, column, __VA_ARGS__)
#define report_warning(report, file, line, column, ...) \
	report_add(report, REPORT_WARNING, file, line, column, __VA_ARGS__)

// How many lines of the level were added, kept or not.
size_t report_count(const struct report *report, enum report_level level);
// True when nothing of REPORT_ERROR was added.
bool report_ok(const struct report *report);

// Calls each() for every kept line in order; `text` is owned by the report. After the last kept line, a line that
// counts what was not kept follows, if any.
void report_each(const struct report *report, void (*each)(void *ctx, enum report_level level, const char *text),
                 void *ctx);
