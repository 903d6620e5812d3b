// One entry of `locate:` from its options to its prefixes in the place builder: what a plugin is lent, and the checks
// of what it hands over. For discovery.c.
#pragma once

#include "base/attr.h"

struct config;
struct config_locate;
struct place_builder;
struct report;

// Checks the entry against the plugin's rows, opens an instance, lets it list its prefixes into the builder as one
// source, closes it. E_INVAL after anything that went into the report as an error, E_NOMEM.
int host_run(const struct config *config, const struct config_locate *locate, struct place_builder *builder,
             struct report *report) MUST_USE;
