// Shared by builder.c, check.c and freeze.c; see draft.h.
#include "zone/draft.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "base/report.h"

int zone_refuse(struct zone_builder *builder, struct report *report, struct zone_origin origin, const char *fmt, ...)
{
	char text[2 * NAME_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	builder->failed = true;
	report_error(report, origin.file, origin.line, origin.column, "%s", text);
	return E_INVAL;
}

struct draft_name **draft_slot(const struct zone_builder *builder, const uint8_t *name, size_t len, uint64_t hash)
{
	size_t at = hash & builder->mask;

	must(builder->count <= builder->mask); // an empty slot ends the search
	for (;; at = (at + 1) & builder->mask) {
		const struct draft_name *have = builder->slots[at];

		if (!have || (have->hash == hash && have->name_len == len && memcmp(have->name, name, len) == 0))
			return &builder->slots[at];
	}
}

struct draft_name *zone_builder_find(const struct zone_builder *builder, const uint8_t *name, size_t len)
{
	return *draft_slot(builder, name, len, name_hash(name, len));
}

struct draft_set *zone_builder_set(const struct draft_name *name, uint16_t type)
{
	for (struct draft_set *set = name->sets; set; set = set->next)
		if (set->type == type)
			return set;
	return NULL;
}

const char *zone_type_text(uint16_t type, char buf[static 16])
{
	static const struct {
		uint16_t type;
		const char *text;
	} rows[] = {
		{DNS_A, "A"}, {DNS_NS, "NS"}, {DNS_CNAME, "CNAME"}, {DNS_SOA, "SOA"}, {DNS_PTR, "PTR"},
		{DNS_MX, "MX"}, {DNS_TXT, "TXT"}, {DNS_AAAA, "AAAA"}, {DNS_SRV, "SRV"}, {DNS_DNAME, "DNAME"},
		{DNS_OPT, "OPT"}, {DNS_DS, "DS"}, {DNS_RRSIG, "RRSIG"}, {DNS_NSEC, "NSEC"},
		{DNS_NSEC3, "NSEC3"}, {DNS_NSEC3PARAM, "NSEC3PARAM"}, {DNS_SVCB, "SVCB"}, {DNS_HTTPS, "HTTPS"},
		{DNS_TSIG, "TSIG"}, {DNS_IXFR, "IXFR"}, {DNS_AXFR, "AXFR"}, {DNS_ANY, "ANY"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].type == type)
			return rows[i].text;
	snprintf(buf, 16, "TYPE%u", type);
	return buf;
}

int zone_rdata_name_at(uint16_t type)
{
	switch (type) {
	case DNS_NS:
	case DNS_CNAME:
	case DNS_PTR:
	case DNS_SOA: return 0;
	case DNS_MX: return 2;
	case DNS_SRV: return 6;
	default: return -1;
	}
}

void zone_rdata_name(uint16_t type, const struct draft_record *record, struct name *ret_name)
{
	size_t at = (size_t)zone_rdata_name_at(type);

	must(zone_rdata_name_at(type) >= 0 && at <= record->rdata_len);
	must(name_read(record->rdata + at, record->rdata_len - at, ret_name) == 0);
}
