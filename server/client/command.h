// The command line of edgesteerctl: its words and options, checked by the rows of vocabulary.h, and the request they
// become.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"
#include "client/members.h"
#include "client/vocabulary.h"

struct client_command {
	const struct verb *verb;
	const char *values[OPTIONS]; // of the options that become fields; NULL: not given
	struct client_wanted wanted;
	char without[4096]; // values[OPT_WITHOUT], of all that were given, with commas between
	unsigned timeout_s; // 0: the verb's default
	bool json, help, version;
};

// Reads the options; what is left of argv begins at getopt's `optind`. 0, or the exit code with an error that is
// printed.
int client_command_options(struct client_command *command, int argc, char **argv) MUST_USE;
// The verb at argv[*at], which is left at its last word: a few have two. NULL: there is none.
const struct verb *client_command_verb(char **argv, int argc, int *at);
// With --dry-run the verb is its plan from now on, if it has one.
void client_command_plan(struct client_command *command);
// The request of the words after the verb and the options, owned by the caller. NULL: an error was printed, and
// *ret_exit is the exit code.
json_t *client_command_request(const struct client_command *command, char **words, int count, int *ret_exit) MUST_USE;

// Whether --json is given, even where a word before it is wrong.
bool client_command_prints_json(void);
// Print an error and how it is right; with --json also as an object. The exit code.
int client_command_wrong(const struct verb *verb, const char *fmt, ...) PRINTF(2, 3);
// `is_help`: shows those of which this is the first word, if any, with exit code 0.
int client_command_unknown(const char *verb, bool is_help);
// What --help prints; NULL: of all verbs.
void client_command_help(const struct verb *verb);
