// The state in memory and when it is written; see state.h. An order is first put into a new set, the set is saved, and
// only then does it become the one that holds.
#include "state/state.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "state/aside.h"
#include "state/cached.h"
#include "state/file.h"
#include "state/memory.h"
#include "state/orders.h"
#include "state/reader.h"
#include "state/saver.h"

static const char orders_file[] = "orders.json";
static const char health_file[] = "health.json";

// Of the orders' file that was set aside at the start.
struct loss {
	int64_t time_s; // 0: none was
	bool is_counted;
	size_t kept, lost;
};

struct state {
	int dir;
	char *path; // of the folder, as it was given
	struct loss loss;
	struct orders orders;
	uint64_t orders_epoch; // counts changes of the orders from the start
	struct memory memory;
	struct saver saver;   // of the memory
	struct cached cached;
	bool orders_dirty;    // something that ran out could not be taken out of the file
	bool health_dirty;
	bool health_full;     // said in the log, once
};

static int save_orders(struct state *state, const struct orders *orders)
{
	int err = saver_write(state->dir, orders_file, orders_to_json(orders));

	if (err == E_OK)
		state->orders_dirty = false;
	return err;
}

// Opening -------------------------------------------------------------------------------------------------------------

// Health that is old, of an unknown age, or of a time to come is checked to be whole and then forgotten.
static int parse_health(struct state *state, const json_t *root)
{
	int64_t saved_s = memory_saved_s(root), age_s = clock_wall_s() - saved_s;
	int err = memory_from_json(root, &state->memory);

	if (err == E_OK && (saved_s <= 0 || age_s > STATE_HEALTH_AGE_MAX_S || age_s < -STATE_HEALTH_AGE_MAX_S)) {
		log_notice("the saved health was not confirmed within the last %d s: the first round of checks decides",
		           STATE_HEALTH_AGE_MAX_S);
		memory_done(&state->memory);
	}
	return err;
}

// E_IO (logged).
static int set_aside(struct state *state, const char *name, int64_t now_s)
{
	int err = file_set_aside(state->dir, name, now_s);

	if (err < 0)
		log_error("state file %s is damaged and cannot be set aside: %s", name, strerror(errno));
	return err;
}

static int load_orders(struct state *state)
{
	struct loss *loss = &state->loss;
	json_t *root = NULL;
	int err = reader_json(state->dir, orders_file, STATE_VERSION, &root);

	if (err == E_OK) {
		err = orders_from_json(root, &state->orders, &loss->lost);
		json_decref(root);
		if (err == E_OK && loss->lost == 0)
			return E_OK;
		loss->is_counted = err == E_OK;
	}
	if (err == E_NOTFOUND)
		return E_OK;
	if (err < 0 && err != E_INVAL)
		return err;
	loss->time_s = clock_wall_s();
	loss->kept = state->orders.drain_count + state->orders.force_count;
	err = set_aside(state, orders_file, loss->time_s);
	if (err < 0)
		return err;
	log_error("beginning with %zu of the drains and forces that held (sites that were drained may not be): look into the "
	          "file set aside", loss->kept);
	if (loss->kept && save_orders(state, &state->orders) < 0)
		state->orders_dirty = true;
	return E_OK;
}

static int load_health(struct state *state)
{
	json_t *root = NULL;
	int err = reader_json(state->dir, health_file, STATE_VERSION, &root);

	if (err == E_OK) {
		err = parse_health(state, root);
		json_decref(root);
		if (err == E_INVAL || err == E_LIMIT)
			log_error("state file %s is damaged: an entry is not what edgesteerd writes", health_file);
	}
	if (err == E_NOTFOUND)
		return E_OK;
	if (err != E_INVAL && err != E_LIMIT)
		return err;
	log_error("beginning without the targets' last health");
	return set_aside(state, health_file, clock_wall_s());
}

int state_open(const char *dir, struct state **ret_state)
{
	struct state *state = calloc(1, sizeof(*state));

	if (!state)
		return E_NOMEM;

	int err = file_open_dir(dir, &state->dir);

	if (err < 0) {
		free(state);
		return err;
	}
	state->path = strdup(dir);
	err = state->path ? load_orders(state) : E_NOMEM;
	if (err == E_OK)
		err = load_health(state);
	if (err == E_NOMEM)
		log_error("the state folder cannot be read: %s", err_text(err));
	if (err == E_OK)
		*ret_state = state;
	else
		state_close(state);
	return err;
}

int state_aside(const struct state *state, struct state_aside *ret_aside)
{
	struct aside found;
	char *path = NULL;
	int err = aside_find(state->dir, orders_file, &found);

	if (err < 0)
		return err;
	if (found.count && asprintf(&path, "%s/%s", state->path, found.newest) < 0)
		return E_NOMEM;
	*ret_aside = (struct state_aside){.path = path, .time_s = found.time_s, .files = found.count};
	if (path && found.time_s == state->loss.time_s && state->loss.is_counted) {
		ret_aside->is_counted = true;
		ret_aside->kept = state->loss.kept;
		ret_aside->lost = state->loss.lost;
	}
	return E_OK;
}

struct state *state_close(struct state *state)
{
	if (!state)
		return NULL;
	if (state->orders_dirty)
		(void)save_orders(state, &state->orders); // logged; there is nobody left to tell
	if (state_sync_health(state) < 0)
		log_error("the targets' last health is not saved");
	close(state->dir);
	orders_wipe(&state->orders);
	memory_done(&state->memory);
	cached_done(&state->cached);
	free(state->path);
	free(state);
	return NULL;
}

// Orders --------------------------------------------------------------------------------------------------------------

// Indexes and saves `next`, then makes it the one that holds. On an error `next` is gone (not the orders in it) and
// nothing has changed. *ret_old: what held; its orders that are not in the new set are the caller's to free.
// Not `strict`: it holds even when it cannot be saved, and is saved with the next change.
static int commit(struct state *state, struct orders *next, bool strict, struct orders *ret_old)
{
	int err = orders_index(next);

	if (err == E_OK) {
		err = save_orders(state, next);
		// Where only the folder's fsync failed, what is refused is on disk already: what holds is put back, at once or
		// with the next change.
		if (err < 0)
			state->orders_dirty = !strict || save_orders(state, &state->orders) < 0;
		err = strict ? err : E_OK;
	}
	if (err < 0) {
		orders_done(next);
		return err;
	}
	*ret_old = state->orders;
	state->orders = *next;
	state->orders_epoch++;
	return E_OK;
}

int state_drain(struct state *state, const struct drain *drain)
{
	struct orders next, old;
	size_t at = state->orders.drain_count;
	struct drain *replaced = orders_find_drain(&state->orders, drain->app, drain->site, &at);
	int err = orders_check_drain(drain);

	if (err < 0)
		return err;
	if (at >= STATE_ORDERS_MAX)
		return E_LIMIT;

	struct drain *copy = orders_drain_new(drain);

	if (!copy || orders_share(&state->orders, &next) < 0) {
		orders_drain_free(copy);
		return E_NOMEM;
	}
	next.drains[at] = copy;
	if (!replaced)
		next.drain_count++;
	err = commit(state, &next, true, &old);
	if (err < 0) {
		orders_drain_free(copy);
		return err;
	}
	orders_drain_free(replaced);
	orders_done(&old);
	return E_OK;
}

// Which drains go: those of a site (and an app, when there is one), or those that ran out before `now_s`.
struct goes {
	const char *site, *app;
	int64_t now_s;
};

static bool drain_goes(const struct drain *drain, const struct goes *goes)
{
	if (!goes->site)
		return drain->until_s && drain->until_s <= goes->now_s;
	return strcmp(drain->site, goes->site) == 0 &&
	       (!goes->app || (drain->app && strcmp(drain->app, goes->app) == 0));
}

static size_t count_going(const struct state *state, const struct goes *goes)
{
	size_t count = 0;

	for (size_t i = 0; i < state->orders.drain_count; i++)
		count += drain_goes(state->orders.drains[i], goes);
	return count;
}

static int remove_drains(struct state *state, const struct goes *goes, bool strict)
{
	const struct orders *now = &state->orders;
	struct orders next, old;
	size_t kept = 0, gone = now->drain_count;

	if (orders_share(now, &next) < 0)
		return E_NOMEM;
	// Those that go stand behind those that stay: `goes` may point into them, so they are freed last of all.
	for (size_t i = 0; i < now->drain_count; i++)
		next.drains[drain_goes(now->drains[i], goes) ? --gone : kept++] = now->drains[i];
	next.drain_count = kept;

	int err = commit(state, &next, strict, &old);

	if (err < 0)
		return err;
	for (size_t i = kept; i < old.drain_count; i++)
		orders_drain_free(state->orders.drains[i]);
	orders_done(&old);
	return E_OK;
}

int state_undrain(struct state *state, const char *site, const char *app)
{
	struct goes goes = {.site = site, .app = app};

	return count_going(state, &goes) ? remove_drains(state, &goes, true) : E_NOTFOUND;
}

size_t state_expire(struct state *state, int64_t now_s, int64_t *ret_next_s)
{
	struct goes goes = {.now_s = now_s};
	size_t gone = count_going(state, &goes);
	int64_t next_s = 0;

	if (gone && remove_drains(state, &goes, false) < 0)
		log_warning("drains that have run out are still kept: out of memory"); // they do not hold all the same
	for (size_t i = 0; i < state->orders.drain_count; i++) {
		int64_t until_s = state->orders.drains[i]->until_s;

		if (until_s > now_s && (!next_s || until_s < next_s))
			next_s = until_s;
	}
	*ret_next_s = next_s;
	return gone;
}

static int set_force(struct state *state, const struct force *force, size_t at)
{
	struct orders next, old;
	struct force *copy = NULL, *replaced = at < state->orders.force_count ? state->orders.forces[at] : NULL;

	if (force->to != FORCE_AUTO && !(copy = orders_force_new(force)))
		return E_NOMEM;
	if (orders_share(&state->orders, &next) < 0) {
		orders_force_free(copy);
		return E_NOMEM;
	}
	if (copy) {
		next.forces[at] = copy;
		next.force_count += !replaced;
	} else {
		next.force_count--;
		memmove(next.forces + at, next.forces + at + 1, (next.force_count - at) * sizeof(struct force *));
	}

	int err = commit(state, &next, true, &old);

	if (err < 0) {
		orders_force_free(copy);
		return err;
	}
	orders_force_free(replaced);
	orders_done(&old);
	return E_OK;
}

int state_force(struct state *state, const struct force *force)
{
	int err = orders_check_force(force);
	size_t at = state->orders.force_count;

	if (err < 0)
		return err;

	bool there = orders_find_force(&state->orders, force->app, force->site, &at);

	if (!there && force->to == FORCE_AUTO)
		return E_NOTFOUND;
	if (at >= STATE_ORDERS_MAX)
		return E_LIMIT;
	return set_force(state, force, at);
}

uint64_t state_orders_epoch(const struct state *state)
{
	return state->orders_epoch;
}

size_t state_drain_count(const struct state *state)
{
	return state->orders.drain_count;
}

const struct drain *state_drain_at(const struct state *state, size_t i)
{
	return state->orders.drains[i];
}

const struct drain *state_drain_given(const struct state *state, const char *app, const char *site)
{
	return orders_find_drain(&state->orders, app, site, NULL);
}

size_t state_force_count(const struct state *state)
{
	return state->orders.force_count;
}

const struct force *state_force_at(const struct state *state, size_t i)
{
	return state->orders.forces[i];
}

static const struct drain *holding(const struct drain *drain, int64_t now_s)
{
	return drain && (!drain->until_s || drain->until_s > now_s) ? drain : NULL;
}

const struct drain *state_drained(const struct state *state, const char *app, const char *site, int64_t now_s)
{
	const struct drain *all = holding(orders_find_drain(&state->orders, NULL, site, NULL), now_s);
	const struct drain *own = app ? holding(orders_find_drain(&state->orders, app, site, NULL), now_s) : NULL;

	if (!all || !own)
		return all ? all : own;
	if (!all->until_s || !own->until_s)
		return all->until_s ? own : all;
	return own->until_s > all->until_s ? own : all;
}

enum force_to state_forced(const struct state *state, const char *app, const char *site)
{
	const struct force *force = orders_find_force(&state->orders, app, site, NULL);

	return force ? force->to : FORCE_AUTO;
}

// Caches --------------------------------------------------------------------------------------------------------------

void state_reloading(struct state *state, const struct view *old, const struct view *next)
{
	if (cached_reload(&state->cached, old, next, clock_mono_ms() / 1000) < 0)
		log_warning("out of memory: until the TTLs of before this reload are over, a drain is called safe too early");
}

int64_t state_cached_s(const struct state *state, const char *app, const char *site)
{
	return cached_left_s(&state->cached, app, site, clock_mono_ms() / 1000);
}

// Health --------------------------------------------------------------------------------------------------------------

void state_set_health(struct state *state, const char *app, const char *site, uint32_t probed, bool up)
{
	bool changed = false;
	int err = memory_set(&state->memory, app, site, probed, up, &changed);

	if (changed)
		state->health_dirty = true;
	if (err < 0 && !state->health_full) {
		log_warning("the health of %s at %s will not survive a restart: %s", app, site, err_text(err));
		state->health_full = true;
	}
}

int state_health(const struct state *state, const char *app, const char *site, uint32_t probed)
{
	return memory_get(&state->memory, app, site, probed);
}

void state_confirm_health(struct state *state)
{
	if (state->memory.up.count)
		state->health_dirty = true;
}

int state_save_health(struct state *state)
{
	if (saver_busy(&state->saver))
		return state->health_dirty ? E_STATE : E_OK;
	if (saver_end(&state->saver) < 0)
		state->health_dirty = true;
	if (!state->health_dirty)
		return E_OK;

	int err = saver_begin(&state->saver, &state->memory, state->dir, health_file);

	if (err == E_OK)
		state->health_dirty = false;
	return err;
}

int state_sync_health(struct state *state)
{
	if (saver_end(&state->saver) < 0)
		state->health_dirty = true;
	if (!state->health_dirty)
		return E_OK;

	int err = saver_write(state->dir, health_file, memory_to_json(&state->memory, clock_wall_s()));

	if (err == E_OK)
		state->health_dirty = false;
	return err;
}

void state_retain_health(struct state *state, const struct view *view)
{
	bool changed = false;

	if (saver_end(&state->saver) < 0) // it borrows the names
		state->health_dirty = true;
	if (memory_retain(&state->memory, view, &changed) == E_OK) { // without memory all are kept: no harm
		state->health_dirty |= changed;
		state->health_full = false;
	}
}
