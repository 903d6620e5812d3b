// Takes the records and the apps of all zones and makes a zonedb of them. Called on the slow side by the readers of
// zones; owns what it collects.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "zone/draft.h"

struct report;
struct zonedb;

// NULL when out of memory.
struct zone_builder *zone_builder_new(void) MUST_USE;
// Takes NULL; returns NULL.
struct zone_builder *zone_builder_free(struct zone_builder *builder);

// Opens a zone; `apex` in wire form, any case, copied. All zones are opened before the first record or app is added, so
// that each name goes to the deepest zone that contains it. E_EXISTS, E_INVAL (malformed), E_STATE (too late), E_NOMEM.
int zone_builder_zone(struct zone_builder *builder, const uint8_t *apex, size_t apex_len) MUST_USE;
// The apex, in lower case, of the deepest open zone that contains a well-formed name (any case), and its length in
// *ret_apex_len; NULL: none does. Owned by the builder.
const uint8_t *zone_builder_apex(const struct zone_builder *builder, const uint8_t *name, size_t len,
                                 size_t *ret_apex_len);
// A copy of a file's path, for origins, that lives as long as the builder. NULL when out of memory.
const char *zone_builder_keep(struct zone_builder *builder, const char *path);
// Marks a zone some of whose records could not be read, so that records it lacks are not reported as well. Finishing
// then fails.
void zone_builder_incomplete(struct zone_builder *builder, const uint8_t *apex, size_t apex_len);
// Adds one record. `owner` is in wire form, any case; DS at an apex is the record of the zone above (RFC 4035 section
// 3.1.4.1). RDATA is uncompressed and copied; origin.file must outlive the builder. Duplicates are silently dropped (RFC
// 2181 section 5). E_INVAL when it is wrong, with the reason and its origin in the report; E_NOMEM.
int zone_builder_record(struct zone_builder *builder, struct report *report, struct zone_origin origin,
                        const uint8_t *owner, size_t owner_len, uint16_t type, uint32_t ttl_s, const uint8_t *rdata,
                        size_t rdata_len) MUST_USE;
// Adds the app numbered `app` at `owner` (whose first label may be "*"). `is_alias`: it answers some clients with a
// CNAME. E_INVAL (in the report), E_NOMEM.
int zone_builder_app(struct zone_builder *builder, struct report *report, struct zone_origin origin,
                     const uint8_t *owner, size_t owner_len, int32_t app, bool is_alias) MUST_USE;
// Checks everything (one SOA and at least one NS at each apex; CNAME alone, RFC 2181 section 10.1; no A, AAAA, CNAME,
// SVCB or HTTPS beside an app, and no records at all beside one that answers with a CNAME; nothing but glue below a
// cut, else a warning; every app inside a zone) and compiles it. The caller frees *ret_db with zonedb_free(). E_INVAL
// after errors in the report, E_NOMEM.
int zone_builder_finish(struct zone_builder *builder, struct report *report, struct zonedb **ret_db) MUST_USE;
