// The backend of one machine; see local.h. A change is committed to state.db and acknowledged, then committed to the
// copy. Between the two the copy is behind, and known to be: state.db has the higher revision.
#include "state/local.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "state/health_rows.h"
#include "state/import.h"
#include "state/legacy.h"
#include "state/limits.h"
#include "state/migrations.h"
#include "state/rows.h"
#include "state/salvage.h"
#include "state/store.h"

enum {
	// Octets of a log of writes: carried into the file when there is nothing else to do, or at once.
	HEALTH_IDLE_PENDING = 1 << 20, PENDING_MAX = 8 << 20,
	IDLE_MS = 1000, // of overrides: as soon as nobody has given one for so long
	RETRY_MS = 5000,
};

static const char health_file[] = "health.db";
const char *const local_files[] = {"state.db", "state-copy.db", "orders.json"};

struct local {
	const struct folder *folder;
	struct rows state;
	struct rows copy;        // its store is NULL: there is none that can be used
	struct store *health;
	bool is_scarred;         // a commit that was refused may still be in the log of writes
	bool copy_is_behind;
	bool health_fails;       // said in the log
	int64_t retry_ms;        // when either is tried again; monotonic
	int64_t committed_ms;    // when the last commit was; monotonic
};

// Opening -------------------------------------------------------------------------------------------------------------

static int check_version(const struct folder *folder, const char *name, const struct store_schema *schema)
{
	const char *why;
	int version;

	if (folder_look(folder, name) == FOLDER_NOTHING || store_version(folder, name, &version, &why) < 0 ||
	    version <= schema->version)
		return E_OK;
	log_error("state file %s is of version %d, and this edgesteerd knows versions up to %d: nothing has been changed; "
	          "run the edgesteerd that wrote it, and have it export the state for this one", name, version,
	          schema->version);
	return E_STATE;
}

static int check_versions(const struct folder *folder)
{
	int err = check_version(folder, salvage_state_file, &migrations_state);

	if (err == E_OK)
		err = check_version(folder, salvage_copy_file, &migrations_state);
	return err == E_OK ? check_version(folder, health_file, &migrations_health) : err;
}

static int new_health(struct local *local, bool is_evidence)
{
	bool is_sound = false;
	int err = store_build(local->folder, health_file, &migrations_health, NULL, NULL);

	if (err == E_OK && is_evidence) {
		log_error("beginning without the targets' last health");
		if ((err = folder_set_aside(local->folder, health_file, clock_wall_s())) < 0)
			log_error("state file %s is damaged and cannot be set aside: %s", health_file, strerror(errno));
	}
	if (err == E_OK)
		err = store_install(local->folder, health_file);
	if (err == E_OK)
		err = store_open(local->folder, health_file, &migrations_health, false, &local->health, &is_sound);
	return err == E_OK && !is_sound ? E_IO : err;
}

static int read_health(struct local *local, struct healthmap *map, int64_t *ret_confirmed_s)
{
	int64_t confirmed_s = 0, age_s;
	int err = health_rows_read(local->health, map, &confirmed_s);

	if (err < 0) {
		log_error("state file %s is damaged: a row is not what was written", health_file);
		healthmap_done(map);
		return err;
	}
	*ret_confirmed_s = confirmed_s;
	age_s = clock_wall_s() - confirmed_s;
	if (map->index.count > 0 && (age_s > STATE_HEALTH_AGE_MAX_S || age_s < -STATE_HEALTH_AGE_MAX_S)) {
		log_notice("the saved health was not confirmed within the last %d s: the first round of checks decides",
		           STATE_HEALTH_AGE_MAX_S);
		healthmap_done(map);
		err = health_rows_clear(local->health); // the next confirmation is not meant for it
	}
	return err;
}

static int open_health(struct local *local, struct healthmap *map, int64_t *ret_confirmed_s)
{
	const char *why = NULL;
	int version, err = folder_look(local->folder, health_file) == FOLDER_NOTHING ? E_NOTFOUND : E_OK;
	bool is_sound = false;

	if (err == E_OK)
		err = store_version(local->folder, health_file, &version, &why);
	if (err == E_INVAL)
		log_error("state file %s is damaged: %s", health_file, why);
	if (err == E_OK)
		err = store_open(local->folder, health_file, &migrations_health, false, &local->health, &is_sound);
	if (err == E_OK && is_sound)
		err = import_health(local->folder, local->health, clock_wall_s(), STATE_HEALTH_AGE_MAX_S);
	if (err == E_OK)
		err = is_sound ? read_health(local, map, ret_confirmed_s) : E_INVAL;
	if (err != E_INVAL && err != E_NOTFOUND)
		return err;
	local->health = store_close(local->health);
	err = new_health(local, err == E_INVAL);
	if (err == E_OK)
		err = import_health(local->folder, local->health, clock_wall_s(), STATE_HEALTH_AGE_MAX_S);
	return err == E_OK ? read_health(local, map, ret_confirmed_s) : err;
}

// Takes the rows.
static int make_set(struct rows_found *rows, struct overrides *set)
{
	if (overrides_reserve(set, rows->count) < 0)
		return E_NOMEM;
	rows_sort(rows->rows, rows->count);
	for (size_t i = 0; i < rows->count; i++)
		override_free(overrides_put(set, rows->rows[i]));
	rows->count = 0;
	return E_OK;
}

static int read_overrides(struct local *local, struct backend_found *found)
{
	struct rows_found rows;
	int err = rows_read(local->state.store, &rows);

	if (err < 0)
		return err;
	err = rows.is_sound ? make_set(&rows, &found->overrides) : E_IO;
	rows_found_done(&rows);
	found->revision = local->state.totals.revision;
	return err;
}

static void bring_copy_in_line(struct local *local)
{
	local->copy_is_behind = salvage_renew_copy(local->folder, &local->state, &local->copy) < 0;
}

static int open_overrides(struct local *local, struct backend_found *found)
{
	struct salvage salvage;
	struct import import;
	int err = salvage_open(local->folder, &salvage);

	if (err < 0)
		return err;
	local->state = salvage.state;
	local->copy = salvage.copy;
	err = import_overrides(local->folder, &local->state, &import);
	if (err < 0)
		return err;
	if (!local->copy.store || !rows_totals_equal(&local->copy.totals, &local->state.totals))
		bring_copy_in_line(local);
	found->damaged_s = import.damaged_s ? import.damaged_s : salvage.damaged_s;
	found->kept = import.damaged_s ? import.kept : salvage.kept;
	found->lost = import.lost + salvage.lost;
	found->is_set_aside = import.damaged_s || salvage.is_set_aside;
	err = import_overrides_done(local->folder, &import);
	return err == E_OK ? read_overrides(local, found) : err;
}

// `empty`: see store_checkpoint().
static void carry_now(struct store *store, bool empty)
{
	if (store_checkpoint(store, empty) < 0)
		log_warning("state file %s: its log of writes cannot be carried into it: %s", store_name(store),
		            store_error(store));
}

static void carry(struct store *store, size_t pending_max)
{
	if (store && store_pending(store) > pending_max)
		carry_now(store, false);
}

static void local_close(void *ctx);

static int local_open(const struct folder *folder, struct backend_found *ret_found, void **ret_ctx)
{
	struct local *local = calloc(1, sizeof(*local));
	struct backend_found found = {0};
	int err;

	if (!local)
		return E_NOMEM;
	local->folder = folder;
	err = check_versions(folder);
	if (err == E_OK)
		err = open_overrides(local, &found);
	if (err == E_OK)
		err = open_health(local, &found.health, &found.confirmed_s);
	if (err == E_OK) {
		// Every life begins with empty logs: what a stop in the middle of a transaction left behind their end is gone.
		carry_now(local->state.store, true);
		if (local->copy.store)
			carry_now(local->copy.store, true);
		carry_now(local->health, true);
		*ret_found = found;
		*ret_ctx = local;
		return E_OK;
	}
	overrides_done(&found.overrides);
	healthmap_done(&found.health);
	local_close(local);
	return err == E_INVAL ? E_IO : err;
}

// Committing ----------------------------------------------------------------------------------------------------------

static int apply(struct rows *rows, struct change *change)
{
	size_t removed = 0;
	int err = E_OK;

	switch (change->type) {
	case CHANGE_PUT:
		change->put->revision = rows->totals.revision + 1;
		err = rows_put(rows, change->put);
		break;
	case CHANGE_REMOVE:
		err = rows_remove(rows, &change->match, &removed);
		if (err == E_OK && !removed)
			err = E_NOTFOUND;
		if (err == E_OK)
			rows->totals.revision++;
		break;
	case CHANGE_EXPIRE:
		err = rows_expire(rows, change->now_s, change->upto);
		if (err == E_OK)
			rows->totals.revision++;
		break;
	}
	if (err == E_OK)
		change->revision = rows->totals.revision;
	return err;
}

// A commit that failed in its last step, the sync, may be found in the log of writes by the next start, although it was
// refused. Another one, which says what has been so before, is written over it.
static int heal(struct local *local)
{
	int err = rows_begin(&local->state);

	if (err == E_OK)
		err = rows_commit(&local->state);
	if (err < 0)
		rows_rollback(&local->state);
	local->is_scarred = err < 0;
	return err;
}

static int commit_all(struct local *local, struct change *const *changes, size_t count)
{
	struct rows *state = &local->state;
	uint64_t before = state->totals.revision;
	int err = rows_begin(state);

	for (size_t i = 0; i < count && err == E_OK; i++) {
		changes[i]->err = apply(state, changes[i]);
		if (changes[i]->err != E_NOTFOUND && changes[i]->err != E_LIMIT)
			err = changes[i]->err;
	}
	if (err == E_OK && state->totals.revision == before) {
		rows_rollback(state);
		return E_OK;
	}
	if (err == E_OK)
		err = rows_commit(state);
	if (err == E_OK)
		local->is_scarred = false; // it was written over
	return err;
}

static void local_commit(void *ctx, struct change *const *changes, size_t count)
{
	struct local *local = ctx;
	int err = commit_all(local, changes, count);

	if (err == E_OK)
		return;
	log_error("state file %s cannot be written, %zu changes are refused: %s", salvage_state_file, count,
	          store_error(local->state.store));
	rows_rollback(&local->state);
	if (heal(local) < 0)
		log_warning("state file %s cannot be written to say that they are", salvage_state_file);
	for (size_t i = 0; i < count; i++) {
		changes[i]->err = err == E_NOMEM ? err : E_IO;
		changes[i]->revision = 0;
	}
}

static int repeat(struct rows *copy, const struct change *change)
{
	size_t removed;

	switch (change->type) {
	case CHANGE_PUT: return rows_put(copy, change->put);
	case CHANGE_REMOVE: return rows_remove(copy, &change->match, &removed);
	case CHANGE_EXPIRE: return rows_expire(copy, change->now_s, change->upto);
	}
	return E_INVAL;
}

static int repeat_all(struct rows *copy, struct change *const *changes, size_t count)
{
	int err = rows_begin(copy);

	for (size_t i = 0; i < count && err == E_OK; i++) {
		if (!changes[i]->revision)
			continue;
		err = repeat(copy, changes[i]);
		copy->totals.revision = changes[i]->revision;
	}
	return err == E_OK ? rows_commit(copy) : err;
}

static void local_settle(void *ctx, struct change *const *changes, size_t count)
{
	struct local *local = ctx;
	bool has_changed = false;

	local->committed_ms = clock_mono_ms();
	for (size_t i = 0; i < count; i++)
		has_changed |= changes[i]->revision > 0;
	if (has_changed && !local->copy_is_behind && repeat_all(&local->copy, changes, count) < 0) {
		log_warning("state file %s cannot be written: %s: the overrides are kept once, until it can be",
		            salvage_copy_file, store_error(local->copy.store));
		rows_rollback(&local->copy);
		local->copy_is_behind = true;
	}
	carry(local->state.store, PENDING_MAX);
	carry(local->copy.store, PENDING_MAX);
}

// Health and the rest -------------------------------------------------------------------------------------------------

static int local_health(void *ctx, const struct healthmap_row *rows, size_t count)
{
	struct local *local = ctx;
	int err = health_rows_write(local->health, rows, count, clock_wall_s());

	if (err < 0 && !local->health_fails)
		log_error("state file %s cannot be written: %s", health_file, store_error(local->health));
	local->health_fails = err < 0;
	carry(local->health, PENDING_MAX);
	return err == E_INVAL ? E_IO : err;
}

static int local_tend(void *ctx)
{
	struct local *local = ctx;
	int64_t now_ms = clock_mono_ms();

	if ((local->is_scarred || local->copy_is_behind) && now_ms >= local->retry_ms) {
		local->retry_ms = now_ms + RETRY_MS;
		if (local->is_scarred)
			(void)heal(local); // tried again before the next commit
		if (local->copy_is_behind)
			bring_copy_in_line(local);
	}
	carry(local->health, HEALTH_IDLE_PENDING);
	// The fewer changes are in the logs, the fewer are lost with one.
	if (now_ms - local->committed_ms >= IDLE_MS) {
		carry(local->state.store, 0);
		carry(local->copy.store, 0);
	} else {
		return (int)(local->committed_ms + IDLE_MS - now_ms);
	}
	if (!local->is_scarred && !local->copy_is_behind)
		return -1;
	return local->retry_ms > now_ms ? (int)(local->retry_ms - now_ms) : RETRY_MS;
}

static void close_store(struct store *store)
{
	if (store && store_pending(store) > 0)
		carry_now(store, true);
	store_close(store);
}

static void local_close(void *ctx)
{
	struct local *local = ctx;

	if (local->is_scarred && heal(local) < 0)
		log_error("state file %s: the next start may find changes that were refused", salvage_state_file);
	if (local->copy_is_behind)
		bring_copy_in_line(local);
	close_store(local->state.store);
	close_store(local->copy.store);
	close_store(local->health);
	free(local);
}

const struct state_backend backend_local = {
	.name = "local", .open = local_open, .commit = local_commit, .settle = local_settle, .health = local_health,
	.tend = local_tend, .close = local_close,
};
