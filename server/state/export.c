// The state in the form of older versions; see state_export() in state.h.
#include "state/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "state/backend.h"
#include "state/folder.h"
#include "state/legacy.h"
#include "state/local.h"
#include "state/selector.h"

// Older versions would drain at once what is to be drained later, and drain again what is being given back; they know no
// adoptions.
static bool can_be_carried(const struct override *override, int64_t now_s)
{
	return override->kind != OVERRIDE_ADOPT && !override->is_returning && override_start_s(override) <= now_s && !selector_is(override->site);
}

static void tell_left_out(const struct override *override)
{
	if (override->kind == OVERRIDE_ADOPT) {
		log_warning("the share of %s that is steered is not exported, as older versions do not know it: there all of its "
		            "clients are steered; this version finds it again", override->app);
		return;
	}
	log_warning("the drain of %s%s%s is not exported, as older versions do not know %s: this version finds it again",
	            override->app ? override->app : "", override->app ? " at " : "", override->site,
	            override->is_returning ? "an undrain over a time" : selector_is(override->site) ? "selectors of sites"
	                                                                                             : "drains that start later");
}

// In `rows`, room for all of them. *ret_exported has their counts.
static size_t list_carried(const struct backend_found *found, struct override **rows, struct state_exported *ret_exported)
{
	int64_t now_s = clock_wall_s();
	size_t count = 0;

	*ret_exported = (struct state_exported){.targets = found->health.index.count};
	for (size_t i = 0; i < found->overrides.count; i++) {
		struct override *override = found->overrides.rows[i];

		if (!can_be_carried(override, now_s)) {
			tell_left_out(override);
			ret_exported->left_out++;
			continue;
		}
		++*(override->kind == OVERRIDE_DRAIN ? &ret_exported->drains : &ret_exported->forces);
		rows[count++] = override;
	}
	return count;
}

static int write_legacy(const struct folder *folder, const struct backend_found *found,
                        struct state_exported *ret_exported)
{
	struct override **rows = calloc(found->overrides.count + 1, sizeof(struct override *));
	int err = E_NOMEM;

	if (rows)
		err = legacy_write_overrides(folder, rows, list_carried(found, rows, ret_exported));
	free(rows);
	return err == E_OK ? legacy_write_health(folder, &found->health, found->confirmed_s) : err;
}

int state_export(const char *dir, struct state_exported *ret_exported)
{
	const struct state_backend *backend = &backend_local;
	struct backend_found found = {0};
	struct folder folder;
	struct stat st;
	struct state_exported exported = {0};
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
		err = write_legacy(&folder, &found, &exported);
		backend->close(backend_ctx);
	}
	if (err == E_IO || err == E_NOMEM)
		log_error("the state cannot be exported: %s", err == E_IO ? folder.why : err_text(err));
	else if (err == E_OK)
		*ret_exported = exported;
	overrides_done(&found.overrides);
	healthmap_done(&found.health);
	aliasmap_done(&found.aliases);
	provided_done(&found.provided);
	folder_close(&folder);
	return err;
}
