// Opens and reads a file of overrides, for writing or else into memory; see side.h.
#include "state/side.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "state/migrations.h"

void side_done(struct side *side)
{
	side->store = store_close(side->store);
	rows_found_done(&side->found);
}

static void log_damaged_rows(const struct folder *folder, const struct side *side)
{
	const struct rows_found *found = &side->found;

	for (size_t i = 0; i < found->name_count; i++)
		log_error("state file %s/%s: the row of the %s is damaged", folder->path, side->name, found->names[i]);
	if (found->damaged > found->name_count)
		log_error("state file %s/%s: %zu more rows are damaged", folder->path, side->name,
		          found->damaged - found->name_count);
	if (!found->damaged)
		log_error("state file %s/%s is damaged: rows are missing", folder->path, side->name);
}

// As far as it can be read, whether it can be written or not.
static int open_side(const struct folder *folder, struct side *side, bool *ret_is_sound)
{
	int err = E_IO;

	if (store_can_be_written(folder, side->name))
		err = store_open(folder, side->name, &migrations_state, true, &side->store, ret_is_sound);
	else
		folder_fail(folder, side->name, "cannot be written", strerror(errno));
	if (err == E_IO) {
		err = store_open_to_read(folder, side->name, &migrations_state, &side->store, ret_is_sound);
		side->is_to_read = true;
	}
	return err;
}

int side_examine(const struct folder *folder, struct side *side)
{
	const char *why;
	int version, err;
	bool is_sound = false;

	if (folder_look(folder, side->name) == FOLDER_NOTHING)
		return E_OK;
	side->is_there = true;
	err = store_version(folder, side->name, &version, &why);
	if (err == E_INVAL)
		log_error("state file %s/%s is damaged: %s", folder->path, side->name, why);
	else if (err < 0)
		folder_fail_to_read(folder, side->name);
	if (err == E_OK && (err = wal_look(folder, side->name, &side->log)) < 0)
		folder_fail_to_read(folder, side->name);
	if (side->log.end == WAL_LOST)
		log_error("state file %s/%s is damaged: its log of writes (%s-wal) cannot be read to the end", folder->path,
		          side->name, side->name);
	if (err == E_OK)
		err = open_side(folder, side, &is_sound);
	if (err == E_OK)
		err = rows_read(side->store, &side->found);
	if (err < 0)
		return err == E_INVAL ? E_OK : err;
	if (is_sound && !side->found.is_sound)
		log_damaged_rows(folder, side);
	side->is_sound = is_sound && side->found.is_sound;
	return E_OK;
}
