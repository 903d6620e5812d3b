// Where a carrier's clients are, as far as that is known without any client's place: metros with shares. What it costs
// these clients on average to reach each site is computed once, when the view is built.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct steer_input;

enum { PRIOR_METROS_MAX = 1024 };

struct prior_metro {
	uint16_t carrier;           // number in places->carriers; not 0
	uint16_t country;           // see base/country.h
	double latitude, longitude; // degrees
	double share;               // of the carrier's clients, in any unit; above 0
};

struct prior;

// The costs of all `site_count` sites for the metros of each carrier, and of each of its countries. `in` is borrowed
// during the call; the caller frees *ret_prior with prior_free(). Sorts `metros`, of which there are at most
// PRIOR_METROS_MAX. E_NOMEM.
int prior_build(const struct steer_input *in, size_t site_count, struct prior_metro *metros, size_t metro_count,
                struct prior **ret_prior) MUST_USE;
// Takes NULL; returns NULL.
struct prior *prior_free(struct prior *prior);

// The expected costs in microseconds, bias included, by site (INT64_MAX: its position is not known), over the carrier's
// metros in that country; over all of its metros where the country is unknown or has none. NULL: it has no metros.
// Owned by the prior, which may be NULL.
const int64_t *prior_find(const struct prior *prior, uint16_t carrier, uint16_t country);
