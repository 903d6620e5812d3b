// From the config and what it names to ground and tables; see survey.h.
#include "generation/survey.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "base/names.h"
#include "base/report.h"
#include "config/config.h"
#include "discovery/latency.h"
#include "discovery/metros.h"
#include "steer/place.h"
#include "steer/prior.h"
#include "steer/steering.h"
#include "view/ground.h"
#include "view/tables.h"
#include "zone/zone.h"

// ---- ground ---------------------------------------------------------------------------------------------------------

// The carriers of all sites that the config or the catalogue knows get their numbers now: while views are served, names
// are only read.
static int number_carriers(const struct config_site *sites, size_t count, struct names *carriers)
{
	uint16_t number;
	int err = E_OK;

	for (size_t i = 0; i < count && err == E_OK; i++)
		for (size_t k = 0; k < sites[i].carrier_count && err == E_OK; k++)
			err = names_add(carriers, sites[i].carriers[k], strlen(sites[i].carriers[k]), &number);
	return err;
}

static int compare_measured(const void *a, const void *b)
{
	const struct measured *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if (x->carrier != y->carrier)
		return x->carrier < y->carrier ? -1 : 1;
	return (int)x->site - (int)y->site;
}

// Rows of carriers without clients can never be used, and are left out.
static int take_measured(struct ground *ground, const struct config *config, const struct measured_row *from,
                         size_t from_count)
{
	struct measured *rows = arena_take_array(ground->arena, from_count, sizeof(*rows));
	size_t count = 0;

	if (!rows)
		return E_NOMEM;
	for (size_t i = 0; i < from_count; i++) {
		const char *name = from[i].carrier;
		int carrier = from[i].group ? 0 : names_find(ground->places->carriers, name, strlen(name));

		must(from[i].site < config->site_count);
		if (carrier >= 0)
			rows[count++] = (struct measured){from[i].group, (uint16_t)carrier, from[i].site, from[i].us};
	}
	qsort(rows, count, sizeof(*rows), compare_measured);
	ground->measured = (struct measured_table){rows, count};
	return E_OK;
}

// Metros of carriers without clients can never be used, and are left out.
static int take_metros(struct ground *ground, const struct metro_row *from, size_t from_count)
{
	ground->metros = arena_take_array(ground->arena, from_count, sizeof(*ground->metros));
	if (!ground->metros)
		return E_NOMEM;
	for (size_t i = 0; i < from_count; i++) {
		int carrier = names_find(ground->places->carriers, from[i].carrier, strlen(from[i].carrier));

		if (carrier > 0)
			ground->metros[ground->metro_count++] = (struct prior_metro){
				(uint16_t)carrier, from[i].country, from[i].latitude, from[i].longitude, from[i].share};
	}
	return E_OK;
}

int survey_ground(const struct config *config, const struct survey_input *in, struct ground **ret_ground)
{
	struct ground *ground = ground_new();
	int err;

	if (!ground) {
		zonedb_free(in->zones);
		places_free(in->places);
		return E_NOMEM;
	}
	ground->zones = in->zones;
	ground->places = in->places;
	ground->model = config->steering.model;
	ground->loaded_s = clock_wall_s();
	err = number_carriers(config->sites, config->site_count, in->places->carriers);
	if (err == E_OK)
		err = number_carriers(config->known_sites, config->known_site_count, in->places->carriers);
	if (err == E_OK)
		err = take_measured(ground, config, in->measured, in->measured_count);
	if (err == E_OK)
		err = take_metros(ground, in->metros, in->metro_count);
	if (err == E_OK)
		*ret_ground = ground;
	else
		ground_free(ground);
	return err;
}

// ---- sets -----------------------------------------------------------------------------------------------------------

// Adds the app's set of sites to the plan; *ret_set is its number.
static int plan_set(const struct config *config, const struct config_app *app, struct steering_plan *plan,
                    uint32_t *ret_set)
{
	uint16_t sites[APP_TARGETS_MAX];
	uint32_t weights[APP_TARGETS_MAX];
	struct ranking_spec spec = {
		.sites = sites,
		.weights = app->weighted ? weights : NULL,
		.count = (uint16_t)app->target_count,
		.tie_us = app->tie_us,
		.hash_v4 = config->steering.hash_v4,
		.hash_v6 = config->steering.hash_v6,
		.metro = app->unknown_metro,
	};

	must(app->target_count <= APP_TARGETS_MAX);
	for (size_t i = 0; i < app->target_count; i++) {
		must(app->targets[i].site < config->site_count);
		sites[i] = (uint16_t)app->targets[i].site;
		weights[i] = config_target_weight(&app->targets[i]);
	}
	return steering_plan_add(plan, &spec, ret_set);
}

int survey_sets(const struct config *config, struct survey_sets *ret_sets)
{
	struct steering_plan *plan = steering_plan_new();
	uint32_t *of_apps = calloc(config->app_count ? config->app_count : 1, sizeof(*of_apps));
	int err = plan && of_apps ? E_OK : E_NOMEM;

	for (size_t i = 0; i < config->app_count && err == E_OK; i++)
		err = plan_set(config, &config->apps[i], plan, &of_apps[i]);
	*ret_sets = (struct survey_sets){plan, of_apps};
	if (err < 0)
		survey_sets_wipe(ret_sets);
	return err;
}

void survey_sets_wipe(struct survey_sets *sets)
{
	steering_plan_free(sets->plan);
	free(sets->of_apps);
	*sets = (struct survey_sets){0};
}

// ---- tables ---------------------------------------------------------------------------------------------------------

static int take_site(struct tables *tables, const struct config_site *from, struct site *site)
{
	const struct names *names = tables->ground->places->carriers;
	uint16_t *carriers = arena_take_array(tables->arena, from->carrier_count, sizeof(*carriers));

	if (!carriers)
		return E_NOMEM;
	for (size_t i = 0; i < from->carrier_count; i++) {
		int carrier = names_find(names, from->carriers[i], strlen(from->carriers[i]));

		must(carrier >= 0); // number_carriers() has added it
		carriers[i] = (uint16_t)carrier;
	}
	*site = (struct site){
		.name = arena_strdup(tables->arena, from->name),
		.region = arena_strdup(tables->arena, from->region),
		.kind = from->kind,
		.is_public = from->is_public,
		.carriers = carriers,
		.carrier_count = (uint16_t)from->carrier_count,
		.country = from->country,
		.latitude = from->latitude,
		.longitude = from->longitude,
		.bias_us = from->bias_us,
		.seed = hash_mix(hash_bytes(0, from->name, strlen(from->name))),
	};
	return site->name && site->region ? E_OK : E_NOMEM;
}

static int take_sites(struct tables *tables, const struct config *config)
{
	struct site *sites = arena_take_array(tables->arena, config->site_count, sizeof(*sites));

	if (!sites)
		return E_NOMEM;
	for (size_t i = 0; i < config->site_count; i++) {
		int err = take_site(tables, &config->sites[i], &sites[i]);

		if (err < 0)
			return err;
	}
	tables->sites = sites;
	tables->site_count = (uint32_t)config->site_count;
	return E_OK;
}

static int make_prior(struct tables *tables)
{
	struct steer_input in = tables_steer_input(tables);

	return prior_build(&in, tables->site_count, tables->ground->metros, tables->ground->metro_count, &tables->prior);
}

// What steering_extend() can be asked for while these tables are in use.
static struct steering_wants wants_of(const struct config *config)
{
	struct steering_wants wants = {.own_max = config->steering.own_tables};

	if (!config->provider_count)
		return wants;
	wants.shared[config->defaults.unknown_metro] = true;
	for (size_t i = 0; i < config->app_count; i++) {
		wants.shared[config->apps[i].unknown_metro] = true;
		wants.mapped = wants.mapped || config->apps[i].weighted;
	}
	wants.mapped = wants.mapped || wants.shared[METRO_SOLE];
	wants.shared[METRO_SOLE] = false; // its sets are mapped
	return wants;
}

static void report_too_large(const struct config *config, const struct ground *ground, struct report *report)
{
	report_error(report, config->file, 0, 0,
	             "apps: the steering tables would be too large for the %zu places of `locate`: more than %d GiB for the "
	             "order of all sites, or %d GiB for the sets of sites with weights; less precise places or fewer different "
	             "weights would do", ground->places->count, RANKS_BYTES_MAX >> 30, (int)(STEERING_MAPS_BYTES_MAX >> 30));
}

int survey_tables(const struct config *config, struct ground *ground, const struct survey_sets *sets,
                  struct report *report, struct tables **ret_tables)
{
	struct tables *tables = tables_new(ground);
	const struct steering_wants wants = wants_of(config);
	int err = tables ? take_sites(tables, config) : E_NOMEM;

	if (err == E_OK)
		err = make_prior(tables);
	if (err == E_OK) {
		struct steer_input in = tables_steer_input(tables);

		err = steering_build(sets->plan, &in, tables->site_count, &wants, &tables->steering);
	}
	if (err == E_LIMIT) {
		report_too_large(config, ground, report);
		err = E_INVAL;
	}
	if (err == E_OK)
		*ret_tables = tables;
	else
		tables_free(tables);
	return err;
}

bool survey_tables_fit(const struct config *config, const struct tables *tables)
{
	if (config->site_count != tables->site_count)
		return false;
	for (size_t i = 0; i < config->site_count; i++)
		if (strcmp(config->sites[i].name, tables->sites[i].name) != 0)
			return false;
	return true;
}
