// A change of an override in progress: passed to the state, and answered once it is durable and published, or refused.
// Shared by the verbs that set and remove overrides. Main thread.
#pragma once

#include <jansson.h>

#include "control/background.h"
#include "control/call.h"
#include "state/override.h"
#include "state/state.h"

struct gate;
struct pending;

// Further warnings about an override that is published, as a list of texts the caller owns; NULL: out of memory. Reads
// `live` and the override alone, as it may run on the background thread: at a site with very many apps it takes long.
typedef json_t *pending_warnings_fn(const struct live *live, const struct override *override);

// Makes the reply, after the change has been published. NULL: out of memory.
typedef json_t *pending_done_fn(const struct pending *pending, const struct state_result *result);
// Makes the reply when there was nothing to remove.
typedef json_t *pending_nothing_fn(const struct pending *pending);

// Kept until the state has carried the change out.
struct pending {
	struct background_job job; // of the warnings
	struct call *call;
	struct override *override; // the one set, or the pattern of those removed, with who removes them; owned
	bool is_put;
	struct gate *gate;             // left when the change has been made or not; NULL: none
	json_t *said;                  // warnings from before, for the reply; NULL: none
	pending_done_fn *done;
	pending_nothing_fn *nothing;   // NULL for pending_put()
	pending_warnings_fn *warnings; // for the reply's "warnings"; NULL: none
	const struct live *live;       // to be read for them; NULL: what is published
	json_t *reply, *more;          // the reply but for them, and they
};

// Passes a copy of `override` to the state, and answers the call later, or at once when it is refused.
void pending_put(const struct call *call, const struct override *override, pending_done_fn *done,
                 pending_warnings_fn *warnings);
// The same for one whose turn it is: leaves the gate in any case. `said`: warnings for the reply, or NULL; borrowed.
void pending_put_in_turn(const struct call *call, const struct override *override, json_t *said, pending_done_fn *done,
                         pending_warnings_fn *warnings, struct gate *gate);
// Removes the overrides with the kind, site and app of `override` (`every_app`: all of that kind at the site), and
// answers the call as pending_put() does.
void pending_remove(const struct call *call, const struct override *override, bool every_app,
                    pending_done_fn *done, pending_nothing_fn *nothing);
