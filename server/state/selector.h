// Which sites an override is for, as text: the name of one, or a selector, whose sites are looked up anew for each
// generation, so that a site that comes later and matches is one of them.
//
//   us-east-1-wl1-*                     by name: * stands for any characters, ? for one
//   region:us-east-1                    the Region, and the sites whose parent it is
//   carrier:verizon                     the sites that this carrier's clients reach, and not everybody
//   *-wl1-*,region:us-east-1            all of these at once, in this order
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

enum { SELECTOR_PART_MAX = 64, SELECTORS_MAX = 256 };

// What a site is matched by.
struct selector_site {
	const char *name, *region;
	// Whether the site is for some carriers only, and the carrier is one of them.
	bool (*is_reached)(const void *ctx, const char *carrier);
	const void *ctx;
};

// False: it is a name.
bool selector_is(const char *text) PURE;
// Writes the selector of parts (each NULL or up to SELECTOR_PART_MAX octets, at least one not NULL) into buf[size].
// `sites` may be a selector of its own, to which the others are added. E_INVAL: a part is empty, has a comma or is
// given twice; E_LIMIT: too long.
int selector_make(const char *sites, const char *region, const char *carrier, char *buf, size_t size) MUST_USE;
// Whether it is as selector_make() writes it, or a name.
bool selector_is_sound(const char *text) PURE;
// The site is one of those. A name matches the site of that name.
bool selector_matches(const char *text, const struct selector_site *site);
