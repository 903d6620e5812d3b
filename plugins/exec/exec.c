// The `exec` plugin: targets from a program of the operator's, which prints JSON, one object a line:
//
//   {"list": [TARGET, ...]}   all there are; takes effect at once
//   {"add": TARGET}           one that is new, or is to replace the one with its key
//   {"remove": "KEY"}         one that is gone
//   {"commit": true}          what was added and removed takes effect
//
// lib/given.h has a TARGET. What a program commits first is all there is. One that ends with exit status 0 is run again after
// `interval`; one that fails, or prints what is none of these, is ended, and run again after a pause that doubles.
//
// Or look-ups by one that reads questions and prints replies: lookups.h. It is to stay.
#include "edgesteer-plugin.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "lib/regular.h"
#include "lookups.h"
#include "output.h"
#include "said.h"

enum {
	WORDS_MAX = 64,
	AGAIN_FIRST_S = 1, AGAIN_MAX_S = 60,
	PATIENCE_MS = 500,       // between the end of its output, SIGTERM and SIGKILL
	TURN_MS = 1000,          // at most, of one that looks up
};

struct exec {
	const struct edgesteer_host *host;
	char *command[WORDS_MAX + 1], *environment[WORDS_MAX + 1];
	size_t environment_count;
	int64_t deadline_ms, interval_ms;
	// Of the program that runs.
	struct child child;
	struct said said;
	struct output output;    // of one that gives targets
	struct lookups lookups;  // of one that looks up
};

// ---- one run that gives targets ---------------------------------------------------------------------------------------

static int start(struct exec *exec, bool has_input)
{
	const char *why = child_start(&exec->child, exec->command, exec->environment, has_input);

	if (why) {
		exec->host->report(exec->host, EDGESTEER_ERROR, NULL, 0, "%s cannot be started: %s", exec->command[0], why);
		return -1;
	}
	said_begin(&exec->said, exec->host, exec->child.err);
	return 0;
}

// After what follow() or follow_questions() returned. Its exit status, or -1; buf[CHILD_END_LEN] says it in words.
static int finish(struct exec *exec, int outcome, char *buf)
{
	said_take(&exec->said); // its last words
	said_done(&exec->said);
	return child_end(&exec->child, outcome == 1 ? PATIENCE_MS : 0, outcome < 0 ? 0 : PATIENCE_MS, buf);
}

// How long it may take until it commits; negative: it may take any time.
static int64_t left_ms(const struct exec *exec, int64_t started_ms)
{
	int64_t since_ms = exec->output.has_committed ? exec->output.begun_ms : started_ms, left;

	if (!since_ms)
		return -1;
	left = since_ms + exec->deadline_ms - output_now_ms();
	return left > 0 ? left : 0;
}

// Until it is to be ended, or has closed its output. 1: by itself; 0: the host wants to stop; negative: reported.
static int follow(struct exec *exec)
{
	struct pollfd wait[] = {{exec->host->stop_fd(exec->host), POLLIN, 0}, {exec->child.out, POLLIN, 0},
	                        {exec->child.err, POLLIN, 0}, {exec->child.ended, POLLIN, 0}};
	int64_t started_ms = output_now_ms();

	for (;;) {
		int64_t left = left_ms(exec, started_ms);
		int ready = poll(wait, 4, (int)left), done = 0;

		if (ready < 0 && errno != EINTR)
			return -1;
		if (ready > 0 && wait[0].revents)
			return 0;
		if (ready > 0 && wait[2].revents && !said_take(&exec->said))
			wait[2].fd = -1;
		if (ready > 0 && wait[1].revents)
			done = output_take(&exec->output);
		if (done)
			return done;
		if (ready > 0 && wait[3].revents && !wait[1].revents)
			return 1; // and all that it has printed has been read
		if (left_ms(exec, started_ms) == 0) {
			exec->host->report(exec->host, EDGESTEER_ERROR, NULL, 0, "has committed nothing within its deadline of %lld s: it is "
			                   "ended, and its last targets serve on", (long long)exec->deadline_ms / 1000);
			return -1;
		}
	}
}

// As follow(), of a whole run; 1: with exit status 0, and it has committed.
static int run_once(struct exec *exec)
{
	const struct edgesteer_host *host = exec->host;
	char end[CHILD_END_LEN];
	int outcome, status;

	if (start(exec, false) < 0)
		return -1;
	outcome = output_begin(&exec->output, host, exec->child.out) < 0 ? -1 : follow(exec);
	output_done(&exec->output);
	status = finish(exec, outcome, end);
	if (outcome == 1 && (status != 0 || !exec->output.has_committed || exec->output.begun_ms)) {
		host->report(host, EDGESTEER_ERROR, NULL, 0, "has ended: %s%s: its last targets serve on", end,
		             status == 0 ? exec->output.has_committed ? ", in the middle of a change" : ", without a commit" : "");
		return -1;
	}
	return outcome;
}

// The same for the host to know.
static int run(struct exec *exec)
{
	int outcome = run_once(exec);

	if (outcome < 0)
		exec->host->source(exec->host, NULL, EDGESTEER_SOURCE_AWAY, "the program has failed");
	return outcome;
}

// ---- one run that looks up ------------------------------------------------------------------------------------------

static bool is_silent(const struct exec *exec)
{
	int64_t quiet_ms = exec->lookups.quiet_ms;

	return quiet_ms && output_now_ms() - quiet_ms >= exec->deadline_ms;
}

// As follow().
static int follow_questions(struct exec *exec)
{
	const struct edgesteer_host *host = exec->host;
	struct lookups *lookups = &exec->lookups;
	struct pollfd wait[] = {{host->stop_fd(host), POLLIN, 0}, {exec->child.out, POLLIN, 0}, {exec->child.err, POLLIN, 0},
	                        {exec->child.ended, POLLIN, 0}, {-1, POLLIN, 0}, {-1, POLLOUT, 0}};

	for (;;) {
		int done = 0;

		wait[4].fd = lookups_has_room(lookups) ? host->question_fd(host) : -1;
		wait[5].fd = lookups->unsent_len > 0 ? exec->child.in : -1;
		if (poll(wait, 6, TURN_MS) < 0 && errno != EINTR)
			return -1;
		if (wait[0].revents)
			return 0;
		if (wait[2].revents && !said_take(&exec->said))
			wait[2].fd = -1;
		lookups_expire(lookups); // first: what has come too late may be there already
		if (wait[1].revents)
			done = lookups_take(lookups);
		if (done)
			return done;
		if ((wait[3].revents && !wait[1].revents) || !lookups_ask(lookups))
			return 1;
		if (is_silent(exec)) {
			host->report(host, EDGESTEER_ERROR, NULL, 0, "has answered nothing for %lld s: it is ended, and started again",
			             (long long)exec->deadline_ms / 1000);
			return -1;
		}
	}
}

static int run_questions(struct exec *exec)
{
	char end[CHILD_END_LEN];
	int outcome;

	if (start(exec, true) < 0)
		return -1;
	lookups_begin(&exec->lookups, exec->host, exec->child.in, exec->child.out);
	outcome = follow_questions(exec);
	lookups_done(&exec->lookups);
	finish(exec, outcome, end);
	if (outcome == 1)
		exec->host->report(exec->host, EDGESTEER_ERROR, NULL, 0, "has ended: %s: it is started again", end);
	return outcome == 1 ? -1 : outcome;
}

// ---- again and again ------------------------------------------------------------------------------------------------

// Whether the host stops it within that time. Questions are answered meanwhile: nobody else will.
static bool stops_within(const struct exec *exec, int64_t ms, bool looks_up)
{
	const struct edgesteer_host *host = exec->host;
	struct pollfd wait[] = {{host->stop_fd(host), POLLIN, 0}, {looks_up ? host->question_fd(host) : -1, POLLIN, 0}};
	int64_t end_ms = output_now_ms() + ms;

	for (int64_t left_ms = ms; left_ms > 0; left_ms = end_ms - output_now_ms()) {
		if (poll(wait, 2, (int)left_ms) > 0 && wait[0].revents)
			return true;
		if (looks_up)
			lookups_refuse(host);
	}
	return false;
}

static int repeat(struct exec *exec, int (*run_it)(struct exec *exec), bool looks_up)
{
	int64_t again_ms = AGAIN_FIRST_S * 1000;

	for (;;) {
		int64_t started_ms = output_now_ms();
		int outcome = run_it(exec);

		if (outcome == 0)
			return 0;
		if (outcome == 1 || output_now_ms() - started_ms >= AGAIN_MAX_S * 1000)
			again_ms = AGAIN_FIRST_S * 1000;
		if (stops_within(exec, outcome == 1 ? exec->interval_ms : again_ms, looks_up))
			return 0;
		if (outcome < 0)
			again_ms = again_ms * 2 < AGAIN_MAX_S * 1000 ? again_ms * 2 : AGAIN_MAX_S * 1000;
	}
}

static int exec_provide(void *self)
{
	return repeat(self, run, false);
}

static int exec_look_up(void *self)
{
	return repeat(self, run_questions, true);
}

// ---- options --------------------------------------------------------------------------------------------------------

static int fail(struct exec *exec, const char *what)
{
	exec->host->report(exec->host, EDGESTEER_ERROR, NULL, 0, "%s", what);
	return -1;
}

// Why it cannot be run; NULL: it can. Folders may be searched, which is the same bit.
static const char *program_fault(const char *path)
{
	struct stat status;

	if (access(path, X_OK) < 0 || stat(path, &status) < 0)
		return strerror(errno);
	return regular_fault(status.st_mode);
}

static int read_command(struct exec *exec)
{
	const char *why;
	json_t *words = json_loads(exec->host->option(exec->host, "command"), JSON_DECODE_ANY, NULL);
	size_t count = json_is_array(words) ? json_array_size(words) : 0;
	int err = count > 0 && count <= WORDS_MAX ? 0 : fail(exec, "`command` is not a list of 1 to 64 texts, such as "
	                                                     "[/usr/local/bin/list-targets, --all]");

	for (size_t i = 0; i < count && err == 0; i++) {
		const char *word = json_string_value(json_array_get(words, i));
		const char *text = word && i == 0 ? exec->host->path(exec->host, word) : word;

		exec->command[i] = text ? strdup(text) : NULL;
		if (!exec->command[i])
			err = fail(exec, word ? "out of memory" : "`command` is not a list of texts");
	}
	json_decref(words);
	why = err == 0 ? program_fault(exec->command[0]) : NULL;
	if (why)
		exec->host->report(exec->host, EDGESTEER_ERROR, exec->command[0], 0, "cannot be run: %s", why);
	return why ? -1 : err;
}

static int add_variable(void *ctx, const char *key, const char *value)
{
	struct exec *exec = ctx;
	size_t size = strlen(key) + strlen(value) + 2;
	char *variable = exec->environment_count < WORDS_MAX ? malloc(size) : NULL;

	if (!variable || strchr(key, '=')) {
		free(variable);
		return fail(exec, "`env` has more than 64 variables, or a name with an equals sign");
	}
	snprintf(variable, size, "%s=%s", key, value);
	exec->environment[exec->environment_count++] = variable;
	return 0;
}

static int read_seconds(struct exec *exec, const char *name, int64_t *ret_ms)
{
	const char *text = exec->host->option(exec->host, name);
	char *end;
	long seconds = strtol(text, &end, 10);

	if (end == text || (strcmp(end, "s") != 0 && strcmp(end, "m") != 0) || seconds < 1 || seconds > 86400) {
		exec->host->report(exec->host, EDGESTEER_ERROR, NULL, 0, "`%s` cannot be `%.60s`, expected a duration such as 30s or "
		                   "5m, 1s to 1440m", name, text);
		return -1;
	}
	*ret_ms = seconds * (*end == 'm' ? 60000 : 1000);
	return 0;
}

static void exec_close(void *self)
{
	struct exec *exec = self;

	for (size_t i = 0; i < WORDS_MAX; i++) {
		free(exec->command[i]);
		free(exec->environment[i]);
	}
	free(exec);
}

static int exec_open(const struct edgesteer_host *host, void **ret_self)
{
	struct exec *exec = calloc(1, sizeof(*exec));
	int err;

	if (!exec) {
		host->report(host, EDGESTEER_ERROR, NULL, 0, "out of memory");
		return -1;
	}
	exec->host = host;
	err = read_command(exec);
	if (host->option_map(host, "env", add_variable, exec) < 0)
		err = -1;
	if (read_seconds(exec, "deadline", &exec->deadline_ms) < 0)
		err = -1;
	if (read_seconds(exec, "interval", &exec->interval_ms) < 0)
		err = -1;
	if (err < 0)
		exec_close(exec);
	else
		*ret_self = exec;
	return err;
}

static const struct edgesteer_option exec_options[] = {
	{"command", EDGESTEER_JSON, 1, NULL, "A list: the program's path and its arguments. No shell is involved."},
	{"env", EDGESTEER_MAP, 0, NULL, "Its environment, which has nothing else: not even PATH."},
	{"deadline", EDGESTEER_TEXT, 0, "60s", "How long it may take from its start to its first commit, and for each change; "
	                                   "of look-ups, how long it may leave questions without any reply."},
	{"interval", EDGESTEER_TEXT, 0, "30s", "How long after it has ended with exit status 0 it is run again."},
	{NULL, EDGESTEER_TEXT, 0, NULL, NULL},
};

EDGESTEER_PLUGIN(exec) = {
	.abi_major = EDGESTEER_PLUGIN_ABI_MAJOR,
	.abi_minor = EDGESTEER_PLUGIN_ABI_MINOR,
	.size = sizeof(struct edgesteer_plugin),
	.name = "exec",
	.summary = "targets, or where clients are, from a program in any language",
	.options = exec_options,
	.open = exec_open,
	.close = exec_close,
	.provide = exec_provide,
	.look_up = exec_look_up,
};
