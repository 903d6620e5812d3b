// status, sites, apps, explain, stats as tables; see ctl_show.h. Replies to orders: ctl_orders.c.
#include "client/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/json.h"
#include "client/print.h"

enum { CELL_LEN = 1024 };

// Status --------------------------------------------------------------------------------------------------------------

static void show_served(const json_t *reply)
{
	const json_t *states = json_object_get(reply, "states");
	char built[CTL_TIME_LEN];

	if (!json_is_true(json_object_get(reply, "serving"))) {
		ctl_print(stdout, "serving      nothing yet\n");
		return;
	}
	ctl_print(stdout, "serving      generation %lld of %s, epoch %lld, %lld workers\n", ctl_int(reply, "generation"),
	          ctl_time(ctl_int(reply, "generation_built"), built), ctl_int(reply, "epoch"), ctl_int(reply, "workers"));
	ctl_print(stdout, "contents     %lld zones, %lld apps, %lld sites, %lld prefixes, %lld places\n",
	          ctl_int(reply, "zones"), ctl_int(reply, "apps"), ctl_int(reply, "sites"), ctl_int(reply, "prefixes"),
	          ctl_int(reply, "places"));
	ctl_print(stdout, "targets      %lld: %lld up, %lld down, %lld drained; %lld without a check\n",
	          ctl_int(states, "total"), ctl_int(states, "up"), ctl_int(states, "down"), ctl_int(states, "drained"),
	          ctl_int(states, "unchecked"));
}

// It stands near the top: sites that somebody drained may be in service.
static void show_aside(const json_t *aside)
{
	const char *file = ctl_text(aside, "file");
	json_int_t earlier = ctl_int(aside, "files") - 1;
	char at[CTL_TIME_LEN], more[CELL_LEN] = "";

	if (!json_is_object(aside))
		return;
	if (!file[0]) {
		ctl_print(stdout, "orders lost  not known: the state folder cannot be read\n");
		return;
	}
	if (earlier > 0)
		snprintf(more, sizeof(more), ", and %lld earlier", (long long)earlier);
	ctl_print(stdout, "orders lost  damaged orders were set aside on %s: %s%s\n", ctl_time(ctl_int(aside, "time"), at), file,
	          more);
	if (json_is_integer(json_object_get(aside, "kept")))
		ctl_print(stdout, "             %lld of its orders could be kept, at least %lld could not\n", ctl_int(aside, "kept"),
		          ctl_int(aside, "lost"));
	ctl_print(stdout, "             sites that were drained may be in service; this is shown until the file is taken away\n");
}

static void show_locate(const json_t *sources)
{
	for (size_t i = 0; i < json_array_size(sources); i++) {
		const json_t *source = json_array_get(sources, i);

		ctl_print(stdout, "%-12s %s, %lld prefixes\n", i ? "" : "locate", ctl_text(source, "name"),
		          ctl_int(source, "prefixes"));
	}
}

// When a drain ends.
static const char *until_text(const json_t *drain, char *buf)
{
	return ctl_int(drain, "until") ? ctl_time(ctl_int(drain, "until"), buf) : "undrain";
}

// Says so when there are more than the reply lists.
static void show_rest(const json_t *listed, json_int_t count, const char *what)
{
	if (count > (json_int_t)json_array_size(listed))
		ctl_print(stdout, "%s: %lld in all\n", what, count);
}

// Why an order that a reload took its app or site from holds nothing.
static const char *vacant_text(const json_t *order, char *buf)
{
	const char *why = ctl_text(order, "holds_nothing");

	snprintf(buf, CELL_LEN, why[0] ? "holds nothing: %s" : "%s", why);
	return buf;
}

static void show_drains(const json_t *reply)
{
	static const char *const titles[] = {"DRAINED SITE", "APP", "SINCE", "UNTIL", "NOTE", "BY", "REASON", NULL};
	const json_t *drains = json_object_get(reply, "drains");
	struct ctl_table *table = ctl_table_new(titles);

	for (size_t i = 0; i < json_array_size(drains); i++) {
		const json_t *drain = json_array_get(drains, i);
		const char *app = ctl_text(drain, "app");
		char since[CTL_TIME_LEN], until[CTL_TIME_LEN], note[CELL_LEN];
		const char *const cells[] = {ctl_text(drain, "site"), app[0] ? app : "(all)",
		                             ctl_time(ctl_int(drain, "since"), since), until_text(drain, until),
		                             vacant_text(drain, note), ctl_text(drain, "who"), ctl_text(drain, "reason")};

		ctl_table_add(table, cells);
	}
	if (json_array_size(drains))
		putchar('\n');
	ctl_table_print(table);
	show_rest(drains, ctl_int(reply, "drain_count"), "drains");
}

static void show_forces(const json_t *reply)
{
	static const char *const titles[] = {"FORCED APP", "SITE", "TO", "SINCE", "NOTE", "BY", NULL};
	const json_t *forces = json_object_get(reply, "forces");
	struct ctl_table *table = ctl_table_new(titles);

	for (size_t i = 0; i < json_array_size(forces); i++) {
		const json_t *force = json_array_get(forces, i);
		char since[CTL_TIME_LEN], note[CELL_LEN];
		const char *const cells[] = {ctl_text(force, "app"), ctl_text(force, "site"), ctl_text(force, "to"),
		                             ctl_time(ctl_int(force, "since"), since), vacant_text(force, note),
		                             ctl_text(force, "who")};

		ctl_table_add(table, cells);
	}
	if (json_array_size(forces))
		putchar('\n');
	ctl_table_print(table);
	show_rest(forces, ctl_int(reply, "force_count"), "forces");
}

void ctl_show_status(const json_t *reply)
{
	const json_t *health = json_object_get(reply, "health");
	json_int_t started_s = ctl_int(reply, "started"), reload_s = ctl_int(reply, "last_reload"), began_s = ctl_int(reply, "reload_began");
	char since[CTL_TIME_LEN], span[CTL_TIME_LEN], at[CTL_TIME_LEN];

	ctl_print(stdout, "edgesteerd   %s, process %lld, up since %s (%s)\n", ctl_text(reply, "version"),
	          ctl_int(reply, "pid"), ctl_time(started_s, since), ctl_span(clock_wall_s() - started_s, span));
	show_aside(json_object_get(reply, "orders_aside"));
	show_served(reply);
	show_locate(json_object_get(reply, "locate"));
	if (reload_s)
		ctl_print(stdout, "last reload  %s, %s\n", ctl_time(reload_s, at),
		          json_is_true(json_object_get(reply, "last_reload_ok")) ? "done" : "failed: what was served before is served on");
	if (began_s)
		ctl_print(stdout, "reload       under way since %s\n", ctl_time(began_s, at));
	ctl_print(stdout, "probes       %lld, of which %lld failed and %lld came late; %lld under way, %lld waiting%s\n",
	          ctl_int(health, "probes"), ctl_int(health, "failures"), ctl_int(health, "late"),
	          ctl_int(health, "under_way"), ctl_int(health, "waiting"),
	          json_is_true(json_object_get(health, "settled")) ? "" : "; the first round is not done");
	show_drains(reply);
	show_forces(reply);
}

// Sites and apps ------------------------------------------------------------------------------------------------------

static const char *drain_text(const json_t *drain, char *buf)
{
	char until[CTL_TIME_LEN];
	const char *reason = ctl_text(drain, "reason");

	buf[0] = '\0';
	if (json_is_object(drain))
		snprintf(buf, CELL_LEN, "until %s%s%s", until_text(drain, until), reason[0] ? ": " : "", reason);
	return buf;
}

void ctl_show_sites(const json_t *reply)
{
	static const char *const titles[] = {"SITE", "KIND", "REGION", "REACH", ">UP", ">DOWN", ">DRAINED", ">ANSWERS", "DRAIN", NULL};
	const json_t *sites = json_object_get(reply, "sites");
	struct ctl_table *table = ctl_table_new(titles);

	for (size_t i = 0; i < json_array_size(sites); i++) {
		const json_t *site = json_array_get(sites, i), *targets = json_object_get(site, "targets");
		char up[CTL_INT_LEN], down[CTL_INT_LEN], drained[CTL_INT_LEN], answers[CTL_INT_LEN], drain[CELL_LEN];
		char *reach = ctl_join(json_object_get(site, "reach"));
		const char *const cells[] = {ctl_text(site, "name"), ctl_text(site, "kind"), ctl_text(site, "region"), reach,
		                             ctl_int_text(targets, "up", up), ctl_int_text(targets, "down", down),
		                             ctl_int_text(targets, "drained", drained),
		                             ctl_int_text(site, "answers", answers),
		                             drain_text(json_object_get(site, "drained"), drain)};

		ctl_table_add(table, cells);
		free(reach);
	}
	ctl_table_print(table);
}

static void add_target(struct ctl_table *table, const json_t *app, const json_t *target, int64_t now_s)
{
	const json_t *health = json_object_get(target, "health");
	const char *forced = ctl_text(target, "forced"), *cname = ctl_text(target, "cname");
	json_int_t since_s = ctl_int(health, "since"), probe_s = ctl_int(health, "last_probe");
	char state[64], ttl[CTL_INT_LEN], weight[CTL_INT_LEN], answers[CTL_INT_LEN], since[CTL_TIME_LEN], probe[CTL_TIME_LEN];
	char *addresses = ctl_join(json_object_get(target, "addresses"));
	const char *const cells[] = {
		ctl_text(app, "name"), ctl_text(target, "site"), state, cname[0] ? cname : addresses,
		ctl_int_text(app, "ttl_s", ttl), ctl_int_text(target, "weight", weight),
		ctl_int_text(target, "answers", answers),
		since_s ? ctl_span(now_s - since_s, since) : "", probe_s ? ctl_span(now_s - probe_s, probe) : "",
		json_is_object(health) ? ctl_text(health, "text") : "no check",
	};

	snprintf(state, sizeof(state), forced[0] ? "%s (forced %s)" : "%s", ctl_text(target, "state"), forced);
	ctl_table_add(table, cells);
	free(addresses);
}

void ctl_show_apps(const json_t *reply)
{
	static const char *const titles[] = {"APP", "SITE", "STATE", "ANSWER", ">TTL", ">WEIGHT", ">ANSWERS", ">SINCE", ">PROBED",
	                                     "HEALTH", NULL};
	const json_t *apps = json_object_get(reply, "apps");
	struct ctl_table *table = ctl_table_new(titles);
	int64_t now_s = clock_wall_s();

	for (size_t i = 0; i < json_array_size(apps); i++) {
		const json_t *app = json_array_get(apps, i), *targets = json_object_get(app, "targets");

		for (size_t j = 0; j < json_array_size(targets); j++)
			add_target(table, app, json_array_get(targets, j), now_s);
	}
	ctl_table_print(table);
}

// Explain -------------------------------------------------------------------------------------------------------------

static const char *number_text(const json_t *object, const char *key, char *buf)
{
	const json_t *number = json_object_get(object, key);

	buf[0] = '\0';
	if (json_is_number(number))
		snprintf(buf, CTL_INT_LEN, "%.1f", json_number_value(number));
	return buf;
}

static void show_candidates(const json_t *candidates)
{
	static const char *const titles[] = {"CANDIDATE", "KIND", "REGION", "REACHABLE", ">MS", ">KM", "FROM", "STATE",
	                                     ">WEIGHT", NULL};
	struct ctl_table *table = ctl_table_new(titles);

	for (size_t i = 0; i < json_array_size(candidates); i++) {
		const json_t *candidate = json_array_get(candidates, i);
		char ms[CTL_INT_LEN], km[CTL_INT_LEN], weight[CTL_INT_LEN];
		const char *const cells[] = {
			ctl_text(candidate, "site"), ctl_text(candidate, "kind"), ctl_text(candidate, "region"),
			json_is_true(json_object_get(candidate, "reachable")) ? "yes" : "no", number_text(candidate, "ms", ms),
			number_text(candidate, "km", km), ctl_text(candidate, "basis"), ctl_text(candidate, "state"),
			ctl_int_text(candidate, "weight", weight),
		};

		ctl_table_add(table, cells);
	}
	ctl_table_print(table);
}

void ctl_show_explain(const json_t *reply)
{
	const json_t *steps = json_object_get(reply, "steps"), *candidates = json_object_get(reply, "candidates");

	for (size_t i = 0; i < json_array_size(steps); i++) {
		const char *step = json_string_value(json_array_get(steps, i));

		ctl_print(stdout, "%s\n", step ? step : "");
	}
	if (json_array_size(steps) && json_array_size(candidates))
		putchar('\n');
	show_candidates(candidates);
}

// Stats and version ---------------------------------------------------------------------------------------------------

// "udp.queries  12": objects in objects by their keys, lists by their places.
static void add_stats(struct ctl_table *table, const char *name, const json_t *value)
{
	char below[CELL_LEN], text[CTL_TIME_LEN];
	const char *key;
	json_t *item;

	if (json_is_object(value)) {
		json_object_foreach((json_t *)value, key, item) {
			snprintf(below, sizeof(below), "%s%s%s", name, name[0] ? "." : "", key);
			add_stats(table, below, item);
		}
		return;
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		snprintf(below, sizeof(below), "%s.%zu", name, i);
		add_stats(table, below, json_array_get(value, i));
	}
	if (json_is_array(value))
		return;
	if (json_is_integer(value))
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
	else
		snprintf(text, sizeof(text), "%g", json_number_value(value));

	const char *string = json_is_boolean(value) ? (json_is_true(value) ? "yes" : "no") : json_string_value(value);
	const char *const cells[] = {name, string ? string : text};

	ctl_table_add(table, cells);
}

void ctl_show_stats(const json_t *reply)
{
	static const char *const titles[] = {"COUNTER", ">VALUE", NULL};
	struct ctl_table *table = ctl_table_new(titles);
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)reply, key, value)
		if (strcmp(key, "ok") != 0)
			add_stats(table, key, value);
	ctl_table_print(table);
}

void ctl_show_version(const json_t *reply)
{
	ctl_print(stdout, "edgesteerd %s\n", ctl_text(reply, "version"));
}
