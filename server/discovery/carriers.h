// What the `locate` sources have of each carrier, for `edgesteerd --carriers`.
#pragma once

#include <stdio.h>

#include "base/attr.h"

struct config;
struct places;

// Writes a table: a line for each carrier, class of its clients and source of the carrier, sorted by name, with the
// addresses of each family; and the carriers that sites of the config or the catalogue are for and no source has.
// E_NOMEM.
int carriers_print(const struct config *config, const struct places *places, FILE *out) MUST_USE;
