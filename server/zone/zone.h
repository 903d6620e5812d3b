// Static zone data compiled to wire form: what the algorithm of RFC 1034 section 4.3.2 needs, ready to copy. Built on
// the slow side by a struct zone_builder (file.c fills that from master files), then immutable and owned by the view.
//
// Names here are in wire form, lower case, uncompressed, with the root's zero octet counted in their length.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "wire/compressed.h"
#include "wire/name.h"

enum { ZONE_APP_NONE = -1, ZONE_NAMES_MAX = 1 << 26, ZONE_RRSET_WIRE_MAX = 65000 };

// One RRset, ready to copy: `count` records of { 0xC0 0x0C, TYPE, CLASS, TTL, RDLENGTH, RDATA }. The owner is a pointer
// to the question's name, which reply_add() overwrites where the owner differs. RDATA has no compression pointers.
struct rrset {
	const uint8_t *wire;
	uint32_t wire_len; // octets, at most ZONE_RRSET_WIRE_MAX
	uint32_t ttl_s;    // one per RRset (RFC 2181 section 5.2)
	uint16_t type;     // host order
	uint16_t count;
};

// A delegation's NS records and the addresses that go with them, compressed. RFC 9471 section 3: a referral without all
// in-domain glue is truncated (3.1); sibling glue may be omitted (3.2).
enum referral_part { REFERRAL_NS, REFERRAL_GLUE, REFERRAL_SIBLINGS, REFERRAL_PARTS };

struct referral {
	struct compressed parts[REFERRAL_PARTS];
};

enum node_flag {
	NODE_APEX = 1 << 0,
	NODE_CUT = 1 << 1,   // NS below the apex: answers are referrals, except for DS
	NODE_ENT = 1 << 2,   // an empty non-terminal: has no records, only names below it (RFC 8020)
};

struct node {
	const uint8_t *name;       // lower-case wire form
	const struct zone *zone;
	const struct node *cut;    // the highest delegation point in the zone at or above this name, or NULL. The node at
	                           // it has only NS and DS, those below it have no RRsets: addresses there are glue
	const struct node *wildcard; // its child "*", or NULL (RFC 4592)
	const struct rrset *rrsets;
	const struct referral *referral; // of a NODE_CUT; or NULL
	uint16_t rrset_count;
	uint8_t name_len;
	uint8_t labels;            // the root's is 0
	uint8_t flags;             // enum node_flag
	int32_t app;               // number of the app steered here, or ZONE_APP_NONE
};

struct zone {
	const struct node *apex;
	const struct rrset *soa;      // for queries of type SOA
	struct rrset negative_soa;    // for negative answers: its TTL is min(SOA TTL, MINIMUM), RFC 2308 section 3
	const struct rrset *ns;       // at the apex
};

struct zonedb;

// The node of a lower-case name, or NULL. `hash` is its name_hash().
const struct node *zonedb_find(const struct zonedb *db, const uint8_t *name, size_t len, uint64_t hash) HOT PURE;
// The number of labels of the deepest name: names with more do not exist.
unsigned zonedb_max_labels(const struct zonedb *db) PURE;
size_t zonedb_zone_count(const struct zonedb *db) PURE;
const struct zone *zonedb_zone(const struct zonedb *db, size_t i) PURE;
// With an overlay's; names that it has in place of its base's count twice.
size_t zonedb_node_count(const struct zonedb *db) PURE;
// Takes NULL; returns NULL.
struct zonedb *zonedb_free(struct zonedb *db);

// The node's RRset of a type, or NULL.
static inline const struct rrset *node_rrset(const struct node *node, uint16_t type)
{
	for (unsigned i = 0; i < node->rrset_count; i++)
		if (node->rrsets[i].type == type)
			return &node->rrsets[i];
	return NULL;
}
