// Names of sites that the config has in other places than where sites are, such as a plugin's options.
#pragma once

struct config;
struct report;
struct value;

// Warns of each value of the mapping that is the name of no site, neither of the config nor of the catalogue, of which a mapping
// may have more than the config uses.
void site_names_check(const struct config *config, const struct value *map, struct report *report);
