// Zones from the config: their master files, or a made-up SOA and NS where the config gives no file; and the apps' names
// put beside them. Called by generation.c.
#pragma once

#include "base/attr.h"

struct config;
struct report;
struct zonedb;

// Everything wrong goes into the report with file and line. App number i is config->apps[i]. `serial` is the SOA serial
// of zones without a file. E_INVAL, E_NOMEM.
int zones_load(const struct config *config, unsigned serial, struct report *report, struct zonedb **ret_zones) MUST_USE;
