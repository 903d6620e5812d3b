// A zonedb under construction: builder.c collects it, validate.c validates it and freeze.c turns it into a zonedb. Private
// to these.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/dns.h"
#include "zone/zone.h"

struct arena;
struct report;

// Where a record or an app was written, for messages: `file` must outlive the builder.
struct zone_origin {
	const char *file;
	size_t line, column; // from 1; 0: not known
};

struct draft_record {
	struct draft_record *next;
	struct zone_origin origin;
	uint16_t rdata_len;
	uint8_t rdata[];
};

struct draft_set {
	struct draft_set *next;
	struct draft_record *first, *last;
	uint32_t ttl_s;    // the lowest of its records
	uint32_t wire_len; // of its records, octets
	uint16_t type;
	uint16_t count;
	bool ttls_differ; // and this has been reported
	bool full;        // and this has been reported; takes no more records
};

struct draft_zone {
	struct draft_zone *next;
	struct draft_name *apex;
	struct zone_origin first; // of the first record; file NULL: none yet
	bool incomplete;          // some records were refused, so missing ones are not reported
	uint8_t refused;          // types of DNSSEC records whose refusal has been reported, as bits
	uint32_t number;          // index in zonedb->zones
};

// A name that exists. Its ancestors up to the apex exist too (RFC 8020).
struct draft_name {
	struct draft_name *next;     // in the order added
	struct draft_name *parent;   // one label up in the same zone; NULL at the apex
	struct draft_name *cut;      // as in struct node; set by zone_validate()
	struct draft_name *wildcard; // as in struct node; set by zone_validate()
	struct draft_zone *zone;
	struct draft_set *sets;
	const uint8_t *name; // lower-case wire form
	uint64_t hash;
	struct zone_origin app_origin;
	int32_t app;
	bool app_is_alias;
	uint32_t number; // index in zonedb->nodes
	uint8_t name_len, labels;
	bool is_glue;    // its addresses are glue of some delegation; set by zone_validate()
};

struct zone_builder {
	struct arena *arena;
	struct draft_name **slots; // open addressing, at most half full
	size_t mask;
	size_t count;
	struct draft_name *first, **last;
	struct draft_zone *zones, **last_zone;
	size_t zone_count;
	bool filling; // a record or app has been added
	bool failed;  // an error has been reported
};

#define draft_warn(report, origin, ...) \
	report_warning(report, (origin).file, (origin).line, (origin).column, __VA_ARGS__)
// Reports an error and marks the draft as failed. Returns E_INVAL, for callers that return it in turn.
int zone_refuse(struct zone_builder *builder, struct report *report, struct zone_origin origin, const char *fmt, ...)
	PRINTF(4, 5);

// The slot of a lower-case name, or the empty one where it belongs.
struct draft_name **draft_slot(const struct zone_builder *builder, const uint8_t *name, size_t len, uint64_t hash);
// The draft of a lower-case name, or NULL.
struct draft_name *zone_builder_find(const struct zone_builder *builder, const uint8_t *name, size_t len);
// The name's records of a type, or NULL.
struct draft_set *zone_builder_set(const struct draft_name *name, uint16_t type);

// The offset in octets of the (first) domain name in RDATA; -1 for types whose RDATA has none that the server reads.
int zone_rdata_name_at(uint16_t type);
// Reads the domain name of a record of such a type, folded. The builder has checked that it is well-formed.
void zone_rdata_name(uint16_t type, const struct draft_record *record, struct name *ret_name);
// "AAAA", or "TYPE65280" in `buf` where the type has no name here.
const char *zone_type_text(uint16_t type, char buf[static 16]);
