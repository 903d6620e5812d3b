// edgesteerctl, the operators' command: turns its arguments into a request, sends it to the daemon's control socket and
// prints the reply. A new verb is one row of `verbs`.
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/must.h"
#include "base/nearest.h"
#include "client/json.h"
#include "client/link.h"
#include "client/feed.h"
#include "client/print.h"
#include "client/show.h"

#define DEFAULT_SOCKET "/run/edgesteer/control.sock"

// A 5: not everywhere. Of `check`: WARNING and CRITICAL are 1 and 2, and whatever else is no answer
// is UNKNOWN.
enum { EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_NOTHING = 3, EXIT_UNREACHED = 4, EXIT_PARTLY = 5,
       EXIT_UNKNOWN = 3 };

enum { TIMEOUT_S = 30, RELOAD_TIMEOUT_S = 600, POSITIONAL_MAX = 3, TRIES_MAX = 5 };

enum option_name { OPT_APP, OPT_SITE, OPT_FOR, OPT_REASON, OPT_CLIENT, OPT_FORCE, OPT_SOURCE, OPT_ALL, OPT_VANTAGE,
	           OPT_CARRIER, OPT_TTL, OPT_OBSERVED, OPT_CHECK, OPT_APPLY, OPTIONS,
	           OPT_SOCKET = OPTIONS, OPT_JSON, OPT_TIMEOUT, OPT_HELP, OPT_VERSION };

// Options that become fields of the request (without an argument: true), followed by those that every verb takes.
static const struct {
	const char *name, *arg, *help;
} options[] = {
	[OPT_APP] = {"app", "NAME", "only this app's target"},
	[OPT_SITE] = {"site", "NAME", "only targets at this site"},
	[OPT_FOR] = {"for", "TIME", "how long, like 30m, 2h or 1d12h; without it, until undrain"},
	[OPT_REASON] = {"reason", "TEXT", "why; shown to others and logged"},
	[OPT_CLIENT] = {"client", "ADDR[/LEN]", "the client's address or prefix"},
	[OPT_FORCE] = {"force", NULL, "take what shrink-limit or guard would hold"},
	[OPT_SOURCE] = {"source", "PLUGIN", "only what this service has said"},
	[OPT_ALL] = {"all", NULL, "every one"},
	[OPT_VANTAGE] = {"vantage", "NAME", "who has seen it"},
	[OPT_CARRIER] = {"carrier", "NAME", "for whose clients it speaks; without it, for everybody"},
	[OPT_TTL] = {"ttl", "TIME", "how long it counts, 1s to 1h; without it, 30s"},
	[OPT_OBSERVED] = {"observed-at", "TIME", "when it was seen, as 2026-11-29T01:02:03Z or seconds since 1970"},
	[OPT_CHECK] = {"check", NULL, "only show who would be answered with another site; take nothing"},
	[OPT_APPLY] = {"apply", NULL, "do it; without it, only say what would be done"},
	[OPT_SOCKET] = {"socket", "PATH", "the daemon's control socket"},
	[OPT_JSON] = {"json", NULL, "print the daemon's reply as one JSON object"},
	[OPT_TIMEOUT] = {"timeout", "SECONDS", "how long to wait for the reply"},
	[OPT_HELP] = {"help", NULL, "print this"},
	[OPT_VERSION] = {"version", NULL, "print this program's version"},
};

struct verb {
	const char *name, *args, *help; // `help` starts with a lower-case letter
	void (*show)(const json_t *reply);
	const char *fields[POSITIONAL_MAX]; // the request's fields that the words after the verb become
	unsigned needed;                    // how many of the fields are required
	unsigned takes, needs;              // options, 1 << enum option_name
	json_t *(*feed)(const char *socket, const char *file, unsigned timeout_s, struct client_link_error *error); // instead of one request
	bool slow;                          // longer timeout, with progress
	bool monitors;                      // its exit codes are those of monitoring plugins
	bool details;                       // what it shows is there in a refusal too
	bool counts;                        // its reply has the totals, so a partial list is acceptable
};

static const struct verb verbs[] = {
	{.name = "status", .args = "", .show = client_show_status, .counts = true,
	 .help = "what is served, from what, and the overrides that hold"},
	{.name = "check", .args = "[APP]", .show = client_show_check, .fields = {"app"}, .monitors = true,
	 .help = "whether all is well, for monitoring: one line, and 0 OK, 1 WARNING, 2 CRITICAL or 3 UNKNOWN"},
	{.name = "sites", .args = "[SITE]", .show = client_show_sites, .fields = {"site"},
	 .help = "the sites, their targets' states, their drains"},
	{.name = "apps", .args = "[APP]", .show = client_show_apps, .fields = {"app"}, .takes = 1 << OPT_SITE,
	 .help = "the apps' targets, their states and their health"},
	{.name = "targets", .args = "[APP]", .show = client_show_targets, .fields = {"app"},
	 .help = "the addresses of targets, where they are from, how old they are, and which were refused"},
	{.name = "drain", .args = "SITE", .show = client_show_drain, .fields = {"site"}, .needed = 1,
	 .takes = 1 << OPT_APP | 1 << OPT_FOR | 1 << OPT_REASON, .help = "take traffic away from a site"},
	{.name = "undrain", .args = "SITE", .show = client_show_undrain, .fields = {"site"}, .needed = 1,
	 .takes = 1 << OPT_APP, .help = "give it back"},
	{.name = "force", .args = "APP/SITE up|down|auto", .show = client_show_force, .fields = {"app", "to"}, .needed = 2,
	 .help = "hold a target up or down, whatever its health"},
	{.name = "report", .args = "APP/SITE up|down", .show = client_show_report, .fields = {"app", "to"}, .needed = 2,
	 .takes = 1 << OPT_VANTAGE | 1 << OPT_CARRIER | 1 << OPT_TTL | 1 << OPT_OBSERVED, .needs = 1 << OPT_VANTAGE,
	 .help = "say how a target is, as seen from elsewhere"},
	{.name = "vantages", .args = "", .show = client_show_vantages,
	 .help = "who reports how targets are, and what the brake holds"},
	{.name = "brake release", .args = "", .show = client_show_released,
	 .help = "let down what the brake holds up"},
	{.name = "explain", .args = "NAME", .show = client_show_explain, .fields = {"name"}, .needed = 1,
	 .takes = 1 << OPT_CLIENT, .needs = 1 << OPT_CLIENT, .help = "which answer a client gets, and why"},
	{.name = "reload", .args = "", .show = client_show_reload, .slow = true, .takes = 1 << OPT_FORCE | 1 << OPT_CHECK,
	 .help = "read the config again; if it is wrong, list the errors and keep the one in use"},
	{.name = "sources", .args = "", .show = client_show_sources,
	 .help = "where targets and places come from, and how their sources stand"},
	{.name = "discovery", .args = "", .show = client_show_discovery,
	 .help = "the services that are asked where clients are, and how they stand"},
	{.name = "discovery register", .args = "", .show = client_show_register, .slow = true, .details = true,
	 .takes = 1 << OPT_APPLY,
	 .help = "what would have to change at the services for the apps in `register` to be registered as their targets are"},
	{.name = "learned", .args = "[PREFIX]", .show = client_show_learned, .fields = {"prefix"},
	 .takes = 1 << OPT_SITE | 1 << OPT_SOURCE, .help = "what is learned of clients, from whom, and how sure it is"},
	{.name = "learned forget", .args = "[PREFIX]", .show = client_show_forgotten, .fields = {"prefix"},
	 .takes = 1 << OPT_ALL, .help = "forget what is learned of a prefix, or all of it"},
	{.name = "observe", .args = "[FILE|-]", .show = client_show_observe, .fields = {"file"}, .feed = client_feed,
	 .help = "pass measured round trips on, lines of ADDRESS SITE MILLISECONDS [HOST]"},
	{.name = "stats", .args = "", .show = client_show_stats, .help = "counters"},
	{.name = "version", .args = "", .show = client_show_version, .help = "the daemon's version"},
};

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

	snprintf(words, sizeof(words), "%s--%s%s%s", i == OPT_SOCKET ? "-s, " : "", options[i].name,
	         options[i].arg ? " " : "", options[i].arg ? options[i].arg : "");
	printf("  %-24s  %s\n", words, options[i].help);
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
			fprintf(out, verb->needs & 1u << i ? " --%s%s%s" : " [--%s%s%s]", options[i].name,
			        options[i].arg ? " " : "", options[i].arg ? options[i].arg : "");
	fputc('\n', out);
}

static void print_help(const struct verb *verb)
{
	print_usage(stdout, verb);
	if (verb)
		printf("%c%s.\n", verb->help[0] - 'a' + 'A', verb->help + 1);
	else
		fputs("Controls edgesteerd and shows what it does.\n\nVerbs:\n", stdout);
	for (size_t i = 0; !verb && i < ARRAY_LEN(verbs); i++) {
		char words[64];

		snprintf(words, sizeof(words), "%s %s", verbs[i].name, verbs[i].args);
		printf("  %-28s  %s\n", words, verbs[i].help);
	}
	fputs("\nOptions, before or after the verb:\n", stdout);
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
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
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
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

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		nearest_offer(&nearest, verbs[i].name);
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
		return usage_error(NULL, "--%s is given twice", options[found].name);
	command->values[found] = value ? value : "";
	return 0;
}

static int read_options(struct command *command, int argc, char **argv)
{
	struct option longs[ARRAY_LEN(options) + 1] = {0};
	int found, err = 0;

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		longs[i] = (struct option){options[i].name, options[i].arg ? required_argument : no_argument, NULL, (int)i};
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

	while (most < POSITIONAL_MAX && verb->fields[most])
		most++;
	if ((unsigned)count < verb->needed)
		return usage_error(verb, "%s needs %s", verb->name, verb->args);
	if ((unsigned)count > most)
		return too_many_words(command, most > 0);
	for (size_t i = 0; i < OPTIONS; i++) {
		if (command->values[i] && !(verb->takes & 1u << i))
			return usage_error(verb, "%s does not take --%s", verb->name, options[i].name);
		if (!command->values[i] && verb->needs & 1u << i)
			return usage_error(verb, "%s needs --%s %s", verb->name, options[i].name, options[i].arg);
	}
	return 0;
}

// ---- request --------------------------------------------------------------------------------------------------------

// The "/" of "APP/SITE", the last one: names of sites have none. NULL: it is something else.
static const char *find_slash(const char *written)
{
	const char *slash = strrchr(written, '/');

	return slash && slash > written && slash[1] ? slash : NULL;
}

// Splits "APP/SITE" of force and report into its two fields.
static bool split_target(json_t *request)
{
	const char *written = client_text(request, "app"), *slash = find_slash(written);

	if (!slash)
		return false;

	json_t *app = json_stringn(written, (size_t)(slash - written)), *site = json_string(slash + 1);

	return json_object_set_new(request, "site", site) == 0 && json_object_set_new(request, "app", app) == 0;
}

// For a word with a "/" in the place of a site's name. The exit code.
static int not_a_site(const struct verb *verb, const char *written)
{
	const char *slash = find_slash(written);

	if (!slash || !(verb->takes & 1u << OPT_APP))
		return usage_error(verb, "'%s' is not a SITE", written);
	return usage_error(verb, "'%s' is not a SITE: one app there is %s %s --app %.*s", written, verb->name, slash + 1,
	                   (int)(slash - written), written);
}

// The request, owned by the caller. NULL: an error was printed, and *ret_exit is the exit code.
static json_t *make_request(const struct command *command, char **words, int count, int *ret_exit)
{
	json_t *request = json_pack("{s:s}", "verb", command->verb->name);
	bool good = request != NULL;

	must(count <= POSITIONAL_MAX);
	for (int i = 0; i < count; i++)
		good = good && json_object_set_new(request, command->verb->fields[i], json_string(words[i])) == 0;
	for (size_t i = 0; i < OPTIONS; i++)
		if (command->values[i])
			good = good && json_object_set_new(request, i == OPT_OBSERVED ? "observed_at" : options[i].name,
			                                   options[i].arg ? json_string(command->values[i]) : json_true()) == 0;
	if (!good)
		*ret_exit = usage_error(command->verb, "an argument is not UTF-8");
	else if (count > 1 && strcmp(command->verb->fields[1], "to") == 0 && !split_target(request))
		*ret_exit = usage_error(command->verb, "'%s' is not APP/SITE", words[0]);
	else if (count > 0 && strcmp(command->verb->fields[0], "site") == 0 && strchr(words[0], '/'))
		*ret_exit = not_a_site(command->verb, words[0]);
	else
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
	static const char *const lists[] = {"apps", "targets", "drains", "forces"};
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
