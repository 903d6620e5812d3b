// Names that only one side uses: carriers of sites and of the latency table that no source in `locate` names, and names
// in sources, carriers too, that the config does not have. Each may be intended, as tables and configs have different
// maintainers, so it is a warning, with the name that was probably meant.
#pragma once

#include <stddef.h>

struct config;
struct measured_row;
struct places;
struct report;

// Adds the warnings to the report. `places` must be as the sources filled it, before the sites' carriers are added to
// it.
void unknown_names_warn(const struct config *config, const struct places *places, const struct measured_row *rows,
                        size_t row_count, struct report *report);
