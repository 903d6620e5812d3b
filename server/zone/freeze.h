// Turns a draft of zones into the form that queries read. Called by zone_builder_finish().
#pragma once

#include "base/attr.h"

struct zone_builder;
struct zonedb;

// Compiles a draft that zone_validate() found valid. The caller frees *ret_db with zonedb_free(). E_NOMEM.
int zone_freeze(struct zone_builder *builder, struct zonedb **ret_db) MUST_USE;
