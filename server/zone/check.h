// Judges a draft of zones. Called by zone_builder_finish(), and by zone_compile.c for the addresses of delegations.
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "zone/draft.h"

// Judges the whole draft and sets `cut`, `wildcard`, `is_glue`. E_INVAL after errors in the report.
int zone_check(struct zone_builder *builder, struct report *report) MUST_USE;
// The name whose addresses go with the delegation `cut` for one of its NS records; NULL: none does.
struct draft_name *zone_check_glue(const struct zone_builder *builder, const struct draft_name *cut,
                                   const struct draft_record *ns);
// Octets of a name's addresses as glue.
size_t zone_check_glue_len(const struct draft_name *name);
