// Asks several daemons at the same time, and says which have what was ordered. For edgesteerctl.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"

struct client_exchange;
struct client_members;
struct client_outcome;
struct verb;

// Asks all members, each for all parts; sets an outcome for each. One that does not answer delays no other, and this by
// no more than the timeout of each of its requests; with `first_s`, one that does not answer a simple request within so
// many seconds is not asked anything else.
void client_fleet_ask(const struct client_members *members, const json_t *request, const struct client_exchange *how,
                      unsigned first_s, struct client_outcome *outcomes);

// Prints every member's outcome under its name and, of a verb that changes something, who has it; of `check` one line
// with the worst. The exit code: of what changes something 0 when all have it, 3 when it was so already on all, 5 when
// some have it, 4 when none could be reached, else 1 or 2; of what shows the largest; of `check` the worst level.
int client_fleet_show(const struct verb *verb, bool json, const struct client_members *members,
                      const struct client_outcome *outcomes) MUST_USE;
