// Replies to drain, undrain, force and reload; see show.h.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/json.h"
#include "client/print.h"
#include "client/show.h"

enum { NAMED_MAX = 5, WHAT_LEN = 1024 };

static void show_apps(const json_t *reply)
{
	const json_t *apps = json_object_get(reply, "apps");
	size_t count = json_array_size(apps), more = count > NAMED_MAX ? count - NAMED_MAX : 0;
	bool is_cut = json_is_true(json_object_get(reply, "apps_cut")); // in the list, more may be missing

	for (size_t i = 0; i < count && i < NAMED_MAX; i++) {
		const char *name = json_string_value(json_array_get(apps, i));

		client_print(stdout, "  %s\n", name ? name : "?");
	}
	if (more > 0 || is_cut)
		client_print(stdout, "  and %zu%s more %s\n", more, is_cut ? " or" : "", more == 1 && !is_cut ? "app" : "apps");
}

void client_show_earlier(const char *verb, const json_t *drain)
{
	char since[CTL_TIME_LEN], start[CTL_TIME_LEN], until[CTL_TIME_LEN], who[CLIENT_WHO_LEN];
	const char *reason = client_text(drain, "reason"), *app = client_text(drain, "app");
	bool is_scheduled = strcmp(client_text(drain, "phase"), "scheduled") == 0;

	if (json_is_object(drain))
		client_print(stdout, "It %s the drain%s%s%s%s until %s, given %s by %s%s%s\n", verb, app[0] ? " of " : "", app,
		             is_scheduled ? " from " : "", is_scheduled ? client_time(client_int(drain, "start"), start) : "",
		             client_int(drain, "until") ? client_time(client_int(drain, "until"), until) : "undrained",
		             client_time(client_int(drain, "since"), since), client_who_text(drain, who), reason[0] ? ": " : "", reason);
}

static void show_ended(const json_t *reply)
{
	const json_t *drains = json_object_get(reply, "ended");
	json_int_t count = client_int(reply, "ended_count");

	for (size_t i = 0; i < json_array_size(drains) && i < NAMED_MAX; i++)
		client_show_earlier("ends", json_array_get(drains, i));
	if (count > NAMED_MAX)
		client_print(stdout, "and %lld more drains\n", count - NAMED_MAX);
}

// "us-east-1", "app.example.com at us-east-1-wl1-*": what a drain is of.
static const char *what_text(const json_t *drain, char *buf)
{
	const char *app = client_text(drain, "app");

	snprintf(buf, WHAT_LEN, "%s%s%s", app, app[0] ? " at " : "", client_text(drain, "site"));
	return buf;
}

static void show_over(const json_t *reply)
{
	char over[CTL_TIME_LEN];

	bool ends = client_int(reply, "until") && strcmp(client_text(reply, "phase"), "returning") != 0;

	if (client_int(reply, "over_s"))
		client_print(stdout, "Its clients move little by little over %s%s.\n", client_span(client_int(reply, "over_s"), over),
		             ends ? ", and come back over as long from its end on" : "");
}

static void show_safe(const json_t *reply)
{
	json_int_t until_s = client_int(reply, "until"), safe_s = client_int(reply, "safe_after");
	char safe[CTL_TIME_LEN], left[CTL_TIME_LEN];

	if (client_int(reply, "targets") || safe_s > client_int(reply, "start") + 2) // a reload may have removed the last target
		client_print(stdout,
		             until_s && until_s < safe_s
		                     ? "It ends before all caches have dropped it, which would be after %s (%s from now).\n"
		                     : "After %s (at most %s from now) no correct cache hands it out any more.\n",
		             client_time(safe_s, safe), client_span(safe_s - clock_wall_s(), left));
}

void client_show_drain(const json_t *reply)
{
	json_int_t until_s = client_int(reply, "until"), sites = client_int(reply, "sites");
	bool is_scheduled = strcmp(client_text(reply, "phase"), "scheduled") == 0;
	const json_t *site_drain = json_object_get(reply, "site_drain");
	char until[CTL_TIME_LEN], start[CTL_TIME_LEN], what[WHAT_LEN];

	client_print(stdout, "%s is drained ", what_text(reply, what));
	if (is_scheduled)
		client_print(stdout, "from %s ", client_time(client_int(reply, "start"), start));
	client_print(stdout, "until %s; ", until_s ? client_time(until_s, until) : "undrained");
	if (sites > 1)
		client_print(stdout, "%lld sites, ", sites);
	if (json_is_object(site_drain))
		client_print(stdout, "it gets no clients already, as the whole site is drained\n");
	else
		client_print(stdout, "targets that get no more clients%s: %lld\n", is_scheduled ? " then" : "",
		             client_int(reply, "targets"));
	show_apps(reply);
	show_over(reply);
	client_show_earlier("replaces", json_object_get(reply, "replaced"));
	client_show_earlier("holds beside", site_drain);
	show_safe(reply);
}

void client_show_undrain(const json_t *reply)
{
	json_int_t still = client_int(reply, "still_drained"), targets = client_int(reply, "targets");
	const json_t *up = json_object_get(reply, "up");
	json_int_t again = json_is_integer(up) ? json_integer_value(up) : targets;

	char what[WHAT_LEN], end[CTL_TIME_LEN];

	if (strcmp(client_text(reply, "phase"), "returning") == 0) {
		client_print(stdout, "%s gets its clients back; targets: %lld\n", what_text(reply, what), targets);
		show_over(reply);
		client_print(stdout, "It is not drained any more after %s.\n", client_time(client_int(reply, "until"), end));
		return;
	}
	client_print(stdout, "%s is not drained any more; targets that get clients again: %lld\n", what_text(reply, what), again);
	show_ended(reply);
	if (json_is_null(up) && targets)
		client_print(stdout, "Those that the first round of health checks finds down do not.\n");
	if (targets > again)
		client_print(stdout, "%lld more of its targets are not drained any more, but down\n", targets - again);
	if (client_int(reply, "settled_left_s"))
		client_print(stdout, "After %s no correct cache has what took its place.\n",
		             client_time(client_int(reply, "settled_after"), end));
	if (still)
		client_print(stdout, "%lld of its targets stay drained: another drain holds (edgesteerctl status)\n", still);
}

void client_show_force(const json_t *reply)
{
	const char *to = client_text(reply, "to"), *state = client_text(reply, "state");

	if (to[0] == 'a')
		client_print(stdout, "%s at %s follows its health again", client_text(reply, "app"),
		             client_text(reply, "site"));
	else
		client_print(stdout, "%s at %s is forced %s", client_text(reply, "app"), client_text(reply, "site"), to);
	if (state[0])
		client_print(stdout, "; it is %s", state);
	putchar('\n');
}

void client_show_reload(const json_t *reply)
{
	const json_t *is_taken = json_object_get(reply, "would_be_taken"), *effect = json_object_get(reply, "effect");

	if (is_taken) {
		client_print(stdout, json_is_true(is_taken) ? "A reload would be taken.\n" : "A reload would be HELD.\n");
		client_show_effect(effect);
		return;
	}
	client_print(stdout, json_is_false(json_object_get(reply, "serving"))
	                         ? "reloaded: generation %lld waits for the first round of health checks\n"
	                         : "reloaded: generation %lld is served\n", client_int(reply, "generation"));
}

// ---- drains ---------------------------------------------------------------------------------------------------------

static const char *who_text(const char *who, const char *by, char *buf)
{
	snprintf(buf, CLIENT_WHO_LEN, "%s%s%s", who, by[0] ? " for " : "", by);
	return buf;
}

const char *client_who_text(const json_t *override, char *buf)
{
	return who_text(client_text(override, "who"), client_text(override, "by"), buf);
}

static const char *note_text(const json_t *drain, char *buf)
{
	const char *why = client_text(drain, "no_effect");

	bool is_volatile = json_is_true(json_object_get(drain, "volatile"));
	bool is_forced = json_is_true(json_object_get(drain, "forced"));

	snprintf(buf, WHAT_LEN, "%s%s%s%s%s%s", is_forced ? "BY FORCE" : "", is_forced && is_volatile ? "; " : "",
	         is_volatile ? "NOT SAVED" : "", (is_forced || is_volatile) && why[0] ? "; " : "",
	         why[0] ? "has no effect: " : "", why);
	return buf;
}

static void add_drain(struct client_table *table, const json_t *drain)
{
	const char *app = client_text(drain, "app");
	json_int_t until_s = client_int(drain, "until"), safe_s = client_int(drain, "safe_after");
	char moved[CTL_INT_LEN], start[CTL_TIME_LEN], until[CTL_TIME_LEN], safe[CTL_TIME_LEN], who[CLIENT_WHO_LEN], note[WHAT_LEN];
	const char *const cells[] = {
		client_text(drain, "site"), app[0] ? app : "(all)", client_text(drain, "phase"), moved,
		client_time(client_int(drain, "start"), start), until_s ? client_time(until_s, until) : "undrain",
		safe_s == 0 ? "" : client_int(drain, "safe_left_s") ? client_time(safe_s, safe) : "yes",
		note_text(drain, note), client_who_text(drain, who),
		client_text(drain, "reason")};

	snprintf(moved, sizeof(moved), "%.0f %%", 100 * json_number_value(json_object_get(drain, "moved")));
	client_table_add(table, cells);
}

static void add_ended(struct client_table *table, const json_t *ended)
{
	const char *app = client_text(ended, "app");
	const json_t *to = json_object_get(ended, "to"); // of an adoption a number
	char since[CTL_TIME_LEN], at[CTL_TIME_LEN], who[CLIENT_WHO_LEN], ender[CLIENT_WHO_LEN], what[WHAT_LEN];
	char percent[CTL_PERCENT_LEN];
	const char *const cells[] = {
		what, client_text(ended, "site"), app[0] ? app : "(all)", client_time(client_int(ended, "since"), since),
		client_time(client_int(ended, "ended"), at), client_text(ended, "how"),
		who_text(client_text(ended, "ended_who"), client_text(ended, "ended_by"), ender),
		client_who_text(ended, who), client_text(ended, "reason")};

	if (json_is_number(to))
		snprintf(what, sizeof(what), "%s %s", client_text(ended, "kind"), client_percent(ended, "to", percent));
	else
		snprintf(what, sizeof(what), "%s%s%s%s", client_text(ended, "kind"), to ? " " : "", client_text(ended, "to"),
		         json_is_true(json_object_get(ended, "forced")) ? " BY FORCE" : "");
	client_table_add(table, cells);
}

void client_show_drains(const json_t *reply)
{
	static const char *const titles[] = {"DRAINED", "APP", "PHASE", ">MOVED", "START", "UNTIL", "SAFE AFTER", "NOTE", "BY",
	                                     "REASON", NULL};
	static const char *const ended_titles[] = {"WHAT", "OF", "APP", "SINCE", "ENDED", "HOW", "ENDED BY", "BY", "REASON", NULL};
	const json_t *ended = json_object_get(reply, "ended"), *list = ended ? ended : json_object_get(reply, "drains");
	struct client_table *table = client_table_new(ended ? ended_titles : titles);

	for (size_t i = 0; i < json_array_size(list); i++) {
		if (ended)
			add_ended(table, json_array_get(list, i));
		else
			add_drain(table, json_array_get(list, i));
	}
	client_table_print(table);
	if (json_array_size(list) == 0)
		client_print(stdout, ended ? "no override has ended within a week\n" : "nothing is drained\n");
	if (!ended)
		client_show_adoptions(reply);
}
