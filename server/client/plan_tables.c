// What a drain, an undrain or a force would do; see show.h.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/json.h"
#include "client/print.h"
#include "client/show.h"

enum { CELL_LEN = 64, NAMED_MAX = 20, HEAD_LEN = 1024 };

static const char *rate_text(const json_t *row, const char *key, char buf[CELL_LEN])
{
	snprintf(buf, CELL_LEN, "%.1f", json_number_value(json_object_get(row, key)));
	return buf;
}

static void print_more(const json_t *list, json_int_t more)
{
	size_t count = json_array_size(list);

	if (count > NAMED_MAX)
		more += (json_int_t)(count - NAMED_MAX);
	if (more > 0)
		client_print(stdout, "and %lld more\n", more);
}

static void show_nothing(const json_t *reply)
{
	static const char *const titles[] = {"LEFT WITH NOTHING", "CLIENTS OF",   "COULD REACH", "GET",
	                                     ">PREFIXES",         "FOR INSTANCE", NULL};
	const json_t *list = json_object_get(reply, "nothing");
	struct client_table *table = client_table_new(titles);
	char prefixes[CTL_INT_LEN];

	for (size_t i = 0; i < json_array_size(list) && i < NAMED_MAX; i++) {
		const json_t *row = json_array_get(list, i);
		const char *carrier = client_text(row, "carrier");
		char *reach = client_join(json_object_get(row, "reach")),
			 *examples = client_join(json_object_get(row, "examples"));
		const char *const cells[] = {client_text(row, "app"),  carrier[0] ? carrier : "(all others)",      reach,
		                             client_text(row, "gets"), client_int_text(row, "prefixes", prefixes), examples};

		client_table_add(table, cells);
		free(reach);
		free(examples);
	}
	client_table_print(table);
	print_more(list, client_int(reply, "nothing_more"));
}

static void show_ceilings(const json_t *reply)
{
	static const char *const titles[] = {"CEILING OF", "APP", ">CEILING", ">IN FULL/S", ">THEN/S", "", NULL};
	const json_t *list = json_object_get(reply, "ceilings");
	struct client_table *table = client_table_new(titles);
	char ceiling[CELL_LEN], before[CELL_LEN], after[CELL_LEN];

	for (size_t i = 0; i < json_array_size(list) && i < NAMED_MAX; i++) {
		const json_t *row = json_array_get(list, i);
		const char *const cells[] = {
			client_text(row, "site"),           client_text(row, "app"),
			rate_text(row, "ceiling", ceiling), rate_text(row, "before", before),
			rate_text(row, "after", after),     json_is_true(json_object_get(row, "over")) ? "OVER" : ""};

		client_table_add(table, cells);
	}
	client_table_print(table);
	print_more(list, 0);
	if (json_array_size(list) > 0)
		client_print(stdout, "In full: also what spills to other sites now, and a drain under way as at its end.\n");
}

static void show_carriers(const json_t *reply)
{
	static const char *const titles[] = {"CARRIER", ">SITES", ">DRAINED NOW", ">THEN", ">MOST", "", NULL};
	const json_t *list = json_object_get(reply, "carriers");
	struct client_table *table = client_table_new(titles);
	char sites[CTL_INT_LEN], before[CTL_INT_LEN], after[CTL_INT_LEN], most[CELL_LEN];

	for (size_t i = 0; i < json_array_size(list) && i < NAMED_MAX; i++) {
		const json_t *row = json_array_get(list, i);
		const char *const cells[] = {client_text(row, "carrier"),
		                             client_int_text(row, "sites", sites),
		                             client_int_text(row, "before", before),
		                             client_int_text(row, "after", after),
		                             most,
		                             json_is_true(json_object_get(row, "over")) ? "OVER" : ""};

		snprintf(most, sizeof(most), "%lld %%", client_int(row, "most"));
		if (!client_int(row, "most"))
			most[0] = '\0';
		client_table_add(table, cells);
	}
	client_table_print(table);
	print_more(list, 0);
}

// "drain shop.example.com at us-east-1".
static const char *head_of(const json_t *plan, char buf[HEAD_LEN])
{
	const char *app = client_text(plan, "app"), *to = client_text(plan, "to");

	snprintf(buf, HEAD_LEN, "%s %s%s%s%s%s", client_text(plan, "verb"), app, app[0] ? " at " : "",
	         client_text(plan, "site"), to[0] ? " " : "", to);
	return buf;
}

void client_show_plan(const json_t *reply)
{
	const json_t *plan = json_object_get(reply, "plan"), *refused = json_object_get(reply, "would_be_refused");
	char head[HEAD_LEN], start[CTL_TIME_LEN];

	client_print(stdout, "Nothing has been changed. %s would be %s", head_of(plan, head),
	             json_is_true(refused) ? "REFUSED" : "done");
	if (strcmp(client_text(plan, "phase"), "scheduled") == 0)
		client_print(stdout, " at %s, with what is asked now", client_time(client_int(plan, "start"), start));
	client_print(stdout, json_is_integer(json_object_get(plan, "targets")) ? "; targets: %lld.\n" : ".\n",
	             client_int(plan, "targets"));
	client_show_earlier("would replace", json_object_get(reply, "replaced"));
	client_show_effect(json_object_get(reply, "effect"));
	show_nothing(reply);
	show_ceilings(reply);
	show_carriers(reply);
}
