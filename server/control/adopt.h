// The verb adopt: which share of an app's clients is steered, in place of the config's `adopt`; and what others show of
// it. Main thread.
#pragma once

#include <jansson.h>

#include "base/attr.h"

struct app;
struct call;
struct config_app;
struct control_ops;
struct live;
struct location;
struct override;
struct pick;
struct state;

// Answers the call later, from the loop, or at once when it is refused.
void adopt_put(const struct call *call);
// The adoption: of which app, how far it has come ("percent" of the clients are steered now, "to" at its end), who gave
// it, when and why. NULL: null.
json_t *adopt_json(const struct override *adoption) MUST_USE;
// The adoption as it was given, and no word of how far it has come.
json_t *adopt_given(const struct override *adoption) MUST_USE;
// What an app steers now, for `apps`: "percent", and the "override" that says so, if it is one; null where all clients
// are steered and nobody has said so. `written`: the app in the config; NULL: not known.
json_t *adopt_of_app(const struct live *live, const struct state *state, const struct app *app,
                     const struct config_app *written) MUST_USE;
// For `explain`: which half the client is in and why, as "adopt" of `object` and as lines of `steps`; nothing where all
// clients are steered.
void adopt_explain(const struct live *live, const struct state *state, const struct app *app,
                   const struct location *where, json_t *object, json_t *steps);
