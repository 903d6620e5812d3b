// The backend of one machine; see local.h. A change is committed to state.db and acknowledged, then committed to the
// copy. Between the two the copy is behind, and known to be: state.db has the higher revision.
//
// Where the files cannot be written at the start, or have gone since, a store in memory has what holds. Then changes are
// refused until the files say the same.
#include "state/local.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "state/healthfile.h"
#include "state/import.h"
#include "state/migrations.h"
#include "state/rows.h"
#include "state/salvage.h"
#include "state/store.h"
#include "state/trouble.h"

enum {
	// Octets of a log of writes: carried into the file when there is nothing else to do, or at once.
	HEALTH_IDLE_PENDING = 1 << 20, PENDING_MAX = 8 << 20,
	RETRY_MS = 5000,
	ROOM_MIN = 65536, ROOM_PER_ROW = 4096, // octets that must be free before files are built anew
};

const char *const local_files[] = {"state.db", "state-copy.db", "orders.json"};

struct local {
	const struct folder *folder;
	int64_t idle_ms;
	struct rows state;
	struct rows copy;        // its store is NULL: there is none that can be used
	struct healthfile health;
	struct trouble trouble;
	bool is_in_memory;       // `state` is, and the files are still to be opened for writing
	bool is_displaced;       // then: they were removed or replaced, and are to be written anew
	bool is_scarred;         // a commit that was refused may still be in the log of writes
	bool copy_is_behind;
	bool carry_fails;        // said in the log
	int64_t retry_ms;        // when any of it is tried again; monotonic
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
	log_error("state file %s/%s is of version %d, and this edgesteerd knows versions up to %d: nothing has been changed; "
	          "run the edgesteerd that wrote it, and have it export the state for this one", folder->path, name,
	          version, schema->version);
	return E_STATE;
}

static int check_versions(const struct folder *folder)
{
	int err = check_version(folder, salvage_state_file, &migrations_state);

	if (err == E_OK)
		err = check_version(folder, salvage_copy_file, &migrations_state);
	return err == E_OK ? check_version(folder, healthfile_name, &migrations_health) : err;
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

static void close_stores(struct local *local)
{
	local->state.store = store_close(local->state.store);
	local->copy.store = store_close(local->copy.store);
}

// From files to memory: nothing of what holds changes. On an error neither does anything else.
static int move_to_memory(struct local *local)
{
	struct rows memory;
	int err = salvage_to_memory(local->folder, &local->state, &memory);

	if (err < 0)
		return err;
	close_stores(local);
	local->state = memory;
	local->is_in_memory = true;
	return E_OK;
}

// The files, with what older versions left; in memory where they cannot be written.
static int open_files(struct local *local, struct salvage *salvage, struct import *import)
{
	int err = salvage_open(local->folder, salvage);

	if (err < 0)
		return err;
	local->state = salvage->state;
	local->copy = salvage->copy;
	local->is_in_memory = salvage->is_read_only;
	err = import_overrides(local->folder, &local->state, import);
	if (err == E_IO && !local->is_in_memory) {
		err = move_to_memory(local);
		if (err == E_OK)
			err = import_overrides(local->folder, &local->state, import);
	}
	// Until it is renamed, the file would be taken over again, in the place of what is written by then.
	if (err == E_OK && !local->is_in_memory && import_overrides_done(local->folder, import) < 0)
		err = move_to_memory(local);
	return err;
}

static int open_overrides(struct local *local, struct backend_found *found)
{
	struct salvage salvage;
	struct import import;
	int err = open_files(local, &salvage, &import);

	if (err < 0)
		return err;
	if (local->is_in_memory) {
		log_error("%s: the saved overrides hold, and every change of them is refused until it can be",
		          local->folder->why);
		trouble_set(&local->trouble, local->folder->why);
	} else if (!local->copy.store || !rows_totals_equal(&local->copy.totals, &local->state.totals)) {
		bring_copy_in_line(local);
	}
	found->loss = import.loss.found_s ? import.loss : salvage.loss;
	found->loss.lost = import.loss.lost + salvage.loss.lost;
	found->loss.is_unknown = import.loss.is_unknown || salvage.loss.is_unknown;
	found->loss.is_set_aside = !local->is_in_memory && (import.loss.is_set_aside || salvage.loss.is_set_aside);
	return read_overrides(local, found);
}

// `empty`: see store_checkpoint().
static void carry_now(struct local *local, struct store *store, bool empty)
{
	bool fails = store_checkpoint(store, empty) < 0;

	if (fails && !local->carry_fails)
		log_warning("state file %s: its log of writes cannot be carried into it, and stays: %s", store_name(store),
		            store_error(store));
	local->carry_fails = fails;
}

static void carry(struct local *local, struct store *store, size_t pending_max)
{
	if (store && store_pending(store) > pending_max)
		carry_now(local, store, false);
}

static void local_close(void *ctx);

static int local_open(const struct folder *folder, unsigned idle_ms, struct backend_found *ret_found,
                      void **ret_ctx)
{
	struct local *local = calloc(1, sizeof(*local));
	struct backend_found found = {0};
	int err;

	if (!local)
		return E_NOMEM;
	local->folder = folder;
	local->idle_ms = idle_ms;
	trouble_init(&local->trouble);
	err = check_versions(folder);
	if (err == E_OK)
		err = open_overrides(local, &found);
	if (err == E_OK)
		err = healthfile_open(folder, &local->health, &found.health, &found.aliases, &found.confirmed_s);
	if (err == E_OK)
		err = healthfile_read_provided(&local->health, &found.provided);
	if (err == E_OK) {
		// Start with empty logs, so that what an interrupted transaction left behind their end is gone.
		if (!local->is_in_memory)
			carry_now(local, local->state.store, true);
		if (local->copy.store)
			carry_now(local, local->copy.store, true);
		*ret_found = found;
		*ret_ctx = local;
		return E_OK;
	}
	overrides_done(&found.overrides);
	healthmap_done(&found.health);
	aliasmap_done(&found.aliases);
	provided_done(&found.provided);
	local_close(local);
	return err == E_INVAL ? E_IO : err;
}

// From memory to the files --------------------------------------------------------------------------------------------

// The files as they are found now; in what they differ from what holds they are changed.
static int open_again(struct local *local, const struct rows *memory)
{
	struct salvage salvage;
	struct import import;
	int err = open_files(local, &salvage, &import);

	if (err == E_OK && local->is_in_memory)
		err = E_IO;
	if (err == E_OK && !rows_totals_equal(&local->state.totals, &memory->totals)) {
		log_warning("state file %s/%s has been changed meanwhile: what holds is written over it", local->folder->path,
		            salvage_state_file);
		err = salvage_renew_copy(local->folder, memory, &local->state);
	}
	if (err < 0)
		close_stores(local);
	return err;
}

// On an error everything stays in memory, and folder->why says why.
static int return_to_files(struct local *local)
{
	must(local->is_in_memory && !local->copy.store);

	struct rows memory = local->state;
	size_t room = ROOM_MIN + (size_t)memory.totals.count * ROOM_PER_ROW;
	int err = folder_try(local->folder, room);

	if (err < 0)
		return err;
	local->state = local->copy = (struct rows){0};
	if (local->is_displaced)
		err = salvage_rewrite(local->folder, &memory, &local->state, &local->copy);
	else
		err = open_again(local, &memory);
	if (err < 0) {
		local->state = memory;
		local->copy = (struct rows){0};
		local->is_in_memory = true;
		return err;
	}
	store_close(memory.store);
	local->is_in_memory = local->is_displaced = local->is_scarred = false;
	if (!local->copy.store || !rows_totals_equal(&local->copy.totals, &local->state.totals))
		bring_copy_in_line(local);
	log_info("state folder %s: its files have all %llu overrides", local->folder->path,
	         (unsigned long long)local->state.totals.count);
	return E_OK;
}

// That the files have their names: else what is written to them is gone with the process.
static int check_place(struct local *local)
{
	const struct folder *folder = local->folder;

	if (!folder_is_in_place(folder)) {
		snprintf(folder->why, FOLDER_WHY_LEN, "%.*s was removed or replaced while edgesteerd runs: restart it",
		         FOLDER_WHY_LEN / 2, folder->path);
		return E_IO;
	}
	if (local->is_in_memory)
		return return_to_files(local);

	bool has_state = store_is_in_place(folder, salvage_state_file, local->state.store);
	bool has_copy = !local->copy.store || store_is_in_place(folder, salvage_copy_file, local->copy.store);

	if (has_state && has_copy)
		return E_OK;
	log_error("state file %s/%s or its log of writes was removed or replaced while edgesteerd runs: the overrides that "
	          "hold are written anew (to restore a backup, stop edgesteerd first)", folder->path,
	          has_state ? salvage_copy_file : salvage_state_file);

	int err = move_to_memory(local);

	if (err < 0)
		return err;
	local->is_displaced = true;
	return return_to_files(local);
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
// refused. It is taken out of the log; or another one, which says what has been so before, is written over it.
static void heal(struct local *local)
{
	if (store_undo_log(local->state.store) == E_OK) {
		local->is_scarred = false;
		return;
	}

	int err = rows_begin(&local->state);

	if (err == E_OK)
		err = rows_commit(&local->state);
	if (err < 0)
		rows_rollback(&local->state);
	local->is_scarred = err < 0;
}

// In one transaction. `place`: whether anything may be written.
static int commit_all(struct local *local, struct change *const *changes, size_t count, int place)
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
		err = place;
	if (err == E_OK)
		err = rows_commit(state);
	if (err == E_OK) {
		local->is_scarred = false; // it was written over
		trouble_clear(&local->trouble);
	} else if (place == E_OK) {
		folder_fail(local->folder, salvage_state_file, "cannot be written",
		            err == E_NOMEM ? err_text(err) : store_error(state->store));
	}
	return err;
}

static void local_commit(void *ctx, struct change *const *changes, size_t count, char *ret_why)
{
	struct local *local = ctx;
	int place = check_place(local), err;

	must(count > 0);
	if (place < 0) // for the retries, whether or not these changes need to be written
		trouble_set(&local->trouble, local->folder->why);
	err = commit_all(local, changes, count, place);
	ret_why[0] = '\0';
	if (err == E_OK)
		return;
	snprintf(ret_why, STATE_WHY_LEN, "%s", local->folder->why);
	log_error("%s: %zu %s refused", ret_why, count, count == 1 ? "change is" : "changes are");
	trouble_set(&local->trouble, ret_why);
	rows_rollback(&local->state);
	if (!local->is_in_memory)
		heal(local);
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
	must(!has_changed || !local->is_in_memory); // else it would have been refused
	if (local->is_in_memory)
		return;
	if (has_changed && !local->copy_is_behind && repeat_all(&local->copy, changes, count) < 0) {
		log_warning("state file %s cannot be written: %s: until it can be, the overrides are kept in one file only",
		            store_name(local->copy.store), store_error(local->copy.store));
		rows_rollback(&local->copy);
		local->copy_is_behind = true;
		if (store_undo_log(local->copy.store) < 0) // a torn end of it is no damage: the next start says so
			log_debug("state file %s: its log of writes ends in a change that was not finished",
			          store_name(local->copy.store));
	}
	carry(local, local->state.store, PENDING_MAX);
	carry(local, local->copy.store, PENDING_MAX);
}

// Health and the rest -------------------------------------------------------------------------------------------------

static int local_health(void *ctx, const struct healthmap_row *rows, size_t count)
{
	struct local *local = ctx;

	return healthfile_write(&local->health, rows, count);
}

static int local_aliases(void *ctx, const struct aliasmap_row *rows, size_t count)
{
	struct local *local = ctx;

	return healthfile_write_aliases(&local->health, rows, count);
}

static int local_provided(void *ctx, struct provided_row *const *rows, size_t count)
{
	struct local *local = ctx;

	return healthfile_write_provided(&local->health, rows, count);
}

// What did not work is tried again. True when something still does not.
static bool retry(struct local *local, int64_t now_ms)
{
	int64_t since_s;
	char why[STATE_WHY_LEN];
	bool is_refusing = trouble_get(&local->trouble, &since_s, why);

	if (!local->is_scarred && !local->copy_is_behind && !local->is_in_memory && !is_refusing)
		return false;
	if (now_ms < local->retry_ms)
		return true;
	local->retry_ms = now_ms + RETRY_MS;
	if (local->is_scarred)
		heal(local); // tried again before the next commit
	if (is_refusing && !local->is_scarred && check_place(local) == E_OK && folder_try(local->folder, ROOM_MIN) == E_OK) {
		trouble_clear(&local->trouble);
		log_notice("state folder %s can be written again: changes are no longer refused", local->folder->path);
	} else if (is_refusing) {
		trouble_set(&local->trouble, local->folder->why);
	}
	if (local->copy_is_behind && !local->is_in_memory)
		bring_copy_in_line(local);
	return true;
}

static int local_tend(void *ctx)
{
	struct local *local = ctx;
	int64_t now_ms = clock_mono_ms();
	int64_t busy_ms = local->committed_ms + local->idle_ms - now_ms, wait_ms = -1;

	if (retry(local, now_ms))
		wait_ms = local->retry_ms > now_ms ? local->retry_ms - now_ms : RETRY_MS;
	healthfile_carry(&local->health, HEALTH_IDLE_PENDING);
	// The fewer changes are in the logs, the fewer are lost with one. But an override given meanwhile waits for up to
	// four syncs, and the next one for a second sync: not while somebody gives one after another.
	if (busy_ms > 0) {
		if (wait_ms < 0 || wait_ms > busy_ms)
			wait_ms = busy_ms;
	} else if (!local->is_in_memory) {
		carry(local, local->state.store, 0);
		carry(local, local->copy.store, 0);
	}
	return (int)wait_ms;
}

static bool local_trouble(void *ctx, int64_t *ret_since_s, char *why)
{
	struct local *local = ctx;

	return trouble_get(&local->trouble, ret_since_s, why);
}

static void close_store(struct local *local, struct store *store)
{
	if (store && store_pending(store) > 0)
		carry_now(local, store, true);
	store_close(store);
}

static void local_close(void *ctx)
{
	struct local *local = ctx;

	if (local->state.store && check_place(local) < 0)
		log_error("%s", local->folder->why);
	if (local->is_scarred && !local->is_in_memory)
		heal(local);
	if (local->is_scarred)
		log_error("state file %s/%s: the next start may find changes that were refused", local->folder->path,
		          salvage_state_file);
	if (local->copy_is_behind && !local->is_in_memory)
		bring_copy_in_line(local);
	if (local->is_in_memory)
		close_stores(local);
	close_store(local, local->state.store);
	close_store(local, local->copy.store);
	healthfile_close(&local->health);
	trouble_done(&local->trouble);
	free(local);
}

const struct state_backend backend_local = {
	.name = "local", .open = local_open, .commit = local_commit, .settle = local_settle, .health = local_health,
	.aliases = local_aliases, .provided = local_provided,
	.tend = local_tend, .trouble = local_trouble, .close = local_close,
};
