// The state in the form of older versions; see state_export() in state.h.
#include "state/state.h"

#include "base/err.h"
#include "state/backend.h"
#include "state/folder.h"
#include "state/legacy.h"
#include "state/local.h"

static int write_legacy(const struct folder *folder, const struct backend_found *found)
{
	int err = legacy_write_overrides(folder, found->overrides.rows, found->overrides.count);

	return err == E_OK ? legacy_write_health(folder, &found->health, found->confirmed_s) : err;
}

int state_export(const char *dir)
{
	const struct state_backend *backend = &backend_local;
	struct backend_found found = {0};
	struct folder folder;
	void *backend_ctx;
	int err = folder_open(dir, &folder);

	if (err < 0)
		return err;
	err = backend->open(&folder, &found, &backend_ctx);
	if (err == E_OK) {
		err = write_legacy(&folder, &found);
		backend->close(backend_ctx);
	}
	overrides_done(&found.overrides);
	healthmap_done(&found.health);
	folder_close(&folder);
	return err;
}
