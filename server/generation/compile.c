// From config to view; see compile.h. All steered records are put into wire form here.
#include "generation/compile.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/must.h"
#include "base/report.h"
#include "config/config.h"
#include "generation/survey.h"
#include "steer/steering.h"
#include "view/answers.h"
#include "view/ground.h"
#include "view/index.h"
#include "view/tables.h"
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

	const struct node *node = zonedb_find(c->view->zones, name, name_len, name_hash(name, name_len));

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

static int compile_target(struct compiling *c, const struct config_app *app, const struct config_target *from,
                          struct target *target)
{
	const struct answers *answers = NULL;
	int err = E_OK;

	must(from->site < c->view->site_count);
	target->site = (uint16_t)from->site;
	target->weight = config_target_weight(from);
	if (from->cname)
		err = cname_answers(c->arena, from->cname, app->ttl_s, &answers);
	else if (!(answers = answers_make(c->arena, from->addresses, from->address_count, app->ttl_s)))
		err = E_NOMEM;
	atomic_init(&target->answers, answers);
	return err;
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

static int compile_apps(struct compiling *c, const struct survey_sets *sets)
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
		apps[i].steer = c->view->steering->of[sets->of_apps[i]];
		c->view->app_count++;
	}
	must(c->view->target_count == target_count);
	return E_OK;
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

// ---- steering -------------------------------------------------------------------------------------------------------

// The tables in use, extended by the sets that they lack, or else new ones.
static int compile_tables(struct compiling *c, const struct survey_sets *sets)
{
	struct view *view = c->view;
	struct tables *used = c->in->tables;
	int err = E_NOTFOUND;

	if (used && survey_tables_fit(c->config, used)) {
		struct steer_input in = tables_steer_input(used);

		err = steering_extend(sets->plan, &in, used->steering, &view->extension);
		view->tables = err == E_OK ? tables_use(used) : NULL;
	}
	if (err == E_NOTFOUND || err == E_LIMIT)
		err = survey_tables(c->config, c->in->ground, sets, c->report, &view->tables);
	if (err < 0)
		return err;
	view->steering = view->extension ? view->extension : view->tables->steering;
	view->sites = view->tables->sites;
	view->site_count = view->tables->site_count;
	view->prior = view->tables->prior;
	return E_OK;
}

static void take_ground(struct view *view, const struct ground *ground)
{
	view->places = ground->places;
	view->measured = ground->measured;
	view->model = ground->model;
}

static int compile_parts(struct compiling *c)
{
	struct survey_sets sets;
	int err = survey_sets(c->config, &sets);

	if (err < 0)
		return err;
	take_ground(c->view, c->in->ground);
	err = compile_tables(c, &sets);
	if (err == E_OK)
		err = compile_apps(c, &sets);
	if (err == E_OK)
		err = compile_limits(c);
	if (err == E_OK)
		err = index_view(c->view);
	survey_sets_wipe(&sets);
	return err;
}

int compile_view(const struct config *config, const struct compile_input *in, struct report *report,
                 struct view **ret_view)
{
	const size_t errors = report_count(report, REPORT_ERROR);
	struct view *view = calloc(1, sizeof(*view));
	struct compiling c = {config, in, report, view, arena_new(VIEW_BYTES_MAX), NULL, NULL};
	int err;

	if (!view || !c.arena) {
		arena_free(c.arena);
		free(view);
		zonedb_free(in->zones);
		return E_NOMEM;
	}
	view->arena = c.arena;
	view->zones = in->zones ? in->zones : in->ground->zones;
	view->own_zones = in->zones;
	view->generation = in->generation;
	view->built_s = clock_wall_s();
	err = compile_parts(&c);
	if (err < 0) {
		if (err != E_NOMEM && report_count(report, REPORT_ERROR) == errors)
			report_error(report, config->file, 0, 0, "cannot be compiled: %s", err_text(err));
		view_free(view);
		return err;
	}
	*ret_view = view;
	return E_OK;
}

// ---- warnings -------------------------------------------------------------------------------------------------------

static bool serves_all(const struct view *view, const struct app *app)
{
	for (uint32_t i = 0; i < app->target_count; i++)
		if (view->sites[view->targets[app->first_target + i].site].is_public)
			return true;
	return app->last_resort != LAST_RESORT_SERVFAIL;
}

// Warns of each such app, or once if there are many.
void compile_warn(const struct config *config, const struct view *view, struct report *report)
{
	const struct config_app *shown[APPS_SHOWN_MAX];
	size_t count = 0;

	if (config->provider_count > 0) // their targets come later
		return;
	for (uint32_t i = 0; i < view->app_count; i++) {
		if (serves_all(view, &view->apps[i]))
			continue;
		if (count < APPS_SHOWN_MAX)
			shown[count] = &config->apps[i];
		count++;
	}
	if (count > APPS_SHOWN_MAX)
		report_warning(report, shown[0]->mark.file, shown[0]->mark.line, shown[0]->mark.column,
		               "apps: %s, %s, %s and %zu more have no target at a public site: clients outside their carriers "
		               "get SERVFAIL", shown[0]->name, shown[1]->name, shown[2]->name, count - 3);
	for (size_t i = 0; i < count && count <= APPS_SHOWN_MAX; i++)
		report_warning(report, shown[i]->mark.file, shown[i]->mark.line, shown[i]->mark.column,
		               "apps.%s: no target at a public site: clients outside its carriers get SERVFAIL",
		               shown[i]->name);
}
