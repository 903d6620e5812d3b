// JSON in the form of version 1; see legacy.h.
#include "state/legacy.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "state/overrides.h"

enum { LEGACY_VERSION = 1, LOST_LOGGED_MAX = 10 };

const char legacy_overrides_file[] = "orders.json", legacy_health_file[] = "health.json";

// Reading -------------------------------------------------------------------------------------------------------------

// The file's object, which is of our version; the caller's. E_NOTFOUND; E_INVAL when it is not that (logged); E_IO
// (folder->why); E_NOMEM.
static int read_json(const struct folder *folder, const char *name, json_t **ret_root)
{
	json_error_t error;
	int fd = -1, err = folder_open_file(folder, name, &fd);

	if (err == E_IO)
		folder_fail_to_read(folder, name);
	if (err == E_INVAL)
		log_error("state file %s/%s is not a regular file, or larger than 1 GiB", folder->path, name);
	if (err < 0)
		return err;

	FILE *in = fdopen(fd, "r");

	if (!in) {
		close(fd);
		return E_NOMEM;
	}

	json_t *root = json_loadf(in, JSON_REJECT_DUPLICATES, &error);
	bool failed = ferror(in);

	fclose(in);
	if (failed) {
		folder_fail(folder, name, "cannot be read", strerror(EIO));
		json_decref(root);
		return E_IO;
	}
	if (!root && json_error_code(&error) == json_error_out_of_memory)
		return E_NOMEM;
	if (!root) {
		log_error("state file %s/%s is damaged: line %d, column %d: %s", folder->path, name, error.line, error.column,
		          error.text);
		return E_INVAL;
	}

	const json_t *written = json_object_get(root, "version");

	if (json_is_integer(written) && json_integer_value(written) == LEGACY_VERSION) {
		*ret_root = root;
		return E_OK;
	}
	if (json_is_integer(written))
		log_error("state file %s/%s has version %lld, this edgesteerd reads %d", folder->path, name,
		          (long long)json_integer_value(written), LEGACY_VERSION);
	else
		log_error("state file %s/%s is damaged: it has no version", folder->path, name);
	json_decref(root);
	return E_INVAL;
}

static void log_lost(const struct folder *folder, const char *list, size_t number, size_t *lost)
{
	if (++*lost <= LOST_LOGGED_MAX)
		log_error("state file %s/%s: entry %zu of \"%s\" is not what edgesteerd writes: left out", folder->path,
		          legacy_overrides_file, number + 1, list);
}

// Takes what it adds.
static int add_entry(struct legacy_overrides *all, struct table *seen, enum override_kind kind, json_t *object)
{
	struct override *override = NULL;
	int err = override_from_json(kind, object, &override);

	if (err == E_OK)
		err = table_add(seen, override->app ? override->app : "", override->site, 0);
	if (err == E_OK)
		all->rows[all->count++] = override;
	else
		override_free(override);
	return err;
}

static int add_list(const struct folder *folder, const json_t *root, enum override_kind kind, struct legacy_overrides *all)
{
	static const char *const keys[] = {[OVERRIDE_DRAIN] = "drains", [OVERRIDE_FORCE] = "forces"};
	const json_t *list = json_object_get(root, keys[kind]);
	size_t count = json_array_size(list);
	struct table seen = {0};
	int err = E_OK;

	if (!json_is_array(list)) {
		log_error("state file %s/%s: \"%s\" is not a list: left out", folder->path, legacy_overrides_file, keys[kind]);
		all->lost++;
	}

	struct override **rows = reallocarray(all->rows, all->count + count + 1, sizeof(*rows));

	if (!rows)
		return E_NOMEM;
	all->rows = rows;
	for (size_t i = 0; i < count && err != E_NOMEM; i++) {
		err = all->count < STATE_OVERRIDES_MAX ? add_entry(all, &seen, kind, json_array_get(list, i)) : E_LIMIT;
		if (err < 0 && err != E_NOMEM)
			log_lost(folder, keys[kind], i, &all->lost);
	}
	table_done(&seen);
	return err == E_NOMEM ? err : E_OK;
}

int legacy_read_overrides(const struct folder *folder, struct legacy_overrides *ret_overrides)
{
	struct legacy_overrides all = {.is_readable = true};
	json_t *root = NULL;
	int err = read_json(folder, legacy_overrides_file, &root);

	if (err == E_INVAL) {
		*ret_overrides = (struct legacy_overrides){0};
		return E_OK;
	}
	if (err == E_OK)
		err = add_list(folder, root, OVERRIDE_DRAIN, &all);
	if (err == E_OK)
		err = add_list(folder, root, OVERRIDE_FORCE, &all);
	json_decref(root);
	if (err == E_OK)
		*ret_overrides = all;
	else
		legacy_overrides_done(&all);
	return err;
}

void legacy_overrides_done(struct legacy_overrides *overrides)
{
	for (size_t i = 0; i < overrides->count; i++)
		override_free(overrides->rows[i]);
	free(overrides->rows);
	*overrides = (struct legacy_overrides){0};
}

static int add_health(struct healthmap *map, const char *app, const char *site, json_t *health)
{
	int is_up;
	json_int_t probed;

	if (json_unpack(health, "{s:b, s:I !}", "up", &is_up, "probed", &probed) < 0 || probed < 0 ||
	    probed > STATE_PROBED_MAX)
		return E_INVAL;
	return healthmap_load(map, app, site, (uint32_t)probed << 1 | (uint32_t)is_up, 0);
}

static int health_from_json(const json_t *root, struct healthmap *map)
{
	json_t *apps = json_object_get(root, "health"), *sites, *health;
	const char *app, *site;
	int err = json_is_object(apps) ? E_OK : E_INVAL;

	json_object_foreach(apps, app, sites) {
		if (err == E_OK && !json_is_object(sites))
			err = E_INVAL;
		json_object_foreach(sites, site, health)
			if (err == E_OK)
				err = add_health(map, app, site, health);
	}
	return err;
}

int legacy_read_health(const struct folder *folder, struct healthmap *map, int64_t *ret_saved_s)
{
	json_t *root = NULL;
	int err = read_json(folder, legacy_health_file, &root);

	if (err == E_OK) {
		err = health_from_json(root, map);
		if (err == E_INVAL || err == E_LIMIT || err == E_EXISTS) {
			log_error("state file %s/%s is damaged: an entry is not what edgesteerd writes", folder->path,
			          legacy_health_file);
			err = E_INVAL;
		}
	}
	if (err == E_OK)
		*ret_saved_s = json_integer_value(json_object_get(root, "saved"));
	else
		healthmap_done(map);
	json_decref(root);
	return err;
}

int legacy_imported(const struct folder *folder, const char *name, bool is_known)
{
	char to[64];

	snprintf(to, sizeof(to), "%s.imported", name);
	if (folder_rename(folder, name, to) < 0) {
		folder_fail(folder, name, "cannot be renamed", strerror(errno));
		return E_IO;
	}
	log_line(is_known ? LOG_LEVEL_DEBUG : LOG_LEVEL_NOTICE, "state file %s/%s is taken over and renamed to %s",
	         folder->path, name, to);
	return E_OK;
}

// Writing -------------------------------------------------------------------------------------------------------------

// Takes `root`; NULL: E_NOMEM. Logged.
static int write_json(const struct folder *folder, const char *name, json_t *root)
{
	char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
	int err = text ? folder_replace(folder, name, text, strlen(text)) : E_NOMEM;

	if (err < 0)
		folder_fail(folder, name, "cannot be written", err == E_IO ? strerror(errno) : err_text(err));
	free(text);
	json_decref(root);
	return err;
}

int legacy_write_overrides(const struct folder *folder, struct override *const *rows, size_t count)
{
	json_t *drains = json_array(), *forces = json_array();
	int failed = !drains || !forces;

	for (size_t i = 0; i < count && !failed; i++)
		failed = json_array_append_new(rows[i]->kind == OVERRIDE_DRAIN ? drains : forces, override_to_json(rows[i]));
	if (failed) {
		json_decref(drains);
		json_decref(forces);
		return write_json(folder, legacy_overrides_file, NULL);
	}
	return write_json(folder, legacy_overrides_file, json_pack("{s:i, s:o, s:o}", "version", LEGACY_VERSION, "drains",
	                                                           drains, "forces", forces));
}

static int put_health(void *ctx, const struct healthmap_row *row)
{
	json_t *apps = ctx, *sites = json_object_get(apps, row->app);

	if (!sites && json_object_set_new(apps, row->app, sites = json_object()) < 0)
		return E_NOMEM;
	return json_object_set_new(sites, row->site, json_pack("{s:b, s:I}", "up", (int)(row->word & 1), "probed",
	                                                       (json_int_t)(row->word >> 1))) < 0 ? E_NOMEM : E_OK;
}

int legacy_write_health(const struct folder *folder, const struct healthmap *map, int64_t saved_s)
{
	json_t *apps = json_object(), *root = NULL;

	if (apps && healthmap_each(map, put_health, apps) == E_OK)
		root = json_pack("{s:i, s:I, s:O}", "version", LEGACY_VERSION, "saved", (json_int_t)saved_s, "health", apps);
	json_decref(apps);
	return write_json(folder, legacy_health_file, root);
}
