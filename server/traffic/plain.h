// What plain weighted records would answer, as a name server without knowledge of clients has them: one of all targets,
// by weight, whoever asks. For comparing alone.
#pragma once

#include <stdint.h>

#include "base/attr.h"

struct app;
struct live;

// The slot of the record that the draw has; -1: there is none. The first of these that has any: targets that are up by
// the general vantages (a health check knows no carriers), undrained and with an address; those of them that are down
// too, as with all records down all count as up. Of these by weight, and evenly if all have the weight 0. `draw` is of
// the client's prefix, so that each has one record.
int plain_record(const struct live *live, const struct app *app, uint64_t draw) PURE;
