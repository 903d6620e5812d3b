// Arguments -> a request; see command.h.
#include "client/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/must.h"
#include "base/nearest.h"
#include "base/when.h"
#include "client/fault.h"
#include "client/json.h"
#include "client/outcome.h"
#include "client/print.h"

enum { LONG_FIRST = 256 }; // what getopt_long() gives for the first long option: above all letters

// ---- help -----------------------------------------------------------------------------------------------------------

static void print_option(size_t i)
{
	char words[64];

	snprintf(words, sizeof(words), "%s--%s%s%s",
	         i == OPT_SOCKET  ? "-s, "
	         : i == OPT_GROUP ? "-g, "
	                          : "",
	         client_options[i].name, client_options[i].arg ? " " : "",
	         client_options[i].arg ? client_options[i].arg : "");
	printf("  %-24s  %s\n", words, client_options[i].help);
}

static void print_usage(FILE *out, const struct verb *verb)
{
	if (!verb) {
		fputs("usage: edgesteerctl [-s ADDRESS]... [-g GROUP] [--json] VERB [WORDS] [OPTIONS]\n", out);
		return;
	}
	fprintf(out, "usage: edgesteerctl %s%s%s", verb->name, verb->args[0] ? " " : "", verb->args);
	for (size_t i = 0; i < OPTIONS; i++)
		if (verb->takes & 1u << i)
			fprintf(out, verb->needs & 1u << i ? " --%s%s%s" : " [--%s%s%s]", client_options[i].name,
			        client_options[i].arg ? " " : "", client_options[i].arg ? client_options[i].arg : "");
	fputc('\n', out);
}

// The verbs whose first word this is, but for itself; NULL: all of them. How many.
static size_t print_verbs(FILE *out, const char *first)
{
	size_t count = 0, len = first ? strlen(first) : 0;

	for (size_t i = 0; i < client_verb_count; i++) {
		const struct verb *verb = &client_verbs[i];
		char words[64];

		if (first && (strncmp(verb->name, first, len) != 0 || verb->name[len] != ' '))
			continue;
		snprintf(words, sizeof(words), "%s %s", verb->name, verb->args);
		fprintf(out, "  %-28s  %s\n", words, verb->help);
		count++;
	}
	return count;
}

static void print_verb_help(const struct verb *verb)
{
	print_usage(stdout, verb);
	printf("%c%s.\n", verb->help[0] - 'a' + 'A', verb->help + 1);
	if (verb->takes)
		fputs("\nOptions, before or after the verb:\n", stdout);
	for (size_t i = 0; i < OPTIONS; i++)
		if (verb->takes & 1u << i)
			print_option(i);
	fputs("\nedgesteerctl --help shows those that all verbs take: which daemons are asked, --json, --timeout.\n", stdout);
	print_verbs(stdout, verb->name);
}

void client_command_help(const struct verb *verb)
{
	if (verb) {
		print_verb_help(verb);
		return;
	}
	print_usage(stdout, NULL);
	fputs("Controls edgesteerd and shows what it does.\n\nVerbs:\n", stdout);
	print_verbs(stdout, NULL);
	fputs("\nOptions of all verbs, before or after the verb:\n", stdout);
	for (size_t i = OPTIONS; i < CLIENT_OPTIONS; i++)
		print_option(i);
	fputs(
		"\nWithout -s and -g the daemon is $EDGESTEER_SOCKET, or all of the group $EDGESTEER_GROUP, or of the default "
		"group\n"
		"of ~/.config/edgesteer/ctl.yaml, or else " CLIENT_DEFAULT_SOCKET ".\n"
		"Exit code 0: done; 1: the daemon refused; 2: the command or the config is wrong; 3: nothing to do, it is so\n"
		"already; 4: the daemon could not be reached, or did not answer; 5: not everywhere; 6: done, but --wait gave up.\n"
		"edgesteerctl help VERB shows a verb's options.\n",
		stdout);
}

// ---- arguments ------------------------------------------------------------------------------------------------------

static bool prints_json; // --json is among the words: what is wrong with them is said as an object, too

bool client_command_prints_json(void)
{
	return prints_json;
}

int client_command_wrong(const struct verb *verb, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (prints_json)
		client_refusal_print(text, CLIENT_USAGE);
	client_print(stderr, "edgesteerctl: %s\n", text);
	print_usage(stderr, verb);
	fputs(verb ? "" : "edgesteerctl help lists the verbs\n", stderr);
	return CLIENT_USAGE;
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
const struct verb *client_command_verb(char **argv, int argc, int *at)
{
	const struct verb *verb = NULL;
	char words[64];

	if (*at + 1 < argc && snprintf(words, sizeof(words), "%s %s", argv[*at], argv[*at + 1]) < (int)sizeof(words))
		verb = find_verb(words);
	*at += verb != NULL;
	return verb ? verb : find_verb(argv[*at]);
}

void client_command_plan(struct client_command *command)
{
	char name[64];
	const struct verb *plan = NULL;

	if (!command->verb || !command->values[OPT_DRY_RUN] || !(command->verb->takes & 1u << OPT_DRY_RUN))
		return;
	snprintf(name, sizeof(name), "plan %s", command->verb->name);
	plan = find_verb(name);
	if (!plan) // it is a field of the verb's own
		return;
	command->verb = plan;
	command->values[OPT_DRY_RUN] = NULL;
}

int client_command_unknown(const char *name, bool is_help)
{
	struct nearest nearest = nearest_begin(name);
	char meant[NEAREST_MEANT_MAX];

	if (is_help && print_verbs(stdout, name) > 0)
		return 0;
	for (size_t i = 0, len = strlen(name); i < client_verb_count; i++) {
		nearest_offer(&nearest, client_verbs[i].name);
		if (strncmp(client_verbs[i].name, name, len) != 0 || client_verbs[i].name[len] != ' ')
			continue;
		client_command_wrong(NULL, "%s needs a second word:", name);
		print_verbs(stderr, name);
		return CLIENT_USAGE;
	}
	nearest_offer(&nearest, "help");
	return client_command_wrong(NULL, "no verb '%s'%s", name, nearest_meant(&nearest, '\'', meant));
}

// 0 or an exit code.
static int take_text(int found, const char *value, const char **ret_text)
{
	if (*ret_text)
		return client_command_wrong(NULL, "--%s is given twice", client_options[found].name);
	if (!value[0])
		return client_command_wrong(NULL, "--%s is empty", client_options[found].name);
	*ret_text = value;
	return 0;
}

// 0 or an exit code.
static int take_without(struct client_command *command, const char *value)
{
	size_t at = strlen(command->without), room = sizeof(command->without) - at;

	if (!value[0])
		return client_command_wrong(NULL, "--without is empty");
	if ((size_t)snprintf(command->without + at, room, "%s%s", at ? "," : "", value) >= room)
		return client_command_wrong(NULL, "--without: more than %zu bytes", sizeof(command->without) - 1);
	command->values[OPT_WITHOUT] = command->without;
	return 0;
}

// One option as getopt_long() found it. 0 or an exit code.
static int take_option(struct client_command *command, int found, const char *value)
{
	struct client_member *with = &command->wanted.with;
	struct client_fault fault;

	switch (found) {
	case OPT_SOCKET:
		return client_members_want(&command->wanted, value, &fault) < 0 ? client_command_wrong(NULL, "%s", fault.text)
		                                                                : 0;
	case OPT_GROUP:
		return take_text(found, value, &command->wanted.group);
	case OPT_CA_FILE:
		return take_text(found, value, &with->ca_file);
	case OPT_TOKEN_FILE:
		return take_text(found, value, &with->token_file);
	case OPT_CERT:
		return take_text(found, value, &with->cert);
	case OPT_KEY:
		return take_text(found, value, &with->key);
	case OPT_JSON:
		command->json = true;
		return 0;
	case OPT_HELP:
		command->help = true;
		return 0;
	case OPT_VERSION:
		command->version = true;
		return 0;
	case OPT_TIMEOUT:
		if (read_seconds(value, &command->timeout_s))
			return 0;
		return client_command_wrong(NULL, "--timeout: '%s' is not a number of seconds from 1 to 86400", value);
	}
	must(found >= 0 && found < OPTIONS);
	if (found == OPT_WITHOUT)
		return take_without(command, value);
	if (command->values[found])
		return client_command_wrong(NULL, "--%s is given twice", client_options[found].name);
	command->values[found] = value ? value : "";
	return 0;
}

// What getopt_long() did not take, whose own words would send it to the terminal as it is: `found` is the letter of a short option;
// else `word` is where a long one stands.
static int wrong_option(const char *word, int found)
{
	bool is_long = found == 0 || found >= LONG_FIRST;
	const char *name = is_long ? word + 2 : word;
	size_t len = strcspn(name, "="), begin_so = 0;
	struct nearest nearest = nearest_begin(name);
	char meant[NEAREST_MEANT_MAX];

	if (!is_long)
		return found == 's' || found == 'g'   ? client_command_wrong(NULL, "-%c needs an argument", found)
		       : found >= '0' && found <= '9' ? client_command_wrong(NULL, "'-%c' is no option: before words that begin with "
		                                                                   "'-', like a number below 0, put --", found)
		                                      : client_command_wrong(NULL, "no option '-%c'", found);
	for (size_t i = 0; i < CLIENT_OPTIONS; i++) {
		const struct client_option *option = &client_options[i];

		nearest_offer(&nearest, option->name);
		begin_so += strncmp(option->name, name, len) == 0;
		if (strlen(option->name) == len && strncmp(option->name, name, len) == 0)
			return client_command_wrong(NULL, option->arg ? "--%s needs an argument" : "--%s takes no argument",
			                            option->name);
	}
	return client_command_wrong(NULL, begin_so > 1 ? "--%.*s may be any of several options" : "no option '--%.*s'%s",
	                            len < 64 ? (int)len : 64, name, nearest_meant(&nearest, '\'', meant));
}

int client_command_options(struct client_command *command, int argc, char **argv)
{
	struct option longs[CLIENT_OPTIONS + 1] = {0};
	int found, err = 0;

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		prints_json = prints_json || strcmp(argv[i], "--json") == 0;
	for (size_t i = 0; i < CLIENT_OPTIONS; i++)
		longs[i] = (struct option){client_options[i].name, client_options[i].arg ? required_argument : no_argument,
		                           NULL, LONG_FIRST + (int)i};
	opterr = 0;
	while (err == 0 && (found = getopt_long(argc, argv, ":s:g:h", longs, NULL)) != -1) {
		if (found == '?' || found == ':')
			return wrong_option(argv[optind - 1], optopt);
		if (found == 's')
			found = OPT_SOCKET;
		if (found == 'g')
			found = OPT_GROUP;
		if (found == 'h')
			found = OPT_HELP;
		err = take_option(command, found >= LONG_FIRST ? found - LONG_FIRST : found, optarg);
	}
	return err;
}

static bool is_number(const char *text)
{
	return text[0] && text[strspn(text, "0123456789")] == '\0';
}

static int too_many_words(const struct client_command *command, bool takes_any)
{
	const struct verb *verb = command->verb;

	if (command->values[OPT_FOR] && verb->takes & 1u << OPT_FOR && is_number(command->values[OPT_FOR]))
		return client_command_wrong(
			verb,
			"%s takes no more than %s: put a time of several words into one, as in --for 2h or --for "
			"1d12h",
			verb->name, verb->args);
	if (command->values[OPT_REASON] && verb->takes & 1u << OPT_REASON)
		return client_command_wrong(verb,
		                            "%s takes no more than %s: put a reason of several words in quotes, as in "
		                            "--reason 'disk full'",
		                            verb->name, verb->args);
	return client_command_wrong(verb, takes_any ? "%s takes no more than %s" : "%s takes no words%s", verb->name,
	                            verb->args);
}

// Checks the words and options against the verb's row. 0 or an exit code.
static int check_words(const struct client_command *command, int count)
{
	const struct verb *verb = command->verb;
	unsigned most = 0;

	while (most < CLIENT_POSITIONAL_MAX && verb->fields[most])
		most++;
	if ((unsigned)count < verb->needed)
		return client_command_wrong(verb, "%s needs %s", verb->name, verb->args);
	if ((unsigned)count > most)
		return too_many_words(command, most > 0);
	if (count == 0 && verb->takes & 1u << OPT_REGION && !command->values[OPT_REGION] && !command->values[OPT_CARRIER])
		return client_command_wrong(verb, "%s needs SITE, a name or a pattern, or --region, or --carrier", verb->name);
	for (size_t i = 0; i < OPTIONS; i++) {
		if (command->values[i] && !(verb->takes & 1u << i))
			return client_command_wrong(verb, "%s does not take --%s", verb->name, client_options[i].name);
		if (!command->values[i] && verb->needs & 1u << i)
			return client_command_wrong(verb, "%s needs --%s %s", verb->name, client_options[i].name,
			                            client_options[i].arg);
	}
	return 0;
}

// ---- request --------------------------------------------------------------------------------------------------------

// The same of "APP/SITE" in the place of a site. 0 or an exit code.
static int split_site(const struct client_command *command, json_t *request, const char *written)
{
	const struct verb *verb = command->verb;

	if (!client_slash(written) || !(verb->takes & 1u << OPT_APP))
		return client_command_wrong(verb, "'%s' is not a SITE", written);
	if (command->values[OPT_APP])
		return client_command_wrong(verb, "'%s' names an app, and --app does too", written);
	return json_object_set_new(request, "app", json_string(written)) == 0 && client_split_target(request)
	           ? 0
	           : CLIENT_REFUSED;
}

// The daemon may be in another time zone: it is told a time that has none. 0 or an exit code.
static int set_times(const struct client_command *command, json_t *request)
{
	static const enum option_name times[] = {OPT_AT, OPT_UNTIL};
	char text[WHEN_TEXT_LEN];
	int64_t time_s;

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		const char *written = command->values[times[i]], *name = client_options[times[i]].name;

		if (written && when_parse(written, clock_wall_s(), true, &time_s) < 0)
			return client_command_wrong(command->verb,
			                            "--%s: '%s' is not a time like 14:03, '2026-08-09 14:03', "
			                            "2026-08-09T14:03:00Z or @1786284180",
			                            name, written);
		if (written && json_object_set_new(request, name, json_string(when_format(time_s, text))) < 0)
			return CLIENT_REFUSED;
	}
	return 0;
}

// The daemon, which reads it, is in another folder. 0 or an exit code.
static int set_path(json_t *request, const char *field, const char *written)
{
	char *folder = written[0] == '/' ? NULL : getcwd(NULL, 0);
	json_t *path = folder ? json_sprintf("%s/%s", folder, written) : json_string(written);

	free(folder);
	return json_object_set_new(request, field, path) == 0 ? 0 : CLIENT_REFUSED;
}

// The request, owned by the caller. NULL: an error was printed, and *ret_exit is the exit code.
json_t *client_command_request(const struct client_command *command, char **words, int count, int *ret_exit)
{
	json_t *request;
	bool good;

	*ret_exit = check_words(command, count);
	for (int i = 0; i < count && *ret_exit == 0; i++)
		if (!words[i][0])
			*ret_exit = client_command_wrong(command->verb, "a word is empty, expected %s", command->verb->args);
	if (*ret_exit != 0)
		return NULL;
	request = json_pack("{s:s}", "verb", command->verb->name);
	good = request != NULL;

	for (int i = 0; i < count; i++)
		good = good && json_object_set_new(request, command->verb->fields[i], json_string(words[i])) == 0;
	for (size_t i = 0; i < OPTIONS; i++)
		if (command->values[i] && i != OPT_WAIT)
			good =
				good && json_object_set_new(request, i == OPT_OBSERVED ? "observed_at" : client_options[i].name,
			                                client_options[i].arg ? json_string(command->values[i]) : json_true()) == 0;
	if (!good)
		*ret_exit = client_command_wrong(command->verb, "an argument is not UTF-8");
	else if (count > 1 && strcmp(command->verb->fields[1], "to") == 0 && !client_split_target(request))
		*ret_exit = client_command_wrong(command->verb, "'%s' is not APP/SITE", words[0]);
	else if (count > 0 && strcmp(command->verb->fields[0], "site") == 0 && strchr(words[0], '/'))
		*ret_exit = split_site(command, request, words[0]);
	else if (count > 0 && strcmp(command->verb->fields[0], "config") == 0)
		*ret_exit = set_path(request, "config", words[0]);
	if (*ret_exit == 0)
		*ret_exit = set_times(command, request);
	if (good && *ret_exit == 0)
		return request;
	json_decref(request);
	return NULL;
}
