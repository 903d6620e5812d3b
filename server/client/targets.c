// The table of `targets`; see show.h. A line an address, and one for each that was refused.
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "client/json.h"
#include "client/print.h"
#include "client/show.h"

enum { CELL_LEN = 512 };

// Whether the addresses are as they should be: "", or what is wrong.
static const char *note_text(const json_t *target, char buf[CELL_LEN])
{
	const char *error = client_text(target, "error"), *probed = client_text(target, "check_error");
	const char *what = json_is_true(json_object_get(target, "expired")) ? "EXPIRED" : "stale";
	bool is_stale = json_is_true(json_object_get(target, "stale"));

	snprintf(buf, CELL_LEN, "%s%s%s%s%s%s", is_stale ? what : "", is_stale && error[0] ? ": " : "", error,
	         error[0] && probed[0] ? "; " : "", probed[0] ? "name to probe: " : "", probed);
	return buf;
}

// Whether an address is up, or why it is not; "": it is not probed.
static const char *health_of(const json_t *target, const char *address, char buf[CELL_LEN])
{
	const json_t *probed = json_object_get(target, "health");

	for (size_t i = 0; address && i < json_array_size(probed); i++) {
		const json_t *row = json_array_get(probed, i);
		bool is_up = json_is_true(json_object_get(row, "up"));

		if (strcmp(client_text(row, "address"), address) != 0)
			continue;
		snprintf(buf, CELL_LEN, is_up ? "up" : "down: %s", client_text(row, "text"));
		return buf;
	}
	return "";
}

static void add_refused(struct client_table *table, const json_t *list, const char *what)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);
		char note[CELL_LEN];
		const char *const cells[] = {"", "", "", client_text(row, "address"), "", "", "", "", note};

		snprintf(note, sizeof(note), "%s: %s", what, client_text(row, "why"));
		client_table_add(table, cells);
	}
}

// The name that the addresses are of, and the provider's object.
static const char *from_text(const json_t *target, char buf[CELL_LEN])
{
	const char *alias = client_text(target, "alias"), *provider = client_text(target, "provider");
	const char *from = alias[0] ? alias : client_text(target, "from");

	if (!provider[0])
		return from;
	// Until it counts; then the state says so.
	bool is_unready = strcmp(client_text(target, "provider_says"), "unready") == 0 &&
	                  !json_is_true(json_object_get(target, "unready"));

	snprintf(buf, CELL_LEN, "%s%s%s%s", alias, alias[0] ? ", " : "", provider, is_unready ? ", no server ready" : "");
	return buf;
}

static void add_target(struct client_table *table, const json_t *target)
{
	const json_t *addresses = json_object_get(target, "addresses"), *age = json_object_get(target, "age_s");
	char ttl[CTL_INT_LEN], age_text[CTL_TIME_LEN] = "", note[CELL_LEN], health[CELL_LEN];
	const char *cname = client_text(target, "cname");
	char from[CELL_LEN], state[CLIENT_STATE_LEN];

	if (json_is_integer(age))
		client_span(json_integer_value(age), age_text);
	for (size_t i = 0; i == 0 || i < json_array_size(addresses); i++) {
		const char *address = json_string_value(json_array_get(addresses, i));
		const char *const first[] = {client_text(target, "app"), client_text(target, "site"),
		                             client_state_text(target, state), address ? address : cname[0] ? cname : "none",
		                             health_of(target, address, health), from_text(target, from),
		                             age_text, client_int_text(target, "ttl_s", ttl), note_text(target, note)};
		const char *const more[] = {"", "", "", address, health_of(target, address, health), "", "", "", ""};

		client_table_add(table, i == 0 ? first : more);
	}
	add_refused(table, json_object_get(target, "refused"), "REFUSED");
	add_refused(table, json_object_get(target, "outside"), "taken");
}

void client_show_targets(const json_t *reply)
{
	static const char *const titles[] = {"APP", "SITE", "STATE", "ADDRESS", "HEALTH", "FROM", ">AGE", ">TTL", "NOTE", NULL};
	struct client_table *table = client_table_new(titles);
	const json_t *targets = json_object_get(reply, "targets");

	for (size_t i = 0; i < json_array_size(targets); i++)
		add_target(table, json_array_get(targets, i));
	client_table_print(table);
}
