// The verb `observe` of edgesteerctl: passes lines with measured round trips to the daemon, as they come.
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct client_members;
struct client_outcome;

// What a verb needs that sends or fetches more than one request and reply.
struct client_feeding {
	const struct client_members *members;
	const json_t *request; // as the words and options of the command line make it, "file" among them
	unsigned timeout_s;    // of each request
	bool json;             // --json
};

// Reads the request's file ("-" or none: standard input) to its end, and sends its lines to all members, each part to all at the
// same time; waits when a daemon has no room. One that fails gets no more of them. Lines that are not taken are printed
// on standard error, the first ones. Sets an outcome for each member, with the whole's reply: "lines" that are fine, of which
// "taken", "empty", and of no use ("no_site", "out_of_reach"); and "bad".
void client_feed(const struct client_feeding *feeding, struct client_outcome *outcomes);
// Prints it for people.
void client_show_observe(const json_t *reply);
// Of `discovery`: what is observed. Nothing where that is off.
void client_show_observed(const json_t *observed);
