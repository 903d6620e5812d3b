// An override on its way: given to the state, answered when it is durable and published, or refused. Shared by the verbs
// that give overrides and take them away.
#pragma once

#include <jansson.h>

#include "control/call.h"
#include "state/override.h"
#include "state/state.h"

// What is kept until the state has done it.
struct pending {
	struct call *call;
	struct override *override; // that was given, or what says which were to be removed; owned
	// The reply to what is done. Runs on the main loop, after the change is published. NULL without memory.
	json_t *(*done)(const struct pending *pending, const struct state_result *result);
	// Optional, for what removes: the reply when there was nothing to remove.
	json_t *(*nothing)(const struct pending *pending);
};

// Gives `override` to the state and answers the call later (or now, when it is refused).
void pending_put(const struct call *call, const struct override *override,
                 json_t *(*done)(const struct pending *pending, const struct state_result *result));
// Removes what has the override's kind, site and app (every one at the site: `every_app`), and answers the call later.
void pending_remove(const struct call *call, const struct override *override, bool every_app,
                    json_t *(*done)(const struct pending *pending, const struct state_result *result),
                    json_t *(*nothing)(const struct pending *pending));
