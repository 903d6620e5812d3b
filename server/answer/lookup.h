// Looks names up in the zones: step 3 of RFC 1034 section 4.3.2, with wildcards (RFC 4592).
#pragma once

#include <stdint.h>

#include "base/attr.h"

struct name;
struct node;
struct rrset;
struct zone;
struct zonedb;

enum { LOOKUP_CHAIN_MAX = 8 }; // CNAME targets looked up for one question; the resolver asks for those after them

enum lookup_result {
	LOOKUP_NOT_OURS, // no zone contains the name
	LOOKUP_NODE,     // the name exists, or a wildcard covers it
	LOOKUP_CUT,      // the name is at or below a delegation
	LOOKUP_NXDOMAIN,
};

struct lookup {
	enum lookup_result result;
	const struct node *node; // the node; the delegation point; or, for NXDOMAIN, the closest encloser
	const struct zone *zone; // the one that answers; NULL for LOOKUP_NOT_OURS
};

// Looks up a name for a query type. The type matters only at a zone's apex, whether delegated or here: DS belongs to
// the parent, which answers when both zones are here; else it is NODATA (RFC 4035 section 3.1.4.1).
struct lookup lookup_name(const struct zonedb *zones, const struct name *name, uint16_t type) HOT;

// The target of a CNAME. E_INVAL when malformed, which those from zones and configs never are.
int lookup_target(const struct rrset *cname, struct name *ret_name) MUST_USE;
