// Sites: places that can serve. Plain data inside a view: immutable, owned by its arena.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// SITE_KIND(id, text): the kinds of site, and their names in configs, messages and the catalogue.
#define SITE_KINDS_EACH(SITE_KIND) \
	SITE_KIND(WAVELENGTH, "wavelength") \
	SITE_KIND(LOCAL_ZONE, "local-zone") \
	SITE_KIND(OUTPOST, "outpost") \
	SITE_KIND(AZ, "az") \
	SITE_KIND(REGION, "region")

#define SITE_KIND_ID(id, text) SITE_##id,

enum site_kind { SITE_KINDS_EACH(SITE_KIND_ID) SITE_KINDS };

#undef SITE_KIND_ID

enum { SITES_MAX = 4096, APP_TARGETS_MAX = 256 }; // an app has at most one target per site

// The name of a kind.
const char *site_kind_text(enum site_kind kind);

struct site {
	const char *name;
	const char *region;        // the parent region's name, or "" for none
	enum site_kind kind;
	bool is_public;            // reach: all clients; else only those of the carriers below
	const uint16_t *carriers;  // numbers in places->carriers
	uint16_t carrier_count;
	uint16_t country;          // see base/country.h
	double latitude, longitude; // degrees; NaN: unknown
	int32_t bias_us;           // added to the estimate
	uint64_t seed;             // of the rendezvous hash: from the name, so that a reload moves no clients
};

// Reach: whether a carrier's clients (of the class that carriers' sites serve) can open a connection to the site.
// Number 0 stands for clients of no carrier, or whose class keeps them from carriers' sites. The only place that
// decides it.
static inline bool site_reached_by(const struct site *site, uint16_t carrier)
{
	if (site->is_public)
		return true;
	for (unsigned i = 0; i < site->carrier_count; i++)
		if (site->carriers[i] == carrier)
			return true;
	return false;
}
