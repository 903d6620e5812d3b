// Takes the records and the apps of all zones and makes a zonedb of them. Called on the slow side by whoever reads zones;
// owns what it collects until zone_builder_finish().
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "zone/draft.h"

struct report;
struct zonedb;

struct zone_builder *zone_builder_new(void) MUST_USE;
struct zone_builder *zone_builder_free(struct zone_builder *builder);

// Opens a zone. All are opened before the first record or app, so that each name goes to the deepest zone that contains
// it. E_EXISTS, E_INVAL (malformed), E_STATE (too late), E_NOMEM.
int zone_builder_zone(struct zone_builder *builder, const uint8_t *apex, size_t apex_len) MUST_USE;
// The apex, in lower case, of the deepest open zone that contains a well-formed name (any case); NULL: in none.
const uint8_t *zone_builder_apex(const struct zone_builder *builder, const uint8_t *name, size_t len,
                                 size_t *ret_apex_len);
// Says that some of the zone's records could not be read, so that what is missing from it is not reported as well.
void zone_builder_incomplete(struct zone_builder *builder, const uint8_t *apex, size_t apex_len);
// Adds one record. `owner` in any case; rdata uncompressed, copied. Exact duplicates are dropped silently (RFC 2181
// section 5). What is wrong with it goes into the report with its origin: then E_INVAL.
int zone_builder_record(struct zone_builder *builder, struct report *report, struct zone_origin origin,
                        const uint8_t *owner, size_t owner_len, uint16_t type, uint32_t ttl_s, const uint8_t *rdata,
                        size_t rdata_len) MUST_USE;
// Says that app number `app` is steered at `owner` (may begin with the label "*"). `is_alias`: it hands out a CNAME, at
// least to some.
int zone_builder_app(struct zone_builder *builder, struct report *report, struct zone_origin origin,
                     const uint8_t *owner, size_t owner_len, int32_t app, bool is_alias) MUST_USE;
// Checks everything (one SOA and at least one NS at each apex; CNAME alone, RFC 2181 section 10.1; no A, AAAA, CNAME,
// SVCB or HTTPS beside an app, nothing at all beside one that hands out a CNAME; nothing but glue below a cut, else a
// warning; every app inside a zone), compiles it and hands it over.
// E_INVAL after errors in the report, E_NOMEM.
int zone_builder_finish(struct zone_builder *builder, struct report *report, struct zonedb **ret_db) MUST_USE;
