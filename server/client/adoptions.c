// What is shown of adoptions: the reply to adopt, and parts of those to status, drains and apps; see show.h.
#include <stdio.h>
#include <string.h>

#include "client/json.h"
#include "client/print.h"
#include "client/show.h"

enum { CELL_LEN = 1024 };

static bool is_moving(const json_t *adoption)
{
	return strcmp(client_text(adoption, "phase"), "moving") == 0;
}

static void show_replaced(const json_t *old)
{
	const char *reason = client_text(old, "reason");
	char to[CTL_PERCENT_LEN], since[CTL_TIME_LEN];

	if (json_is_object(old))
		client_print(stdout, "In the place of %s, given %s by %s%s%s\n", client_percent(old, "to", to),
		             client_time(client_int(old, "since"), since), client_text(old, "who"), reason[0] ? ": " : "",
		             reason);
}

void client_show_adopt(const json_t *reply)
{
	char now[CTL_PERCENT_LEN], to[CTL_PERCENT_LEN], until[CTL_TIME_LEN];

	if (json_object_get(reply, "ended")) {
		client_print(stdout, "%s follows its config again: %s of its clients are steered.\n", client_text(reply, "app"),
		             client_percent(reply, "percent", now));
		show_replaced(json_object_get(reply, "ended"));
		return;
	}
	if (is_moving(reply))
		client_print(stdout, "%s steers %s of its clients, and little by little %s until %s", client_text(reply, "app"),
		             client_percent(reply, "percent", now), client_percent(reply, "to", to),
		             client_time(client_int(reply, "until"), until));
	else
		client_print(stdout, "%s steers %s of its clients", client_text(reply, "app"), client_percent(reply, "to", to));
	client_print(stdout, json_number_value(json_object_get(reply, "percent")) < 100 || is_moving(reply)
	                         ? "; the others get any target in their reach that is up, by weight.\n"
	                         : ".\n");
	show_replaced(json_object_get(reply, "replaced"));
}

void client_show_adoptions(const json_t *reply)
{
	static const char *const titles[] = {"ADOPTED APP", ">STEERED", ">TO", "PHASE",  "SINCE",
	                                     "UNTIL",       "NOTE",     "BY",  "REASON", NULL};
	const json_t *list = json_object_get(reply, "adoptions");
	struct client_table *table = client_table_new(titles);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *adoption = json_array_get(list, i);
		const char *why = client_text(adoption, "no_effect"), *by = client_text(adoption, "by");
		char now[CTL_PERCENT_LEN], to[CTL_PERCENT_LEN], since[CTL_TIME_LEN], until[CTL_TIME_LEN], who[CELL_LEN], note[CELL_LEN];
		const char *const cells[] = {client_text(adoption, "app"),
		                             client_percent(adoption, "percent", now),
		                             client_percent(adoption, "to", to),
		                             client_text(adoption, "phase"),
		                             client_time(client_int(adoption, "since"), since),
		                             is_moving(adoption) ? client_time(client_int(adoption, "until"), until) : "",
		                             note,
		                             who,
		                             client_text(adoption, "reason")};

		snprintf(note, sizeof(note), "%s%s", why[0] ? "has no effect: " : "", why);
		snprintf(who, sizeof(who), "%s%s%s", client_text(adoption, "who"), by[0] ? " for " : "", by);
		client_table_add(table, cells);
	}
	if (json_array_size(list))
		putchar('\n');
	client_table_print(table);
}

void client_show_adopting(const json_t *apps)
{
	for (size_t i = 0; i < json_array_size(apps); i++) {
		const json_t *app = json_array_get(apps, i), *adopt = json_object_get(app, "adopt");
		char now[CTL_PERCENT_LEN];

		if (json_is_object(adopt))
			client_print(stdout, "%s: %s of the clients are steered, by %s\n", client_text(app, "name"),
			             client_percent(adopt, "percent", now),
			             json_is_object(json_object_get(adopt, "override"))
			                 ? client_text(json_object_get(adopt, "override"), "who")
			                 : "the config");
	}
}
