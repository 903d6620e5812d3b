// A zonedb being built: what zone_builder.c collects, zone_check.c judges and zone_compile.c turns into a zonedb.
// Private to these and zone.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "view/zone.h"
#include "wire/dns.h"

struct arena;

struct draft_record {
	struct draft_record *next;
	struct zone_origin origin;
	uint16_t rdata_len;
	uint8_t rdata[];
};

struct draft_set {
	struct draft_set *next;
	struct draft_record *first, *last;
	uint32_t ttl_s; // the lowest
	uint32_t wire_len;
	uint16_t type;
	uint16_t count;
	bool ttls_differ; // said so already
	bool full;        // said so already; takes no more
};

struct draft_zone {
	struct draft_zone *next;
	struct draft_name *apex;
	struct zone_origin first; // of the first record; file NULL: none yet
	bool incomplete;          // records are missing that were refused: nothing is said of what is not there
	uint8_t refused;          // kinds of signature records said to be refused already
	uint32_t number;
};

// A name that exists. Its ancestors up to the apex exist too (RFC 8020).
struct draft_name {
	struct draft_name *next;     // in the order added
	struct draft_name *parent;   // one label up in the same zone; NULL at the apex
	struct draft_name *cut;      // as struct node's; set by zone_check()
	struct draft_name *wildcard; // likewise
	struct draft_zone *zone;
	struct draft_set *sets;
	const uint8_t *name; // lower-case wire form
	uint64_t hash;
	struct zone_origin app_origin;
	int32_t app;
	bool app_is_alias;
	uint32_t number; // of its node
	uint8_t name_len, labels;
	bool is_glue;    // some delegation carries its addresses; set by zone_check()
};

struct zone_builder {
	struct arena *arena;
	struct draft_name **slots; // open addressing, at most half full
	size_t mask;
	size_t count;
	struct draft_name *first, **last;
	struct draft_zone *zones, **last_zone;
	size_t zone_count;
	bool filling; // the first record or app has come
	bool failed;  // something wrong was reported
};

struct zonedb_slot {
	uint32_t tag;    // upper half of the hash
	uint32_t number; // 1 + index in nodes; 0: empty
};

struct zonedb {
	struct arena *arena;
	struct zonedb_slot *slots;
	size_t mask;
	struct node *nodes;
	size_t node_count;
	struct zone *zones;
	size_t zone_count;
	unsigned max_labels;
};

_Static_assert(sizeof(struct node) == 64, "a node fills one cache line");

#define draft_warn(report, origin, ...) \
	report_warning(report, (origin).file, (origin).line, (origin).column, __VA_ARGS__)
// Reports an error and marks the draft as failed. Returns E_INVAL, for those that return it on.
int zone_refuse(struct zone_builder *builder, struct report *report, struct zone_origin origin, const char *fmt, ...)
	PRINTF(4, 5);

// The name, or NULL.
struct draft_name *zone_builder_find(const struct zone_builder *builder, const uint8_t *name, size_t len);
struct draft_set *zone_builder_set(const struct draft_name *name, uint16_t type);

// Octets of RDATA before its (first) domain name; -1 for types whose RDATA has none that the server reads.
int zone_rdata_name_at(uint16_t type);
// Reads the domain name of a record of such a type, folded.
void zone_rdata_name(uint16_t type, const struct draft_record *record, struct name *ret_name);
// The name whose addresses go with the delegation `cut` for one of its NS records; NULL: none does.
struct draft_name *zone_check_glue(const struct zone_builder *builder, const struct draft_name *cut,
                                   const struct draft_record *ns);
// Octets of a name's addresses as glue.
size_t zone_check_glue_len(const struct draft_name *name);
// "AAAA", "TYPE65280".
const char *zone_type_text(uint16_t type, char buf[static 16]);

// Judges the whole draft and sets `cut`, `wildcard`, `is_glue`. E_INVAL after errors in the report.
int zone_check(struct zone_builder *builder, struct report *report) MUST_USE;
// Turns a judged draft into a zonedb. E_NOMEM.
int zone_compile(struct zone_builder *builder, struct zonedb **ret_db) MUST_USE;
