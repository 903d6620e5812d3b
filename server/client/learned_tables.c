// The tables of `discovery`, `discovery register` and `learned`; see show.h.
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "client/json.h"
#include "client/feed.h"
#include "client/print.h"
#include "client/show.h"

enum { CELL_LEN = 512 };

static void add_service(struct client_table *table, const json_t *service)
{
	char state[CELL_LEN], asked[CTL_INT_LEN], found[CTL_INT_LEN], missed[CTL_INT_LEN], failed[CTL_INT_LEN],
		unasked[CTL_INT_LEN], flight[CTL_INT_LEN], rate[CTL_INT_LEN];
	json_int_t failures = client_int(service, "busy") + client_int(service, "denied") + client_int(service, "timeout") +
	                      client_int(service, "broken");
	json_int_t open_ms = client_int(service, "open_ms");
	const char *const cells[] = {
		client_text(service, "name"), state, client_int_text(service, "rate", rate),
		client_int_text(service, "in_flight", flight), client_int_text(service, "asked", asked),
		client_int_text(service, "found", found), client_int_text(service, "not_found", missed),
		client_int(service, "unasked") > 0 ? client_int_text(service, "unasked", unasked) : "", failed,
		client_text(service, "error"),
	};

	snprintf(failed, sizeof(failed), "%lld", (long long)failures);
	if (open_ms > 0)
		snprintf(state, sizeof(state), "%s for %lld s", client_text(service, "state"), (long long)(open_ms + 999) / 1000);
	else
		snprintf(state, sizeof(state), "%s", client_text(service, "state"));
	client_table_add(table, cells);
}

// A service that makes up names until it may no more.
static void show_names(const json_t *service)
{
	json_int_t ignored = client_int(service, "too_many_names");

	if (ignored > 0)
		client_print(stdout, "%s: has made up %lld names of carriers and classes; %lld %s with further ones ignored\n",
		             client_text(service, "name"), client_int(service, "names"), ignored,
		             ignored == 1 ? "answer" : "answers");
}

void client_show_discovery(const json_t *reply)
{
	static const char *const titles[] = {"SERVICE", "BREAKER", ">RATE", ">IN FLIGHT", ">ASKED", ">FOUND", ">NOT FOUND",
	                                     ">UNASKED", ">FAILED", "LAST ERROR", NULL};
	const json_t *services = json_object_get(reply, "services");
	struct client_table *table = client_table_new(titles);

	for (size_t i = 0; i < json_array_size(services); i++)
		add_service(table, json_array_get(services, i));
	client_table_print(table);
	for (size_t i = 0; i < json_array_size(services); i++)
		show_names(json_array_get(services, i));
	if (json_array_size(services) == 0)
		client_print(stdout, "no service is configured\n");
	client_print(stdout, "notes        %lld taken, %lld dropped, %lld over a sender's share, %lld not believed, %lld of too short subnets\n",
	             client_int(reply, "noted"), client_int(reply, "dropped"), client_int(reply, "limited"),
	             client_int(reply, "not_believed"), client_int(reply, "short_subnets"));
	client_print(stdout, "prefixes     %lld kept (%.1f MB), %lld to ask about\n", client_int(reply, "entries"),
	             (double)client_int(reply, "octets") / 1e6, client_int(reply, "queue"));
	client_print(stdout, "since start  %lld learned, %lld moved, %lld withdrawn, %lld expired; %lld moves wait\n",
	             client_int(reply, "learned"), client_int(reply, "moved"), client_int(reply, "withdrawn"),
	             client_int(reply, "expired"), client_int(reply, "waiting"));
	client_print(stdout, "ignored      %lld sites out of the client's reach, %lld that the config has not\n",
	             client_int(reply, "out_of_reach"), client_int(reply, "unknown_sites"));
	client_show_observed(json_object_get(reply, "observe"));
}

static const char *sites_text(const json_t *entry, char buf[CELL_LEN])
{
	const json_t *sites = json_object_get(entry, "sites");
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < json_array_size(sites) && at < CELL_LEN; i++) {
		const char *site = json_string_value(json_array_get(sites, i));

		at += (size_t)snprintf(buf + at, CELL_LEN - at, "%s%s", i ? ", " : "", site ? site : "?");
	}
	return buf;
}

void client_show_learned(const json_t *reply)
{
	static const char *const titles[] = {"PREFIX", "SITES", "TABLE", "CARRIER", "CLASS", "STATE", "SOURCE", ">HEARD", ">SAMPLES",
	                                     ">CONFIDENCE", NULL};
	const json_t *list = json_object_get(reply, "learned");
	struct client_table *table = client_table_new(titles);
	int64_t now_s = clock_wall_s();

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *entry = json_array_get(list, i);
		char sites[CELL_LEN], heard[CTL_TIME_LEN], samples[CTL_INT_LEN], confidence[CTL_INT_LEN];
		const char *const cells[] = {
			client_text(entry, "prefix"), sites_text(entry, sites), client_text(entry, "table"), client_text(entry, "carrier"),
			client_text(entry, "class"), client_text(entry, "state"), client_text(entry, "source"),
			client_span(now_s - client_int(entry, "heard"), heard), client_int_text(entry, "samples", samples),
			client_int_text(entry, "confidence", confidence),
		};

		client_table_add(table, cells);
	}
	client_table_print(table);
	if (client_int(reply, "count") > (json_int_t)json_array_size(list))
		client_print(stdout, "learned: %lld in all; ask for a prefix, --site or --source\n", client_int(reply, "count"));
	else if (json_array_size(list) == 0)
		client_print(stdout, "nothing is learned\n");
	if (json_array_size(list) > 0 && *client_text(reply, "app"))
		client_print(stdout, "TABLE: the site that the table alone would answer for %s\n", client_text(reply, "app"));
}

void client_show_forgotten(const json_t *reply)
{
	json_int_t count = client_int(reply, "forgotten");

	client_print(stdout, "forgotten: %lld %s\n", count, count == 1 ? "prefix" : "prefixes");
}

// ---- discovery register ---------------------------------------------------------------------------------------------

static void add_step(struct client_table *table, const json_t *step)
{
	const char *action = client_text(step, "action"), *state = client_text(step, "state");
	const char *done = strcmp(state, "failed") == 0 ? "FAILED" : state;
	const char *const cells[] = {action, done, client_text(step, "app"), client_text(step, "site"),
	                             client_text(step, "endpoint"), client_text(step, "text")};

	if (strcmp(action, "keep") != 0)
		client_table_add(table, cells);
}

void client_show_register(const json_t *reply)
{
	static const char *const titles[] = {"ACTION", "STATE", "APP", "SITE", "ENDPOINT", "WHAT", NULL};
	const json_t *services = json_object_get(reply, "services");

	for (size_t i = 0; i < json_array_size(services); i++) {
		const json_t *service = json_array_get(services, i), *steps = json_object_get(service, "steps");
		struct client_table *table = client_table_new(titles);

		client_print(stdout, "%s\n", client_text(service, "name"));
		for (size_t k = 0; k < json_array_size(steps); k++)
			add_step(table, json_array_get(steps, k));
		client_table_print(table);
		if (*client_text(service, "error"))
			client_print(stdout, "error: %s\n", client_text(service, "error"));
		if (client_int(service, "steps_not_shown") > 0)
			client_print(stdout, "and %lld more\n", client_int(service, "steps_not_shown"));
	}
	client_print(stdout, "%lld as they should be, %lld %s, %lld not\n", client_int(reply, "kept"),
	             client_int(reply, "changes"), json_is_true(json_object_get(reply, "applied")) ? "changed" : "would change",
	             client_int(reply, "failures"));
	if (!json_is_true(json_object_get(reply, "applied")) && client_int(reply, "changes") > 0)
		client_print(stdout, "nothing was done yet: --apply does it\n");
}
