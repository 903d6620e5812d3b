// What came of the check of one domain, as a JSON object; say.c writes it for people. Pure but for memory.
#pragma once

#include <jansson.h>

#include "base/attr.h"
#include "online/apex.h"
#include "online/lame.h"
#include "online/parent.h"

// What was asked about one domain.
struct checked {
	struct apex ours;
	struct parent parent;
	struct lame lame;
};

// {"domain", "verdict", "breaks", "serial", "parent": {"zone", "server", "address"}, "findings": [{"level", "kind",
// "server", "address", "text"}], "servers": [{"name", "address", "found", "answers", "serial", "error"}], "paste":
// {"zone-file", "route53"}}. The first verdict that applies:
//
//   "unasked"        the parent cannot be asked
//   "not-delegated"  the parent has no NS records of the domain
//   "hidden"         the parent's servers serve the domain as well
//   "differs"        the parent's NS or glue are not the zone's
//   "lame"           a name server does not answer, or not as the others do
//   "agrees"
//
// A finding is an error where resolvers get no answers for it, and for a parent that cannot be asked; then "breaks" is
// true. Else it is a warning; or a note, where nothing is known to be wrong. The caller's; NULL when out of memory.
json_t *findings_make(const struct checked *checked) MUST_USE;
