// The set of overrides that hold, and the changes on their way; see state.h. A change is written by the writer's thread
// and comes back as part of a commit; only then does it enter the set.
#include "state/state.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "state/afterwards.h"
#include "state/backend.h"
#include "state/change.h"
#include "state/damaged.h"
#include "state/folder.h"
#include "state/job.h"
#include "state/lasthealth.h"
#include "state/lastprovided.h"
#include "state/local.h"
#include "state/overrides.h"
#include "state/selector.h"
#include "state/state_inner.h"
#include "state/writer.h"

// Jobs ----------------------------------------------------------------------------------------------------------------

// Whether one more change can be taken.
static int check_room(const struct state *state)
{
	return state->is_closing || state->outstanding >= STATE_QUEUE_MAX ? E_STATE : E_OK;
}

// Later, from the loop.
static void refuse(struct state *state, struct job *job, int err)
{
	job->err = err;
	*state->last_refused = job;
	state->last_refused = &job->next;
	event_active(state->refuse, EV_TIMEOUT, 0);
}

// Calls back and frees.
static void finish_all(struct job *job)
{
	while (job) {
		struct job *next = job->next;
		const struct state_result result = {job->err, job->err < 0 || job->is_volatile ? job->why : NULL,
		                                    (const struct override *const *)job->before, job->before_count,
		                                    job->is_volatile};

		if (job->done)
			job->done(job->done_ctx, &result);
		job_free(job);
		job = next;
	}
}

static void finish_refused(struct state *state)
{
	struct job *jobs = state->refused;

	state->refused = NULL;
	state->last_refused = &state->refused;
	state->is_calling = true;
	finish_all(jobs);
	state->is_calling = false;
	(void)job_spares_fill(&state->spares); // or with the next ones
}

static void on_refuse(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish_refused(arg);
}

void state_submit(struct state *state, struct job *job)
{
	must(state->outstanding <= STATE_QUEUE_MAX && !state->is_closing); // an expiry may be one more
	state->outstanding++;
	job->type = job->change->type;
	writer_submit(state->writer, job);
}

// Commits -------------------------------------------------------------------------------------------------------------

void state_report(struct state *state, const struct override *old, const struct override *next)
{
	state->revision++;
	if (old && old != next) {
		state->volatile_count -= old->is_volatile;
		afterwards_gone(&state->afterwards, old);
	}
	if (state->ops.changed)
		state->ops.changed(state->ops.ctx, old, next);
}

// What was replaced or removed is kept for done(). Out of memory for the list, it is freed.
static void keep_before(struct job *job, struct override *const *gone, size_t count)
{
	if (count > 0)
		job->before = calloc(count, sizeof(*job->before));
	for (size_t i = 0; i < count; i++) {
		if (job->before)
			job->before[job->before_count++] = gone[i];
		else
			override_free(gone[i]);
	}
}

// What is not saved has no revision of its own: it comes after all that is.
static void take_put(struct state *state, struct job *job)
{
	struct override *next = job->entry, *old;

	must(next && (job->revision > 0 || job->is_volatile));
	job->entry = NULL;
	next->revision = job->is_volatile ? state->committed : job->revision;
	next->is_volatile = job->is_volatile;
	next->has_begun = false;
	(void)state_begin_if_due(next);
	state->volatile_count += job->is_volatile;
	if (!job->is_volatile)
		state_forget_removed(state, next);
	old = overrides_put(&state->overrides, next);
	if (job->is_saving && old) { // it is the same one
		next->has_begun = old->has_begun;
		next->begun_mono_ms = old->begun_mono_ms;
		next->share_now = old->share_now;
		next->safe_mono_s = old->safe_mono_s;
		if (next->safe_mono_s)
			afterwards_safe(&state->afterwards, next, clock_wall_s() + next->safe_mono_s - clock_mono_ms() / 1000);
		if (!next->is_returning) // or else it may have turned by itself
			log_notice("the drain of %s, which was held in memory only, is saved", next->site);
	}
	state_report(state, old, next);
	keep_before(job, &old, old != NULL);
}

static bool is_removed(const void *ctx, const struct override *override)
{
	return override_matches(override, ctx);
}

size_t state_sweep(struct state *state, bool (*goes)(const void *ctx, const struct override *override), const void *ctx)
{
	size_t count = overrides_sweep(&state->overrides, goes, ctx);

	for (size_t i = 0; i < count; i++)
		state_report(state, state->overrides.rows[state->overrides.count + i], NULL);
	return count;
}

static void take_removal(struct state *state, struct job *job)
{
	struct override *one = NULL;
	size_t count;

	if (job->remove.every_app) {
		count = state_sweep(state, is_removed, &job->remove);
		keep_before(job, state->overrides.rows + state->overrides.count, count);
	} else {
		one = overrides_find(&state->overrides, job->remove.kind, job->remove.app, job->remove.site);
		count = one != NULL;
		if (one) {
			overrides_take(&state->overrides, one);
			state_report(state, one, NULL);
			keep_before(job, &one, 1);
		}
	}
	job->err = count ? E_OK : E_NOTFOUND; // the store still had what has run out; or has not what is in memory only
}

static void take_removal_if_done(struct state *state, struct job *job)
{
	if (job->is_saving) {
		if (job->err == E_OK || job->err == E_NOTFOUND)
			state_forget_removed(state, job->entry);
		return;
	}
	job->is_volatile = job->err == E_IO && job->remove.is_volatile;
	if (job->err == E_OK || job->is_volatile || (job->err == E_NOTFOUND && state->volatile_count > 0))
		take_removal(state, job);
	if (!job->is_volatile || job->err < 0)
		return;
	for (size_t i = 0; i < job->before_count; i++)
		state_note_removed(state, job->before[i]);
	log_warning("drains are taken back in memory only, until that can be saved");
	state_save(state);
}

static void take_put_if_done(struct state *state, struct job *job)
{
	if (job->is_saving && !overrides_find(&state->overrides, job->entry->kind, job->entry->app, job->entry->site)) {
		state->expire_s = clock_wall_s(); // it has run out meanwhile
		return;
	}
	job->is_volatile = job->err == E_IO && job->entry->is_volatile && !job->is_saving;
	if (job->is_volatile)
		job->err = E_OK;
	if (job->err == E_OK)
		take_put(state, job);
	if (!job->is_volatile)
		return;
	log_warning("a drain is held in memory only, until it can be saved");
	state_save(state);
}

static void on_committed(void *ctx, struct job *jobs)
{
	struct state *state = ctx;
	uint64_t before = state->revision;

	state->is_applying = state->is_calling = true;
	for (struct job *job = jobs; job; job = job->next) {
		must(state->outstanding > 0);
		must(job->revision == 0 || job->revision > state->committed); // in the order of the store
		state->outstanding--;
		if (job->type == CHANGE_EXPIRE)
			state->expire_is_under_way = false;
		else if (job->type == CHANGE_PUT)
			take_put_if_done(state, job);
		else
			take_removal_if_done(state, job);
		if (job->revision > state->committed)
			state->committed = job->revision;
	}
	if (state->revision != before && state->ops.committed)
		state->ops.committed(state->ops.ctx);
	state->is_applying = false;
	finish_all(jobs);
	state->is_calling = false;
}

static void on_health_written(void *ctx, int err)
{
	struct state *state = ctx;

	lasthealth_written(state->health, err);
}

static void on_provided_written(void *ctx, int err)
{
	const struct state *state = ctx;

	lastprovided_written(state->provided, err);
}

// Opening and closing -------------------------------------------------------------------------------------------------

static int begin(struct state *state, struct event_base *base, const char *dir)
{
	const struct writer_ops ops = {state, on_committed, on_health_written, on_provided_written};
	struct backend_found found = {0};
	int err = folder_open(dir, &state->folder);

	if (err < 0)
		return err;
	err = state->backend->open(&state->folder, state->ops.idle_ms, &found, &state->backend_ctx);
	if (err == E_IO)
		log_error("the state cannot be read: %s", state->folder.why);
	if (err < 0)
		return err;
	state->overrides = found.overrides;
	state->revision = state->committed = found.revision;
	state->loss = found.loss;
	state->refuse = event_new(base, -1, 0, on_refuse, state);
	state->save = evtimer_new(base, state_on_save, state);
	if (state->refuse)
		event_priority_set(state->refuse, 0);
	state_begin_all(state);
	if (state->refuse && state->save && job_spares_fill(&state->spares) == E_OK)
		err = writer_start(base, state->backend, state->backend_ctx, &ops, &state->writer);
	else
		err = E_NOMEM;
	if (err == E_OK)
		err = lasthealth_new(base, state->writer, &found.health, &found.aliases, state->ops.confirm_ms, &state->health);
	if (err == E_OK)
		err = lastprovided_new(base, state->writer, &found.provided, &state->provided);
	if (err == E_OK)
		err = afterwards_open(&state->afterwards, state->provided, &state->overrides, clock_wall_s(),
		                      clock_mono_ms() / 1000);
	provided_done(&found.provided);
	healthmap_done(&found.health);
	aliasmap_done(&found.aliases);
	return err;
}

static void end(struct state *state)
{
	state->is_closing = true;
	if (state->health)
		lasthealth_stop(state->health);
	if (state->provided)
		lastprovided_stop(state->provided);
	if (state->writer)
		writer_stop(state->writer);
	while (state->refused)
		finish_refused(state);
	if (state->health && lasthealth_finish(state->health, state->backend, state->backend_ctx) < 0)
		log_error("the targets' last health is not saved");
	lasthealth_free(state->health);
	if (state->provided && lastprovided_finish(state->provided, state->backend, state->backend_ctx) < 0)
		log_error("what providers gave last is not saved");
	lastprovided_free(state->provided);
	if (state->backend_ctx)
		state->backend->close(state->backend_ctx);
	if (state->folder.path)
		folder_close(&state->folder);
	if (state->volatile_count)
		log_warning("%zu drains were held in memory only, and end with this process", state->volatile_count);
	if (state->removed.count)
		log_warning("%zu drains were taken back in memory only, and hold again from the next start on", state->removed.count);
	overrides_done(&state->overrides);
	overrides_done(&state->removed);
	afterwards_done(&state->afterwards);
	if (state->save)
		event_free(state->save);
	job_spares_done(&state->spares);
	if (state->refuse)
		event_free(state->refuse);
	free(state);
}

int state_open(struct event_base *base, const char *dir, const struct state_ops *ops, struct state **ret_state)
{
	struct state *state = calloc(1, sizeof(*state));
	int err;

	if (!state)
		return E_NOMEM;
	state->ops = *ops;
	if (!state->ops.confirm_ms)
		state->ops.confirm_ms = STATE_CONFIRM_S * 1000;
	if (!state->ops.idle_ms)
		state->ops.idle_ms = STATE_IDLE_S * 1000;
	state->backend = &backend_local;
	state->last_refused = &state->refused;
	err = begin(state, base, dir);
	if (err == E_NOMEM)
		log_error("the state folder cannot be read: %s", err_text(err));
	if (err == E_OK)
		*ret_state = state;
	else
		end(state);
	return err;
}

struct state *state_close(struct state *state)
{
	if (!state)
		return NULL;
	must(!state->is_applying && !state->is_calling);
	end(state);
	return NULL;
}

int state_damage(const struct state *state, struct state_damage *ret_damage)
{
	const struct loss *loss = &state->loss;
	struct damaged found;
	char *path = NULL;
	int err = damaged_find(&state->folder, local_files, LOCAL_FILE_COUNT, &found);

	if (err < 0)
		return err;
	if (found.count && asprintf(&path, "%s/%s", state->folder.path, found.newest) < 0)
		return E_NOMEM;
	*ret_damage = (struct state_damage){.path = path, .time_s = found.time_s, .files = found.count};
	// Removing the files acknowledges the damage. Where a file was missing there is none to remove.
	if (loss->found_s && (found.count ? found.time_s >= loss->found_s : !loss->is_set_aside)) {
		ret_damage->is_counted = true;
		ret_damage->kept = loss->kept;
		ret_damage->lost = loss->lost;
		ret_damage->is_lost_unknown = loss->is_unknown;
	}
	return E_OK;
}

bool state_trouble(const struct state *state, struct state_trouble *ret_trouble)
{
	return state->backend->trouble(state->backend_ctx, &ret_trouble->since_s, ret_trouble->why);
}

// Changes -------------------------------------------------------------------------------------------------------------

void state_put(struct state *state, const struct override *override,
               void (*done)(void *ctx, const struct state_result *result), void *ctx)
{
	struct job *job = job_new(&state->spares, done, ctx);
	int err = job->err;

	if (err == E_OK)
		err = check_room(state);
	if (err == E_OK)
		err = override_check(override);
	if (err == E_OK && selector_is(override->site) && state->overrides.selector_count >= SELECTORS_MAX &&
	    !overrides_find(&state->overrides, override->kind, override->app, override->site))
		err = E_LIMIT;
	if (err == E_OK) {
		job->change = change_put(override);
		job->entry = override_copy(override);
		// What is written must enter the set, whatever memory there is by then.
		if (!job->change || !job->entry ||
		    overrides_reserve(&state->overrides, state->overrides.count + state->outstanding + 1) < 0)
			err = E_NOMEM;
	}
	if (err == E_OK)
		state_submit(state, job);
	else
		refuse(state, job, err);
}

void state_remove(struct state *state, const struct override_match *match,
                  void (*done)(void *ctx, const struct state_result *result), void *ctx)
{
	struct job *job = job_new(&state->spares, done, ctx);
	int err = job->err;

	if (err == E_OK)
		err = check_room(state);
	if (err == E_OK)
		err = override_check_match(match);
	if (err == E_OK)
		err = override_match_copy(match, &job->remove);
	if (err == E_OK && !(job->change = change_remove(match)))
		err = E_NOMEM;
	// Each may be one that is removed in memory only.
	if (err == E_OK && match->is_volatile)
		err = overrides_reserve(&state->removed,
		                        state->removed.count + state->overrides.count + state->outstanding + 1);
	if (err == E_OK)
		state_submit(state, job);
	else
		refuse(state, job, err);
}
