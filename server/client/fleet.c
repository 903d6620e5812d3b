// Several daemons; see fleet.h.
#include "client/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/parallel.h"
#include "client/exchange.h"
#include "client/fault.h"
#include "client/json.h"
#include "client/member.h"
#include "client/outcome.h"
#include "client/print.h"
#include "client/verb.h"

// ---- asking ---------------------------------------------------------------------------------------------------------

struct asking {
	const struct client_members *members;
	json_t **requests; // one for each member: they are changed for lists of several parts
	const struct client_exchange *how;
	unsigned first_s;
	struct client_outcome *outcomes;
};

// Whether the daemon answers at all; its fault is in *fault else.
static bool answers(const struct client_member *member, unsigned timeout_s, struct client_fault *fault)
{
	const struct client_exchange how = {.timeout_s = timeout_s};
	json_t *request = json_pack("{s:s}", "verb", "version"), *reply = NULL;

	must(request);
	reply = client_exchange(member, request, &how, fault);
	json_decref(request);
	json_decref(reply); // also a refusal is an answer
	return reply != NULL;
}

static int ask_one(void *ctx, size_t number)
{
	const struct asking *asking = ctx;
	const struct client_member *member = &asking->members->at[number];
	struct client_fault fault = {.is_unreached = false};
	json_t *reply = NULL;

	if (asking->first_s == 0 || answers(member, asking->first_s, &fault))
		reply = client_exchange_all(member, asking->requests[number], asking->how, &fault);
	client_outcome_set(&asking->outcomes[number], reply, &fault);
	return 0;
}

void client_fleet_ask(const struct client_members *members, const json_t *request, const struct client_exchange *how,
                      unsigned first_s, struct client_outcome *outcomes)
{
	size_t count = members->count;
	struct asking asking = {members, calloc(count, sizeof(json_t *)), how, first_s, outcomes};

	must(asking.requests && count <= CLIENT_MEMBERS_MAX);
	for (size_t i = 0; i < count; i++) {
		asking.requests[i] = json_deep_copy(request);
		must(asking.requests[i]);
	}
	must(parallel_run_on((unsigned)count, count, ask_one, &asking) == 0);
	for (size_t i = 0; i < count; i++)
		json_decref(asking.requests[i]);
	free(asking.requests);
}

// ---- what shows -----------------------------------------------------------------------------------------------------

static int worst_code(const struct verb *verb, const struct client_outcome *outcomes, size_t count)
{
	int worst = 0;

	for (size_t i = 0; i < count; i++) {
		int code = client_outcome_code(verb, &outcomes[i]);

		worst = code > worst ? code : worst;
	}
	return worst;
}

// ---- what changes something -----------------------------------------------------------------------------------------

// Also one on which it was so already.
static bool has_it(const struct verb *verb, const struct client_outcome *outcome)
{
	return client_outcome_is_ok(outcome) || client_outcome_code(verb, outcome) == CLIENT_NOTHING;
}

static int changed_code(const struct verb *verb, const struct client_outcome *outcomes, size_t count)
{
	size_t have = 0, done = 0, unreached = 0;
	int refused = CLIENT_REFUSED, bad = 0;

	for (size_t i = 0; i < count; i++) {
		int code = client_outcome_code(verb, &outcomes[i]);

		if (code == CLIENT_PARTLY)
			return CLIENT_PARTLY;
		have += has_it(verb, &outcomes[i]);
		done += client_outcome_is_ok(&outcomes[i]);
		unreached += outcomes[i].is_unreached;
		if (client_outcome_is_ok(&outcomes[i]))
			bad = code > bad ? code : bad;
		else if (!outcomes[i].is_unreached && code == CLIENT_USAGE)
			refused = code;
	}
	return have == count        ? done == 0 ? CLIENT_NOTHING : bad
	       : have > 0           ? CLIENT_PARTLY
	       : unreached == count ? CLIENT_UNREACHED
	                            : refused;
}

// "NAME, NAME" of those that have it, or of those that have not.
static void print_names(FILE *out, const struct verb *verb, const struct client_members *members,
                        const struct client_outcome *outcomes, bool having)
{
	const char *between = " ";

	for (size_t i = 0; i < members->count; i++) {
		if (has_it(verb, &outcomes[i]) != having)
			continue;
		client_print(out, "%s%s", between, members->at[i].name);
		if (!having)
			client_print(out, outcomes[i].is_unreached ? " (not reached)" : " (refused)");
		between = ", ";
	}
}

static void print_who(const struct verb *verb, const struct client_members *members,
                      const struct client_outcome *outcomes)
{
	size_t have = 0, done = 0;

	for (size_t i = 0; i < members->count; i++) {
		have += has_it(verb, &outcomes[i]);
		done += client_outcome_is_ok(&outcomes[i]);
	}
	if (have == members->count && done == 0)
		client_print(stdout, "nothing to do on any of %zu:", have);
	else if (have == members->count)
		client_print(stdout, "all %zu have it:", have);
	else
		client_print(stdout, "%zu of %zu have it%s", have, members->count, have > 0 ? ":" : "");
	print_names(stdout, verb, members, outcomes, true);
	if (have < members->count) {
		client_print(stdout, "; NOT:");
		print_names(stdout, verb, members, outcomes, false);
	}
	putchar('\n');
}

// ---- check ----------------------------------------------------------------------------------------------------------

// CRITICAL is worse than not to know, and that is worse than a WARNING.
static int severity(int level)
{
	static const int of[] = {[0] = 0, [1] = 1, [2] = 3, [CLIENT_UNKNOWN] = 2};

	return of[level];
}

static char *found_text(const struct client_outcome *outcome)
{
	char *text = client_clean(client_text(outcome->reply, client_outcome_is_ok(outcome) ? "found" : "error"));

	for (char *at = text; (at = strpbrk(at, "|\n"));)
		*at = '/'; // it begins the figures
	return text;
}

static void print_figures(const struct client_members *members, const struct client_outcome *outcomes)
{
	static const char *const counts[] = {"up", "down", "drained"};

	putchar('|');
	for (size_t i = 0; i < members->count; i++) {
		const json_t *reply = outcomes[i].reply;
		char *name;

		if (!client_outcome_is_ok(&outcomes[i]))
			continue;
		name = client_clean(members->at[i].name);
		for (char *at = name; (at = strpbrk(at, "'=|"));)
			*at = '_'; // have a meaning in figures
		for (size_t j = 0; j < ARRAY_LEN(counts); j++)
			client_print(stdout, " '%s %s'=%lld;;;0;%lld", name, counts[j], (long long)client_int(reply, counts[j]),
			             (long long)client_int(reply, "targets"));
		client_print(stdout, " '%s apps_without_target'=%lld;;;0;%lld", name,
		             (long long)client_int(reply, "apps_without_target"), (long long)client_int(reply, "apps"));
		free(name);
	}
	putchar('\n');
}

static int check_all(const struct verb *verb, const struct client_members *members,
                     const struct client_outcome *outcomes, bool prints)
{
	static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
	int worst = 0;
	size_t well = 0;

	for (size_t i = 0; i < members->count; i++) {
		int level = client_outcome_code(verb, &outcomes[i]);

		well += level == 0;
		worst = severity(level) > severity(worst) ? level : worst;
	}
	if (!prints)
		return worst;
	client_print(stdout, "EDGESTEER %s - %zu of %zu daemons OK", words[worst], well, members->count);
	for (size_t i = 0; i < members->count; i++) {
		int level = client_outcome_code(verb, &outcomes[i]);
		char *found = found_text(&outcomes[i]);

		if (level != 0)
			client_print(stdout, "; %s %s: %s", members->at[i].name, words[level], found);
		free(found);
	}
	putchar(' ');
	print_figures(members, outcomes);
	return worst;
}

int client_fleet_show(const struct verb *verb, bool json, const struct client_members *members,
                      const struct client_outcome *outcomes)
{
	size_t count = members->count;

	if (verb->monitors && !json)
		return check_all(verb, members, outcomes, true);
	for (size_t i = 0; i < count; i++)
		if (!client_outcome_show(verb, json, &outcomes[i], members->at[i].name))
			return CLIENT_REFUSED;
	if (verb->monitors)
		return check_all(verb, members, outcomes, false);
	if (!verb->changes)
		return worst_code(verb, outcomes, count);
	if (!json)
		print_who(verb, members, outcomes);
	return changed_code(verb, outcomes, count);
}
