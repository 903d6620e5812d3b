// edgesteerctl, the operators' command: turns its arguments into a request, asks the daemon or several and prints what
// they reply. Its verbs and options are in vocabulary.c.
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/must.h"
#include "client/command.h"
#include "client/differ.h"
#include "client/exchange.h"
#include "client/fault.h"
#include "client/feed.h"
#include "client/fleet.h"
#include "client/https.h"
#include "client/json.h"
#include "client/members.h"
#include "client/outcome.h"
#include "client/print.h"
#include "client/vocabulary.h"
#include "client/wait.h"

// Of several daemons a dead one is not waited for as long as the only one.
enum { TIMEOUT_S = 30, SLOW_TIMEOUT_S = 600, MEMBER_TIMEOUT_S = 5 };

enum { MEMBERS_BYTES_MAX = 16 << 20 };

// Asks them and sets their outcomes.
static void ask(const struct client_command *command, const struct client_members *members, const json_t *request,
                struct client_outcome *outcomes)
{
	const struct verb *verb = command->verb;
	unsigned usual_s = members->named ? MEMBER_TIMEOUT_S : TIMEOUT_S;
	// That of --wait may be hours: a member that is dead need not take them.
	unsigned given_s = members->named && command->values[OPT_WAIT] ? 0 : command->timeout_s;
	unsigned timeout_s = given_s ? given_s : verb->slow ? SLOW_TIMEOUT_S : usual_s;
	const struct client_exchange how = {verb->changes, verb->counts, timeout_s,
	                                    verb->slow && !members->named ? "waiting for the daemon" : NULL};

	const struct client_feeding feeding = {members, request, timeout_s, command->json};

	if (verb->feed)
		verb->feed(&feeding, outcomes);
	else
		client_fleet_ask(members, request, &how,
		                 !verb->slow || !members->named ? 0
		                 : timeout_s < usual_s          ? timeout_s
		                                                : usual_s,
		                 outcomes);
}

// drain --wait. `code` is that of the orders.
static int wait_for(const struct client_command *command, const struct client_members *members,
                    const struct client_outcome *outcomes, int64_t done_ms, int code)
{
	int worst = 0;

	for (size_t i = 0; i < members->count; i++) {
		if (!client_outcome_is_ok(&outcomes[i]))
			continue;
		if (client_wait(&members->at[i], members->named ? members->at[i].name : NULL, outcomes[i].reply, done_ms,
		                command->timeout_s) != 0)
			worst = CLIENT_UNSETTLED;
	}
	return code != 0 ? code : worst;
}

static int run_with(const struct client_command *command, const struct client_members *members, const json_t *request)
{
	struct client_outcome outcomes[CLIENT_MEMBERS_MAX] = {0};
	const struct verb *verb = command->verb;
	int64_t done_ms;
	int code;

	if (verb->compares)
		return client_differ(command->json, members, command->timeout_s ? command->timeout_s : MEMBER_TIMEOUT_S);
	ask(command, members, request, outcomes);
	done_ms = clock_mono_ms();
	if (members->named)
		code = client_fleet_show(verb, command->json, members, outcomes);
	else if (client_outcome_show(verb, command->json, &outcomes[0], NULL))
		code = client_outcome_code(verb, &outcomes[0]);
	else
		code = CLIENT_REFUSED;
	if (command->values[OPT_WAIT])
		code = wait_for(command, members, outcomes, done_ms, code);
	client_outcomes_wipe(outcomes, members->count);
	return code;
}

static int wrong_line(const struct verb *verb, int code)
{
	if (verb->monitors && client_command_prints_json())
		return CLIENT_UNKNOWN;
	return verb->monitors ? client_outcome_unknown("the command line is wrong, see standard error") : code;
}

static int run(const struct client_command *command, char **words, int count)
{
	struct arena *arena = arena_new(MEMBERS_BYTES_MAX);
	struct client_members members;
	struct client_fault fault;
	int code;
	json_t *request = client_command_request(command, words, count, &code);

	must(arena);
	if (!request) {
		code = wrong_line(command->verb, code);
	} else if (!client_https_begin()) {
		fputs("edgesteerctl: libcurl cannot be used\n", stderr);
		code = CLIENT_REFUSED;
	} else if (client_members_find(&command->wanted, arena, &members, &fault) < 0) {
		if (fault.text[0])
			client_print(stderr, "edgesteerctl: %s\n", fault.text);
		if (command->json)
			client_refusal_print(fault.text[0] ? fault.text : "ctl.yaml is wrong, see standard error", CLIENT_USAGE);
		code = wrong_line(command->verb, CLIENT_USAGE);
	} else {
		code = run_with(command, &members, request);
	}
	json_decref(request);
	arena_free(arena);
	return code;
}

// The exit code of a command line that is wrong. For `check` that is UNKNOWN: 2 would be CRITICAL.
static int wrong_usage(int argc, char **argv, int code)
{
	const struct verb *verb = NULL;

	for (int i = 1; i < argc && !verb; i++) {
		int at = i;

		verb = client_command_verb(argv, argc, &at);
	}
	return code == CLIENT_USAGE && verb ? wrong_line(verb, code) : code;
}

int main(int argc, char **argv)
{
	struct client_command command = {0};

	client_print_init();

	int code = client_command_options(&command, argc, argv);

	if (code != 0)
		return wrong_usage(argc, argv, code);
	while (optind < argc && strcmp(argv[optind], "help") == 0) { // as --help
		command.help = true;
		optind++;
	}
	if (optind < argc)
		command.verb = client_command_verb(argv, argc, &optind);
	client_command_plan(&command);
	if (command.version)
		printf("edgesteerctl %s\n", PACKAGE_VERSION);
	else if (optind < argc && !command.verb)
		code = client_command_unknown(argv[optind], command.help);
	else if (command.help)
		client_command_help(command.verb);
	else if (!command.verb)
		code = client_command_wrong(NULL, "a verb is missing");
	else
		code = run(&command, argv + optind + 1, argc - optind - 1);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "edgesteerctl: cannot write to standard output: %s\n", strerror(errno));
		return CLIENT_REFUSED;
	}
	return code;
}
