// Where carriers' clients are: the zones of a carrier in the catalogue, or the operator's table, `metros:`.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct arena;
struct config;
struct report;

struct metro_row {
	const char *carrier;
	uint16_t country;           // see base/country.h
	double latitude, longitude; // degrees
	double share;               // above 0
};

// The metros of all carriers: those of the table, if the config names one, and for each carrier that it does not name
// the positions of its Wavelength Zones in the catalogue, with equal shares. *ret_rows is in `arena`. At most
// PRIOR_METROS_MAX. E_INVAL after errors, which are reported with file and line; E_NOMEM.
int metros_load(const struct config *config, struct arena *arena, struct report *report, struct metro_row **ret_rows,
                size_t *ret_count) MUST_USE;
