// Apps that come and go while zones are served: their names, over a zonedb that stays as it is and is shared. What the
// overlay has is found in place of what the base has: a name there has the base's records too.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "wire/name.h"

struct zonedb;

struct overlay_app {
	struct wire_name name; // in lower case; the first label may be "*"
	int32_t app;
};

// Why a name cannot be that of an app that comes at run time, a static text; NULL: it can. It must be inside a zone, not
// be delegated away, not be another app's in the base, and have no records that would bypass steering.
const char *overlay_refusal(const struct zonedb *base, const struct wire_name *name);

// Makes the overlay of apps of different names, each of which overlay_refusal() has accepted. `base` must outlive it; the
// caller frees *ret_db with zonedb_free(). E_NOMEM.
int overlay_new(const struct zonedb *base, const struct overlay_app *apps, size_t count, struct zonedb **ret_db) MUST_USE;
