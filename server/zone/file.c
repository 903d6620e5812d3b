// Zones from the config; see zonefile.h. Reads master files entry by entry (zonetext.c), has their data turned into
// wire form (zonerdata.c) and feeds a struct zone_builder; the apps follow.
#include "zone/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/report.h"
#include "config/config.h"
#include "wire/dns.h"
#include "zone/builder.h"
#include "zone/rdata.h"
#include "zone/scan.h"
#include "zone/zone.h"

// TTLs have 31 bits (RFC 2181 section 8).
enum { TTL_MAX = INT32_MAX, REFRESH_S = 7200, RETRY_S = 3600, EXPIRE_S = 1209600 };

struct wire_name {
	uint8_t wire[NAME_WIRE_MAX];
	size_t len; // 0: none
};

// One master file being read.
struct loader {
	struct zone_builder *builder;
	struct report *report;
	const char *file;
	struct wire_name apex, origin, owner;
	bool owner_is_bad;    // the last one could not be read: what depends on it is passed over
	int64_t default_ttl;  // by $TTL; -1: none
	int64_t last_ttl;     // the last one written; -1: none
	uint8_t rdata[ZONERDATA_MAX];
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

// A final dot that is not escaped makes a name absolute.
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
			memcpy(name.wire + name.len - 1, origin->wire, origin->len);
			name.len += origin->len - 1;
		}
	}
	*ret_name = name;
	return E_OK;
}

// ---- directives ----

static int read_directive(struct loader *loader, const struct zonetext_entry *entry)
{
	const char *word = entry->words, *value = entry->count == 2 ? zonetext_after(word) : NULL;
	uint32_t ttl_s;

	if (strcasecmp(word, "$ORIGIN") == 0) {
		if (!value || read_name(value, &loader->origin, &loader->origin) < 0)
			return complain(loader, entry, "$ORIGIN: a domain name is expected");
		return E_OK;
	}
	if (strcasecmp(word, "$TTL") == 0) {
		if (!value || zonetext_period(value, TTL_MAX, &ttl_s) < 0)
			return complain(loader, entry, "$TTL: a time of at most %d seconds is expected", TTL_MAX);
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
static int read_head(struct loader *loader, const struct zonetext_entry *entry, char *word, size_t count,
                     struct head *ret_head)
{
	struct head head = {0};
	int64_t ttl = -1;
	bool has_class = false;

	for (; count > 0; count--, word += strlen(word) + 1) {
		uint32_t ttl_s;

		if (ttl < 0 && *word >= '0' && *word <= '9') {
			if (zonetext_period(word, TTL_MAX, &ttl_s) < 0)
				return complain(loader, entry, "%.40s: a TTL of at most %d seconds is expected", word, TTL_MAX);
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
	head.type = zonerdata_type(word);
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

// A record at or below the apex of another zone inside this one: only a delegation is usual there, and it has no use.
static void pass_over(struct loader *loader, const struct zonetext_entry *entry, const struct head *head,
                      const uint8_t *apex, size_t apex_len)
{
	char owner_text[NAME_TEXT_MAX], apex_text[NAME_TEXT_MAX];
	bool usual = head->type == DNS_NS || head->type == DNS_DS || head->type == DNS_A || head->type == DNS_AAAA;

	report_add(loader->report, usual ? REPORT_NOTE : REPORT_WARNING, loader->file, entry->line, 0,
	           "%s %.40s: ignored, the name is of the domain %s",
	           name_to_text(loader->owner.wire, loader->owner.len, owner_text), head->type_word,
	           name_to_text(apex, apex_len, apex_text));
}

static int read_owner(struct loader *loader, const struct zonetext_entry *entry)
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

static int read_record(struct loader *loader, const struct zonetext_entry *entry)
{
	const struct wire_name *owner = &loader->owner;
	char text[NAME_TEXT_MAX], why[ZONERDATA_WHY_MAX];
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
		return complain(loader, entry, "%s: lies outside the zone",
		                name_to_text(owner->wire, owner->len, text));
	if (apex_len > loader->apex.len) {
		pass_over(loader, entry, &head, apex, apex_len);
		return E_OK;
	}
	err = zonerdata_parse((uint16_t)head.type, head.data, head.count, loader->origin.wire, loader->origin.len,
	                      loader->rdata, &len, why);
	if (err == E_INVAL)
		return complain(loader, entry, "%s %.40s: %s", name_to_text(owner->wire, owner->len, text),
		                head.type_word, why);
	if (err < 0)
		return err;
	return zone_builder_record(loader->builder, loader->report, (struct zone_origin){loader->file, entry->line, 0},
	                           owner->wire, owner->len, (uint16_t)head.type, head.ttl_s, loader->rdata, len);
}

static int read_entries(struct loader *loader, struct zonetext *text)
{
	bool is_empty = true;
	int more;

	do {
		struct zonetext_entry entry;
		int err = E_OK;

		more = zonetext_next(text, loader->report, &entry);
		if (more > 0)
			err = *entry.words == '$' ? read_directive(loader, &entry) : read_record(loader, &entry);
		if (err == E_NOMEM)
			return err;
		if (more < 0 || err < 0)
			zone_builder_incomplete(loader->builder, loader->apex.wire, loader->apex.len);
		is_empty = is_empty && (more == 0 || (more > 0 && *entry.words == '$'));
	} while (more != 0);
	if (is_empty) {
		report_error(loader->report, loader->file, 0, 0, "there is no record in it");
		zone_builder_incomplete(loader->builder, loader->apex.wire, loader->apex.len);
	}
	return E_OK;
}

static int load_file(struct zone_builder *builder, const struct wire_name *apex, const char *file,
                     struct report *report)
{
	struct loader *loader = calloc(1, sizeof(*loader));
	struct zonetext *text = NULL;
	int err = loader ? zonetext_open(file, report, &text) : E_NOMEM;

	if (err == E_OK) {
		*loader = (struct loader){.builder = builder, .report = report, .file = file, .apex = *apex};
		loader->origin = *apex;
		loader->default_ttl = loader->last_ttl = -1;
		err = read_entries(loader, text);
	} else if (err == E_IO) {
		zone_builder_incomplete(builder, apex->wire, apex->len);
	}
	zonetext_close(text);
	free(loader);
	return err == E_NOMEM ? err : E_OK; // anything else the builder knows of
}

// ---- zones without a file ----

// A mailbox as a domain name (RFC 1035 section 8): user@host has its user in one label, dots and all.
static int read_mailbox(const char *text, struct wire_name *ret_name)
{
	const char *at = strchr(text, '@');
	size_t user_len = at ? (size_t)(at - text) : 0;
	struct wire_name host;

	if (!at || memchr(text, '\\', user_len))
		return name_from_text(text, ret_name->wire, &ret_name->len);
	if (user_len == 0 || user_len > NAME_LABEL_MAX || name_from_text(at + 1, host.wire, &host.len) < 0 ||
	    1 + user_len + host.len > NAME_WIRE_MAX)
		return E_INVAL;
	ret_name->wire[0] = (uint8_t)user_len;
	memcpy(ret_name->wire + 1, text, user_len);
	memcpy(ret_name->wire + 1 + user_len, host.wire, host.len);
	ret_name->len = 1 + user_len + host.len;
	return E_OK;
}

static struct zone_origin origin_of(struct mark mark)
{
	return (struct zone_origin){mark.file, mark.line, mark.column};
}

static int refuse(struct report *report, struct mark mark, const char *what, const char *text)
{
	report_error(report, mark.file, mark.line, mark.column, "%.300s: %s", text, what);
	return E_INVAL;
}

static int make_soa(struct zone_builder *builder, const struct wire_name *apex, const struct config_domain *domain,
                    unsigned serial, struct report *report)
{
	const uint32_t numbers[] = {serial, REFRESH_S, RETRY_S, EXPIRE_S, domain->negative_ttl_s};
	uint8_t rdata[2 * NAME_WIRE_MAX + sizeof(numbers)];
	struct wire_name mname, rname;
	size_t len;

	if (domain->ns_count == 0)
		return refuse(report, domain->mark, "needs a file, or the names of its servers", domain->name);
	if (name_from_text(domain->ns[0], mname.wire, &mname.len) < 0)
		return E_INVAL; // make_ns() says so
	if (!domain->hostmaster) {
		static const uint8_t label[] = "\012hostmaster";

		if (sizeof(label) - 1 + apex->len > NAME_WIRE_MAX)
			return refuse(report, domain->mark, "too long for a hostmaster below it; name one", domain->name);
		memcpy(rname.wire, label, sizeof(label) - 1);
		memcpy(rname.wire + sizeof(label) - 1, apex->wire, apex->len);
		rname.len = sizeof(label) - 1 + apex->len;
	} else if (read_mailbox(domain->hostmaster, &rname) < 0) {
		return refuse(report, domain->mark, "is no mailbox", domain->hostmaster);
	}
	memcpy(rdata, mname.wire, mname.len);
	memcpy(rdata + mname.len, rname.wire, rname.len);
	len = mname.len + rname.len;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		for (int shift = 24; shift >= 0; shift -= 8)
			rdata[len++] = (uint8_t)(numbers[i] >> shift);
	return zone_builder_record(builder, report, origin_of(domain->mark), apex->wire, apex->len, DNS_SOA,
	                           domain->ttl_s, rdata, len);
}

static int make_ns(struct zone_builder *builder, const struct wire_name *apex, const struct config_domain *domain,
                   struct report *report)
{
	int err = E_OK;

	for (size_t i = 0; i < domain->ns_count && err != E_NOMEM; i++) {
		struct wire_name ns;

		if (name_from_text(domain->ns[i], ns.wire, &ns.len) < 0)
			err = refuse(report, domain->mark, "is no domain name", domain->ns[i]);
		else
			err = zone_builder_record(builder, report, origin_of(domain->mark), apex->wire, apex->len, DNS_NS,
			                          domain->ttl_s, ns.wire, ns.len);
	}
	return err;
}

static int make_zone(struct zone_builder *builder, const struct wire_name *apex, const struct config_domain *domain,
                     unsigned serial, struct report *report)
{
	int soa_err = make_soa(builder, apex, domain, serial, report);
	int ns_err = make_ns(builder, apex, domain, report);

	if (soa_err == E_NOMEM || ns_err == E_NOMEM)
		return E_NOMEM;
	if (soa_err < 0 || ns_err < 0)
		zone_builder_incomplete(builder, apex->wire, apex->len);
	return E_OK;
}

// ---- all of it ----

// Opens the domains' zones; apexes[i].len is 0 for a domain that is no good.
static int open_zones(struct zone_builder *builder, const struct config *config, struct report *report,
                      struct wire_name *apexes)
{
	for (size_t i = 0; i < config->domain_count; i++) {
		const struct config_domain *domain = &config->domains[i];
		struct wire_name *apex = &apexes[i];
		int err = name_from_text(domain->name, apex->wire, &apex->len);

		if (err == E_OK) {
			name_fold(apex->wire, apex->len);
			err = zone_builder_zone(builder, apex->wire, apex->len);
		}
		if (err == E_NOMEM)
			return err;
		if (err < 0) {
			refuse(report, domain->mark, err == E_EXISTS ? "the domain is given twice" : "is no domain name",
			       domain->name);
			apex->len = 0;
		}
	}
	return E_OK;
}

static int fill_zones(struct zone_builder *builder, const struct config *config, const struct wire_name *apexes,
                      unsigned serial, struct report *report)
{
	int err = E_OK;

	for (size_t i = 0; i < config->domain_count && err == E_OK; i++) {
		const struct config_domain *domain = &config->domains[i];

		if (apexes[i].len == 0)
			continue;
		err = domain->file ? load_file(builder, &apexes[i], domain->file, report)
		                   : make_zone(builder, &apexes[i], domain, serial, report);
	}
	return err;
}

static bool hands_out_cname(const struct config_app *app)
{
	bool cname = false;

	for (size_t i = 0; i < app->target_count; i++)
		cname = cname || app->targets[i].cname;
	return cname;
}

static int add_apps(struct zone_builder *builder, const struct config *config, struct report *report)
{
	for (size_t i = 0; i < config->app_count; i++) {
		const struct config_app *app = &config->apps[i];
		struct wire_name name;

		if (name_from_text(app->name, name.wire, &name.len) < 0)
			refuse(report, app->mark, "is no domain name", app->name);
		else if (zone_builder_app(builder, report, origin_of(app->mark), name.wire, name.len, (int32_t)i,
		                          hands_out_cname(app)) == E_NOMEM)
			return E_NOMEM;
	}
	return E_OK;
}

int zonefile_load(const struct config *config, unsigned serial, struct report *report, struct zonedb **ret_zones)
{
	const size_t errors = report_count(report, REPORT_ERROR);
	struct zone_builder *builder = zone_builder_new();
	struct wire_name *apexes = calloc(config->domain_count + 1, sizeof(*apexes));
	struct zonedb *zones = NULL;
	int err = builder && apexes ? open_zones(builder, config, report, apexes) : E_NOMEM;

	if (err == E_OK)
		err = fill_zones(builder, config, apexes, serial, report);
	if (err == E_OK)
		err = add_apps(builder, config, report);
	if (err == E_OK)
		err = zone_builder_finish(builder, report, &zones);
	if (err == E_OK && report_count(report, REPORT_ERROR) > errors) {
		zones = zonedb_free(zones);
		err = E_INVAL;
	}
	if (err == E_OK)
		*ret_zones = zones;
	free(apexes);
	zone_builder_free(builder);
	return err;
}
