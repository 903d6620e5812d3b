// Reads a master file entry by entry (scan.c), converts its data to wire form (rdata.c) and adds it to a struct
// zone_builder; see file.h.
#include "zone/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/must.h"
#include "base/report.h"
#include "wire/dns.h"
#include "zone/builder.h"
#include "zone/rdata.h"
#include "zone/scan.h"
#include "zone/zone.h"

// TTLs have 31 bits (RFC 2181 section 8).
enum { TTL_MAX = INT32_MAX };

// One master file being read.
struct loader {
	struct zone_builder *builder;
	struct report *report;
	const char *file;
	struct wire_name apex, origin, owner;
	bool owner_is_bad;    // the last one could not be read: records that depend on it are skipped
	int64_t default_ttl;  // by $TTL; -1: none
	int64_t last_ttl;     // the last one written; -1: none
	uint8_t rdata[ZONE_RDATA_MAX];
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
	(report_error((loader)->report, (loader)->file, (entry)->line, 0, __VA_ARGS__), E_INVAL)

// ---- names ----

// A name is absolute when it ends in a dot that is not escaped.
static bool is_absolute(const char *word)
{
	size_t len = strlen(word), slashes = 0;

	if (len == 0 || word[len - 1] != '.')
		return false;
	while (slashes + 1 < len && word[len - 2 - slashes] == '\\')
		slashes++;
	return slashes % 2 == 0;
}

static int read_name(const char *word, const struct wire_name *origin, struct wire_name *ret_name)
{
	struct wire_name name = *origin;

	if (strcmp(word, "@") != 0) {
		if (strchr(word, '"') || name_from_text(word, name.wire, &name.len) < 0)
			return E_INVAL;
		if (!is_absolute(word)) {
			if (name.len - 1 + origin->len > NAME_WIRE_MAX)
				return E_INVAL;
			must(name.len >= 1 && origin->len >= 1);
			memcpy(name.wire + name.len - 1, origin->wire, origin->len);
			name.len += origin->len - 1;
		}
	}
	*ret_name = name;
	return E_OK;
}

// ---- directives ----

static int read_directive(struct loader *loader, const struct zone_scan_entry *entry)
{
	const char *word = entry->words, *value = entry->count == 2 ? zone_scan_after(word) : NULL;
	uint32_t ttl_s;

	if (strcasecmp(word, "$ORIGIN") == 0) {
		if (!value || read_name(value, &loader->origin, &loader->origin) < 0)
			return complain(loader, entry, "$ORIGIN: expected a domain name");
		return E_OK;
	}
	if (strcasecmp(word, "$TTL") == 0) {
		if (!value || zone_scan_period(value, TTL_MAX, &ttl_s) < 0)
			return complain(loader, entry, "$TTL: expected a time of at most %d seconds", TTL_MAX);
		loader->default_ttl = ttl_s;
		return E_OK;
	}
	if (strcasecmp(word, "$INCLUDE") == 0 || strcasecmp(word, "$GENERATE") == 0)
		return complain(loader, entry, "%s is not supported", word);
	return complain(loader, entry, "%.40s: unknown directive", word);
}

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
	head.type = zone_rdata_type(word);
	head.data = word + strlen(word) + 1;
	head.count = count - 1;
	if (head.type < 0)
		return complain(loader, entry, "%.40s: unknown record type", word);
	loader->last_ttl = ttl >= 0 ? ttl : loader->last_ttl;
	if (ttl < 0)
		ttl = loader->default_ttl >= 0 ? loader->default_ttl : loader->last_ttl;
	if (ttl < 0)
		return complain(loader, entry, "the record has no TTL, and no $TTL came before it");
	head.ttl_s = (uint32_t)ttl;
	*ret_head = head;
	return E_OK;
}

// Reports a record at or below the apex of another zone inside this one. It is ignored: only a delegation is usual
// there, and that is not needed, as the server has the other zone.
static void report_ignored(struct loader *loader, const struct zone_scan_entry *entry, const struct head *head,
                      const uint8_t *apex, size_t apex_len)
{
	char owner_text[NAME_TEXT_MAX], apex_text[NAME_TEXT_MAX];
	bool usual = head->type == DNS_NS || head->type == DNS_DS || head->type == DNS_A || head->type == DNS_AAAA;

	report_add(loader->report, usual ? REPORT_NOTE : REPORT_WARNING, loader->file, entry->line, 0,
	           "%s %.40s: ignored, the name belongs to the domain %s",
	           name_to_text(loader->owner.wire, loader->owner.len, owner_text), head->type_word,
	           name_to_text(apex, apex_len, apex_text));
}

static int read_owner(struct loader *loader, const struct zone_scan_entry *entry)
{
	if (entry->indented) {
		if (loader->owner.len == 0 && !loader->owner_is_bad)
			return complain(loader, entry, "the record has no owner, and none came before it");
		return loader->owner_is_bad ? E_INVAL : E_OK;
	}
	loader->owner_is_bad = read_name(entry->words, &loader->origin, &loader->owner) < 0;
	if (loader->owner_is_bad)
		return complain(loader, entry, "%.300s: not a domain name", entry->words);
	return E_OK;
}

static int read_record(struct loader *loader, const struct zone_scan_entry *entry)
{
	const struct wire_name *owner = &loader->owner;
	char text[NAME_TEXT_MAX], why[ZONE_RDATA_WHY_MAX];
	struct head head;
	size_t skip = entry->indented ? 0 : 1;
	int err = read_owner(loader, entry);

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
	if (apex_len > loader->apex.len) {
		report_ignored(loader, entry, &head, apex, apex_len);
		return E_OK;
	}
	err = zone_rdata_parse((uint16_t)head.type, head.data, head.count, loader->origin.wire, loader->origin.len,
	                      loader->rdata, &len, why);
	if (err == E_INVAL)
		return complain(loader, entry, "%s %.40s: %s", name_to_text(owner->wire, owner->len, text),
		                head.type_word, why);
	if (err < 0)
		return err;
	return zone_builder_record(loader->builder, loader->report, (struct zone_origin){loader->file, entry->line, 0},
	                           owner->wire, owner->len, (uint16_t)head.type, head.ttl_s, loader->rdata, len);
}

static int read_entries(struct loader *loader, struct zone_scan *text)
{
	bool is_empty = true;
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
		is_empty = is_empty && (more == 0 || (more > 0 && *entry.words == '$'));
	} while (more != 0);
	if (is_empty) {
		report_error(loader->report, loader->file, 0, 0, "contains no records");
		zone_builder_incomplete(loader->builder, loader->apex.wire, loader->apex.len);
	}
	return E_OK;
}

int zone_file_load(struct zone_builder *builder, const uint8_t *apex, size_t apex_len, const char *file,
                   struct report *report)
{
	struct loader *loader = calloc(1, sizeof(*loader));
	struct zone_scan *text = NULL;

	must(apex_len >= 1 && apex_len <= NAME_WIRE_MAX);

	int err = loader ? zone_scan_open(file, report, &text) : E_NOMEM;

	if (err == E_OK) {
		*loader = (struct loader){.builder = builder, .report = report, .file = file};
		memcpy(loader->apex.wire, apex, apex_len);
		loader->apex.len = apex_len;
		loader->origin = loader->apex;
		loader->default_ttl = loader->last_ttl = -1;
		err = read_entries(loader, text);
	} else if (err == E_IO) {
		zone_builder_incomplete(builder, apex, apex_len);
	}
	zone_scan_close(text);
	free(loader);
	return err == E_NOMEM ? err : E_OK; // zone_builder_finish() fails for any other error
}
