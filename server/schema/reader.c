// The state of reading a config; see reader.h.
#include "schema/reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clean.h"
#include "base/dict.h"
#include "base/err.h"
#include "base/must.h"
#include "base/report.h"

enum { HELP_MAX = 100 }; // errors and warnings; comparing very many words with all names would take minutes

static void push(struct reader *reader, const char *text)
{
	must(reader->path_len < sizeof(reader->path));
	(void)clean_copy(reader->path + reader->path_len, sizeof(reader->path) - reader->path_len, text);
	reader->path_len += strlen(reader->path + reader->path_len);
}

struct reader_place reader_place(const struct reader *reader)
{
	return (struct reader_place){reader->here, reader->file, reader->path_len};
}

void reader_enter_key(struct reader *reader, const struct value *member)
{
	if (reader->path_len > 0)
		push(reader, ".");
	push(reader, member->key);
	// A mapping starts at its first key: errors of the mapping itself are reported at its own key.
	reader->here = value_is(member, VALUE_TEXT) ? value_mark(member) : value_key_mark(member);
	reader->file = member->file->path;
}

void reader_enter_item(struct reader *reader, const struct value *element, size_t index)
{
	char text[32];

	snprintf(text, sizeof(text), "[%zu]", index);
	push(reader, text);
	reader->here = value_mark(element);
	reader->file = element->file->path;
}

void reader_leave(struct reader *reader, struct reader_place place)
{
	must(place.path_len <= reader->path_len);
	reader->here = place.here;
	reader->file = place.file;
	reader->path_len = place.path_len;
	reader->path[place.path_len] = '\0';
}

static void add(struct reader *reader, enum report_level level, struct mark mark, const char *key, const char *fmt,
                va_list ap)
{
	char text[512];
	const char *dot = key && reader->path_len > 0 ? "." : "";
	const char *colon = key || reader->path_len > 0 ? ": " : "";

	vsnprintf(text, sizeof(text), fmt, ap);
	report_add(reader->report, level, mark.file, mark.line, mark.column, "%s%s%s%s%s", reader->path, dot,
	           key ? key : "", colon, text);
}

void reader_error(struct reader *reader, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(reader, REPORT_ERROR, reader->here, NULL, fmt, ap);
	va_end(ap);
}

void reader_warning(struct reader *reader, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(reader, REPORT_WARNING, reader->here, NULL, fmt, ap);
	va_end(ap);
}

void reader_error_at(struct reader *reader, const struct value *member, const char *fmt, ...)
{
	char clean[READER_QUOTE_MAX];
	va_list ap;

	(void)clean_copy(clean, sizeof(clean), member ? member->key : "");
	va_start(ap, fmt);
	add(reader, REPORT_ERROR, member ? value_key_mark(member) : reader->here, member ? clean : NULL, fmt, ap);
	va_end(ap);
}

bool reader_may_help(const struct reader *reader)
{
	return report_count(reader->report, REPORT_ERROR) + report_count(reader->report, REPORT_WARNING) < HELP_MAX;
}

const char *reader_quote(const char *text, char *buf)
{
	char clean[READER_QUOTE_MAX - sizeof("`...`") + 1];
	size_t len = clean_copy(clean, sizeof(clean), text);

	snprintf(buf, READER_QUOTE_MAX, "`%s%s`", clean, text[len] ? "..." : "");
	return buf;
}

const char *reader_quote_value(const struct value *value, char *buf)
{
	if (value_is(value, VALUE_TEXT))
		return reader_quote(value_text(value), buf);
	return value_is(value, VALUE_MAP) ? "a mapping" : value_is(value, VALUE_LIST) ? "a list" : "nothing";
}

void *reader_take(struct reader *reader, size_t count, size_t size)
{
	void *piece = arena_take_array(reader->arena, count, size);

	if (!piece)
		reader->err = E_NOMEM;
	return piece;
}

char *reader_strdup(struct reader *reader, const char *text)
{
	char *copy = arena_strdup(reader->arena, text);

	if (!copy)
		reader->err = E_NOMEM;
	return copy;
}

const char *reader_path_beside(struct arena *arena, const char *file, const char *written)
{
	if (written[0] == '/')
		return arena_strdup(arena, written);
	must(strrchr(file, '/'));

	size_t folder_len = (size_t)(strrchr(file, '/') + 1 - file);
	size_t size = folder_len + strlen(written) + 1;
	char *path = arena_take(arena, size);

	if (path)
		snprintf(path, size, "%.*s%s", (int)folder_len, file, written);
	return path;
}

const char *reader_path(struct reader *reader, const char *written)
{
	const char *path = reader_path_beside(reader->arena, reader->file, written);

	if (!path)
		reader->err = E_NOMEM;
	return path;
}

int reader_find(const struct dict *names, const char *name)
{
	const struct dict_entry *entry = dict_find(names, name);

	return entry ? (int)entry->value : -1;
}

bool reader_number(struct reader *reader, struct dict *names, const char *name, size_t number)
{
	int err = dict_add(names, name, number);

	if (err < 0 && err != E_EXISTS)
		reader->err = E_NOMEM;
	return err == E_OK;
}
