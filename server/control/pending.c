// Passes overrides from the verbs to the state and answers the call; see pending.h.
#include "control/pending.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/must.h"
#include "control/reply_json.h"

static json_t *not_saved(int err)
{
	switch (err) {
	case E_IO: return reply_error(REPLY_REFUSED, "not done: it cannot be saved in the state folder (see the log)");
	case E_LIMIT: return reply_error(REPLY_REFUSED, "not done: the limit of %d overrides is reached",
	                                 STATE_OVERRIDES_MAX);
	case E_STATE: return reply_error(REPLY_REFUSED, "not done: %d changes are already waiting to be saved; try again",
	                                 STATE_QUEUE_MAX);
	}
	return reply_error(REPLY_REFUSED, "not done: %s", err_text(err));
}

static void finish(void *ctx, const struct state_result *result)
{
	struct pending *pending = ctx;
	json_t *reply;

	must(pending->call && pending->override && pending->done);
	if (result->err == E_OK)
		reply = pending->done(pending, result);
	else if (pending->nothing && (result->err == E_NOTFOUND || result->err == E_LIMIT)) // no name is that long
		reply = pending->nothing(pending);
	else
		reply = not_saved(result->err);
	call_finish(pending->call, reply);
	override_free(pending->override);
	free(pending);
}

// NULL when out of memory; the call has then been answered with that error.
static struct pending *pending_new(const struct call *call, const struct override *override,
                                   json_t *(*done)(const struct pending *, const struct state_result *))
{
	struct pending *pending = calloc(1, sizeof(*pending));
	struct override *copy = override_copy(override);

	if (pending && copy && (pending->call = call_keep(call))) {
		pending->override = copy;
		pending->done = done;
		return pending;
	}
	if (!pending || !copy)
		call_answer(call, NULL);
	override_free(copy);
	free(pending);
	return NULL;
}

void pending_put(const struct call *call, const struct override *override,
                 json_t *(*done)(const struct pending *pending, const struct state_result *result))
{
	struct pending *pending = pending_new(call, override, done);

	if (pending)
		state_put(call->ops.state, pending->override, finish, pending);
}

void pending_remove(const struct call *call, const struct override *override, bool every_app,
                    json_t *(*done)(const struct pending *pending, const struct state_result *result),
                    json_t *(*nothing)(const struct pending *pending))
{
	struct pending *pending = pending_new(call, override, done);

	if (!pending)
		return;
	pending->nothing = nothing;

	struct override_match match = {override->kind, pending->override->site, pending->override->app, every_app};

	state_remove(call->ops.state, &match, finish, pending);
}
