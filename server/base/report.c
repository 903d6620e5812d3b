// Collects messages about an operator's input, with a cap; see report.h.
#include "base/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/inputs.h"
#include "base/must.h"

enum { LINE_MAX_LEN = 1024, LEVELS = 3 };

struct line {
	enum report_level level;
	char *text;
};

struct report {
	size_t count[LEVELS];
	size_t kept;
	size_t cap;
	struct line *lines;
	struct inputs *inputs;
};

struct report *report_new(void)
{
	struct report *report = calloc(1, sizeof(*report));

	if (report)
		report->inputs = inputs_new();
	return report && report->inputs ? report : report_free(report);
}

struct report *report_free(struct report *report)
{
	if (!report)
		return NULL;
	for (size_t i = 0; i < report->kept; i++)
		free(report->lines[i].text);
	free(report->lines);
	inputs_free(report->inputs);
	free(report);
	return NULL;
}

static void keep(struct report *report, enum report_level level, const char *text)
{
	if (report->kept >= (level == REPORT_ERROR ? REPORT_MAX : REPORT_WARNINGS_MAX))
		return;
	if (report->kept == report->cap) {
		size_t cap = report->cap ? report->cap * 2 : 16;
		struct line *lines = realloc(report->lines, cap * sizeof(*lines));

		if (!lines)
			return;
		report->lines = lines;
		report->cap = cap;
	}

	char *copy = strdup(text);

	if (copy)
		report->lines[report->kept++] = (struct line){level, copy};
}

void report_add(struct report *report, enum report_level level, const char *file, size_t line, size_t column,
                const char *fmt, ...)
{
	char text[LINE_MAX_LEN];
	size_t at = 0;

	must((unsigned)level < LEVELS);
	report->count[level]++;
	if (file)
		at += (size_t)snprintf(text, sizeof(text) / 2, "%s:", file);
	if (at >= sizeof(text) / 2) // an absurdly long path: keep its start
		at = sizeof(text) / 2 - 1;
	if (file && line)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%zu:", line);
	if (file && line && column)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%zu:", column);
	if (file)
		text[at++] = ' ';

	must(at < sizeof(text));

	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + at, sizeof(text) - at, fmt, ap);
	va_end(ap);
	keep(report, level, clean_text(text)); // it may quote any file
}

size_t report_count(const struct report *report, enum report_level level)
{
	return report->count[level];
}

struct inputs *report_inputs(const struct report *report)
{
	return report->inputs;
}

bool report_ok(const struct report *report)
{
	return report->count[REPORT_ERROR] == 0;
}

void report_each(const struct report *report, void (*each)(void *ctx, enum report_level level, const char *text),
                 void *ctx)
{
	size_t total = 0, errors = 0;

	for (size_t i = 0; i < LEVELS; i++)
		total += report->count[i];
	for (size_t i = 0; i < report->kept; i++) {
		each(ctx, report->lines[i].level, report->lines[i].text);
		errors += report->lines[i].level == REPORT_ERROR;
	}
	must(report->kept <= total);
	if (total > report->kept) {
		char text[64];

		snprintf(text, sizeof(text), "%zu more lines not shown", total - report->kept);
		each(ctx, report->count[REPORT_ERROR] > errors ? REPORT_ERROR : REPORT_WARNING, text);
	}
}
