// The learner's work with what is observed; see observe.h.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct config;
struct learner;
struct live;
struct observation;
struct observe;
struct observe_rules;
struct report;

// Reads the config's rules; what the system does not know of them is reported. Any thread. E_INVAL.
int sightings_read(const struct config *config, struct report *report, struct observe_rules *ret_rules) MUST_USE;
// Other rules from now on. Main thread, with the learner's mutex held.
void sightings_take(struct learner *learner, const struct observe_rules *rules);
// One round, as rounds_turn(). Returns whether there is more.
bool sightings_turn(struct learner *learner, const struct live *live, int64_t now_ms, int64_t now_s);
// Whether an observation is of a site that there is, and that its client can reach; others are counted, and teach nothing. What is
// published may be another one by the time it is taken. Any thread that may read `live`.
enum sightings_use { SIGHTINGS_USABLE, SIGHTINGS_NO_SITE, SIGHTINGS_OUT_OF_REACH };
enum sightings_use sightings_use(const struct live *live, const struct observation *observation);
// Stops reading. Main thread.
void sightings_stop(struct observe *observe);
