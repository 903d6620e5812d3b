// The address blocks of Wavelength Zones, in which no clients are; for asn.c.
#pragma once

#include <stdbool.h>

#include "edgesteer-plugin.h"

// Whether a prefix is one of the blocks or lies in one.
bool blocks_contain(const struct edgesteer_prefix *prefix);

// Adds each block as a place of which nothing is known. Returns 0, or what add() returned.
int blocks_add(const struct edgesteer_host *host);
