// Zones from the config: their master files, or a generated SOA and NS where the config gives no file; and the apps'
// names in them. Called by generation.c.
#pragma once

#include "base/attr.h"

struct config;
struct report;
struct zonedb;

// Loads all zones of a config whose names have been checked (config/load.h); the caller frees *ret_zones with
// zonedb_free(). Errors go into the report with file and line. App number i is config->apps[i]. `serial` is the SOA
// serial of zones that have neither a file nor a serial of their own. E_INVAL, E_NOMEM.
int zones_load(const struct config *config, unsigned serial, struct report *report, struct zonedb **ret_zones) MUST_USE;
// The apps of a joined config that only its targets name, laid over the zones of the config that it was joined to. *ret_over
// is NULL when there are none; else the caller frees it with zonedb_free(), before `zones`. E_NOMEM.
int zones_lay_over(const struct config *config, const struct zonedb *zones, struct zonedb **ret_over) MUST_USE;
