// The catalogue: what is known of AWS's sites by name, so that a config needs only the name. Built into the binary from
// conf/catalogue.yaml, or read from the operator's file. Slow side.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct arena;
struct config_site;
struct report;
struct schema;

// What a catalogue's file fills.
struct catalogue_file {
	struct config_site *sites;
	size_t site_count;
};

struct catalogue {
	struct config_site *sites; // sorted by name
	size_t site_count;
};

// Reads the operator's file, or the built-in catalogue for NULL, into `arena`. `schema` is options_catalogue, which fills
// a struct catalogue_file. E_INVAL and E_IO (in the report).
int catalogue_load(const char *path, const struct schema *schema, struct arena *arena, struct report *report,
                   struct catalogue *ret_catalogue) MUST_USE;

// What is known of a site. A name that is not there itself may be a zone of what is there: "us-east-1a" is an
// Availability Zone of the Region us-east-1, "us-east-1-bos-1a" a zone of the Local Zone group us-east-1-bos-1. False:
// nothing. Strings are the arena's.
bool catalogue_find(const struct catalogue *catalogue, const char *name, struct config_site *ret_site);
// The nearest name in it, or NULL.
const char *catalogue_nearest(const struct catalogue *catalogue, const char *name);
