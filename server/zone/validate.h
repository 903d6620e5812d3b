// Validates a draft of zones. Called by zone_builder_finish(), and by referral.c for the glue of delegations.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "zone/draft.h"

// Validates the draft and sets `cut`, `wildcard` and `is_glue` of its names. E_INVAL after errors in the report.
int zone_validate(struct zone_builder *builder, struct report *report) MUST_USE;
// The name whose addresses are glue of the delegation `cut` for its record `ns`; NULL: none.
struct draft_name *zone_validate_glue(const struct zone_builder *builder, const struct draft_name *cut,
                                   const struct draft_record *ns);
// Why records of this type cannot stand at an app's name, as the end of a sentence; NULL: they can. `app_is_alias`: the
// app answers some clients with a CNAME.
const char *zone_validate_beside_app(uint16_t type, bool app_is_alias);
