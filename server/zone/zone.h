// Static zone data, compiled to wire: what RFC 1034 section 4.3.2 needs, ready to copy. Built on the slow side by a
// struct zone_builder (file.c feeds it from master files through ldns), then immutable and owned by the view.
//
// Names here are in wire form, lower case, uncompressed, with the final zero octet counted in their length.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "wire/name.h"

enum { ZONE_APP_NONE = -1, ZONE_NAMES_MAX = 1 << 26, ZONE_RRSET_WIRE_MAX = 65000 };

// One RRset, ready to copy: `count` records of { 0xC0 0x0C, TYPE, CLASS, TTL, RDLENGTH, RDATA }. The owner is the
// pointer to the question's name; reply_add() writes another one over it where the owner differs. RDATA holds no
// compression pointers.
struct rrset {
	const uint8_t *wire;
	uint32_t wire_len; // at most ZONE_RRSET_WIRE_MAX
	uint32_t ttl_s;    // one per RRset (RFC 2181 section 5.2)
	uint16_t type;     // host order
	uint16_t count;
};

// The addresses that go with a delegation, each with its full owner name written out: first in-domain glue, which a
// referral carries whole or sets TC, then sibling glue, which may be left out (RFC 9471 sections 3.1 and 3.2).
struct glue {
	const uint8_t *wire; // whole records, owner names uncompressed
	uint32_t wire_len;   // at most ZONE_RRSET_WIRE_MAX
	uint32_t must_len;   // of the in-domain ones
	uint16_t count;
	uint16_t must_count;
};

enum node_flag {
	NODE_APEX = 1 << 0,
	NODE_CUT = 1 << 1,   // NS below the apex: answers here are referrals, but for DS
	NODE_ENT = 1 << 2,   // owns nothing, only has names below (RFC 8020)
};

struct node {
	const uint8_t *name;       // lower-case wire form
	const struct zone *zone;
	const struct node *cut;    // the highest delegation point at or above this name, inside the zone; or NULL. A node
	                           // at it owns NS and DS only, one below it nothing: addresses there are glue
	const struct node *wildcard; // its child "*", or NULL (RFC 4592)
	const struct rrset *rrsets;
	const struct glue *glue;   // of a NODE_CUT; or NULL
	uint16_t rrset_count;
	uint8_t name_len;
	uint8_t labels;            // the root's is 0
	uint8_t flags;             // enum node_flag
	int32_t app;               // number of the app steered here, or ZONE_APP_NONE
};

struct zone {
	const struct node *apex;
	const struct rrset *soa;      // as asked for
	struct rrset negative_soa;    // its TTL is min(SOA TTL, MINIMUM), RFC 2308 section 3
	const struct rrset *ns;       // at the apex
};

struct zonedb;

// The node of a name, or NULL. `hash` is name_hash() of it.
const struct node *zonedb_find(const struct zonedb *db, const uint8_t *name, size_t len, uint64_t hash) HOT PURE;
// Labels of the deepest name in it: a name with more is not there.
unsigned zonedb_max_labels(const struct zonedb *db) PURE;
size_t zonedb_zone_count(const struct zonedb *db) PURE;
const struct zone *zonedb_zone(const struct zonedb *db, size_t i) PURE;
size_t zonedb_node_count(const struct zonedb *db) PURE;
struct zonedb *zonedb_free(struct zonedb *db);

static inline const struct rrset *node_rrset(const struct node *node, uint16_t type)
{
	for (unsigned i = 0; i < node->rrset_count; i++)
		if (node->rrsets[i].type == type)
			return &node->rrsets[i];
	return NULL;
}
