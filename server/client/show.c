// status, sites, apps, explain, stats as tables; see show.h. Replies to what changes something: overrides.c.
#include "client/show.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/json.h"
#include "client/print.h"

enum { CELL_LEN = 1024, HEALTH_LEN = 512 };

// ---- status ---------------------------------------------------------------------------------------------------------

// How many sets of sites have which form of steering table, and its memory.
static void show_steering(const json_t *reply)
{
	static const struct {
		const char *count, *octets, *what;
	} forms[] = {
		{"steering_sets_own", "steering_octets_own", "with a table of their own"},
		{"steering_sets_shared", "steering_octets_shared", "sharing one"},
		{"steering_sets_mapped", "steering_octets_mapped", "with weights, sharing one"},
	};
	char line[CELL_LEN] = "";
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (client_int(reply, forms[i].count) > 0)
			at += (size_t)snprintf(line + at, sizeof(line) - at, "%s%lld %s (%.1f MB)", at ? ", " : "",
			                       (long long)client_int(reply, forms[i].count), forms[i].what,
			                       (double)client_int(reply, forms[i].octets) / 1e6);
	if (at)
		client_print(stdout, "site sets    %s\n", line);
}

static void show_served(const json_t *reply)
{
	const json_t *states = json_object_get(reply, "states");
	char built[CTL_TIME_LEN];

	if (!json_is_true(json_object_get(reply, "serving"))) {
		client_print(stdout, "serving      nothing yet\n");
		return;
	}
	client_print(stdout, "serving      generation %lld of %s, epoch %lld, %lld workers\n",
	             client_int(reply, "generation"), client_time(client_int(reply, "generation_built"), built),
	             client_int(reply, "epoch"), client_int(reply, "workers"));
	client_print(stdout, "contents     %lld zones, %lld apps, %lld sites, %lld prefixes, %lld places\n",
	             client_int(reply, "zones"), client_int(reply, "apps"), client_int(reply, "sites"),
	             client_int(reply, "prefixes"), client_int(reply, "places"));
	client_print(stdout, "targets      %lld: %lld up, %lld down, %lld drained; %lld without a check\n",
	             client_int(states, "total"), client_int(states, "up"), client_int(states, "down"),
	             client_int(states, "drained"), client_int(states, "unchecked"));
	show_steering(reply);
}

static void show_refused(const json_t *refused)
{
	char at[CTL_TIME_LEN];

	if (json_is_object(refused))
		client_print(stdout, "overrides    changes are REFUSED since %s: %s\n",
		             client_time(client_int(refused, "since"), at), client_text(refused, "why"));
}

static void show_not_kept(const json_t *reply)
{
	char at[CTL_TIME_LEN];

	if (client_int(reply, "not_kept_since"))
		client_print(stdout, "state        NOT SAVED since %s: health, what is learned and provided, and when drains are safe; a restart "
		             "would not know it\n", client_time(client_int(reply, "not_kept_since"), at));
}

static void show_volatile(const json_t *reply)
{
	json_int_t gone = client_int(reply, "volatile_undrain_count");
	json_int_t held = client_int(reply, "volatile_count") - gone;

	if (held > 0)
		client_print(stdout, "overrides    NOT SAVED: %lld %s held in memory only, until it can be saved or the daemon ends\n", held,
		             held == 1 ? "drain is" : "drains are");
	if (gone > 0)
		client_print(stdout, "overrides    NOT SAVED: %lld %s taken back in memory only; a restart before that can be saved brings "
		             "back what was drained\n", gone, gone == 1 ? "drain is" : "drains are");
}

// Shown near the top, because drained sites may be in service. A file without counts was set aside at an earlier start;
// counts without a file: the file was missing at this start.
static void show_damaged(const json_t *damaged)
{
	const char *file = client_text(damaged, "file");
	bool is_counted = json_is_integer(json_object_get(damaged, "kept"));
	bool is_unknown = json_is_true(json_object_get(damaged, "lost_unknown"));
	json_int_t earlier = client_int(damaged, "files") - 1;
	json_int_t kept = client_int(damaged, "kept"), lost = client_int(damaged, "lost");
	char at[CTL_TIME_LEN], more[CELL_LEN] = "";

	if (!json_is_object(damaged))
		return;
	if (!file[0] && !is_counted) {
		client_print(stdout, "overrides    cannot read the state folder: it is not known whether any are lost\n");
		return;
	}
	if (earlier > 0)
		snprintf(more, sizeof(more), ", and %lld earlier", (long long)earlier);
	if (file[0])
		client_print(stdout, "overrides    a damaged state file was set aside on %s: %s%s\n",
		             client_time(client_int(damaged, "time"), at), file, more);
	else
		client_print(stdout, "overrides    a state file was missing, older or not writable at the start\n");
	if (is_counted && lost)
		client_print(stdout, "             LOST: at least %lld; %lld were kept\n", lost, kept);
	else if (is_counted && is_unknown)
		client_print(stdout, "             %lld were kept; whether there were more cannot be known\n", kept);
	else if (is_counted)
		client_print(stdout, "             none is known to be lost; %lld were kept\n", kept);
	if (!is_counted || lost || is_unknown)
		client_print(stdout, "             sites that were drained may be in service\n");
	if (file[0])
		client_print(stdout, "             remove or move the file to clear this message\n");
}

static void show_locate(const json_t *sources)
{
	for (size_t i = 0; i < json_array_size(sources); i++) {
		const json_t *source = json_array_get(sources, i);

		client_print(stdout, "%-12s %s, %lld prefixes\n", i ? "" : "locate", client_text(source, "name"),
		             client_int(source, "prefixes"));
	}
}

// When a drain ends.
static const char *until_text(const json_t *drain, char *buf)
{
	return client_int(drain, "until") ? client_time(client_int(drain, "until"), buf) : "undrain";
}

// Prints the total if the reply does not list them all.
static void show_total(const json_t *listed, json_int_t count, const char *what)
{
	if (count > (json_int_t)json_array_size(listed))
		client_print(stdout, "%s: %lld in all\n", what, count);
}

// Why an override has no effect, if a reload has removed its app, site or target; that it is not saved; and what a drain
// does, if it has not taken all clients away.
static const char *note_text(const json_t *override, char *buf)
{
	const char *why = client_text(override, "no_effect"), *phase = client_text(override, "phase");
	bool is_volatile = json_is_true(json_object_get(override, "volatile"));

	if (strcmp(phase, "drained") == 0)
		phase = "";
	snprintf(buf, CELL_LEN, "%s%s%s%s%s%s", is_volatile ? "NOT SAVED" : "", is_volatile && (why[0] || phase[0]) ? "; " : "",
	         phase, phase[0] && why[0] ? "; " : "", why[0] ? "has no effect: " : "", why);
	return buf;
}

static void show_drains(const json_t *reply)
{
	static const char *const titles[] = {"DRAINED SITE", "APP", "SINCE", "START", "UNTIL", "NOTE", "BY", "REASON", NULL};
	const json_t *drains = json_object_get(reply, "drains");
	struct client_table *table = client_table_new(titles);

	for (size_t i = 0; i < json_array_size(drains); i++) {
		const json_t *drain = json_array_get(drains, i);
		const char *app = client_text(drain, "app");
		char since[CTL_TIME_LEN], start[CTL_TIME_LEN], until[CTL_TIME_LEN], note[CELL_LEN], who[CLIENT_WHO_LEN];
		const char *const cells[] = {client_text(drain, "site"), app[0] ? app : "(all)",
		                             client_time(client_int(drain, "since"), since),
		                             client_time(client_int(drain, "start"), start), until_text(drain, until),
		                             note_text(drain, note), client_who_text(drain, who),
		                             client_text(drain, "reason")};

		client_table_add(table, cells);
	}
	if (json_array_size(drains))
		putchar('\n');
	client_table_print(table);
	show_total(drains, client_int(reply, "drain_count"), "drains");
}

static void show_forces(const json_t *reply)
{
	static const char *const titles[] = {"FORCED APP", "SITE", "TO", "SINCE", "NOTE", "BY", "REASON", NULL};
	const json_t *forces = json_object_get(reply, "forces");
	struct client_table *table = client_table_new(titles);

	for (size_t i = 0; i < json_array_size(forces); i++) {
		const json_t *force = json_array_get(forces, i);
		char since[CTL_TIME_LEN], note[CELL_LEN];
		const char *const cells[] = {client_text(force, "app"), client_text(force, "site"), client_text(force, "to"),
		                             client_time(client_int(force, "since"), since), note_text(force, note),
		                             client_text(force, "who"), client_text(force, "reason")};

		client_table_add(table, cells);
	}
	if (json_array_size(forces))
		putchar('\n');
	client_table_print(table);
	show_total(forces, client_int(reply, "force_count"), "forces");
}

static void show_last_reload(const json_t *reply, json_int_t reload_s)
{
	json_int_t errors = client_int(reply, "last_reload_errors");
	char at[CTL_TIME_LEN];

	client_print(stdout, "last reload  %s, %s\n", client_time(reload_s, at),
	             json_is_true(json_object_get(reply, "last_reload_ok")) ? "done"
	             : json_is_true(json_object_get(reply, "last_reload_held"))
	                     ? "HELD: the previous generation stays in service"
	                     : "failed: the previous generation stays in service");
	if (errors > 1)
		client_print(stdout, "             %lld errors, the first: %s\n", errors, client_text(reply, "last_reload_error"));
	else if (errors)
		client_print(stdout, "             %s\n", client_text(reply, "last_reload_error"));
}

// Files that are watched, and what came of the last reload for one. `refused` goes when something is taken.
static void show_watch(const json_t *watch)
{
	const char *refused = client_text(watch, "refused");
	json_int_t more = client_int(watch, "more");
	char at[CTL_TIME_LEN], others[CELL_LEN] = "";

	if (!json_is_object(watch))
		return;
	client_print(stdout, "watching     %lld files\n", client_int(watch, "files"));
	if (!client_int(watch, "last"))
		return;
	if (more)
		snprintf(others, sizeof(others), " and %lld more", (long long)more);
	client_print(stdout, "last change  %s, %s%s%s\n", client_time(client_int(watch, "last"), at),
	             client_text(watch, "file"), others, refused[0] ? ": REFUSED, the previous generation stays in service" : "");
	if (refused[0])
		client_print(stdout, "             %s\n", refused);
}

void client_show_status(const json_t *reply)
{
	const json_t *health = json_object_get(reply, "health");
	json_int_t started_s = client_int(reply, "started"), reload_s = client_int(reply, "last_reload");
	json_int_t began_s = client_int(reply, "reload_began");
	char since[CTL_TIME_LEN], span[CTL_TIME_LEN], at[CTL_TIME_LEN];

	client_print(stdout, "edgesteerd   %s, process %lld, up since %s (%s)\n", client_text(reply, "version"),
	             client_int(reply, "pid"), client_time(started_s, since),
	             client_span(clock_wall_s() - started_s, span));
	client_show_brakes(reply);
	client_show_rolled_back(reply);
	show_refused(json_object_get(reply, "changes_refused"));
	show_not_kept(reply);
	show_volatile(reply);
	show_damaged(json_object_get(reply, "overrides_damaged"));
	show_served(reply);
	show_locate(json_object_get(reply, "locate"));
	if (reload_s)
		show_last_reload(reply, reload_s);
	show_watch(json_object_get(reply, "watch"));
	if (began_s)
		client_print(stdout, "reload       under way since %s\n", client_time(began_s, at));
	client_print(stdout, "probes       %lld, of which %lld failed and %lld were late; %lld under way, %lld waiting%s\n",
	             client_int(health, "probes"), client_int(health, "failures"), client_int(health, "late"),
	             client_int(health, "under_way"), client_int(health, "waiting"),
	             json_is_true(json_object_get(health, "settled")) ? "" : "; the first round has not finished");
	if (client_int(reply, "vantages"))
		client_print(stdout, "vantages     %lld report (edgesteerctl vantages)\n", client_int(reply, "vantages"));
	if (client_int(reply, "targets_damped"))
		client_print(stdout, "flapping     %lld targets go up and down, and stay down for that\n",
		             client_int(reply, "targets_damped"));
	if (client_int(reply, "targets_panicking"))
		client_print(stdout, "PANIC        %lld targets of apps of which too few are up: their health is ignored\n",
		             client_int(reply, "targets_panicking"));
	show_drains(reply);
	show_forces(reply);
	client_show_adoptions(reply);
}

// ---- check ----------------------------------------------------------------------------------------------------------

// As monitoring plugins do: "EDGESTEER WARNING - what is wrong | name=value;warn;crit;min;max".
void client_show_check(const json_t *reply)
{
	static const char *const counts[] = {"up", "down", "drained"};
	const char *level = client_text(reply, "level");
	long long targets = client_int(reply, "targets");
	const char *word = strcmp(level, "ok") == 0         ? "OK"
	                   : strcmp(level, "warning") == 0  ? "WARNING"
	                   : strcmp(level, "critical") == 0 ? "CRITICAL"
	                                                    : "UNKNOWN";

	char *line = client_clean(client_text(reply, "found"));

	for (char *bar = line; (bar = strchr(bar, '|'));)
		*bar = '/'; // it begins the figures
	client_print(stdout, "EDGESTEER %s - %s%s%lld of %lld targets up, %lld drained |", word, line, *line ? "; " : "", client_int(reply, "up"), targets,
	             client_int(reply, "drained"));
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		client_print(stdout, " %s=%lld;;;0;%lld", counts[i], client_int(reply, counts[i]), targets);
	client_print(stdout, " apps_without_target=%lld;;;0;%lld\n", client_int(reply, "apps_without_target"),
	             client_int(reply, "apps"));
	free(line);
}

// ---- sites and apps -------------------------------------------------------------------------------------------------

static const char *drain_text(const json_t *drain, char *buf)
{
	char until[CTL_TIME_LEN];
	const char *reason = client_text(drain, "reason");

	buf[0] = '\0';
	if (json_is_object(drain))
		snprintf(buf, CELL_LEN, "until %s%s%s", until_text(drain, until), reason[0] ? ": " : "", reason);
	return buf;
}

// A rate is shown in tenths; a load as it was pushed.
static void add_ceiling(char buf[CELL_LEN], const json_t *object, const char *unit, const char *rate, const char *ceiling,
                        const char *share)
{
	bool is_rate = unit[0] == '/';
	double taken = json_number_value(json_object_get(object, share));
	const json_t *is = json_object_get(object, rate);
	size_t at = strlen(buf);

	if (!json_is_number(json_object_get(object, ceiling)))
		return;
	at += (size_t)snprintf(buf + at, CELL_LEN - at, "%s", at ? "; " : "");
	at += (size_t)(json_is_number(is) ? snprintf(buf + at, CELL_LEN - at, "%.6g of %.6g%s",
	                                             is_rate ? round(json_number_value(is) * 10) / 10 : json_number_value(is),
	                                             json_number_value(json_object_get(object, ceiling)), unit)
	                                  : snprintf(buf + at, CELL_LEN - at, "unknown of %.6g%s",
	                                             json_number_value(json_object_get(object, ceiling)), unit));
	if (taken < 1)
		snprintf(buf + at, CELL_LEN - at, ", takes %.1f %%", 100 * taken);
}

static const char *ceiling_text(const json_t *object, char buf[CELL_LEN])
{
	buf[0] = '\0';
	add_ceiling(buf, object, "/s", "rate", "ceiling", "share");
	add_ceiling(buf, object, " load", "load", "load_ceiling", "load_share");
	return buf;
}

void client_show_load(const json_t *reply)
{
	const char *app = client_text(reply, "app");
	char text[CELL_LEN];

	client_print(stdout, "%s%s%s: %s\n", app, app[0] ? " at " : "", client_text(reply, "site"), ceiling_text(reply, text));
}

void client_show_sites(const json_t *reply)
{
	static const char *const titles[] = {"SITE",  "KIND",     "REGION",   "REACH", ">UP",
	                                     ">DOWN", ">DRAINED", ">ANSWERS", "CEILING", "DRAIN", NULL};
	const json_t *sites = json_object_get(reply, "sites");
	struct client_table *table = client_table_new(titles);

	for (size_t i = 0; i < json_array_size(sites); i++) {
		const json_t *site = json_array_get(sites, i), *targets = json_object_get(site, "targets");
		char up[CTL_INT_LEN], down[CTL_INT_LEN], drained[CTL_INT_LEN], answers[CTL_INT_LEN], drain[CELL_LEN];
		char ceiling[CELL_LEN];
		char *reach = client_join(json_object_get(site, "reach"));
		const char *const cells[] = {client_text(site, "name"),
		                             client_text(site, "kind"),
		                             client_text(site, "region"),
		                             reach,
		                             client_int_text(targets, "up", up),
		                             client_int_text(targets, "down", down),
		                             client_int_text(targets, "drained", drained),
		                             client_int_text(site, "answers", answers),
		                             ceiling_text(site, ceiling),
		                             drain_text(json_object_get(site, "drained"), drain)};

		client_table_add(table, cells);
		free(reach);
	}
	client_table_print(table);
}

const char *client_state_text(const json_t *target, char *buf)
{
	const char *state = client_text(target, "state"), *forced = client_text(target, "forced");

	if (forced[0])
		snprintf(buf, CLIENT_STATE_LEN, "%s (forced %s)", state, forced);
	else if (json_object_get(target, "damped_for_s"))
		snprintf(buf, CLIENT_STATE_LEN, "%s (it flaps: damped for %lld s)", state, client_int(target, "damped_for_s"));
	else if (json_object_get(target, "slow_start"))
		snprintf(buf, CLIENT_STATE_LEN, "%s (slow start, %lld%%)", state, client_int(target, "slow_start"));
	else if (json_is_number(json_object_get(target, "load_share")) && json_number_value(json_object_get(target, "load_share")) < 1)
		snprintf(buf, CLIENT_STATE_LEN, "%s (load, takes %.1f %%)", state,
		         100 * json_number_value(json_object_get(target, "load_share")));
	else
		snprintf(buf, CLIENT_STATE_LEN, "%s%s", state,
		         json_is_true(json_object_get(target, "held"))      ? " (held by the brake)"
		         : json_is_true(json_object_get(target, "panic"))   ? " (panic: health ignored)"
		         : json_is_true(json_object_get(target, "unready")) ? " (no server ready)"
		                                                            : "");
	return buf;
}

// How a target fares, into buf[HEALTH_LEN], which it returns: its last check; with several addresses, how many are up, and
// why the first of the others is not.
static const char *health_text(const json_t *health, char *buf)
{
	const json_t *addresses = json_object_get(health, "addresses"), *address, *down = NULL;
	size_t i, count = json_array_size(addresses), up_count = 0;

	json_array_foreach(addresses, i, address) {
		bool is_up = json_is_true(json_object_get(address, "up"));

		up_count += is_up;
		if (!is_up && !down)
			down = address;
	}
	if (!json_is_object(health))
		snprintf(buf, HEALTH_LEN, "no check");
	else if (count < 2)
		snprintf(buf, HEALTH_LEN, "%s", client_text(health, "text"));
	else if (!down)
		snprintf(buf, HEALTH_LEN, "%zu addresses up: %s", count, client_text(health, "text"));
	else
		snprintf(buf, HEALTH_LEN, "%zu of %zu addresses up; %s: %s", up_count, count, client_text(down, "address"),
		         client_text(down, "text"));
	return buf;
}

static void add_target(struct client_table *table, const json_t *app, const json_t *target, int64_t now_s)
{
	const json_t *health = json_object_get(target, "health");
	const char *cname = client_text(target, "cname");
	json_int_t since_s = client_int(health, "since"), probe_s = client_int(health, "last_probe");
	json_int_t last_s = client_int(target, "last_answer");
	char last[CTL_TIME_LEN];
	char state[CLIENT_STATE_LEN], ttl[CTL_INT_LEN], weight[CTL_INT_LEN], answers[CTL_INT_LEN], since[CTL_TIME_LEN],
		probe[CTL_TIME_LEN], failures[CTL_INT_LEN], text[HEALTH_LEN], vantages[CLIENT_VANTAGES_LEN];
	char *addresses = client_join(json_object_get(target, "addresses"));
	const char *const cells[] = {
		client_text(app, "name"), client_text(target, "site"), client_state_text(target, state), cname[0] ? cname : addresses,
		client_int_text(app, "ttl_s", ttl), client_int_text(target, "weight", weight),
		client_int_text(target, "answers", answers), last_s ? client_span(now_s - last_s, last) : "",
		since_s ? client_span(now_s - since_s, since) : "", probe_s ? client_span(now_s - probe_s, probe) : "",
		client_int_text(health, "failures", failures),
		health_text(health, text),
		client_vantages_text(target, vantages),
	};

	client_table_add(table, cells);
	free(addresses);
}

void client_show_apps(const json_t *reply)
{
	static const char *const titles[] = {"APP",      "SITE",   "STATE",   "ANSWER", ">TTL", ">WEIGHT",
	                                     ">ANSWERS", ">LAST", ">SINCE", ">PROBED", ">FAILED", "HEALTH", "VANTAGES", NULL};
	const json_t *apps = json_object_get(reply, "apps");
	struct client_table *table = client_table_new(titles);
	int64_t now_s = clock_wall_s();

	for (size_t i = 0; i < json_array_size(apps); i++) {
		const json_t *app = json_array_get(apps, i), *targets = json_object_get(app, "targets");

		for (size_t j = 0; j < json_array_size(targets); j++)
			add_target(table, app, json_array_get(targets, j), now_s);
	}
	client_table_print(table);
	client_show_adopting(apps);
}

// ---- explain --------------------------------------------------------------------------------------------------------

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
	struct client_table *table = client_table_new(titles);

	for (size_t i = 0; i < json_array_size(candidates); i++) {
		const json_t *candidate = json_array_get(candidates, i);
		char ms[CTL_INT_LEN], km[CTL_INT_LEN], weight[CTL_INT_LEN], state[CLIENT_STATE_LEN];
		const char *const cells[] = {
			client_text(candidate, "site"), client_text(candidate, "kind"), client_text(candidate, "region"),
			json_is_true(json_object_get(candidate, "reachable")) ? "yes" : "no", number_text(candidate, "ms", ms),
			number_text(candidate, "km", km), client_text(candidate, "basis"), client_state_text(candidate, state),
			client_int_text(candidate, "weight", weight),
		};

		client_table_add(table, cells);
	}
	client_table_print(table);
}

void client_show_explain(const json_t *reply)
{
	const json_t *steps = json_object_get(reply, "steps"), *candidates = json_object_get(reply, "candidates");

	for (size_t i = 0; i < json_array_size(steps); i++) {
		const char *step = json_string_value(json_array_get(steps, i));

		client_print(stdout, "%s\n", step ? step : "");
	}
	if (json_array_size(steps) && json_array_size(candidates))
		putchar('\n');
	show_candidates(candidates);
}

// ---- stats and version ----------------------------------------------------------------------------------------------

// One row per value, "udp.queries  12": nested objects by key, lists by index.
static void add_stats(struct client_table *table, const char *name, const json_t *value)
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

	client_table_add(table, cells);
}

void client_show_stats(const json_t *reply)
{
	static const char *const titles[] = {"COUNTER", ">VALUE", NULL};
	struct client_table *table = client_table_new(titles);
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)reply, key, value)
		if (strcmp(key, "ok") != 0)
			add_stats(table, key, value);
	client_table_print(table);
}

void client_show_version(const json_t *reply)
{
	client_print(stdout, "edgesteerd %s\n", client_text(reply, "version"));
}
