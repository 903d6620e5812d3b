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
#include "generation/survey.h"
#include "generation/unknown_names.h"
#include "generation/zones.h"
#include "steer/place.h"
#include "view/ground.h"
#include "view/view.h"
#include "zone/zone.h"

enum { ROWS_BYTES_MAX = 256 << 20 };

// Reads what the config names. Zones and sources are both loaded even if there are errors in one of them or the config,
// to report all errors at once. On an error the caller frees what is in *ret_input.
static int read_all(struct config *config, struct arena *arena, struct report *report, struct survey_input *ret_input)
{
	struct measured_row *rows = NULL;
	struct metro_row *metros = NULL;
	int err = zones_load(config, (unsigned)clock_wall_s(), report, &ret_input->zones);
	int err_places = discovery_load(config, arena, report, &ret_input->places, &rows, &ret_input->measured_count);

	inputs_section(report_inputs(report), INPUT_FEED, config->server.watch != CONFIG_WATCH_OFF);

	int err_metros = metros_load(config, arena, report, &metros, &ret_input->metro_count);
	int err_ca = ca_files_read(config, report);

	ret_input->measured = rows;
	ret_input->metros = metros;
	err = err < 0 ? err : err_places < 0 ? err_places : err_metros < 0 ? err_metros : err_ca;
	return err == E_OK && !report_ok(report) ? E_INVAL : err; // the config's own errors
}

static int make_ground(struct config *config, struct report *report, struct ground **ret_ground)
{
	struct arena *arena = arena_new(ROWS_BYTES_MAX);
	struct survey_input in = {0};
	int err = arena ? read_all(config, arena, report, &in) : E_NOMEM;

	if (err == E_OK) {
		unknown_names_warn(config, in.places, in.measured, in.measured_count, report);
		err = survey_ground(config, &in, ret_ground);
	} else {
		zonedb_free(in.zones);
		places_free(in.places);
	}
	arena_free(arena);
	return err;
}

int generation_build(const char *path, uint64_t number, struct report *report, struct generation *ret_generation)
{
	int64_t started_ms = clock_mono_ms();
	struct compile_input in = {.generation = number};
	struct config *config = NULL;
	struct view *view = NULL;
	int err = config_load_partly(path, report, &config);

	if (err == E_OK)
		err = make_ground(config, report, &in.ground);
	if (err == E_OK)
		err = compile_view(config, &in, report, &view);
	if (err == E_OK) {
		compile_warn(config, view, report);
		err = report_ok(report) ? E_OK : E_INVAL;
	}
	ground_free(in.ground); // the view uses it
	if (err == E_OK) {
		*ret_generation = (struct generation){config, view, NULL, clock_mono_ms() - started_ms};
	} else {
		view_free(view);
		config_free(config);
	}
	return err;
}
