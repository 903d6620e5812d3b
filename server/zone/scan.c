// Splits master files into entries; see scan.h. The complete file is read first, so that it cannot change meanwhile.
#include "zone/scan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/infile.h"
#include "base/must.h"
#include "base/report.h"

struct zone_scan {
	const char *path; // borrowed
	char *bytes, *at, *end;
	size_t line;      // of `at`
	bool failed;      // an error in this entry has been reported
	char words[ZONE_SCAN_ENTRY_MAX];
};

// ---- the file ----

int zone_scan_open_fd(int fd, const char *path, size_t *budget, struct report *report, struct zone_scan **ret_text)
{
	struct zone_scan *text = calloc(1, sizeof(*text));
	char why[INFILE_WHY_LEN];
	size_t len;
	int err = text ? infile_read_fd(fd, *budget, &text->bytes, &len, why) : E_NOMEM;

	close(fd);
	if (err < 0) {
		if (err != E_NOMEM)
			report_error(report, path, 0, 0, "%s",
			             err == E_LIMIT ? "cannot be read: the zone's files are larger than 1 GiB" : why);
		zone_scan_close(text);
		return err == E_NOMEM ? err : E_IO;
	}
	*budget -= len;
	text->path = path;
	text->at = text->bytes;
	text->end = text->bytes + len;
	text->line = 1;
	if (len >= 3 && memcmp(text->at, "\xef\xbb\xbf", 3) == 0) // a UTF-8 byte order mark
		text->at += 3;
	*ret_text = text;
	return E_OK;
}

int zone_scan_open(const char *path, size_t *budget, struct report *report, struct zone_scan **ret_text)
{
	char why[INFILE_WHY_LEN];
	int fd;

	if (infile_open(path, &fd, why) < 0) {
		report_error(report, path, 0, 0, "%s", why);
		return E_IO;
	}
	return zone_scan_open_fd(fd, path, budget, report, ret_text);
}

struct zone_scan *zone_scan_close(struct zone_scan *text)
{
	if (!text)
		return NULL;
	free(text->bytes);
	free(text);
	return NULL;
}

// ---- entries ----

// Reports only the first error in an entry; others usually follow from it.
static void wrong(struct zone_scan *text, struct report *report, size_t line, const char *what)
{
	if (!text->failed)
		report_error(report, text->path, line, 0, "%s", what);
	text->failed = true;
}

static void put(struct zone_scan *text, struct report *report, struct zone_scan_entry *entry, char c)
{
	if (entry->len < sizeof(text->words))
		text->words[entry->len++] = c;
	else
		wrong(text, report, entry->line, "entry is too long (is a parenthesis left open?)");
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

// Ends a word unless quoted.
static bool is_special(char c)
{
	return is_blank(c) || c == '(' || c == ')' || c == ';';
}

static bool is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t' && c != '\r' && c != '\n') || c == 0x7f;
}

// A backslash and what it escapes; text->at is after the backslash.
static void put_escape(struct zone_scan *text, struct report *report, struct zone_scan_entry *entry, bool quoted)
{
	if (text->at == text->end || *text->at == '\n' || is_control(*text->at)) {
		wrong(text, report, text->line, "backslash with nothing to escape");
		return;
	}

	char c = *text->at++;

	put(text, report, entry, '\\');
	if (!quoted && (is_special(c) || c == '"')) {
		put(text, report, entry, (char)('0' + c / 100));
		put(text, report, entry, (char)('0' + c / 10 % 10));
		put(text, report, entry, (char)('0' + c % 10));
	} else {
		put(text, report, entry, c);
	}
}

static void read_word(struct zone_scan *text, struct report *report, struct zone_scan_entry *entry)
{
	bool quoted = false;

	while (text->at < text->end) {
		char c = *text->at;

		if (c == '\n' || (!quoted && is_special(c)))
			break;
		text->at++;
		if (is_control(c))
			wrong(text, report, text->line, "control character: this is not a text file");
		if (c == '\\') {
			put_escape(text, report, entry, quoted);
			continue;
		}
		if (c == '"')
			quoted = !quoted;
		put(text, report, entry, c);
	}
	if (quoted)
		wrong(text, report, text->line, "quote is not closed on its line");
	put(text, report, entry, '\0');
	entry->count++;
}

// Reads to the end of the line that ends the entry, or of the file.
static void read_entry(struct zone_scan *text, struct report *report, struct zone_scan_entry *entry)
{
	size_t depth = 0, opened_at = 0;
	bool line_begins = true;

	for (; text->at < text->end; line_begins = false) {
		char c = *text->at;

		if (entry->count == 0 && depth == 0) {
			entry->line = text->line;
			if (line_begins)
				entry->indented = is_blank(c);
		}
		if (c == '\n') {
			text->at++;
			text->line++;
			if (depth == 0)
				return;
		} else if (is_blank(c)) {
			text->at++;
		} else if (c == ';') {
			char *newline = memchr(text->at, '\n', (size_t)(text->end - text->at));

			text->at = newline ? newline : text->end;
		} else if (c == '(') {
			text->at++;
			opened_at = depth++ ? opened_at : text->line;
		} else if (c == ')') {
			text->at++;
			if (depth > 0)
				depth--;
			else
				wrong(text, report, text->line, "closing parenthesis without an opening one");
		} else {
			read_word(text, report, entry);
		}
	}
	must(text->at == text->end);
	if (depth > 0)
		wrong(text, report, opened_at, "parenthesis is not closed");
}

int zone_scan_next(struct zone_scan *text, struct report *report, struct zone_scan_entry *ret_entry)
{
	while (text->at < text->end) {
		struct zone_scan_entry entry = {.words = text->words};

		text->failed = false;
		read_entry(text, report, &entry);
		if (text->failed)
			return E_INVAL;
		must(entry.len <= sizeof(text->words));
		if (entry.count > 0) {
			*ret_entry = entry;
			return 1;
		}
	}
	if (text->end > text->bytes && text->end[-1] != '\n')
		report_warning(report, text->path, text->line, 0, "ends without a newline: was it cut?");
	return 0;
}

// ---- words ----

const char *zone_scan_after(const char *word)
{
	return word + strlen(word) + 1;
}

int zone_scan_period(const char *word, uint32_t max, uint32_t *ret_s)
{
	static const struct {
		char unit;
		uint32_t s;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	uint64_t total = 0;

	if (*word < '0' || *word > '9')
		return E_INVAL;
	while (*word) {
		uint64_t number = 0, factor = 0;

		if (*word < '0' || *word > '9')
			return E_INVAL;
		for (; *word >= '0' && *word <= '9'; word++)
			if (number <= max)
				number = number * 10 + (uint64_t)(*word - '0');
		for (size_t i = 0; i < ARRAY_LEN(units); i++)
			if ((*word | 0x20) == units[i].unit)
				factor = units[i].s;
		if (*word && !factor)
			return E_INVAL;
		word += *word != '\0';
		total += number * (factor ? factor : 1);
		if (total > max)
			total = (uint64_t)max + 1;
	}
	if (total > max)
		return E_LIMIT;
	*ret_s = (uint32_t)total;
	return E_OK;
}
