// Small CSV tables; see sheet.h.
#include "discovery/sheet.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/infile.h"
#include "base/inputs.h"
#include "base/must.h"
#include "base/report.h"

enum { FILE_MAX_LEN = 64 << 20 };

void sheet_error(struct sheet *sheet, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report_error(sheet->report, sheet->path, sheet->line, 0, "%s", text);
	sheet->failed = true;
}

static int read_text(struct sheet *sheet)
{
	char why[INFILE_WHY_LEN];

	inputs_add(report_inputs(sheet->report), sheet->path);

	int err = infile_read(sheet->path, FILE_MAX_LEN, &sheet->text, &sheet->len, why);

	if (err == E_NOMEM)
		return err;
	if (err < 0)
		sheet_error(sheet, "%s", why);
	return err < 0 ? E_INVAL : E_OK;
}

static char *trim(char *text)
{
	static const char blanks[] = " \t\r";
	size_t len;

	text += strspn(text, blanks);
	len = strlen(text);
	while (len > 0 && strchr(blanks, text[len - 1]))
		text[--len] = '\0';
	return text;
}

// Splits at every comma, in place. Returns the number of fields, which may exceed SHEET_COLUMNS_MAX.
static size_t split(char *line, char *fields[static SHEET_COLUMNS_MAX])
{
	size_t count = 0;

	for (char *next = line; next; count++) {
		char *field = strsep(&next, ",");

		if (count < SHEET_COLUMNS_MAX)
			fields[count] = trim(field);
	}
	return count;
}

static size_t column_count(const struct sheet *sheet)
{
	size_t count = 1;

	for (const char *at = sheet->header; *at; at++)
		count += *at == ',';
	must(count <= SHEET_COLUMNS_MAX);
	return count;
}

static bool is_header(const struct sheet *sheet, char **fields, size_t count)
{
	const char *at = sheet->header;

	if (count != column_count(sheet))
		return false;
	for (size_t i = 0; i < count; i++) {
		size_t len = strcspn(at, ",");

		if (strlen(fields[i]) != len || memcmp(fields[i], at, len) != 0)
			return false;
		at += len + 1;
	}
	return true;
}

static int read_line(struct sheet *sheet, char *line, bool *have_header)
{
	char *fields[SHEET_COLUMNS_MAX];

	line = trim(line);
	if (*line == '\0' || *line == '#')
		return E_OK;
	if (strchr(line, '"')) {
		sheet_error(sheet, "quotes are not supported in this table");
		return E_OK;
	}

	size_t count = split(line, fields);

	if (!*have_header) {
		*have_header = true;
		if (is_header(sheet, fields, count))
			return E_OK;
		sheet_error(sheet, "expected the header row %s", sheet->header);
		return E_INVAL;
	}
	if (count != column_count(sheet)) {
		sheet_error(sheet, "%zu fields, expected %s", count, sheet->header);
		return E_OK;
	}
	return sheet->row(sheet->ctx, sheet, fields);
}

static int read_rows(struct sheet *sheet)
{
	char *next = sheet->text, *end = next + sheet->len;
	bool have_header = false, is_cut = sheet->len > 0 && end[-1] != '\n';
	int err = E_OK;

	if (sheet->len >= 3 && memcmp(next, "\xef\xbb\xbf", 3) == 0) // a byte order mark
		next += 3;
	while (next < end && err == E_OK) {
		char *line = next, *newline = memchr(line, '\n', (size_t)(end - line));
		char *line_end = newline ? newline : end;

		sheet->line++;
		*line_end = '\0';
		next = line_end + 1;
		if (strlen(line) < (size_t)(line_end - line))
			sheet_error(sheet, "zero octet: this is not a text file");
		else
			err = read_line(sheet, line, &have_header);
	}
	if (err == E_OK && is_cut)
		report_warning(sheet->report, sheet->path, sheet->line, 0, "ends without a newline: was it cut?");
	sheet->line = 0;
	if (err == E_OK && !have_header)
		sheet_error(sheet, "is empty, expected the header row %s", sheet->header);
	return err < 0 ? err : sheet->failed ? E_INVAL : E_OK;
}

int sheet_read(struct sheet *sheet)
{
	int err = read_text(sheet);

	return err < 0 ? err : read_rows(sheet);
}

void sheet_wipe(struct sheet *sheet)
{
	free(sheet->text);
	sheet->text = NULL;
}
