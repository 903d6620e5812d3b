// From a verb to the state and back; see pending.h.
#include "control/pending.h"

#include <stdlib.h>

#include "base/err.h"
#include "control/reply_json.h"

static json_t *not_saved(int err, const char *why)
{
	if (err == E_IO && why)
		return reply_error(REPLY_REFUSED, "not done: %s", why);
	switch (err) {
	case E_IO: return reply_error(REPLY_REFUSED, "not done: it cannot be saved in the state folder (see the log)");
	case E_LIMIT: return reply_error(REPLY_REFUSED, "not done: there are %d overrides, the most there can be",
	                                 STATE_OVERRIDES_MAX);
	case E_STATE: return reply_error(REPLY_REFUSED, "not done: %d changes wait to be saved already; try again",
	                                 STATE_QUEUE_MAX);
	}
	return reply_error(REPLY_REFUSED, "not done: %s", err_text(err));
}

static void end(void *ctx, const struct state_result *result)
{
	struct pending *pending = ctx;
	json_t *reply;

	if (result->err == E_OK)
		reply = pending->done(pending, result);
	else if (pending->nothing && (result->err == E_NOTFOUND || result->err == E_LIMIT)) // of so long a name is none
		reply = pending->nothing(pending);
	else
		reply = not_saved(result->err, result->why);
	call_end(pending->call, reply);
	override_free(pending->override);
	free(pending);
}

// NULL without memory: then the call has been answered so.
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
		state_put(call->ops.state, pending->override, end, pending);
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

	state_remove(call->ops.state, &match, end, pending);
}
