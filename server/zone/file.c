// Reads a master file entry by entry (scan.c), converts its data to wire form (rdata.c) and adds it to a struct
// zone_builder; see file.h.
#include "zone/file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/err.h"
#include "base/inputs.h"
#include "base/must.h"
#include "base/report.h"
#include "wire/dns.h"
#include "zone/beneath.h"
#include "zone/builder.h"
#include "zone/generate.h"
#include "zone/mnemonic.h"
#include "zone/rdata.h"
#include "zone/scan.h"
#include "zone/convert.h"
#include "zone/zone.h"

enum {
	TTL_MAX = INT32_MAX, // TTLs have 31 bits (RFC 2181 section 8)
	// Of one zone: files in files, files, and records of $GENERATE.
	INCLUDE_DEPTH_MAX = 8,
	INCLUDES_MAX = 1000,
	GENERATED_MAX = 1 << 18,
};

// What holds at a place in a file. An included file starts with that of its $INCLUDE, and changes nothing behind it.
struct place {
	const char *file;
	unsigned depth;       // of includes
	struct wire_name origin, owner;
	bool owner_is_bad;    // the last one could not be read: records that depend on it are skipped
	int64_t default_ttl;  // by $TTL; -1: none
	int64_t last_ttl;     // the last one written; -1: none
};

// The files of one zone being read.
struct loader {
	struct zone_builder *builder;
	struct report *report;
	const char *file;     // the zone's own
	struct wire_name apex;
	struct place here;
	size_t budget;        // octets that the files may still have
	unsigned includes;    // so far
	uint32_t generated;   // records so far
	bool has_records;
	uint8_t rdata[ZONE_RDATA_MAX];
	char template[ZONE_SCAN_ENTRY_MAX], generating[ZONE_SCAN_ENTRY_MAX]; // of $GENERATE: its words, and a record's
};

// A record's words before its data.
struct head {
	const char *type_word;
	int type;
	uint32_t ttl_s;
	char *data;    // words
	size_t count;
};

#define complain(loader, entry, ...) \
	(report_error((loader)->report, (loader)->here.file, (entry)->line, 0, __VA_ARGS__), E_INVAL)

// ---- records ----

static bool is_class(const char *word)
{
	static const char *const names[] = {"IN", "CS", "CH", "HS", "NONE", "ANY"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcasecmp(word, names[i]) == 0)
			return true;
	return strncasecmp(word, "CLASS", 5) == 0 && word[5] >= '0' && word[5] <= '9';
}

// Reads [TTL] [class] type, the first two in any order, from `count` words.
static int read_head(struct loader *loader, const struct zone_scan_entry *entry, char *word, size_t count,
                     struct head *ret_head)
{
	struct head head = {0};
	int64_t ttl = -1;
	bool has_class = false;

	for (; count > 0; count--, word += strlen(word) + 1) {
		uint32_t ttl_s;

		if (ttl < 0 && *word >= '0' && *word <= '9') {
			if (zone_scan_period(word, TTL_MAX, &ttl_s) < 0)
				return complain(loader, entry, "%.40s: expected a TTL of at most %d seconds", word, TTL_MAX);
			ttl = ttl_s;
		} else if (!has_class && is_class(word)) {
			if (strcasecmp(word, "IN") != 0 && strcasecmp(word, "CLASS1") != 0)
				return complain(loader, entry, "class %.40s: only IN is served", word);
			has_class = true;
		} else {
			break;
		}
	}
	if (count == 0)
		return complain(loader, entry, "the record has no type");
	head.type_word = word;
	head.type = zone_mnemonic_type(word);
	head.data = word + strlen(word) + 1;
	head.count = count - 1;
	if (head.type < 0)
		return complain(loader, entry, "%.40s: unknown record type", word);
	loader->here.last_ttl = ttl >= 0 ? ttl : loader->here.last_ttl;
	if (ttl < 0)
		ttl = loader->here.default_ttl >= 0 ? loader->here.default_ttl : loader->here.last_ttl;
	if (ttl < 0)
		return complain(loader, entry, "the record has no TTL, and no $TTL came before it");
	head.ttl_s = (uint32_t)ttl;
	*ret_head = head;
	return E_OK;
}

// Whether the record is this zone's at the apex of a zone directly below it: only DS is (RFC 4035 section 2.4).
static bool is_childs_ds(const struct loader *loader, int type, size_t apex_len)
{
	const struct wire_name *owner = &loader->here.owner;
	const size_t label = (size_t)owner->wire[0] + 1;
	size_t above_len = 0;

	if (type != DNS_DS || owner->len != apex_len)
		return false;
	must(label < owner->len); // an apex longer than this zone's is not the root
	(void)zone_builder_apex(loader->builder, owner->wire + label, owner->len - label, &above_len);
	return above_len == loader->apex.len;
}

// Reports a record at or below the apex of another zone inside this one. It is ignored: only a delegation is usual
// there, and that is not needed, as the server has the other zone.
static void report_ignored(struct loader *loader, const struct zone_scan_entry *entry, const struct head *head,
                      const uint8_t *apex, size_t apex_len)
{
	char owner_text[NAME_TEXT_MAX], apex_text[NAME_TEXT_MAX];
	bool usual = head->type == DNS_NS || head->type == DNS_A || head->type == DNS_AAAA;

	report_add(loader->report, usual ? REPORT_NOTE : REPORT_WARNING, loader->here.file, entry->line, 0,
	           "%s %.40s: ignored, the name belongs to the domain %s",
	           name_to_text(loader->here.owner.wire, loader->here.owner.len, owner_text), head->type_word,
	           name_to_text(apex, apex_len, apex_text));
}

static int read_owner(struct loader *loader, const struct zone_scan_entry *entry)
{
	if (entry->indented) {
		if (loader->here.owner.len == 0 && !loader->here.owner_is_bad)
			return complain(loader, entry, "the record has no owner, and none came before it");
		return loader->here.owner_is_bad ? E_INVAL : E_OK;
	}
	loader->here.owner_is_bad = zone_convert_name(entry->words, &loader->here.origin, &loader->here.owner) < 0;
	if (loader->here.owner_is_bad)
		return complain(loader, entry, "%.300s: not a domain name", entry->words);
	return E_OK;
}

static int read_record(struct loader *loader, const struct zone_scan_entry *entry)
{
	const struct wire_name *owner = &loader->here.owner;
	char text[NAME_TEXT_MAX], why[ZONE_CONVERT_WHY_MAX];
	struct head head;
	size_t skip = entry->indented ? 0 : 1;
	int err = read_owner(loader, entry);

	loader->has_records = true;
	if (err == E_OK)
		err = read_head(loader, entry, skip ? entry->words + strlen(entry->words) + 1 : entry->words,
		                entry->count - skip, &head);
	if (err < 0)
		return err;

	size_t apex_len = 0, len;
	const uint8_t *apex = zone_builder_apex(loader->builder, owner->wire, owner->len, &apex_len);

	if (!apex || !name_ends_with(apex, apex_len, loader->apex.wire, loader->apex.len))
		return complain(loader, entry, "%s: is outside the zone",
		                name_to_text(owner->wire, owner->len, text));
	if (apex_len > loader->apex.len && !is_childs_ds(loader, head.type, apex_len)) {
		report_ignored(loader, entry, &head, apex, apex_len);
		return E_OK;
	}
	if (head.type == DNS_DS && owner->len == loader->apex.len) {
		report_warning(loader->report, loader->here.file, entry->line, 0,
		               "%s DS: ignored, it belongs in the zone above (RFC 4035 section 2.4)",
		               name_to_text(owner->wire, owner->len, text));
		return E_OK;
	}
	if (zone_rdata_parse((uint16_t)head.type, head.data, head.count, &loader->here.origin, loader->rdata, &len, why) < 0)
		return complain(loader, entry, "%s %.40s: %s", name_to_text(owner->wire, owner->len, text), head.type_word,
		                why);
	return zone_builder_record(loader->builder, loader->report, (struct zone_origin){loader->here.file, entry->line, 0},
	                           owner->wire, owner->len, (uint16_t)head.type, head.ttl_s, loader->rdata, len);
}

// ---- directives ----

static int read_entries(struct loader *loader, struct zone_scan *text);

// A file's name in `word`, quoted or not; moved into `name`. False when it is empty or has escapes.
static bool read_file_name(const char *word, char *name, size_t size)
{
	size_t len = strlen(word);

	if (len >= 2 && word[0] == '"' && word[len - 1] == '"') {
		word++;
		len -= 2;
	}
	if (len == 0 || len >= size || memchr(word, '\\', len) || memchr(word, '"', len))
		return false;
	memcpy(name, word, len);
	name[len] = '\0';
	return true;
}

// The path of an included file for messages, beside the zone's own. NULL when out of memory.
static const char *include_path(struct loader *loader, const char *name)
{
	const char *slash = strrchr(loader->file, '/');
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%.*s%s", slash ? (int)(slash + 1 - loader->file) : 0, loader->file, name);
	return zone_builder_keep(loader->builder, path);
}

// Reads an open file with its own place. The caller restores its own.
static int read_included(struct loader *loader, int fd, const char *path)
{
	struct zone_scan *text;

	loader->here.file = path;
	loader->here.depth++;
	loader->includes++;

	int err = zone_scan_open_fd(fd, path, &loader->budget, loader->report, &text);

	if (err == E_OK) {
		err = read_entries(loader, text);
		zone_scan_close(text);
	}
	return err;
}

// RFC 1035 section 5.1: $INCLUDE FILE [ORIGIN].
static int include(struct loader *loader, const struct zone_scan_entry *entry)
{
	const char *word = zone_scan_after(entry->words);
	const struct place here = loader->here;
	struct wire_name origin = here.origin;
	char name[PATH_MAX], why[ZONE_BENEATH_WHY_MAX];
	int fd;

	if (entry->count < 2 || entry->count > 3 || !read_file_name(word, name, sizeof(name)))
		return complain(loader, entry, "$INCLUDE: expected a file name without escapes, and perhaps an origin");
	if (entry->count == 3 && zone_convert_name(zone_scan_after(word), &here.origin, &origin) < 0)
		return complain(loader, entry, "$INCLUDE: expected a domain name after the file name");
	if (here.depth == INCLUDE_DEPTH_MAX)
		return complain(loader, entry, "$INCLUDE %.300s: more than %d files deep (does it include itself?)", name,
		                INCLUDE_DEPTH_MAX);
	if (loader->includes == INCLUDES_MAX)
		return complain(loader, entry, "$INCLUDE %.300s: more than %d files are included", name, INCLUDES_MAX);

	const char *path = include_path(loader, name);

	if (!path)
		return E_NOMEM;
	inputs_add(report_inputs(loader->report), path);
	if (zone_beneath_open(loader->file, name, &fd, why) < 0)
		return complain(loader, entry, "$INCLUDE %.300s: %s", name, why);
	loader->here.origin = origin;

	int err = read_included(loader, fd, path);

	loader->here = here;
	return err;
}

// Copies the words after the range into loader->template. As in BIND, data with blanks is in quotes, which are not part
// of it. Returns the number of words.
static size_t read_template(struct loader *loader, const struct zone_scan_entry *entry)
{
	const char *range = zone_scan_after(entry->words), *words = zone_scan_after(range), *before = NULL, *last = words;
	size_t count = entry->count - 2, len = entry->len - (size_t)(words - entry->words);
	char *to = loader->template;

	memcpy(to, words, len);
	for (size_t i = 1; i < count; i++) {
		before = last;
		last = zone_scan_after(last);
	}
	if (!before || *last != '"' || zone_mnemonic_type(before) < 0)
		return count;
	to += last - words;
	count--;
	for (const char *at = last + 1; *at && at[1]; count++) {
		const size_t piece = strcspn(at, " \t") < strlen(at) - 1 ? strcspn(at, " \t") : strlen(at) - 1;

		memcpy(to, at, piece);
		to[piece] = '\0';
		to += piece + 1;
		at += piece;
		at += strspn(at, " \t");
	}
	return count;
}

static int generate_one(struct loader *loader, const struct zone_scan_entry *entry, size_t count, uint32_t number)
{
	struct zone_scan_entry record = {.line = entry->line, .count = count, .words = loader->generating};
	int err = zone_generate_words(loader->template, count, number, loader->generating, sizeof(loader->generating),
	                              &record.len);

	if (err == E_LIMIT)
		return complain(loader, entry, "$GENERATE: the record for %u is too long", number);
	if (err < 0)
		return complain(loader, entry, "$GENERATE: expected ${OFFSET,WIDTH,BASE} with a base of d, o, x, X, n or N, and "
		                "no negative number, for %u", number);
	return read_record(loader, &record);
}

// $GENERATE START-STOP[/STEP] OWNER [TTL] [CLASS] TYPE DATA.
static int generate(struct loader *loader, const struct zone_scan_entry *entry)
{
	const struct place here = loader->here;
	struct zone_generate_range range;
	int err = E_OK;

	if (entry->count < 4 || zone_generate_range(zone_scan_after(entry->words), &range) < 0)
		return complain(loader, entry, "$GENERATE: expected START-STOP[/STEP], an owner, a type and data");
	if (zone_generate_count(&range) > GENERATED_MAX - loader->generated)
		return complain(loader, entry, "$GENERATE: more than %d records are generated", GENERATED_MAX);
	loader->generated += zone_generate_count(&range);

	const size_t count = read_template(loader, entry);

	for (uint64_t i = range.start; i <= range.stop && err == E_OK; i += range.step)
		err = generate_one(loader, entry, count, (uint32_t)i);
	loader->here = here;
	return err;
}

static int read_directive(struct loader *loader, const struct zone_scan_entry *entry)
{
	const char *word = entry->words, *value = entry->count == 2 ? zone_scan_after(word) : NULL;
	struct place *here = &loader->here;
	uint32_t ttl_s;

	if (strcasecmp(word, "$ORIGIN") == 0) {
		if (!value || zone_convert_name(value, &here->origin, &here->origin) < 0)
			return complain(loader, entry, "$ORIGIN: expected a domain name");
		return E_OK;
	}
	if (strcasecmp(word, "$TTL") == 0) {
		if (!value || zone_scan_period(value, TTL_MAX, &ttl_s) < 0)
			return complain(loader, entry, "$TTL: expected a time of at most %d seconds", TTL_MAX);
		here->default_ttl = ttl_s;
		return E_OK;
	}
	if (strcasecmp(word, "$INCLUDE") == 0)
		return include(loader, entry);
	if (strcasecmp(word, "$GENERATE") == 0)
		return generate(loader, entry);
	return complain(loader, entry, "%.40s: unknown directive", word);
}

// ---- files ----

static int read_entries(struct loader *loader, struct zone_scan *text)
{
	int more;

	do {
		struct zone_scan_entry entry;
		int err = E_OK;

		more = zone_scan_next(text, loader->report, &entry);
		if (more > 0)
			err = *entry.words == '$' ? read_directive(loader, &entry) : read_record(loader, &entry);
		if (err == E_NOMEM)
			return err;
		if (more < 0 || err < 0)
			zone_builder_incomplete(loader->builder, loader->apex.wire, loader->apex.len);
		loader->has_records = loader->has_records || more < 0 || err < 0; // or would have
	} while (more != 0);
	return E_OK;
}

static int read_zone(struct loader *loader, struct zone_scan *text)
{
	int err = read_entries(loader, text);

	if (err == E_OK && !loader->has_records) {
		report_error(loader->report, loader->file, 0, 0, "contains no records");
		zone_builder_incomplete(loader->builder, loader->apex.wire, loader->apex.len);
	}
	return err;
}

int zone_file_load(struct zone_builder *builder, const uint8_t *apex, size_t apex_len, const char *file,
                   struct report *report)
{
	struct loader *loader = calloc(1, sizeof(*loader));
	struct zone_scan *text = NULL;
	size_t budget = ZONE_SCAN_FILES_MAX;

	must(apex_len >= 1 && apex_len <= NAME_WIRE_MAX);
	inputs_add(report_inputs(report), file);

	int err = loader ? zone_scan_open(file, &budget, report, &text) : E_NOMEM;

	if (err == E_OK) {
		loader->builder = builder;
		loader->report = report;
		loader->file = loader->here.file = file;
		loader->budget = budget;
		memcpy(loader->apex.wire, apex, apex_len);
		loader->apex.len = apex_len;
		loader->here.origin = loader->apex;
		loader->here.default_ttl = loader->here.last_ttl = -1;
		err = read_zone(loader, text);
	} else if (err == E_IO) {
		zone_builder_incomplete(builder, apex, apex_len);
	}
	zone_scan_close(text);
	free(loader);
	return err == E_NOMEM ? err : E_OK; // zone_builder_finish() fails for any other error
}
