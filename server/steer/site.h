// Sites, targets and apps as a query reads them. Plain data inside a view: immutable, owned by its arena.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/zone.h"

struct steer;

enum site_kind { SITE_WAVELENGTH, SITE_LOCAL_ZONE, SITE_OUTPOST, SITE_AZ, SITE_REGION, SITE_KINDS };

enum { SITES_MAX = 4096, APP_TARGETS_MAX = 256, APPS_MAX = 1 << 20, TARGETS_MAX = 1 << 22 };

// "wavelength", "local-zone", "outpost", "az", "region".
const char *site_kind_text(enum site_kind kind);
// -1 when there is no such kind.
int site_kind_from_text(const char *text);

struct site {
	const char *name;
	const char *region;        // the parent region's name, or "" for none
	enum site_kind kind;
	bool is_public;            // reach: everybody; else only the carriers below
	const uint16_t *carriers;  // numbers in places->carriers
	uint16_t carrier_count;
	double latitude, longitude; // degrees; NaN: unknown
	int32_t bias_us;           // added to the estimate
	uint64_t seed;             // of the rendezvous hash: from the name, so that a reload moves nobody
};

// An app's load balancer at one site.
struct target {
	const struct app *app;
	uint16_t site;              // index in view->sites
	uint16_t slot;              // its place among the app's targets, in the order written
	const struct rrset *a;      // NULL: no address of the family, so NODATA (never another site's address)
	const struct rrset *aaaa;
	const struct rrset *cname;  // a host name to hand out; then a and aaaa are NULL
	uint32_t weight;            // its share among equals; read only where the config gives weights
};

enum last_resort { LAST_RESORT_SERVFAIL, LAST_RESORT_ADDRESSES };

struct app {
	const struct steer *steer;  // one of view->steers
	const char *name;           // presentation form, without the final dot
	uint32_t ttl_s;
	uint32_t first_target;      // index in view->targets of slot 0
	uint16_t target_count;
	bool any_cname;             // some target hands out a CNAME: then every type is steered
	enum last_resort last_resort;
	const struct rrset *last_a, *last_aaaa; // for LAST_RESORT_ADDRESSES; either may be NULL
	const struct rrset *negative_soa; // for a NODATA that steering decided: it is kept no longer than the app's answers
};
