// Where a name stands in the zones: step 3 of RFC 1034 section 4.3.2, with wildcards (RFC 4592).
#pragma once

#include <stdint.h>

#include "base/attr.h"

struct name;
struct node;
struct rrset;
struct zone;
struct zonedb;

enum { LOOKUP_CHAIN_MAX = 8 }; // targets of CNAMEs looked up for one question; the resolver asks for what is behind

enum lookup_result {
	LOOKUP_NOT_OURS, // no zone contains the name
	LOOKUP_NODE,     // the name is there, or a wildcard stands for it
	LOOKUP_CUT,      // the name is at or below a delegation
	LOOKUP_NXDOMAIN,
};

struct lookup {
	enum lookup_result result;
	const struct node *node; // the node; the delegation point; or, for NXDOMAIN, the closest encloser
	const struct zone *zone; // that answers; NULL for LOOKUP_NOT_OURS
};

// `type` matters at a zone's top only, be it delegated or here: DS belongs to the parent's side (RFC 4035 section
// 3.1.4.1). With both zones here it is a NODATA of the parent's: its file's DS is not kept, for zones here are unsigned.
struct lookup lookup_name(const struct zonedb *zones, const struct name *name, uint16_t type) HOT;

// Where a CNAME leads. E_INVAL, never for one of a zone or a config.
int lookup_target(const struct rrset *cname, struct name *ret_name) MUST_USE;
