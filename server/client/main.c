// edgesteerctl, the operators' command: turns its arguments into a request, sends it to the daemon's control socket and
// prints the reply. Its verbs and options are in vocabulary.c.
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/must.h"
#include "base/nearest.h"
#include "base/when.h"
#include "client/json.h"
#include "client/link.h"
#include "client/feed.h"
#include "client/print.h"
#include "client/show.h"
#include "client/vocabulary.h"
#include "client/wait.h"

#define DEFAULT_SOCKET "/run/edgesteer/control.sock"

// A 5: not everywhere. Of `check`: WARNING and CRITICAL are 1 and 2, and whatever else is no answer
// is UNKNOWN.
enum { EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_NOTHING = 3, EXIT_UNREACHED = 4, EXIT_PARTLY = 5,
       EXIT_UNKNOWN = 3 };

enum { TIMEOUT_S = 30, RELOAD_TIMEOUT_S = 600, TRIES_MAX = 5 };

// What the command line says.
struct command {
	const struct verb *verb;
	const char *values[OPTIONS]; // of the options that become fields; NULL: not given
	const char *socket;
	unsigned timeout_s;          // 0: the verb's default
	bool json, help, version;
};

// ---- help -----------------------------------------------------------------------------------------------------------

static void print_option(size_t i)
{
	char words[64];

	snprintf(words, sizeof(words), "%s--%s%s%s", i == OPT_SOCKET ? "-s, " : "", client_options[i].name,
	         client_options[i].arg ? " " : "", client_options[i].arg ? client_options[i].arg : "");
	printf("  %-24s  %s\n", words, client_options[i].help);
}

static void print_usage(FILE *out, const struct verb *verb)
{
	if (!verb) {
		fputs("usage: edgesteerctl [-s SOCKET] [--json] VERB [WORDS] [OPTIONS]\n", out);
		return;
	}
	fprintf(out, "usage: edgesteerctl %s%s%s", verb->name, verb->args[0] ? " " : "", verb->args);
	for (size_t i = 0; i < OPTIONS; i++)
		if (verb->takes & 1u << i)
			fprintf(out, verb->needs & 1u << i ? " --%s%s%s" : " [--%s%s%s]", client_options[i].name,
			        client_options[i].arg ? " " : "", client_options[i].arg ? client_options[i].arg : "");
	fputc('\n', out);
}

static void print_help(const struct verb *verb)
{
	print_usage(stdout, verb);
	if (verb)
		printf("%c%s.\n", verb->help[0] - 'a' + 'A', verb->help + 1);
	else
		fputs("Controls edgesteerd and shows what it does.\n\nVerbs:\n", stdout);
	for (size_t i = 0; !verb && i < client_verb_count; i++) {
		char words[64];

		snprintf(words, sizeof(words), "%s %s", client_verbs[i].name, client_verbs[i].args);
		printf("  %-28s  %s\n", words, client_verbs[i].help);
	}
	fputs("\nOptions, before or after the verb:\n", stdout);
	for (size_t i = 0; i < CLIENT_OPTIONS; i++)
		if (i >= OPTIONS || (verb && verb->takes & 1u << i))
			print_option(i);
	fputs("\nThe socket is $EDGESTEER_SOCKET, or else " DEFAULT_SOCKET ".\n"
	      "Exit code 0: done; 1: the daemon refused; 2: the command or the config is wrong; 3: nothing to do, it is so\n"
	      "already; 4: the daemon could not be reached, or did not answer; 5: not everywhere.\n", stdout);
	if (!verb)
		fputs("edgesteerctl help VERB shows a verb's options.\n", stdout);
}

// ---- arguments ------------------------------------------------------------------------------------------------------

static int usage_error(const struct verb *verb, const char *fmt, ...) PRINTF(2, 3);

static int usage_error(const struct verb *verb, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	client_print(stderr, "edgesteerctl: %s\n", text);
	print_usage(stderr, verb);
	fputs(verb ? "" : "edgesteerctl help lists the verbs\n", stderr);
	return EXIT_USAGE;
}

static bool read_seconds(const char *text, unsigned *ret_s)
{
	char *end;
	unsigned long s;

	errno = 0;
	s = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || errno || s == 0 || s > 86400)
		return false;
	if (strcmp(end, "") != 0 && strcmp(end, "s") != 0)
		return false;
	*ret_s = (unsigned)s;
	return true;
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < client_verb_count; i++)
		if (strcmp(client_verbs[i].name, name) == 0)
			return &client_verbs[i];
	return NULL;
}

// The verb at argv[*at], which is left at its last word: a few have two.
static const struct verb *find_words(char **argv, int argc, int *at)
{
	const struct verb *verb = NULL;
	char words[64];

	if (*at + 1 < argc && snprintf(words, sizeof(words), "%s %s", argv[*at], argv[*at + 1]) < (int)sizeof(words))
		verb = find_verb(words);
	*at += verb != NULL;
	return verb ? verb : find_verb(argv[*at]);
}

static int unknown_verb(const char *name)
{
	struct nearest nearest = nearest_begin(name);
	char meant[NEAREST_MEANT_MAX];

	for (size_t i = 0; i < client_verb_count; i++)
		nearest_offer(&nearest, client_verbs[i].name);
	nearest_offer(&nearest, "help");
	return usage_error(NULL, "no verb '%s'%s", name, nearest_meant(&nearest, '\'', meant));
}

// One option as getopt_long() found it. 0 or an exit code.
static int take_option(struct command *command, int found, const char *value)
{
	switch (found) {
	case OPT_SOCKET: command->socket = value; return 0;
	case OPT_JSON: command->json = true; return 0;
	case OPT_HELP: command->help = true; return 0;
	case OPT_VERSION: command->version = true; return 0;
	case OPT_TIMEOUT:
		if (read_seconds(value, &command->timeout_s))
			return 0;
		return usage_error(NULL, "--timeout: '%s' is not a number of seconds from 1 to 86400", value);
	}
	if (found < 0 || found >= OPTIONS) { // getopt_long() has printed an error
		print_usage(stderr, NULL);
		return EXIT_USAGE;
	}
	if (command->values[found])
		return usage_error(NULL, "--%s is given twice", client_options[found].name);
	command->values[found] = value ? value : "";
	return 0;
}

static int read_options(struct command *command, int argc, char **argv)
{
	struct option longs[CLIENT_OPTIONS + 1] = {0};
	int found, err = 0;

	for (size_t i = 0; i < CLIENT_OPTIONS; i++)
		longs[i] = (struct option){client_options[i].name, client_options[i].arg ? required_argument : no_argument, NULL, (int)i};
	while (err == 0 && (found = getopt_long(argc, argv, "s:h", longs, NULL)) != -1) {
		if (found == 's')
			found = OPT_SOCKET;
		if (found == 'h')
			found = OPT_HELP;
		err = take_option(command, found, optarg);
	}
	return err;
}

static bool is_number(const char *text)
{
	return text[0] && text[strspn(text, "0123456789")] == '\0';
}

static int too_many_words(const struct command *command, bool takes_any)
{
	const struct verb *verb = command->verb;

	if (command->values[OPT_FOR] && verb->takes & 1u << OPT_FOR && is_number(command->values[OPT_FOR]))
		return usage_error(verb, "%s takes no more than %s: put a time of several words into one, as in --for 2h or --for "
		                   "1d12h", verb->name, verb->args);
	if (command->values[OPT_REASON] && verb->takes & 1u << OPT_REASON)
		return usage_error(verb, "%s takes no more than %s: put a reason of several words in quotes, as in "
		                   "--reason 'disk full'", verb->name, verb->args);
	return usage_error(verb, takes_any ? "%s takes no more than %s" : "%s takes no words%s", verb->name, verb->args);
}

// Checks the words and options against the verb's row. 0 or an exit code.
static int check_words(const struct command *command, int count)
{
	const struct verb *verb = command->verb;
	unsigned most = 0;

	while (most < CLIENT_POSITIONAL_MAX && verb->fields[most])
		most++;
	if ((unsigned)count < verb->needed)
		return usage_error(verb, "%s needs %s", verb->name, verb->args);
	if ((unsigned)count > most)
		return too_many_words(command, most > 0);
	if (count == 0 && verb->takes & 1u << OPT_REGION && !command->values[OPT_REGION] && !command->values[OPT_CARRIER])
		return usage_error(verb, "%s needs SITE, a name or a pattern, or --region, or --carrier", verb->name);
	for (size_t i = 0; i < OPTIONS; i++) {
		if (command->values[i] && !(verb->takes & 1u << i))
			return usage_error(verb, "%s does not take --%s", verb->name, client_options[i].name);
		if (!command->values[i] && verb->needs & 1u << i)
			return usage_error(verb, "%s needs --%s %s", verb->name, client_options[i].name, client_options[i].arg);
	}
	return 0;
}

// ---- request --------------------------------------------------------------------------------------------------------

// The same of "APP/SITE" in the place of a site. 0 or an exit code.
static int split_site(const struct command *command, json_t *request, const char *written)
{
	const struct verb *verb = command->verb;

	if (!client_slash(written) || !(verb->takes & 1u << OPT_APP))
		return usage_error(verb, "'%s' is not a SITE", written);
	if (command->values[OPT_APP])
		return usage_error(verb, "'%s' names an app, and --app does too", written);
	return json_object_set_new(request, "app", json_string(written)) == 0 && client_split_target(request) ? 0 : EXIT_REFUSED;
}

// The daemon may be in another time zone: it is told a time that has none. 0 or an exit code.
static int set_times(const struct command *command, json_t *request)
{
	static const enum option_name times[] = {OPT_AT, OPT_UNTIL};
	char text[WHEN_TEXT_LEN];
	int64_t time_s;

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		const char *written = command->values[times[i]], *name = client_options[times[i]].name;

		if (written && when_parse(written, clock_wall_s(), true, &time_s) < 0)
			return usage_error(command->verb, "--%s: '%s' is not a time like 14:03, '2026-08-09 14:03', "
			                   "2026-08-09T14:03:00Z or @1786284180", name, written);
		if (written && json_object_set_new(request, name, json_string(when_format(time_s, text))) < 0)
			return EXIT_REFUSED;
	}
	return 0;
}

// The request, owned by the caller. NULL: an error was printed, and *ret_exit is the exit code.
static json_t *make_request(const struct command *command, char **words, int count, int *ret_exit)
{
	json_t *request = json_pack("{s:s}", "verb", command->verb->name);
	bool good = request != NULL;

	must(count <= CLIENT_POSITIONAL_MAX);
	for (int i = 0; i < count; i++)
		good = good && json_object_set_new(request, command->verb->fields[i], json_string(words[i])) == 0;
	for (size_t i = 0; i < OPTIONS; i++)
		if (command->values[i] && i != OPT_WAIT)
			good = good && json_object_set_new(request, i == OPT_OBSERVED ? "observed_at" : client_options[i].name,
			                                   client_options[i].arg ? json_string(command->values[i]) : json_true()) == 0;
	if (!good)
		*ret_exit = usage_error(command->verb, "an argument is not UTF-8");
	else if (count > 1 && strcmp(command->verb->fields[1], "to") == 0 && !client_split_target(request))
		*ret_exit = usage_error(command->verb, "'%s' is not APP/SITE", words[0]);
	else if (count > 0 && strcmp(command->verb->fields[0], "site") == 0 && strchr(words[0], '/'))
		*ret_exit = split_site(command, request, words[0]);
	else
		*ret_exit = set_times(command, request);
	if (good && *ret_exit == 0)
		return request;
	json_decref(request);
	return NULL;
}

// Whether two parts belong to the same list. If it changed in between, some entries may be in neither part.
static bool same_version(const json_t *reply, const json_t *part)
{
	static const char *const numbers[] = {"generation", "overrides_revision"};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		const json_t *before = json_object_get(reply, numbers[i]), *now = json_object_get(part, numbers[i]);

		if (json_is_integer(before) && json_is_integer(now) && !json_equal(before, now))
			return false;
	}
	return true;
}

// Requests the parts after the first one, `reply`, of which it takes ownership, and returns all of them as one reply,
// or the daemon's refusal (NULL: `error` says why there is none). If the list changed in between, sets *ret_changed and
// returns the first part.
static json_t *add_parts(const struct command *command, json_t *request, json_t *reply, unsigned timeout_s,
                         struct client_link_error *error, bool *ret_changed)
{
	static const char *const lists[] = {"apps", "targets", "drains", "forces", "ended"};
	json_t *all = json_deep_copy(reply);
	json_int_t from = 0, next = client_int(reply, "next");

	while (next > from) {
		json_object_set_new(request, "from", json_integer(next));

		json_t *part = client_link_ask(command->socket, request, timeout_s, NULL, error);

		if (!json_is_true(json_object_get(part, "ok"))) {
			json_decref(all);
			json_decref(reply);
			return part;
		}
		if (!same_version(reply, part)) {
			*ret_changed = true;
			json_decref(part);
			json_decref(all);
			return reply;
		}
		for (size_t i = 0; i < ARRAY_LEN(lists); i++)
			client_extend(all, lists[i], json_object_get(part, lists[i]));
		from = next;
		next = client_int(part, "next");
		json_decref(part);
	}
	json_decref(reply);
	json_object_del(all, "next");
	return all;
}

// Sends the request, for long lists as often as there are parts: each but the last says where the next one starts.
static json_t *ask(const struct command *command, json_t *request, struct client_link_error *error)
{
	const struct verb *verb = command->verb;
	unsigned timeout_s = command->timeout_s ? command->timeout_s : verb->slow ? RELOAD_TIMEOUT_S : TIMEOUT_S;
	json_t *reply = NULL;
	bool changed = true;

	for (unsigned tries = 0; changed && tries < TRIES_MAX; tries++) {
		changed = false;
		json_decref(reply);
		json_object_del(request, "from");
		reply =
			client_link_ask(command->socket, request, timeout_s, verb->slow ? "waiting for the daemon" : NULL, error);
		if (reply && client_int(reply, "next") > 0)
			reply = add_parts(command, request, reply, timeout_s, error, &changed);
	}
	if (!changed)
		return reply;
	if (verb->counts) {
		json_object_del(reply, "next");
		json_object_set_new(reply, "warnings",
		                    json_pack("[s]", "overrides changed while they were listed: the lists are incomplete"));
		return reply;
	}
	json_decref(reply);
	error->is_unreached = false;
	snprintf(error->text, sizeof(error->text), "the configuration was reloaded during each of %d attempts to read the list; "
	         "try again", TRIES_MAX);
	return NULL;
}

// ---- reply ----------------------------------------------------------------------------------------------------------

static void print_lines(const json_t *lines, const char *before)
{
	for (size_t i = 0; i < json_array_size(lines); i++) {
		const char *line = json_string_value(json_array_get(lines, i));

		client_print(stderr, "%s%s\n", before, line ? line : "?");
	}
}

// The exit code of `check` for a reply.
static int level_of(const json_t *reply)
{
	static const char *const levels[] = {"ok", "warning", "critical"};

	for (size_t i = 0; i < ARRAY_LEN(levels); i++)
		if (strcmp(client_text(reply, "level"), levels[i]) == 0)
			return (int)i;
	return EXIT_UNKNOWN;
}

// For a monitoring system, which shows the first line of standard output. The exit code.
static int unknown(const char *why)
{
	client_print(stdout, "EDGESTEER UNKNOWN - %s\n", why);
	return EXIT_UNKNOWN;
}

static int print_reply(const struct command *command, const json_t *reply)
{
	bool ok = json_is_true(json_object_get(reply, "ok"));
	const char *error = client_text(reply, "error");

	// In ASCII: text from operators and configs cannot send control sequences to a terminal.
	if (command->json && (json_dumpf(reply, stdout, JSON_COMPACT | JSON_ENSURE_ASCII) < 0 || putchar('\n') == EOF))
		return EXIT_REFUSED;
	if ((ok || command->verb->details) && !command->json)
		command->verb->show(reply);
	fflush(stdout);
	if (!ok && command->verb->monitors && !command->json)
		return unknown(error);
	if (!ok)
		client_print(stderr, "edgesteerctl: %s\n",
		             error[0] ? error : "the daemon's reply is invalid: it is neither a success nor an error");
	print_lines(json_object_get(reply, "errors"), "");
	print_lines(json_object_get(reply, "warnings"), "warning: ");
	if (command->verb->monitors)
		return ok ? level_of(reply) : EXIT_UNKNOWN;
	if (ok)
		return command->verb->feed && client_int(reply, "bad") > 0 ? EXIT_USAGE : 0;

	json_int_t code = client_int(reply, "code");

	return code == EXIT_USAGE || code == EXIT_NOTHING || code == EXIT_PARTLY ? (int)code : EXIT_REFUSED;
}

static int run(const struct command *command, char **words, int count)
{
	struct client_link_error error;
	int code = check_words(command, count);
	json_t *request = code == 0 ? make_request(command, words, count, &code) : NULL;
	json_t *reply;

	if (!request)
		return command->verb->monitors ? unknown("the command line is wrong, see standard error") : code;
	if (command->verb->feed)
		reply = command->verb->feed(command->socket, count > 0 ? words[0] : NULL,
		                            command->timeout_s ? command->timeout_s : TIMEOUT_S, &error);
	else
		reply = ask(command, request, &error);
	json_decref(request);

	bool is_unreached = !reply && error.is_unreached;

	if (!reply) {
		reply = json_pack("{s:b, s:o, s:i}", "ok", 0, "error", json_string(error.text), "code",
		                  is_unreached ? EXIT_UNREACHED : EXIT_REFUSED);
		if (!reply)
			return EXIT_REFUSED;
	}
	code = print_reply(command, reply);
	if (code == 0 && command->values[OPT_WAIT])
		code = client_wait(command->socket, reply, command->timeout_s);
	json_decref(reply);
	return is_unreached && !command->verb->monitors ? EXIT_UNREACHED : code;
}

// The exit code of a command line that is wrong. For `check` that is UNKNOWN: 2 would be CRITICAL.
static int wrong_usage(int argc, char **argv, int code)
{
	const struct verb *verb = NULL;

	for (int i = 1; i < argc && !verb; i++)
		verb = find_verb(argv[i]);
	return code == EXIT_USAGE && verb && verb->monitors ? unknown("the command line is wrong, see standard error") : code;
}

int main(int argc, char **argv)
{
	struct command command = {.socket = getenv("EDGESTEER_SOCKET")};

	client_print_init();

	int code = read_options(&command, argc, argv);

	if (code != 0)
		return wrong_usage(argc, argv, code);
	if (!command.socket || !command.socket[0])
		command.socket = DEFAULT_SOCKET;
	while (optind < argc && strcmp(argv[optind], "help") == 0) { // as --help
		command.help = true;
		optind++;
	}
	if (optind < argc)
		command.verb = find_words(argv, argc, &optind);
	if (command.version)
		printf("edgesteerctl %s\n", PACKAGE_VERSION);
	else if (optind < argc && !command.verb)
		code = unknown_verb(argv[optind]);
	else if (command.help)
		print_help(command.verb);
	else if (!command.verb)
		code = usage_error(NULL, "a verb is missing");
	else
		code = run(&command, argv + optind + 1, argc - optind - 1);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "edgesteerctl: cannot write to standard output: %s\n", strerror(errno));
		return EXIT_REFUSED;
	}
	return code;
}
