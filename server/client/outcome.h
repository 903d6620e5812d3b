// What came of asking one daemon: shown, and as an exit code. For edgesteerctl.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"

struct client_fault;
struct verb;

// A 5: not everywhere. 6: it is done, but --wait has not seen the end of it. Of `check`: WARNING and CRITICAL are 1 and 2, and whatever else is no answer is UNKNOWN.
enum {
	CLIENT_REFUSED = 1,
	CLIENT_USAGE = 2,
	CLIENT_NOTHING = 3,
	CLIENT_UNREACHED = 4,
	CLIENT_PARTLY = 5,
	CLIENT_UNSETTLED = 6,
	CLIENT_UNKNOWN = 3
};

struct client_outcome {
	json_t *reply; // the daemon's or, where there is none, a refusal that says why; owned
	bool is_unreached;
};

// A reply that refuses, as a daemon's would, with an exit code; owned by the caller. Never NULL.
json_t *client_refusal(int code, const char *fmt, ...) PRINTF(2, 3) MUST_USE;
// Prints such a refusal, as one line of JSON.
void client_refusal_print(const char *text, int code);
// Takes ownership of the reply; NULL: the fault says why there is none.
void client_outcome_set(struct client_outcome *outcome, json_t *reply, const struct client_fault *fault);
// Frees what is in `count` of them.
void client_outcomes_wipe(struct client_outcome *outcomes, size_t count);

bool client_outcome_is_ok(const struct client_outcome *outcome);
// The exit code, were it the only daemon.
int client_outcome_code(const struct verb *verb, const struct client_outcome *outcome);
// The exit code of `check` for a reply.
int client_outcome_level(const json_t *reply);

// Prints the reply, as one line of JSON or for people; errors and warnings on standard error. `name`: of the member;
// NULL: no other could be meant. False: standard output does not take it.
bool client_outcome_show(const struct verb *verb, bool json, const struct client_outcome *outcome,
                         const char *name) MUST_USE;
// For a monitoring system, which shows the first line of standard output. The exit code.
int client_outcome_unknown(const char *why);
