// Which of the two files is trusted; see salvage.h. A file is sound when its structure, every row's sum and the totals
// are correct: then it is the state as it was at one revision.
//
//   state.db    copy        trusted
//   sound       sound       the one of the higher revision
//   sound       other       the sound one, and rows of the other that are newer
//   other       sound       the same
//   none        none        nothing: a first start, unless other files show that the folder has been in use
//   other       other       every row that can be read in either, the newer of two
//
// SQLite ignores what it cannot read at the end of a log of writes, so a sound file may have lost changes (wal.h). In a
// power cut one of the two logs may be torn, never both.
#include "state/salvage.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "state/migrations.h"
#include "state/side.h"

const char salvage_state_file[] = "state.db", salvage_copy_file[] = "state-copy.db";

enum { NAMED_MAX = 10 };

// Building ------------------------------------------------------------------------------------------------------------

struct contents {
	struct override *const *rows;
	size_t count;
	uint64_t revision;
	struct rows_totals totals; // set when they are written
};

static int write_contents(struct contents *contents, struct rows *rows)
{
	int err = E_OK;

	rows->totals = (struct rows_totals){.revision = contents->revision};
	for (size_t i = 0; i < contents->count && err == E_OK; i++)
		err = rows_put(rows, contents->rows[i]);
	contents->totals = rows->totals;
	return err;
}

static int fill(void *ctx, struct store *store)
{
	struct rows rows = {.store = store};
	int err = write_contents(ctx, &rows);

	return err == E_OK ? rows_seal(&rows) : err;
}

// Builds the file anew, puts it in the place of what is there, and opens it. Nothing is replaced before the new one is
// on disk. What is there is set aside.
static int renew(const struct folder *folder, const char *name, struct contents *contents, const char *word,
                 struct rows *ret_rows)
{
	struct store *store = NULL;
	bool is_sound = false;
	int err = store_build(folder, name, &migrations_state, fill, contents);

	if (err == E_OK)
		err = folder_set_aside(folder, name, word, clock_wall_s());
	if (err == E_OK)
		err = store_install(folder, name);
	if (err == E_OK)
		err = store_open(folder, name, &migrations_state, true, &store, &is_sound);
	if (err == E_OK && !is_sound) {
		store_close(store);
		err = E_INVAL;
	}
	if (err == E_OK)
		*ret_rows = (struct rows){store, contents->totals, contents->totals};
	return err;
}

// Instead of renew() where nothing can be written.
static int keep_in_memory(const struct folder *folder, struct contents *contents, struct rows *ret_rows)
{
	struct store *store = NULL;
	int err = store_new_in_memory(folder, salvage_state_file, &migrations_state, &store);

	if (err < 0)
		return err;

	struct rows rows = {.store = store};

	err = rows_begin(&rows);
	if (err == E_OK)
		err = write_contents(contents, &rows);
	if (err == E_OK)
		err = rows_commit(&rows);
	if (err == E_OK)
		*ret_rows = rows;
	else
		store_close(store);
	return err;
}

// Makes a sound file say the same, in one transaction.
static int bring_in_line(struct rows *rows, struct contents *contents)
{
	int err = rows_begin(rows);

	if (err == E_OK)
		err = rows_clear(rows);
	if (err == E_OK)
		err = write_contents(contents, rows);
	if (err == E_OK)
		err = rows_commit(rows);
	if (err < 0) {
		rows_rollback(rows);
		if (store_undo_log(rows->store) < 0 && err != E_INVAL)
			err = E_IO;
	}
	return err;
}

static void take_store(struct side *side, struct rows *ret_rows)
{
	must(side->store && side->is_sound);
	*ret_rows = (struct rows){side->store, side->found.totals, side->found.totals};
	side->store = NULL;
}

// From a store, whatever is in its files by now.
static int contents_of(const struct rows *rows, struct rows_found *found, struct contents *ret_contents)
{
	int err = rows_read(rows->store, found);

	if (err < 0)
		return err;
	*ret_contents = (struct contents){found->rows, found->count, rows->totals.revision, {0}};
	if (found->is_sound)
		return E_OK;
	rows_found_done(found);
	return E_IO;
}

// Opens the copy where there is a sound one, makes one where there is none.
static int reopen_copy(const struct folder *folder, struct contents *contents, struct rows *copy)
{
	struct side side = {.name = salvage_copy_file};
	int err = side_examine(folder, &side);

	if (err == E_OK && side.is_sound) {
		take_store(&side, copy);
		err = bring_in_line(copy, contents);
	} else if (err == E_OK) {
		side.store = store_close(side.store);
		err = renew(folder, side.name, contents, "damaged", copy);
	}
	side_done(&side);
	return err;
}

int salvage_renew_copy(const struct folder *folder, const struct rows *state, struct rows *copy)
{
	struct rows_found found;
	struct contents contents;
	int err = contents_of(state, &found, &contents);

	if (err < 0)
		return err;
	err = copy->store ? bring_in_line(copy, &contents) : E_INVAL;
	if (err == E_INVAL) { // there is none, or it was damaged while it was open
		copy->store = store_close(copy->store);
		err = reopen_copy(folder, &contents, copy);
	}
	rows_found_done(&found);
	return err;
}

// Deciding ------------------------------------------------------------------------------------------------------------

// Copies the rows of `from` that are newer than the revision. The array is long enough.
static int copy_newer(struct override **rows, size_t *count, const struct rows_found *from, uint64_t revision)
{
	for (size_t i = 0; i < from->count; i++) {
		if (from->rows[i]->revision <= revision)
			continue;
		if (!(rows[*count] = override_copy(from->rows[i])))
			return E_NOMEM;
		++*count;
	}
	return E_OK;
}

// Of two for the same thing the newer one stays. Takes all; what is left in `rows` is in the set's order.
static int settle(struct override **rows, size_t *count)
{
	struct overrides set = {0};
	size_t left = 0;

	if (overrides_reserve(&set, *count) < 0) {
		overrides_done(&set);
		return E_NOMEM;
	}
	rows_sort(rows, *count);
	for (size_t i = 0; i < *count; i++)
		override_free(overrides_put(&set, rows[i]));
	// More than there can be: the newest stay.
	for (size_t i = 0; i < set.count; i++) {
		if (set.count - i > STATE_OVERRIDES_MAX)
			override_free(set.rows[i]);
		else
			rows[left++] = set.rows[i];
	}
	must(left <= *count);
	*count = left;
	set.count = 0; // they are in `rows`
	overrides_done(&set);
	return E_OK;
}

// What is missing in the rows that were put together from two damaged files. Where the newest totals that can be read
// are met, nothing is.
static struct loss missing(const struct side *state, const struct side *copy, struct override *const *rows,
                           size_t count)
{
	const struct rows_totals *totals = NULL;
	uint64_t sum = 0;

	if (state->found.has_totals)
		totals = &state->found.totals;
	if (copy->found.has_totals && (!totals || copy->found.totals.revision > totals->revision))
		totals = &copy->found.totals;
	for (size_t i = 0; i < count; i++)
		sum += rows_sum(rows[i]);
	if (!totals)
		return (struct loss){.is_unknown = true};
	if (totals->count == count && totals->sum == sum)
		return (struct loss){0};
	if (totals->count > count && totals->count - count < STATE_OVERRIDES_MAX)
		return (struct loss){.lost = totals->count - count};
	return (struct loss){.is_unknown = true};
}

// Changes that state.db had and the sound copy has not. A damaged row is the only trace of some.
static size_t count_unknown(const struct rows_found *state, uint64_t copied, size_t newer)
{
	if (!state->has_totals)
		return newer ? state->damaged : 0;

	uint64_t changes = state->totals.revision > copied ? state->totals.revision - copied : 0;

	return changes > newer ? changes - newer : 0;
}

// Both in the order of revisions.
static void name_recovered(const struct folder *folder, const struct side *damaged, struct override *const *rows,
                           size_t count)
{
	const struct rows_found *found = &damaged->found;
	size_t named = 0, at = 0;

	rows_sort(found->rows, found->count);
	for (size_t i = 0; i < count && named < NAMED_MAX; i++) {
		const struct override *row = rows[i];

		while (at < found->count && found->rows[at]->revision < row->revision)
			at++;
		if (at < found->count && found->rows[at]->revision == row->revision)
			continue;
		named++;
		log_warning("state file %s/%s lacks the %s of %s%s%s%s%s: it is taken from %s", folder->path, damaged->name,
		            override_kind_text(row->kind), row->app ? row->app : "", row->app && row->site[0] ? " at " : "", row->site,
		            row->to == FORCE_AUTO ? "" : " to ", row->to == FORCE_AUTO ? "" : override_force_text(row->to),
		            salvage_copy_file);
	}
}

static uint64_t newest_revision(const struct side *side)
{
	uint64_t newest = side->found.has_totals ? side->found.totals.revision : 0;

	for (size_t i = 0; i < side->found.count; i++)
		if (side->found.rows[i]->revision > newest)
			newest = side->found.rows[i]->revision;
	return newest;
}

// The overrides that are trusted, by revision. Owns the rows.
struct belief {
	struct override **rows;
	size_t count;
	uint64_t revision;
};

static void belief_done(struct belief *belief)
{
	for (size_t i = 0; i < belief->count; i++)
		override_free(belief->rows[i]);
	free(belief->rows);
}

// All rows of `first`, and of `second` (may be NULL) those that are newer than `since`.
static int put_together(const struct side *first, const struct side *second, uint64_t since, struct belief *belief)
{
	size_t room = first->found.count + (second ? second->found.count : 0) + 1;
	int err;

	belief->revision = newest_revision(first);
	if (second && newest_revision(second) > belief->revision)
		belief->revision = newest_revision(second);
	belief->rows = calloc(room, sizeof(*belief->rows));
	err = belief->rows ? copy_newer(belief->rows, &belief->count, &first->found, 0) : E_NOMEM;
	if (err == E_OK && second)
		err = copy_newer(belief->rows, &belief->count, &second->found, since);
	return err == E_OK ? settle(belief->rows, &belief->count) : err;
}

// Without a copy the daemon goes on; one is made as soon as that is possible.
static void make_copy(const struct folder *folder, struct side *copy, struct contents *contents,
                      struct salvage *salvage)
{
	int err = E_OK;

	if (copy->is_sound && copy->log.end != WAL_LOST && !copy->is_to_read) {
		take_store(copy, &salvage->copy);
		if (!rows_totals_equal(&salvage->copy.totals, &salvage->state.totals))
			err = bring_in_line(&salvage->copy, contents);
		if (err < 0)
			folder_fail(folder, copy->name, "cannot be written", store_error(salvage->copy.store));
	} else if (copy->is_unknown || (copy->is_sound && copy->is_to_read)) {
		err = E_IO;
	} else {
		copy->store = store_close(copy->store);
		err = renew(folder, copy->name, contents, "damaged", &salvage->copy);
	}
	if (err < 0)
		log_warning("%s: until it can be, the overrides are kept in one file only", folder->why);
}

// How many are certainly lost when `base` is trusted and the other is not sound.
static size_t count_lost(const struct side *base, const struct side *other, const struct belief *belief)
{
	size_t newer = 0;

	for (size_t i = 0; i < belief->count; i++)
		newer += belief->rows[i]->revision > base->found.totals.revision;
	return other->is_sound ? 0 : count_unknown(&other->found, base->found.totals.revision, newer);
}

// `base` NULL: neither is sound.
static int believe(const struct side *state, const struct side *copy, const struct side *base, struct belief *belief,
                   struct loss *ret_loss)
{
	const struct side *other = base == state ? copy : state;
	uint64_t revision = base ? base->found.totals.revision : 0;
	int err = base ? put_together(base, other->is_sound ? NULL : other, revision, belief) :
	                 put_together(state, copy, 0, belief);

	if (err < 0)
		return err;
	*ret_loss = base ? (struct loss){.lost = count_lost(base, other, belief)} :
	                   missing(state, copy, belief->rows, belief->count);
	return E_OK;
}

// Whether nothing that was acknowledged can be missing in it.
static bool is_complete(const struct side *side, bool is_torn_allowed)
{
	return side->is_sound && (side->log.end == WAL_CLEAN || (side->log.end == WAL_TORN && is_torn_allowed));
}

static void report(const struct folder *folder, const struct side *state, const struct side *copy,
                   const struct belief *belief, struct salvage *salvage)
{
	const char *advice = state->is_there || copy->is_there ? "; look into the files set aside" : "";

	salvage->loss.found_s = clock_wall_s();
	salvage->loss.kept = belief->count;
	if (state->is_there && copy->is_sound)
		name_recovered(folder, state, belief->rows, belief->count);
	if (salvage->loss.lost)
		log_error("state folder %s: of the overrides %zu are kept and at least %zu are lost: sites that were drained may be in "
		          "service%s", folder->path,
		          salvage->loss.kept, salvage->loss.lost, advice);
	else if (salvage->loss.is_unknown)
		log_error("state folder %s: of the overrides %zu are kept; whether there were more cannot be known: sites that "
		          "were drained may be in service%s",
		          folder->path, salvage->loss.kept, advice);
	else
		log_warning("state folder %s: all overrides are kept, %zu of them", folder->path, salvage->loss.kept);
}

// A folder that has been in use has other files than those of the overrides.
static bool was_in_use(const struct folder *folder)
{
	static const char *const names[] = {"health.db", "health.db-wal", "state.db-wal", "state-copy.db-wal"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (folder_look(folder, names[i]) != FOLDER_NOTHING)
			return true;
	return false;
}

// What is unusual about the two, in words.
static void log_finding(const struct folder *folder, const struct side *state, const struct side *copy, bool is_behind,
                        bool is_missing, bool is_damaged)
{
	if (is_behind)
		log_warning("state file %s/%s is older than %s (revision %llu, not %llu), which is used: a backup put in "
		            "place? To restore one, stop edgesteerd, remove %s and the *-wal files, and put it there",
		            folder->path, state->name, copy->name, (unsigned long long)state->found.totals.revision,
		            (unsigned long long)copy->found.totals.revision, copy->name);
	if (is_missing && copy->is_there)
		log_error("state file %s/%s is missing", folder->path, state->name);
	else if (is_missing)
		log_error("state files %s/%s and %s are missing from a folder that has been in use", folder->path, state->name,
		          copy->name);
	if (!is_damaged && state->log.is_unfinished)
		log_notice("state file %s/%s: a change that was under way or refused when edgesteerd stopped is discarded; it "
		           "had not been acknowledged", folder->path, state->name);
}

// Which file is trusted, whether there is damage, and whether state.db is to be built anew.
static int decide(const struct folder *folder, const struct side *state, const struct side *copy,
                  struct belief *belief, struct salvage *salvage, bool *ret_renew)
{
	uint64_t at_state = state->is_sound ? state->found.totals.revision : 0;
	uint64_t at_copy = copy->is_sound ? copy->found.totals.revision : 0;
	bool both = state->is_sound && copy->is_sound, is_behind = both && at_copy > at_state;
	const struct side *base = state->is_sound && !is_behind ? state : copy->is_sound ? copy : NULL;
	// A clean one has every change but one, perhaps, that was under way: then a torn end of the other is of that one.
	bool has_witness = is_complete(state, false) || is_complete(copy, false);
	bool is_first = !state->is_there && (copy->is_there ? copy->is_sound && at_copy == 0 : !was_in_use(folder));
	bool is_missing = !state->is_there && !is_first;
	bool is_damaged = (state->is_there && !is_complete(state, has_witness)) || is_behind || is_missing ||
	                  (copy->is_there && !copy->is_unknown && !is_complete(copy, has_witness));
	bool ends_are_clean = state->log.end == WAL_CLEAN && copy->log.end == WAL_CLEAN;
	struct loss loss = {0};
	int err = believe(state, copy, base, belief, &loss);

	if (err < 0)
		return err;
	if (is_damaged) {
		salvage->loss.lost = loss.lost;
		// Else what the end of a log had is not known.
		salvage->loss.is_unknown = !loss.lost && !has_witness &&
		                           (loss.is_unknown || base || !belief->count || !ends_are_clean);
	}
	*ret_renew = base != state || state->log.end == WAL_LOST || (is_damaged && !has_witness);
	log_finding(folder, state, copy, is_behind, is_missing, is_damaged);
	if (is_damaged)
		report(folder, state, copy, belief, salvage);
	salvage->loss.is_set_aside = is_damaged && !is_behind && (state->is_there || (copy->is_there && !is_complete(copy, true)));
	return E_OK;
}

// Writes the trusted overrides to the files; where that is not possible, to a store in memory.
static int establish(const struct folder *folder, struct side *state, struct side *copy, const struct belief *belief,
                     bool is_renewed, struct salvage *salvage)
{
	struct contents contents = {belief->rows, belief->count, belief->revision, {0}};
	int err = E_OK;

	if (!is_renewed) {
		salvage->is_read_only = state->is_to_read;
		take_store(state, &salvage->state);
	} else if (state->is_to_read) {
		err = E_IO;
	} else {
		bool is_old = is_complete(state, false); // and undamaged

		state->store = store_close(state->store);
		err = renew(folder, state->name, &contents, is_old ? "replaced" : "damaged", &salvage->state);
	}
	if (err == E_IO) {
		salvage->is_read_only = true;
		err = keep_in_memory(folder, &contents, &salvage->state);
	}
	if (salvage->is_read_only)
		salvage->loss.is_set_aside = false; // not yet
	else if (err == E_OK)
		make_copy(folder, copy, &contents, salvage);
	return err;
}

int salvage_open(const struct folder *folder, struct salvage *ret_salvage)
{
	struct side state = {.name = salvage_state_file}, copy = {.name = salvage_copy_file};
	struct belief belief = {0};
	struct salvage salvage = {0};
	bool is_renewed = false;
	int err = side_examine(folder, &state);

	if (err == E_OK)
		err = side_examine(folder, &copy);
	if (err == E_IO && state.is_sound) {
		copy.is_unknown = true;
		err = E_OK;
	}
	if (err == E_OK)
		err = decide(folder, &state, &copy, &belief, &salvage, &is_renewed);
	if (err == E_OK)
		err = establish(folder, &state, &copy, &belief, is_renewed, &salvage);
	side_done(&state);
	side_done(&copy);
	belief_done(&belief);
	if (err == E_OK)
		*ret_salvage = salvage;
	else
		salvage.state.store = store_close(salvage.state.store);
	return err;
}

int salvage_to_memory(const struct folder *folder, const struct rows *state, struct rows *ret_rows)
{
	struct rows_found found;
	struct contents contents;
	int err = contents_of(state, &found, &contents);

	if (err < 0)
		return err;
	err = keep_in_memory(folder, &contents, ret_rows);
	rows_found_done(&found);
	return err;
}

int salvage_rewrite(const struct folder *folder, const struct rows *memory, struct rows *ret_state,
                    struct rows *ret_copy)
{
	struct rows_found found;
	struct contents contents;
	int err = contents_of(memory, &found, &contents);

	if (err < 0)
		return err;
	err = renew(folder, salvage_state_file, &contents, "replaced", ret_state);
	if (err == E_OK && renew(folder, salvage_copy_file, &contents, "replaced", ret_copy) < 0)
		log_warning("%s: until it can be, the overrides are kept in one file only", folder->why);
	rows_found_done(&found);
	return err;
}
