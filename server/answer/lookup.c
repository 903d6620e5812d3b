// Looks a name up in the zones; see lookup.h.
#include "answer/lookup.h"

#include <stddef.h>

#include "base/must.h"
#include "wire/dns.h"
#include "zone/zone.h"

static const struct node *find(const struct zonedb *zones, const struct name *name, unsigned from)
{
	unsigned at = name->offset[from];

	return zonedb_find(zones, name->wire + at, (size_t)name->len - at, name_suffix_hash(name, from));
}

// DS at the apex of a zone: the parent zone answers if it is here. It may have a delegation in between. The apex's node
// has the parent's DS, and none when the parent is elsewhere (zone/file.c).
static struct lookup find_ds(const struct zonedb *zones, const struct name *name, const struct node *apex)
{
	const struct node *above = NULL;

	for (unsigned from = 1; !above && from <= name->labels; from++)
		above = find(zones, name, from);
	if (above && above->cut)
		return (struct lookup){LOOKUP_CUT, above->cut, above->zone};
	return (struct lookup){LOOKUP_NODE, apex, above ? above->zone : apex->zone};
}

struct lookup lookup_name(const struct zonedb *zones, const struct name *name, uint16_t type)
{
	// A name deeper than any in the zones does not exist, nor do its nearest ancestors: the cost of a query is bounded
	// by the zones' depth, not by the query.
	unsigned max = zonedb_max_labels(zones);
	unsigned from = name->labels > max ? name->labels - max : 0;
	const struct node *node = find(zones, name, from);

	while (!node && from < name->labels)
		node = find(zones, name, ++from);
	if (!node)
		return (struct lookup){LOOKUP_NOT_OURS, NULL, NULL};

	bool exact = from == 0;

	if (node->cut && !(exact && node->cut == node && type == DNS_DS))
		return (struct lookup){LOOKUP_CUT, node->cut, node->zone};
	if (unlikely(exact && type == DNS_DS && node->flags & NODE_APEX))
		return find_ds(zones, name, node);
	if (exact)
		return (struct lookup){LOOKUP_NODE, node, node->zone};
	if (node->wildcard)
		return (struct lookup){LOOKUP_NODE, node->wildcard, node->zone};
	return (struct lookup){LOOKUP_NXDOMAIN, node, node->zone};
}

int lookup_target(const struct rrset *cname, struct name *ret_name)
{
	dev_must(cname->type == DNS_CNAME && cname->wire_len > DNS_RECORD_LEN);
	return name_read(cname->wire + DNS_RECORD_LEN, cname->wire_len - DNS_RECORD_LEN, ret_name);
}
