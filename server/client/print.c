// Output for people; see print.h. The terminal is assumed to use UTF-8.
#include "client/print.h"

#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "base/clean.h"
#include "base/must.h"

static bool colours;

void client_print_init(void)
{
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");

	setlocale(LC_CTYPE, "C.UTF-8");
	colours = isatty(STDOUT_FILENO) && !(no_colour && no_colour[0]) && term && strcmp(term, "dumb") != 0;
}

char *client_clean(const char *text)
{
	char *clean = strdup(text);

	must(clean); // a command's few kilobytes
	return clean_text(clean);
}

void client_print(FILE *out, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);

	int len = vasprintf(&text, fmt, ap);

	va_end(ap);
	must(len >= 0);

	size_t fmt_len = strlen(fmt);
	bool ends_line = fmt_len > 0 && fmt[fmt_len - 1] == '\n';

	if (ends_line)
		text[len - 1] = '\0';

	char *clean = client_clean(text);

	fprintf(out, "%s%s", clean, ends_line ? "\n" : "");
	free(clean);
	free(text);
}

const char *client_time(int64_t time_s, char *buf)
{
	time_t time = (time_t)time_s;
	struct tm tm;

	if (time_s == 0 || !localtime_r(&time, &tm) || strftime(buf, CTL_TIME_LEN, "%Y-%m-%d %H:%M:%S %z", &tm) == 0)
		strcpy(buf, "-");
	return buf;
}

const char *client_span(int64_t span_s, char *buf)
{
	long long s = span_s > 0 ? span_s : 0;

	if (s < 60)
		snprintf(buf, CTL_TIME_LEN, "%lld s", s);
	else if (s < 3600)
		snprintf(buf, CTL_TIME_LEN, "%lld min", s / 60);
	else if (s < 86400)
		snprintf(buf, CTL_TIME_LEN, s % 3600 < 60 ? "%lld h" : "%lld h %lld min", s / 3600, s % 3600 / 60);
	else
		snprintf(buf, CTL_TIME_LEN, s % 86400 < 3600 ? "%lld d" : "%lld d %lld h", s / 86400, s % 86400 / 3600);
	return buf;
}

struct client_table {
	const char *const *titles;
	size_t columns, rows, cap;
	char **cells; // rows * columns, cleaned
};

struct client_table *client_table_new(const char *const *titles)
{
	struct client_table *table = calloc(1, sizeof(*table));

	must(table);
	table->titles = titles;
	while (titles[table->columns])
		table->columns++;
	must(table->columns > 0 && table->columns <= CTL_COLUMNS_MAX);
	return table;
}

void client_table_add(struct client_table *table, const char *const *cells)
{
	if (table->rows == table->cap) {
		table->cap = table->cap ? table->cap * 2 : 64;
		table->cells = reallocarray(table->cells, table->cap * table->columns, sizeof(*table->cells));
		must(table->cells);
	}
	for (size_t i = 0; i < table->columns; i++)
		table->cells[table->rows * table->columns + i] = client_clean(cells[i] ? cells[i] : "");
	table->rows++;
}

// The columns that a cleaned text takes up on the screen.
static size_t width_of(const char *text)
{
	size_t width = 0, n;
	mbstate_t state = {0};
	wchar_t c;

	while (*text && (n = mbrtowc(&c, text, strlen(text), &state)) != (size_t)-1 && n != (size_t)-2) {
		width += wcwidth(c) < 0 ? 1 : (size_t)wcwidth(c); // a character that the C library does not know
		text += n;
	}
	return width;
}

static const char *colour_of(const char *text)
{
	static const struct {
		const char *word, *colour;
	} words[] = {{"up", "\033[32m"}, {"down", "\033[31m"}, {"drained", "\033[33m"}};

	for (size_t i = 0; colours && i < ARRAY_LEN(words); i++)
		if (strncmp(text, words[i].word, strlen(words[i].word)) == 0)
			return words[i].colour;
	return NULL;
}

// `widths` in columns of the screen; 0: the column is left out.
static void print_row(const struct client_table *table, const char *const *cells, const size_t *widths)
{
	size_t gap = 0; // spaces to write before the next text, so that there are none at the end of a line

	for (size_t i = 0; i < table->columns; i++) {
		bool right = table->titles[i][0] == '>';
		size_t pad = widths[i] - width_of(cells[i]);
		const char *colour = colour_of(cells[i]);

		if (widths[i] == 0)
			continue;
		gap += right ? pad : 0;
		if (cells[i][0]) {
			printf("%*s%s%s%s", (int)gap, "", colour ? colour : "", cells[i], colour ? "\033[0m" : "");
			gap = 0;
		}
		gap += (right ? 0 : pad) + 2;
	}
	putchar('\n');
}

// The width of the widest cell; 0 when all are empty.
static size_t column_width(const struct client_table *table, size_t column)
{
	size_t most = 0;

	for (size_t row = 0; row < table->rows; row++) {
		size_t width = width_of(table->cells[row * table->columns + column]);

		if (width > most)
			most = width;
	}
	return most;
}

void client_table_print(struct client_table *table)
{
	const char *titles[CTL_COLUMNS_MAX];
	size_t widths[CTL_COLUMNS_MAX];

	for (size_t i = 0; i < table->columns; i++) {
		titles[i] = table->titles[i] + (table->titles[i][0] == '>');
		widths[i] = column_width(table, i);
		if (widths[i] && widths[i] < strlen(titles[i]))
			widths[i] = strlen(titles[i]);
		if (widths[i] == 0)
			titles[i] = "";
	}
	if (table->rows)
		print_row(table, titles, widths);
	for (size_t row = 0; row < table->rows; row++)
		print_row(table, (const char *const *)table->cells + row * table->columns, widths);
	for (size_t i = 0; i < table->rows * table->columns; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}
