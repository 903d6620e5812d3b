// Passes overrides from the verbs to the state and answers the call; see pending.h.
#include "control/pending.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/must.h"
#include "control/gate.h"
#include "control/reply_json.h"
#include "state/selector.h"
#include "view/live.h"

// Of what may be held in memory only `is_drain` says that it was not asked for.
static json_t *not_saved(int err, const char *why, bool is_drain)
{
	const char *instead = is_drain ? "; with --volatile it is done all the same, in memory until it can be saved" : "";

	switch (err) {
	case E_IO: return reply_error(REPLY_REFUSED, "not done: %s%s", why ? why : "it cannot be saved in the state folder (see the "
	                              "log)", instead);
	case E_LIMIT: return reply_error(REPLY_REFUSED, "not done: the limit of %d overrides, %d of them for patterns, regions "
	                                 "or carriers, is reached", STATE_OVERRIDES_MAX, SELECTORS_MAX);
	case E_STATE: return reply_error(REPLY_REFUSED, "not done: %d changes are already waiting to be saved; try again",
	                                 STATE_QUEUE_MAX);
	}
	return reply_error(REPLY_REFUSED, "not done: %s", err_text(err));
}

static void answer(struct pending *pending, json_t *reply)
{
	call_finish(pending->call, reply);
	json_decref(pending->said);
	override_free(pending->override);
	free(pending);
}

static struct pending *pending_of(struct background_job *job)
{
	return (struct pending *)((char *)job - offsetof(struct pending, job));
}

// On the background thread, or on the main one before anything is served.
static void find_warnings(struct background_job *job)
{
	struct pending *pending = pending_of(job);

	pending->more = pending->warnings(pending->live ? pending->live : live_read(), pending->override);
}

static void add_warnings(struct background_job *job)
{
	struct pending *pending = pending_of(job);
	json_t *warnings = json_object_get(pending->reply, "warnings");

	// It is done all the same.
	if (!pending->more || json_array_extend(warnings, pending->more) < 0)
		(void)json_array_append_new(warnings, json_string("out of memory: it is not known which clients this leaves without "
		                                                  "a target that is up"));
	json_decref(pending->more);
	answer(pending, pending->reply);
}

// Takes the reply.
static void answer_with_warnings(struct pending *pending, json_t *reply)
{
	const struct control_ops *ops = &pending->call->ops;

	pending->reply = reply;
	pending->job = (struct background_job){.work = find_warnings, .done = add_warnings};
	if (ops->background && live_current()) {
		background_run(ops->background, &pending->job);
		return;
	}
	pending->live = ops->live(ops->ctx);
	if (pending->live)
		find_warnings(&pending->job);
	add_warnings(&pending->job);
}

// What was removed or replaced stays visible, but for a drain that goes on as one that gives clients back.
static void note_ended(const struct pending *pending, const struct state_result *result)
{
	const struct override *given = pending->override;
	int64_t now_s = clock_wall_s();

	for (size_t i = 0; i < result->before_count && !given->is_returning; i++)
		if (override_holds(result->before[i], now_s))
			state_ended(pending->call->ops.state, result->before[i], pending->is_put ? ENDED_REPLACED : ENDED_TAKEN_BACK,
			            given->who, given->by);
}

static void warn_of_volatile(json_t *reply, bool is_put, const char *why)
{
	char text[STATE_WHY_LEN + 160];

	snprintf(text, sizeof(text), "it could not be saved, and is %s, unless it can be saved before (%s)",
	         is_put ? "held in memory only: it ends with the daemon"
	                : "done in memory only: what it takes back holds again when the daemon is restarted",
	         why ? why : "see the log");
	if (json_array_append_new(json_object_get(reply, "warnings"), reply_text(text)) < 0)
		(void)json_object_set_new(reply, "warnings", json_pack("[o]", reply_text(text)));
	(void)json_object_set_new(reply, "volatile", json_true());
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
		reply = not_saved(result->err, result->why, pending->override->kind == OVERRIDE_DRAIN);
	if (result->err == E_OK && !reply)
		reply = reply_ok(); // it is done, even if there was no memory to say more
	if (result->err == E_OK)
		note_ended(pending, result);
	if (result->is_volatile)
		warn_of_volatile(reply, pending->is_put, result->why);
	if (result->err == E_OK && pending->said)
		(void)json_array_extend(json_object_get(reply, "warnings"), pending->said); // it is done all the same
	if (pending->gate)
		gate_leave(pending->gate);
	if (result->err == E_OK && reply && pending->warnings)
		answer_with_warnings(pending, reply);
	else
		answer(pending, reply);
}

// NULL when out of memory; the call has then been answered with that error.
static struct pending *pending_new(const struct call *call, const struct override *override,
                                   pending_done_fn *done)
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

void pending_put(const struct call *call, const struct override *override, pending_done_fn *done,
                 pending_warnings_fn *warnings)
{
	pending_put_in_turn(call, override, NULL, done, warnings, NULL);
}

void pending_put_in_turn(const struct call *call, const struct override *override, json_t *said, pending_done_fn *done,
                         pending_warnings_fn *warnings, struct gate *gate)
{
	struct pending *pending = pending_new(call, override, done);

	if (!pending) {
		if (gate)
			gate_leave(gate);
		return;
	}
	pending->gate = gate;
	pending->said = json_incref(said);
	pending->warnings = warnings;
	pending->is_put = true;
	state_put(call->ops.state, pending->override, finish, pending);
}

void pending_remove(const struct call *call, const struct override *override, bool every_app,
                    pending_done_fn *done, pending_nothing_fn *nothing)
{
	struct pending *pending = pending_new(call, override, done);

	if (!pending)
		return;
	pending->nothing = nothing;

	struct override_match match = {override->kind, pending->override->site, pending->override->app, every_app,
	                               override->is_volatile};

	state_remove(call->ops.state, &match, finish, pending);
}
