// What a row of vocabulary.c says of a verb or an option of edgesteerctl.
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct client_feeding;
struct client_outcome;

enum option_name { OPT_APP, OPT_SITE, OPT_REGION, OPT_CARRIER, OPT_AT, OPT_FOR, OPT_UNTIL, OPT_OVER, OPT_REASON, OPT_BY,
	           OPT_VOLATILE, OPT_ENDED, OPT_WAIT, OPT_CLIENT, OPT_FORCE, OPT_SOURCE, OPT_ALL, OPT_CHECK, OPT_APPLY,
	           OPT_VANTAGE, OPT_TTL, OPT_OBSERVED, OPT_DRY_RUN, OPT_WITHOUT, OPT_END, OPT_WEIGHTS, OPTIONS,
	           OPT_SOCKET = OPTIONS, OPT_GROUP, OPT_CA_FILE, OPT_TOKEN_FILE, OPT_CERT, OPT_KEY, OPT_JSON, OPT_TIMEOUT, OPT_HELP, OPT_VERSION };

// Options that become fields of the request (without an argument: true), followed by those that every verb takes.
struct client_option {
	const char *name, *arg, *help;
};

enum { CLIENT_POSITIONAL_MAX = 3, CLIENT_OPTIONS = OPT_VERSION + 1 };

struct verb {
	const char *name, *args, *help; // `help` starts with a lower-case letter
	void (*show)(const json_t *reply); // NULL: of what compares
	const char *fields[CLIENT_POSITIONAL_MAX]; // the request's fields that the words after the verb become
	unsigned needed;                    // how many of the fields are required
	unsigned takes, needs;              // options, 1 << enum option_name
	const char *details;                // a refusal with this field is shown as what is done is; NULL: none is
	// Instead of one request to each member as many as it takes, see feed.h; NULL: one request.
	void (*feed)(const struct client_feeding *feeding, struct client_outcome *outcomes);
	bool changes;                       // over HTTP a POST; of several daemons all have to have it
	bool compares;                      // asks several verbs of all daemons, see differ.h
	bool slow;                          // longer timeout, with progress
	bool monitors;                      // its exit codes are those of monitoring plugins
	bool counts;                        // its reply has the totals, so a partial list is acceptable
};
