// The rows: every option of the config file. See schema.h.
#pragma once

#include "schema/schema.h"

// Fills a struct config.
extern const struct schema options_root;
// Fills a struct catalogue_file: the same `sites:`, in a file of its own.
extern const struct schema options_catalogue;
