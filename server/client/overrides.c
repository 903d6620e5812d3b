// Replies to drain, undrain, force and reload; see show.h.
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "client/json.h"
#include "client/print.h"
#include "client/show.h"

enum { NAMED_MAX = 5 };

static void show_apps(const json_t *reply)
{
	const json_t *apps = json_object_get(reply, "apps");
	json_int_t targets = client_int(reply, "targets");

	for (size_t i = 0; i < json_array_size(apps) && i < NAMED_MAX; i++) {
		const char *name = json_string_value(json_array_get(apps, i));

		client_print(stdout, "  %s\n", name ? name : "?");
	}
	if (targets > NAMED_MAX)
		client_print(stdout, "  and %lld more\n", targets - NAMED_MAX);
}

// `verb`: "replaces". A drain of one app is named.
static void show_earlier(const char *verb, const json_t *drain)
{
	char since[CTL_TIME_LEN], until[CTL_TIME_LEN];
	const char *reason = client_text(drain, "reason"), *app = client_text(drain, "app");

	if (json_is_object(drain))
		client_print(stdout, "It %s the drain%s%s until %s, given %s by %s%s%s\n", verb, app[0] ? " of " : "", app,
		             client_int(drain, "until") ? client_time(client_int(drain, "until"), until) : "undrained",
		             client_time(client_int(drain, "since"), since), client_text(drain, "who"), reason[0] ? ": " : "",
		             reason);
}

static void show_ended(const json_t *reply)
{
	const json_t *drains = json_object_get(reply, "ended");
	json_int_t count = client_int(reply, "ended_count");

	for (size_t i = 0; i < json_array_size(drains) && i < NAMED_MAX; i++)
		show_earlier("ends", json_array_get(drains, i));
	if (count > NAMED_MAX)
		client_print(stdout, "and %lld more drains\n", count - NAMED_MAX);
}

void client_show_drain(const json_t *reply)
{
	const char *app = client_text(reply, "app");
	json_int_t until_s = client_int(reply, "until"), safe_s = client_int(reply, "safe_after");
	json_int_t targets = client_int(reply, "targets");
	const json_t *site_drain = json_object_get(reply, "site_drain");
	char until[CTL_TIME_LEN], safe[CTL_TIME_LEN], left[CTL_TIME_LEN];

	client_print(stdout, "%s%s%s is drained until %s; ", app, app[0] ? " at " : "", client_text(reply, "site"),
	             until_s ? client_time(until_s, until) : "undrained");
	if (json_is_object(site_drain))
		client_print(stdout, "it gets no clients already, as the whole site is drained\n");
	else
		client_print(stdout, "targets that get no more clients: %lld\n", targets);
	show_apps(reply);
	show_earlier("replaces", json_object_get(reply, "replaced"));
	show_earlier("holds beside", site_drain);
	if (targets || safe_s > client_int(reply, "since") + 2) // a reload may have removed the last target
		client_print(stdout,
		             until_s && until_s < safe_s
		                     ? "It ends before all caches have dropped it, which would be after %s (%s from now).\n"
		                     : "After %s (at most %s from now) no correct cache hands it out any more.\n",
		             client_time(safe_s, safe), client_span(safe_s - clock_wall_s(), left));
}

void client_show_undrain(const json_t *reply)
{
	const char *app = client_text(reply, "app");
	json_int_t still = client_int(reply, "still_drained"), targets = client_int(reply, "targets");
	const json_t *up = json_object_get(reply, "up");
	json_int_t again = json_is_integer(up) ? json_integer_value(up) : targets;

	client_print(stdout, "%s%s%s is not drained any more; targets that get clients again: %lld\n", app,
	             app[0] ? " at " : "", client_text(reply, "site"), again);
	show_ended(reply);
	if (json_is_null(up) && targets)
		client_print(stdout, "Those that the first round of health checks finds down do not.\n");
	if (targets > again)
		client_print(stdout, "%lld more of its targets are not drained any more, but down\n", targets - again);
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
