// Replies about what vantages report, and the brake; see show.h.
#include <stdio.h>

#include "base/attr.h"
#include "client/json.h"
#include "client/print.h"
#include "client/show.h"

const char *client_vantages_text(const json_t *target, char *buf)
{
	const json_t *vantages = json_object_get(target, "vantages"), *vantage;
	size_t i, at = 0;

	buf[0] = '\0';
	json_array_foreach(vantages, i, vantage) {
		const char *carrier = client_text(vantage, "carrier");

		if (at < CLIENT_VANTAGES_LEN)
			at += (size_t)snprintf(buf + at, CLIENT_VANTAGES_LEN - at, "%s%s%s%s %s %lld s", at ? ", " : "",
			                       client_text(vantage, "vantage"), carrier[0] ? " of " : "", carrier,
			                       json_is_true(json_object_get(vantage, "up")) ? "up" : "down",
			                       (long long)client_int(vantage, "age_s"));
	}
	return buf;
}

void client_show_report(const json_t *reply)
{
	json_int_t skew_s = client_int(reply, "skew_s");

	client_print(stdout, "taken\n");
	if (skew_s)
		client_print(stdout, "It was seen %lld s from now: a clock is wrong. It counts as seen now.\n", skew_s);
}

void client_show_brakes(const json_t *reply)
{
	const json_t *brakes = json_object_get(reply, "brakes"), *brake;
	size_t i;

	json_array_foreach(brakes, i, brake)
		client_print(stdout, "BRAKE: everything in %s failed at once; %lld targets are held as they were, for %lld s so far "
		             "(edgesteerctl brake release)\n", client_text(brake, "what"), client_int(brake, "held"),
		             client_int(brake, "for_s"));
}

void client_show_vantages(const json_t *reply)
{
	static const char *const heads[] = {"VANTAGE", "FOR", ">UP", ">DOWN", ">REPORTS", ">STALE", ">HEARD", ">CLOCK", "WHO", NULL};
	const json_t *vantages = json_object_get(reply, "vantages"), *vantage;
	struct client_table *table = client_table_new(heads);
	size_t i;

	json_array_foreach(vantages, i, vantage) {
		char up[CTL_INT_LEN], down[CTL_INT_LEN], reports[CTL_INT_LEN], stale[CTL_INT_LEN], age[CTL_TIME_LEN], clock[32];
		const char *carrier = client_text(vantage, "carrier");

		client_span(client_int(vantage, "age_s"), age);
		clock[0] = '\0';
		if (client_int(vantage, "skew_s"))
			snprintf(clock, sizeof(clock), "%+lld s", (long long)client_int(vantage, "skew_s"));

		const char *const cells[] = {client_text(vantage, "name"), carrier[0] ? carrier : "everybody",
		                             client_int_text(vantage, "up", up), client_int_text(vantage, "down", down),
		                             client_int_text(vantage, "reports", reports),
		                             client_int_text(vantage, "stale", stale), age, clock, client_text(vantage, "who")};

		client_table_add(table, cells);
	}
	client_table_print(table);
	if (json_array_size(vantages) == 0)
		client_print(stdout, "no vantage has reported\n");
	client_show_brakes(reply);
}

void client_show_released(const json_t *reply)
{
	client_print(stdout, "released; groups that were held: %lld\n", client_int(reply, "released"));
}
