// Saving what holds in memory only, as the disk had no room for it; see state_inner.h.
#include <event2/event.h>
#include <stdlib.h>

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

void state_save(struct state *state)
{
	const struct timeval wait = {SAVE_S, 0};
	struct state_trouble trouble;
	// Nothing else is on its way then, so that what an operator asks for meanwhile comes after it.
	bool can_be_saved = state->outstanding == 0 && !state_trouble(state, &trouble);

	if (state->volatile_count == 0 || state->is_closing)
		return;
	for (size_t i = 0; i < state->overrides.count && can_be_saved && state->outstanding < STATE_QUEUE_MAX / 2; i++)
		if (state->overrides.rows[i]->is_volatile)
			save_one(state, state->overrides.rows[i]);
	event_add(state->save, &wait);
}

void state_on_save(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	state_save(arg);
}
