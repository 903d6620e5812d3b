// Turns a draft of zones into what a query reads. Called by zone_builder_finish().
#pragma once

#include "base/attr.h"

struct zone_builder;
struct zonedb;

// Turns a judged draft into a zonedb. E_NOMEM.
int zone_compile(struct zone_builder *builder, struct zonedb **ret_db) MUST_USE;
