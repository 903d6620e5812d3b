// Names that only one side uses: carriers of sites and of the latency table that no source of `locate` names, and what
// sources name that means nothing to the config. Legitimate each, since tables and configs come from different hands, so
// it is told as a warning, with the name that was probably meant.
#pragma once

#include <stddef.h>

struct config;
struct measured_row;
struct places;
struct report;

// `places` as the sources filled it: before the sites' carriers are put there too.
void unknown_names_warn(const struct config *config, const struct places *places, const struct measured_row *rows,
                    size_t row_count, struct report *report);
