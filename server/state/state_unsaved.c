// Saving what holds in memory only, as the disk had no room for it; see state_inner.h.
#include <event2/event.h>
#include <stdlib.h>

#include "base/log.h"
#include "state/change.h"
#include "state/state.h"
#include "state/state_inner.h"

// How often it is looked whether it can be saved.
enum { SAVE_S = 2 };

static void save_one(struct state *state, const struct override *override)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return;
	job->is_saving = true;
	job->change = change_put(override);
	job->entry = override_copy(override);
	if (job->change && job->entry)
		state_submit(state, job);
	else
		job_free(job);
}

// `done` and `remove` of the job are not needed: on_committed() knows it by what is removed.
static void save_removal(struct state *state, const struct override *removed)
{
	const struct override_match match = {removed->kind, removed->site, removed->app, false, true};
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return;
	job->is_saving = true;
	job->change = change_remove(&match);
	job->entry = override_copy(removed);
	if (job->change && job->entry)
		state_submit(state, job);
	else
		job_free(job);
}

void state_save(struct state *state)
{
	const struct timeval wait = {SAVE_S, 0};
	struct state_trouble trouble;
	// Nothing else is on its way then, so that what an operator asks for meanwhile comes after it.
	bool can_be_saved = state->outstanding == 0 && !state_trouble(state, &trouble);

	if (state_volatile_count(state) == 0 || state->is_closing)
		return;
	// What was removed before what has taken its place since.
	for (size_t i = 0; i < state->removed.count && can_be_saved && state->outstanding < STATE_QUEUE_MAX / 4; i++)
		save_removal(state, state->removed.rows[i]);
	for (size_t i = 0; i < state->overrides.count && can_be_saved && state->outstanding < STATE_QUEUE_MAX / 2; i++)
		if (state->overrides.rows[i]->is_volatile)
			save_one(state, state->overrides.rows[i]);
	event_add(state->save, &wait);
}

void state_note_removed(struct state *state, const struct override *gone)
{
	struct override *copy = override_copy(gone);

	if (!copy) {
		log_error("out of memory: the drain of %s, which was taken back in memory only, holds again after a restart",
		          gone->site);
		return;
	}
	copy->revision = ++state->removed_revision;
	override_free(overrides_put(&state->removed, copy));
}

void state_forget_removed(struct state *state, const struct override *like)
{
	struct override *removed = overrides_find(&state->removed, like->kind, like->app, like->site);

	if (!removed)
		return;
	overrides_take(&state->removed, removed);
	override_free(removed);
}

void state_on_save(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	state_save(arg);
}
