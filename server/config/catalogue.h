// The catalogue of AWS's sites: their properties by name, so that a config needs only the name. Built into the binary
// from conf/catalogue.yaml, or read from the operator's file. Slow side.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct arena;
struct config_site;
struct nearest;
struct report;
struct schema;

// The contents of a catalogue file.
struct catalogue_file {
	struct config_site *sites;
	size_t site_count;
};

struct catalogue {
	struct config_site *sites; // sorted by name
	size_t site_count;
};

// Reads the operator's file, or with a NULL path the built-in catalogue, into `arena`. `schema` is options_catalogue,
// which fills a struct catalogue_file. E_INVAL and E_IO (in the report), E_NOMEM.
int catalogue_load(const char *path, const struct schema *schema, struct arena *arena, struct report *report,
                   struct catalogue *ret_catalogue) MUST_USE;

// Looks up a site. A name that is not in the catalogue may be a zone of one that is: "us-east-1a" is an Availability
// Zone of the Region us-east-1, "us-east-1-bos-1a" a zone of the Local Zone group us-east-1-bos-1. False when unknown.
// Strings are in the catalogue's arena.
bool catalogue_find(const struct catalogue *catalogue, const char *name, struct config_site *ret_site);
// Offers all names of the catalogue.
void catalogue_offer(const struct catalogue *catalogue, struct nearest *nearest);
