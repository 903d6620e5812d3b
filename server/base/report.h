// A report collects every error and warning about an operator's input, so that all of them are shown at once, and the
// files that were read. Config, zone files, CSV sources and plugins add to one; the caller prints it. Not thread-safe: one
// owner at a time. Slow side only.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

enum report_level { REPORT_ERROR, REPORT_WARNING, REPORT_NOTE };

// Lines past these are counted, not kept. Warnings and notes have the lower limit, which leaves room for errors.
enum { REPORT_MAX = 1000, REPORT_WARNINGS_MAX = 500 };

struct inputs;
struct report;

// A new empty report, or NULL when out of memory. The caller frees it with report_free().
struct report *report_new(void);
// Frees it; takes NULL; returns NULL.
struct report *report_free(struct report *report);

// Adds a line "FILE:LINE:COLUMN: text", copied and cleaned (clean.h): the text may quote a file, and is shown on the
// operator's terminal. With a NULL file the location is left out, with line or column 0 that number.
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

// The files read so far, to be added to by whoever reads another one (inputs.h). Owned by the report.
struct inputs *report_inputs(const struct report *report) NONNULL(1);

// Calls each() for every kept line in order, then, if any were not kept, for a line that counts them. `text` is owned
// by the report and valid during the call.
void report_each(const struct report *report, void (*each)(void *ctx, enum report_level level, const char *text),
                 void *ctx);
