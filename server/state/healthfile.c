// Opening, reading and writing of health.db; see healthfile.h.
#include "state/healthfile.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "state/alias_rows.h"
#include "state/health_rows.h"
#include "state/import.h"
#include "state/limits.h"
#include "state/migrations.h"
#include "state/store.h"

enum { PENDING_MAX = 8 << 20, ROOM_TRIED = 65536 };

const char healthfile_name[] = "health.db";

// `empty`: see store_checkpoint(). What cannot be carried stays in the log of writes.
static void carry_now(struct healthfile *file, bool empty)
{
	if (store_checkpoint(file->store, empty) < 0 && !file->fails) {
		log_warning("state file %s cannot be written: %s", store_name(file->store), store_error(file->store));
		file->fails = true;
	}
}

// `is_evidence`: what is there is damaged.
static int make_new(struct healthfile *file, bool is_evidence)
{
	bool is_sound = false;
	int err = store_build(file->folder, healthfile_name, &migrations_health, NULL, NULL);

	if (err == E_OK && is_evidence) {
		log_warning("starting without the targets' last health");
		err = folder_set_aside(file->folder, healthfile_name, "damaged", clock_wall_s());
	}
	if (err == E_OK)
		err = store_install(file->folder, healthfile_name);
	if (err == E_OK)
		err = store_open(file->folder, healthfile_name, &migrations_health, false, &file->store, &is_sound);
	return err == E_OK && !is_sound ? E_IO : err;
}

static void forget(struct healthmap *map, struct aliasmap *aliases)
{
	healthmap_done(map);
	aliasmap_done(aliases);
}

// Health that is too old is left out; of names' addresses, the age is told.
static int read_rows(struct healthfile *file, struct healthmap *map, struct aliasmap *aliases,
                    int64_t *ret_confirmed_s)
{
	int64_t confirmed_s = 0, age_s;
	int err = health_rows_read(file->store, map, &confirmed_s);

	if (err == E_OK)
		err = alias_rows_read(file->store, aliases);
	if (err < 0) {
		log_error("state file %s is damaged: a row is not what was written", store_name(file->store));
		forget(map, aliases);
		return err;
	}
	*ret_confirmed_s = confirmed_s;
	age_s = clock_wall_s() - confirmed_s;
	if (map->count > 0 && (age_s > STATE_HEALTH_AGE_MAX_S || age_s < -STATE_HEALTH_AGE_MAX_S)) {
		log_notice("the saved health was not confirmed within the last %d s: the first round of checks decides",
		           STATE_HEALTH_AGE_MAX_S);
		healthmap_done(map);
		err = health_rows_clear(file->store); // the next confirmation is not meant for it
	}
	return err;
}

static int import_and_read(struct healthfile *file, struct healthmap *map, struct aliasmap *aliases,
                    int64_t *ret_confirmed_s)
{
	int err = import_health(file->folder, file->store, file->is_read_only, clock_wall_s(), STATE_HEALTH_AGE_MAX_S);

	return err == E_OK ? read_rows(file, map, aliases, ret_confirmed_s) : err;
}

// E_NOTFOUND; E_INVAL: it is damaged (logged).
static int look_at(struct healthfile *file)
{
	const char *why = NULL;
	int version, err;

	if (folder_look(file->folder, healthfile_name) == FOLDER_NOTHING)
		return E_NOTFOUND;
	err = store_version(file->folder, healthfile_name, &version, &why);
	if (err == E_INVAL)
		log_error("state file %s/%s is damaged: %s", file->folder->path, healthfile_name, why);
	else if (err < 0)
		folder_fail_to_read(file->folder, healthfile_name);
	return err;
}

static int open_to_write(struct healthfile *file, struct healthmap *map, struct aliasmap *aliases,
                    int64_t *ret_confirmed_s)
{
	bool is_sound = false;
	int err = look_at(file);

	if (err == E_OK && !store_can_be_written(file->folder, healthfile_name)) {
		folder_fail(file->folder, healthfile_name, "cannot be written", strerror(errno));
		return E_IO;
	}
	if (err == E_OK)
		err = store_open(file->folder, healthfile_name, &migrations_health, false, &file->store, &is_sound);
	if (err == E_OK)
		err = is_sound ? import_and_read(file, map, aliases, ret_confirmed_s) : E_INVAL;
	if (err != E_INVAL && err != E_NOTFOUND)
		return err;
	file->store = store_close(file->store);
	err = make_new(file, err == E_INVAL);
	return err == E_OK ? import_and_read(file, map, aliases, ret_confirmed_s) : err;
}

static int open_to_read(struct healthfile *file, struct healthmap *map, struct aliasmap *aliases,
                    int64_t *ret_confirmed_s)
{
	const struct folder *folder = file->folder;
	bool is_sound = false;
	int version, err = E_NOTFOUND;
	const char *why;

	file->is_read_only = true;
	if (store_version(folder, healthfile_name, &version, &why) == E_OK)
		err = store_open_to_read(folder, healthfile_name, &migrations_health, &file->store, &is_sound);
	if (err == E_OK && is_sound && import_and_read(file, map, aliases, ret_confirmed_s) == E_OK)
		return E_OK;
	forget(map, aliases);
	file->store = store_close(file->store);
	err = store_new_in_memory(folder, healthfile_name, &migrations_health, &file->store);
	if (err == E_OK && import_and_read(file, map, aliases, ret_confirmed_s) < 0)
		forget(map, aliases);
	return err;
}

int healthfile_open(const struct folder *folder, struct healthfile *file, struct healthmap *map,
                    struct aliasmap *aliases, int64_t *ret_confirmed_s)
{
	int err;

	*file = (struct healthfile){.folder = folder};
	err = open_to_write(file, map, aliases, ret_confirmed_s);
	if (err == E_IO) {
		log_warning("%s: the targets' health is not saved until it can be", folder->why);
		forget(map, aliases);
		file->store = store_close(file->store);
		file->fails = true;
		err = open_to_read(file, map, aliases, ret_confirmed_s);
	}
	if (err == E_OK && !file->is_read_only)
		carry_now(file, true);
	return err == E_INVAL ? E_IO : err;
}

// Once there is room again. The owner of what is in memory writes what has changed since.
static int reopen(struct healthfile *file)
{
	struct healthmap map = {0};
	struct aliasmap aliases = {0};
	struct store *memory = file->store;
	int64_t confirmed_s;
	int err = folder_try(file->folder, ROOM_TRIED);

	if (err < 0)
		return err;
	file->store = NULL;
	file->is_read_only = false;
	err = open_to_write(file, &map, &aliases, &confirmed_s);
	forget(&map, &aliases);
	if (err == E_OK) {
		store_close(memory);
		return E_OK;
	}
	store_close(file->store);
	file->store = memory;
	file->is_read_only = true;
	return err;
}

// Makes the file ready to be written.
static int prepare(struct healthfile *file)
{
	return file->is_read_only ? reopen(file) : E_OK;
}

// What became of a write: told once, when it begins to fail or works again.
static int conclude(struct healthfile *file, int err)
{
	if (err < 0 && !file->fails)
		log_warning("%s: the targets' health is not saved until it can be", file->folder->why);
	if (err == E_OK && file->fails)
		log_notice("state file %s/%s can be written again", file->folder->path, healthfile_name);
	file->fails = err < 0;
	healthfile_carry(file, PENDING_MAX);
	return err == E_INVAL ? E_IO : err;
}

int healthfile_write(struct healthfile *file, const struct healthmap_row *rows, size_t count)
{
	int err = prepare(file);

	if (err == E_OK) {
		err = health_rows_write(file->store, rows, count, clock_wall_s());
		if (err < 0)
			folder_fail(file->folder, healthfile_name, "cannot be written", store_error(file->store));
	}
	return conclude(file, err);
}

int healthfile_write_aliases(struct healthfile *file, const struct aliasmap_row *rows, size_t count)
{
	int err = prepare(file);

	if (err == E_OK) {
		err = alias_rows_write(file->store, rows, count);
		if (err < 0)
			folder_fail(file->folder, healthfile_name, "cannot be written", store_error(file->store));
	}
	return conclude(file, err);
}

int healthfile_read_provided(const struct healthfile *file, struct provided_list *list)
{
	size_t damaged = 0;
	int err = provided_read(file->store, list, &damaged);

	if (err == E_NOMEM)
		return err;
	if (err < 0)
		log_error("state file %s: what providers gave cannot be read: %s", store_name(file->store),
		          store_error(file->store));
	if (damaged > 0)
		log_error("state file %s is damaged: %zu of the targets that providers gave are not what was written",
		          store_name(file->store), damaged);
	return E_OK;
}

int healthfile_write_provided(struct healthfile *file, struct provided_row *const *rows, size_t count)
{
	int err = prepare(file);

	if (err == E_OK) {
		err = provided_write(file->store, rows, count);
		if (err < 0)
			folder_fail(file->folder, healthfile_name, "cannot be written", store_error(file->store));
	}
	return conclude(file, err);
}

void healthfile_carry(struct healthfile *file, size_t pending_max)
{
	if (!file->is_read_only && store_pending(file->store) > pending_max)
		carry_now(file, false);
}

void healthfile_close(struct healthfile *file)
{
	if (file->store && !file->is_read_only && store_pending(file->store) > 0)
		carry_now(file, true);
	file->store = store_close(file->store);
}
