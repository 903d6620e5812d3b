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
#include "state/backend.h"
#include "state/change.h"
#include "state/damaged.h"
#include "state/folder.h"
#include "state/job.h"
#include "state/lasthealth.h"
#include "state/lastprovided.h"
#include "state/local.h"
#include "state/overrides.h"
#include "state/writer.h"

struct state {
	struct folder folder;
	struct state_ops ops;
	const struct state_backend *backend;
	void *backend_ctx;
	struct writer *writer;
	struct lasthealth *health;
	struct lastprovided *provided;
	struct overrides overrides;
	uint64_t revision;       // counts changes of the set, from the store's revision on
	uint64_t committed;      // the store's revision, as far as its changes are in the set
	size_t outstanding;      // jobs that have been submitted and have not come back
	struct job *refused, **last_refused;
	struct event *refuse;
	struct job_spares spares;
	int64_t expire_s;        // rows that ran out by then are still to be deleted; 0: none
	bool expire_is_under_way;
	bool is_applying;        // inside changed() or committed()
	bool is_calling;         // inside any callback
	bool is_closing;         // the writer takes no more
	struct loss loss;
};

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
		const struct state_result result = {job->err, job->err < 0 ? job->why : NULL,
		                                    (const struct override *const *)job->before, job->before_count};

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

static void submit(struct state *state, struct job *job)
{
	must(state->outstanding <= STATE_QUEUE_MAX && !state->is_closing); // an expiry may be one more
	state->outstanding++;
	job->type = job->change->type;
	writer_submit(state->writer, job);
}

// Commits -------------------------------------------------------------------------------------------------------------

static void report_change(struct state *state, const struct override *old, const struct override *next)
{
	state->revision++;
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

static void take_put(struct state *state, struct job *job)
{
	struct override *next = job->entry, *old;

	must(next && job->revision > 0);
	job->entry = NULL;
	next->revision = job->revision;
	old = overrides_put(&state->overrides, next);
	report_change(state, old, next);
	keep_before(job, &old, old != NULL);
}

static bool is_removed(const void *ctx, const struct override *override)
{
	return override_matches(override, ctx);
}

// Removes those that go from the set and reports each; they are left behind the set's rows.
static size_t sweep(struct state *state, bool (*goes)(const void *ctx, const struct override *override),
                    const void *ctx)
{
	size_t count = overrides_sweep(&state->overrides, goes, ctx);

	for (size_t i = 0; i < count; i++)
		report_change(state, state->overrides.rows[state->overrides.count + i], NULL);
	return count;
}

static void take_removal(struct state *state, struct job *job)
{
	struct override *one = NULL;
	size_t count;

	if (job->remove.every_app) {
		count = sweep(state, is_removed, &job->remove);
		keep_before(job, state->overrides.rows + state->overrides.count, count);
	} else {
		one = overrides_find(&state->overrides, job->remove.kind, job->remove.app, job->remove.site);
		count = one != NULL;
		if (one) {
			overrides_take(&state->overrides, one);
			report_change(state, one, NULL);
			keep_before(job, &one, 1);
		}
	}
	if (!count)
		job->err = E_NOTFOUND; // the store still had what has run out
}

static void submit_expiry(struct state *state)
{
	struct job *job;

	if (!state->expire_s || state->expire_is_under_way || !(job = calloc(1, sizeof(*job))))
		return;
	job->change = change_expire(state->expire_s, state->committed);
	if (!job->change) {
		free(job);
		return;
	}
	state->expire_s = 0;
	state->expire_is_under_way = true;
	submit(state, job);
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
		else if (job->err == E_OK && job->type == CHANGE_PUT)
			take_put(state, job);
		else if (job->err == E_OK)
			take_removal(state, job);
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
	if (state->refuse)
		event_priority_set(state->refuse, 0);
	if (state->refuse && job_spares_fill(&state->spares) == E_OK)
		err = writer_start(base, state->backend, state->backend_ctx, &ops, &state->writer);
	else
		err = E_NOMEM;
	if (err == E_OK)
		err = lasthealth_new(base, state->writer, &found.health, &found.aliases, state->ops.confirm_ms, &state->health);
	if (err == E_OK)
		err = lastprovided_new(base, state->writer, &found.provided, &state->provided);
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
	overrides_done(&state->overrides);
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
	if (err == E_OK) {
		job->change = change_put(override);
		job->entry = override_copy(override);
		// What is written must enter the set, whatever memory there is by then.
		if (!job->change || !job->entry ||
		    overrides_reserve(&state->overrides, state->overrides.count + state->outstanding + 1) < 0)
			err = E_NOMEM;
	}
	if (err == E_OK)
		submit(state, job);
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
	if (err == E_OK)
		submit(state, job);
	else
		refuse(state, job, err);
}

static bool has_run_out(const void *ctx, const struct override *override)
{
	return !override_holds(override, *(const int64_t *)ctx);
}

size_t state_expire(struct state *state, int64_t now_s, int64_t *ret_next_s)
{
	struct overrides *set = &state->overrides;
	int64_t next_s = 0;

	must(!state->is_applying);
	state->is_applying = true;

	size_t gone = sweep(state, has_run_out, &now_s);

	if (gone) {
		if (state->ops.committed)
			state->ops.committed(state->ops.ctx);
		state->expire_s = now_s;
	}
	for (size_t i = 0; i < gone; i++)
		override_free(set->rows[set->count + i]);
	state->is_applying = false;
	submit_expiry(state);
	for (size_t i = 0; i < set->count; i++) {
		int64_t until_s = set->rows[i]->until_s;

		if (until_s > now_s && (!next_s || until_s < next_s))
			next_s = until_s;
	}
	*ret_next_s = next_s;
	return gone;
}

// Reading -------------------------------------------------------------------------------------------------------------

uint64_t state_revision(const struct state *state)
{
	return state->revision;
}

size_t state_override_count(const struct state *state)
{
	return state->overrides.count;
}

const struct override *state_override_at(const struct state *state, size_t i)
{
	return state->overrides.rows[i];
}

const struct override *state_drain_given(const struct state *state, const char *app, const char *site)
{
	return overrides_find(&state->overrides, OVERRIDE_DRAIN, app, site);
}

static const struct override *holding(const struct override *drain, int64_t now_s)
{
	return drain && override_holds(drain, now_s) ? drain : NULL;
}

const struct override *state_drained(const struct state *state, const char *app, const char *site, int64_t now_s)
{
	const struct override *all = holding(state_drain_given(state, NULL, site), now_s);
	const struct override *own = app ? holding(state_drain_given(state, app, site), now_s) : NULL;

	if (!all || !own)
		return all ? all : own;
	if (!all->until_s || !own->until_s)
		return all->until_s ? own : all;
	return own->until_s > all->until_s ? own : all;
}

enum force_to state_forced(const struct state *state, const char *app, const char *site)
{
	const struct override *force = overrides_find(&state->overrides, OVERRIDE_FORCE, app, site);

	return force ? force->to : FORCE_AUTO;
}

void state_set_health(struct state *state, const char *app, const char *site, uint32_t probed, bool up,
                      int64_t since_s)
{
	lasthealth_set(state->health, app, site, probed, up, since_s);
}

int state_health(const struct state *state, const char *app, const char *site, uint32_t probed,
                 int64_t *ret_since_s)
{
	return lasthealth_get(state->health, app, site, probed, ret_since_s);
}

void state_forget_health(struct state *state, const char *app, const char *site)
{
	lasthealth_retain_addresses(state->health, app, site, NULL, 0);
}

void state_retain_addresses(struct state *state, const char *app, const char *site, const uint32_t *probed, size_t count)
{
	lasthealth_retain_addresses(state->health, app, site, probed, count);
}

void state_retain_health(struct state *state, bool (*is_kept)(void *ctx, const char *app, const char *site), void *ctx)
{
	lasthealth_retain(state->health, is_kept, ctx);
}

void state_set_alias(struct state *state, const char *name, const char *addresses, uint32_t ttl_s, int64_t since_s)
{
	lasthealth_set_alias(state->health, name, addresses, ttl_s, since_s);
}

const char *state_alias(const struct state *state, const char *name, uint32_t *ret_ttl_s, int64_t *ret_since_s)
{
	return lasthealth_alias(state->health, name, ret_ttl_s, ret_since_s);
}

void state_retain_aliases(struct state *state, bool (*is_kept)(void *ctx, const char *name), void *ctx)
{
	lasthealth_retain_aliases(state->health, is_kept, ctx);
}

void state_set_provided(struct state *state, const char *owner, const char *key, const char *text)
{
	lastprovided_set(state->provided, owner, key, text);
}

int state_take_provided(struct state *state,
                        int (*row)(void *ctx, const char *owner, const char *key, const char *text), void *ctx)
{
	return lastprovided_take(state->provided, row, ctx);
}

static const char learned_owner[] = "/learned"; // of providers these are names of plugins

void state_set_learned(struct state *state, const char *prefix, const char *text)
{
	lastprovided_set(state->provided, learned_owner, prefix, text);
}

void state_take_learned(struct state *state, void (*row)(void *ctx, const char *prefix, const char *text), void *ctx)
{
	lastprovided_take_of(state->provided, learned_owner, row, ctx);
}
