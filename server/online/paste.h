// What to put into the parent zone so that it delegates to our zone's name servers, ready to paste.
#pragma once

#include <jansson.h>

#include "base/attr.h"

struct apex;
struct parent;

// Records as lines of a master file: a list of texts. The caller's; NULL when out of memory.
json_t *paste_lines(const struct apex *ours, const struct parent *parent) MUST_USE;
// The same as a change batch of Route 53, as `aws route53 change-resource-record-sets --change-batch` takes it; glue that
// the zone does not have is deleted. The caller's; NULL when out of memory.
json_t *paste_batch(const struct apex *ours, const struct parent *parent) MUST_USE;
