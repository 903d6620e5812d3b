// Builds a generation; see generation.h.
#include "generation/generation.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/inputs.h"
#include "base/report.h"
#include "config/config.h"
#include "config/load.h"
#include "discovery/discovery.h"
#include "discovery/metros.h"
#include "generation/ca_files.h"
#include "generation/compile.h"
#include "generation/zones.h"
#include "steer/place.h"
#include "view/view.h"

enum { ROWS_BYTES_MAX = 256 << 20 };

int generation_build(const char *path, uint64_t number, struct report *report, struct generation *ret_generation)
{
	int64_t started_ms = clock_mono_ms();
	struct compile_input in = {.generation = number};
	struct arena *rows_arena = arena_new(ROWS_BYTES_MAX);
	struct measured_row *rows = NULL;
	struct metro_row *metros = NULL;
	struct config *config = NULL;
	struct view *view = NULL;
	int err = rows_arena ? config_load_partly(path, report, &config) : E_NOMEM;

	if (err < 0)
		goto out;

	// Zones and sources are both loaded even if there are errors in one of them or the config, to report all errors at
	// once.
	err = zones_load(config, (unsigned)clock_wall_s(), report, &in.zones);

	int err_places = discovery_load(config, rows_arena, report, &in.places, &rows, &in.measured_count);

	inputs_section(report_inputs(report), INPUT_FEED, config->server.watch != CONFIG_WATCH_OFF);

	int err_metros = metros_load(config, rows_arena, report, &metros, &in.metro_count);
	int err_ca = ca_files_read(config, report);

	err = err < 0 ? err : err_places < 0 ? err_places : err_metros < 0 ? err_metros : err_ca;
	if (err == E_OK && !report_ok(report)) // the config's own errors
		err = E_INVAL;
	if (err < 0)
		goto out;
	in.measured = rows;
	in.metros = metros;
	err = compile_view(config, &in, report, &view);
	in.zones = NULL;
	in.places = NULL;
	if (err == E_OK && !report_ok(report)) {
		view_free(view);
		err = E_INVAL;
	}
	if (err == E_OK)
		*ret_generation = (struct generation){config, view, NULL, clock_mono_ms() - started_ms};
out:
	if (err < 0) {
		zonedb_free(in.zones);
		places_free(in.places);
		config_free(config);
	}
	arena_free(rows_arena);
	return err;
}
