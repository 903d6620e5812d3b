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
#include "generation/check_files.h"
#include "generation/compile.h"
#include "generation/feeds_digest.h"
#include "generation/survey.h"
#include "generation/unknown_names.h"
#include "generation/zones.h"
#include "steer/place.h"
#include "view/ground.h"
#include "view/tables.h"
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
	int err_ca = check_files_read(config, report);

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

// The config with the targets that come by themselves.
static int join(const struct generation_joiner *joiner, struct config *read, const struct ground *ground,
                struct report *report, struct config **ret_config)
{
	if (joiner)
		return joiner->join(joiner->ctx, read, ground->zones, report, ret_config);
	*ret_config = config_hold(read);
	return E_OK;
}

// Joins and compiles. `used`: tables of the same ground; NULL: none. *ret_generation uses what it is made of.
static int make(struct config *read, struct ground *ground, const struct generation_joiner *joiner,
                struct tables *used, uint64_t number, struct report *report, struct generation *ret_generation)
{
	struct compile_input in = {ground, used, NULL, number};
	struct config *config = NULL;
	struct view *view = NULL;
	int err = join(joiner, read, ground, report, &config);

	if (err == E_OK)
		err = zones_lay_over(config, ground->zones, &in.zones);
	if (err == E_OK)
		err = compile_view(config, &in, report, &view);
	if (err == E_OK)
		*ret_generation = (struct generation){.config = config, .view = view};
	else
		config_free(config);
	return err;
}

int generation_build(const char *path, const struct generation_joiner *joiner, uint64_t number, struct report *report,
                     struct generation *ret_generation)
{
	int64_t started_ms = clock_mono_ms();
	struct config *read = NULL;
	struct ground *ground = NULL;
	struct generation made = {0};
	int err = config_load_partly(path, report, &read);

	if (err == E_OK)
		err = make_ground(read, report, &ground);
	if (err == E_OK)
		err = make(read, ground, joiner, NULL, number, report, &made);
	if (err == E_OK)
		err = feeds_digest(read, report_inputs(report), read->feeds_digest);
	if (err == E_OK) {
		compile_warn(made.config, made.view, report);
		err = report_ok(report) ? E_OK : E_INVAL;
	}
	ground_free(ground); // the view uses it, and the joined config what was read
	config_free(read);
	if (err < 0) {
		view_free(made.view);
		config_free(made.config);
		return err;
	}
	*ret_generation = made;
	ret_generation->took_ms = clock_mono_ms() - started_ms;
	return E_OK;
}

int generation_join(struct config *read, struct tables *tables, const struct generation_joiner *joiner, uint64_t number,
                    struct report *report, struct generation *ret_generation)
{
	int64_t started_ms = clock_mono_ms();
	int err = make(read, tables->ground, joiner, tables, number, report, ret_generation);

	if (err == E_OK)
		ret_generation->took_ms = clock_mono_ms() - started_ms;
	return err;
}
