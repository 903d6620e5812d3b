// From config to view; see compile.h. All steered records are put into wire form here.
#include "generation/compile.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "base/report.h"
#include "config/config.h"
#include "discovery/latency.h"
#include "discovery/metros.h"
#include "generation/unknown_names.h"
#include "steer/prior.h"
#include "view/answers.h"
#include "view/index.h"
#include "view/view.h"
#include "wire/dns.h"
#include "wire/put.h"

_Static_assert((int)ANSWERS_ADDRESSES_MAX == (int)CONFIG_ADDRESSES_MAX, "a target's addresses fit into its answers");

enum { VIEW_BYTES_MAX = 1 << 30, NSID_MAX = 128, APPS_SHOWN_MAX = 10 };

struct compiling {
	const struct config *config;
	const struct compile_input *in;
	struct report *report;
	struct view *view;
	struct arena *arena;
	const struct zone *negative_zone; // of negative_soa, which consecutive apps often share
	const struct rrset *negative_soa;
};

static int cname_answers(struct arena *arena, const char *host, uint32_t ttl_s, const struct answers **ret_answers)
{
	uint8_t name[NAME_WIRE_MAX];
	size_t name_len;

	if (name_from_text(host, name, &name_len) < 0)
		return E_INVAL;
	*ret_answers = answers_make_cname(arena, name, name_len, ttl_s);
	return *ret_answers ? E_OK : E_NOMEM;
}

// The zone's negative SOA, with the app's TTL where that is shorter. zone_builder_app() has put the app's name in a
// zone.
static int compile_negative(struct compiling *c, struct app *app)
{
	uint8_t name[NAME_WIRE_MAX];
	size_t name_len;

	if (name_from_text(app->name, name, &name_len) < 0)
		return E_INVAL;
	name_fold(name, name_len);

	const struct node *node = zonedb_find(c->in->zones, name, name_len, name_hash(name, name_len));

	if (!node)
		return E_INVAL;

	const struct rrset *soa = &node->zone->negative_soa;
	uint32_t ttl_s = app->ttl_s < soa->ttl_s ? app->ttl_s : soa->ttl_s;

	if (c->negative_zone != node->zone || c->negative_soa->ttl_s != ttl_s) {
		struct rrset *copy = arena_take(c->arena, sizeof(*copy));
		uint8_t *wire = arena_copy(c->arena, soa->wire, soa->wire_len);

		if (!copy || !wire)
			return E_NOMEM;
		put_record_start(wire, DNS_SOA, ttl_s, soa->wire_len - DNS_RECORD_LEN);
		*copy = (struct rrset){wire, soa->wire_len, ttl_s, DNS_SOA, 1};
		c->negative_zone = node->zone;
		c->negative_soa = copy;
	}
	app->negative_soa = c->negative_soa;
	return E_OK;
}

static int compile_site(struct compiling *c, const struct config_site *from, struct site *site)
{
	uint16_t *carriers = arena_take_array(c->arena, from->carrier_count, sizeof(*carriers));

	if (!carriers)
		return E_NOMEM;
	for (size_t i = 0; i < from->carrier_count; i++) {
		const char *name = from->carriers[i];

		int err = names_add(c->in->places->carriers, name, strlen(name), &carriers[i]);

		if (err < 0)
			return err;
	}
	*site = (struct site){
		.name = arena_strdup(c->arena, from->name),
		.region = arena_strdup(c->arena, from->region),
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

static int compile_sites(struct compiling *c)
{
	struct site *sites = arena_take_array(c->arena, c->config->site_count, sizeof(*sites));

	if (!sites)
		return E_NOMEM;
	for (size_t i = 0; i < c->config->site_count; i++) {
		int err = compile_site(c, &c->config->sites[i], &sites[i]);

		if (err < 0)
			return err;
	}
	c->view->sites = sites;
	c->view->site_count = (uint32_t)c->config->site_count;
	return E_OK;
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
static int compile_measured(struct compiling *c)
{
	struct measured *rows = arena_take_array(c->arena, c->in->measured_count, sizeof(*rows));
	size_t count = 0;

	if (!rows)
		return E_NOMEM;
	for (size_t i = 0; i < c->in->measured_count; i++) {
		const struct measured_row *from = &c->in->measured[i];
		int carrier = from->group ? 0 : names_find(c->in->places->carriers, from->carrier, strlen(from->carrier));

		must(from->site < c->view->site_count);
		if (carrier >= 0)
			rows[count++] = (struct measured){from->group, (uint16_t)carrier, from->site, from->us};
	}
	qsort(rows, count, sizeof(*rows), compare_measured);
	c->view->measured = (struct measured_table){rows, count};
	return E_OK;
}

// Metros of carriers without clients can never be used, and are left out.
static int compile_prior(struct compiling *c)
{
	struct steer_input in = view_steer_input(c->view);
	struct prior_metro *metros = calloc(c->in->metro_count + 1, sizeof(*metros));
	size_t count = 0;
	int err;

	if (!metros)
		return E_NOMEM;
	for (size_t i = 0; i < c->in->metro_count; i++) {
		const struct metro_row *from = &c->in->metros[i];
		int carrier = names_find(c->in->places->carriers, from->carrier, strlen(from->carrier));

		if (carrier > 0)
			metros[count++] = (struct prior_metro){(uint16_t)carrier, from->country, from->latitude, from->longitude,
			                                       from->share};
	}
	err = prior_build(&in, c->view->site_count, metros, count, &c->view->prior);
	free(metros);
	return err;
}

static int compile_target(struct compiling *c, const struct config_app *app, const struct config_target *from,
                          struct target *target)
{
	const struct answers *answers = NULL;
	int err = E_OK;

	must(from->site < c->view->site_count);
	target->site = (uint16_t)from->site;
	target->weight = from->has_weight ? from->weight : 1;
	if (from->cname)
		err = cname_answers(c->arena, from->cname, app->ttl_s, &answers);
	else if (!(answers = answers_make(c->arena, from->addresses, from->address_count, app->ttl_s)))
		err = E_NOMEM;
	atomic_init(&target->answers, answers);
	return err;
}

// Adds the app's set of sites to the plan; *ret_set is its number.
static int plan_set(struct compiling *c, const struct config_app *from, const struct app *app,
                    struct steering_plan *plan, uint32_t *ret_set)
{
	uint16_t sites[APP_TARGETS_MAX];
	uint32_t weights[APP_TARGETS_MAX];
	struct ranking_spec spec = {
		.sites = sites,
		.weights = from->weighted ? weights : NULL,
		.count = (uint16_t)from->target_count,
		.tie_us = from->tie_us,
		.hash_v4 = c->config->steering.hash_v4,
		.hash_v6 = c->config->steering.hash_v6,
		.metro = from->unknown_metro,
	};
	const struct target *targets = &c->view->targets[app->first_target];

	must(from->target_count > 0 && from->target_count <= APP_TARGETS_MAX);
	for (size_t i = 0; i < from->target_count; i++) {
		sites[i] = targets[i].site;
		weights[i] = targets[i].weight;
	}
	return steering_plan_add(plan, &spec, ret_set);
}

static int compile_app(struct compiling *c, const struct config_app *from, struct app *app, struct target *targets)
{
	int err;

	*app = (struct app){
		.name = arena_strdup(c->arena, from->name),
		.ttl_s = from->ttl_s,
		.first_target = c->view->target_count,
		.target_count = (uint16_t)from->target_count,
		.last_resort = from->last_resort,
	};
	if (!app->name)
		return E_NOMEM;
	for (size_t i = 0; i < from->target_count; i++) {
		struct target *target = &targets[app->first_target + i];

		err = compile_target(c, from, &from->targets[i], target);
		if (err < 0)
			return err;
		target->app = app;
		target->slot = (uint16_t)i;
		app->any_cname = app->any_cname || from->targets[i].cname;
	}
	c->view->target_count += (uint32_t)from->target_count;
	app->last = answers_make(c->arena, from->last_addresses, from->last_address_count, from->ttl_s);
	return app->last ? compile_negative(c, app) : E_NOMEM;
}

static bool serves_all(const struct view *view, const struct app *app)
{
	for (uint32_t i = 0; i < app->target_count; i++)
		if (view->sites[view->targets[app->first_target + i].site].is_public)
			return true;
	return app->last_resort != LAST_RESORT_SERVFAIL;
}

// Warns of each such app, or once if there are many.
static void warn_of_carriers_apps(const struct compiling *c)
{
	const struct config_app *shown[APPS_SHOWN_MAX];
	size_t count = 0;

	for (uint32_t i = 0; i < c->view->app_count; i++) {
		if (serves_all(c->view, &c->view->apps[i]))
			continue;
		if (count < APPS_SHOWN_MAX)
			shown[count] = &c->config->apps[i];
		count++;
	}
	if (count > APPS_SHOWN_MAX)
		report_warning(c->report, shown[0]->mark.file, shown[0]->mark.line, shown[0]->mark.column,
		               "apps: %s, %s, %s and %zu more have no target at a public site: clients outside their carriers "
		               "get SERVFAIL", shown[0]->name, shown[1]->name, shown[2]->name, count - 3);
	for (size_t i = 0; i < count && count <= APPS_SHOWN_MAX; i++)
		report_warning(c->report, shown[i]->mark.file, shown[i]->mark.line, shown[i]->mark.column,
		               "apps.%s: no target at a public site: clients outside its carriers get SERVFAIL",
		               shown[i]->name);
}

static void report_too_large(const struct compiling *c)
{
	report_error(c->report, c->config->file, 0, 0,
	             "apps: the steering tables would be too large for the %zu places of `locate`: more than %d GiB for the "
	             "order of all sites, or %d GiB for the sets of sites with weights; less precise places or fewer different "
	             "weights would do", c->view->places->count, RANKS_BYTES_MAX >> 30,
	             (int)(STEERING_MAPS_BYTES_MAX >> 30));
}

// Builds the tables of all apps' sets of sites. E_INVAL when they would be too large, with the reason in the report.
static int compile_steering(struct compiling *c, struct app *apps)
{
	struct view *view = c->view;
	struct steer_input in = view_steer_input(view);
	struct steering_plan *plan = steering_plan_new();
	uint32_t *sets = calloc(view->app_count ? view->app_count : 1, sizeof(*sets));
	int err = plan && sets ? E_OK : E_NOMEM;

	for (uint32_t i = 0; i < view->app_count && err == E_OK; i++)
		err = plan_set(c, &c->config->apps[i], &apps[i], plan, &sets[i]);
	if (err == E_OK)
		err = steering_build(plan, &in, view->site_count, c->config->steering.own_tables, &view->steering);
	for (uint32_t i = 0; i < view->app_count && err == E_OK; i++)
		apps[i].steer = &view->steering->sets[sets[i]];
	steering_plan_free(plan);
	free(sets);
	if (err != E_LIMIT)
		return err;
	report_too_large(c);
	return E_INVAL;
}

static int compile_apps(struct compiling *c)
{
	size_t target_count = 0;

	for (size_t i = 0; i < c->config->app_count; i++)
		target_count += c->config->apps[i].target_count;

	struct app *apps = arena_take_array(c->arena, c->config->app_count, sizeof(*apps));
	struct target *targets = arena_take_array(c->arena, target_count, sizeof(*targets));

	if (!apps || !targets)
		return E_NOMEM;
	c->view->apps = apps;
	c->view->targets = targets;
	for (size_t i = 0; i < c->config->app_count; i++) {
		int err = compile_app(c, &c->config->apps[i], &apps[i], targets);

		if (err < 0)
			return err;
		c->view->app_count++;
	}
	must(c->view->target_count == target_count);
	warn_of_carriers_apps(c);
	return compile_steering(c, apps);
}

static int compile_limits(struct compiling *c)
{
	const struct config_server *server = &c->config->server;
	struct view_limits *limits = &c->view->limits;

	limits->udp_size = server->udp_size;
	if (!server->nsid)
		return E_OK;
	limits->nsid_len = (uint16_t)strnlen(server->nsid, NSID_MAX);
	limits->nsid = arena_copy(c->arena, server->nsid, limits->nsid_len);
	return limits->nsid ? E_OK : E_NOMEM;
}

int compile_view(const struct config *config, const struct compile_input *in, struct report *report,
                 struct view **ret_view)
{
	const size_t errors = report_count(report, REPORT_ERROR);
	struct view *view = calloc(1, sizeof(*view));
	struct compiling c = {config, in, report, view, arena_new(VIEW_BYTES_MAX), NULL, NULL};
	int err = E_NOMEM;

	if (!view || !c.arena) {
		arena_free(c.arena);
		free(view);
		zonedb_free(in->zones);
		places_free(in->places);
		return err;
	}
	view->arena = c.arena;
	view->zones = in->zones;
	view->places = in->places;
	view->model = config->steering.model;
	view->generation = in->generation;
	view->built_s = clock_wall_s();
	unknown_names_warn(config, in->places, in->measured, in->measured_count, report);
	err = compile_sites(&c);
	if (err == E_OK)
		err = compile_measured(&c);
	if (err == E_OK)
		err = compile_prior(&c);
	if (err == E_OK)
		err = compile_apps(&c);
	if (err == E_OK)
		err = compile_limits(&c);
	if (err == E_OK)
		err = index_view(view);
	if (err < 0) {
		if (err != E_NOMEM && report_count(report, REPORT_ERROR) == errors)
			report_error(report, config->file, 0, 0, "cannot be compiled: %s", err_text(err));
		view_free(view);
		return err;
	}
	*ret_view = view;
	return E_OK;
}
