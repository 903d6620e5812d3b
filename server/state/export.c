// The state in the form of older versions; see state_export() in state.h.
#include "state/state.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/log.h"
#include "state/backend.h"
#include "state/folder.h"
#include "state/legacy.h"
#include "state/local.h"

static int write_legacy(const struct folder *folder, const struct backend_found *found)
{
	int err = legacy_write_overrides(folder, found->overrides.rows, found->overrides.count);

	return err == E_OK ? legacy_write_health(folder, &found->health, found->confirmed_s) : err;
}

static struct state_exported count(const struct backend_found *found)
{
	struct state_exported exported = {.targets = found->health.index.count};

	for (size_t i = 0; i < found->overrides.count; i++)
		++*(found->overrides.rows[i]->kind == OVERRIDE_DRAIN ? &exported.drains : &exported.forces);
	return exported;
}

int state_export(const char *dir, struct state_exported *ret_exported)
{
	const struct state_backend *backend = &backend_local;
	struct backend_found found = {0};
	struct folder folder;
	struct stat st;
	void *backend_ctx;
	int err;

	if (stat(dir, &st) < 0) { // an empty one would be made
		log_error("state folder %s: nothing to export: %s", dir, strerror(errno));
		return E_IO;
	}
	err = folder_open(dir, &folder);
	if (err < 0)
		return err;
	err = backend->open(&folder, STATE_IDLE_S * 1000, &found, &backend_ctx);
	if (err == E_OK) {
		err = write_legacy(&folder, &found);
		backend->close(backend_ctx);
	}
	if (err == E_IO || err == E_NOMEM)
		log_error("the state cannot be exported: %s", err == E_IO ? folder.why : err_text(err));
	else if (err == E_OK)
		*ret_exported = count(&found);
	overrides_done(&found.overrides);
	healthmap_done(&found.health);
	aliasmap_done(&found.aliases);
	provided_done(&found.provided);
	folder_close(&folder);
	return err;
}
