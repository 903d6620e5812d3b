// The exec probe: a program of the operator's, which exits with 0 where the target is up. Its first line is the reason. See
// probe.h.
#include "health/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "health/programs.h"

// What it is told: the target that is probed, by name and address.
#define VARIABLES(ROW) ROW(PATH) ROW(TARGET) ROW(APP) ROW(SITE) ROW(ADDRESS) ROW(PORT) ROW(TIMEOUT_MS)
#define VARIABLE_ID(name) VARIABLE_##name,

enum variable { VARIABLES(VARIABLE_ID) VARIABLE_COUNT };

enum {
	VARIABLE_MAX = 4096,
	AT_ONCE = PROGRAMS_MAX / 2, // so that those that have been killed, and are about to end, hold up no other
};

struct run {
	struct probe *probe;
	struct program *program;
};

static void *exec_open(struct event_base *base)
{
	return programs_new(base);
}

static void exec_close(void *engine)
{
	programs_free(engine);
}

static void on_ended(void *ctx, const struct program_end *end)
{
	struct run *run = ctx;
	struct probe *probe = run->probe;
	struct verdict verdict;
	const char *colon = *end->line ? ": " : "";

	must(probe->run == run);
	if (end->error)
		probe_verdict(&verdict, HEALTH_LOCAL, "cannot run %s: %s", probe->check->conf.command[0], strerror(end->error));
	else if (end->too_much)
		probe_verdict(&verdict, HEALTH_STATUS, "wrote more than %d KiB%s%s", PROGRAMS_OUTPUT_MAX >> 10, colon, end->line);
	else if (end->signal)
		probe_verdict(&verdict, HEALTH_STATUS, "ended by signal %d (%s)%s%s", end->signal, strsignal(end->signal), colon,
		              end->line);
	else
		probe_verdict(&verdict, end->status ? HEALTH_STATUS : HEALTH_OK, "exit status %d%s%s", end->status, colon, end->line);
	probe->run = NULL;
	free(run);
	probe->done(probe, &verdict);
}

// Writes NAME=value. False: it is too long.
static bool set(char *buf, enum variable variable, const struct probe *probe)
{
	const struct config_check *check = &probe->check->conf;
	const char *path = getenv("PATH");
	char address[ADDR_TEXT_LEN];
	int len = 0;

	switch (variable) {
	case VARIABLE_PATH: len = snprintf(buf, VARIABLE_MAX, "PATH=%s", path ? path : "/usr/local/bin:/usr/bin:/bin"); break;
	case VARIABLE_TARGET: len = snprintf(buf, VARIABLE_MAX, "EDGESTEER_TARGET=%s/%s", probe->app, probe->site); break;
	case VARIABLE_APP: len = snprintf(buf, VARIABLE_MAX, "EDGESTEER_APP=%s", probe->app); break;
	case VARIABLE_SITE: len = snprintf(buf, VARIABLE_MAX, "EDGESTEER_SITE=%s", probe->site); break;
	case VARIABLE_ADDRESS:
		len = snprintf(buf, VARIABLE_MAX, "EDGESTEER_ADDRESS=%s", addr_format(&probe->addr, address));
		break;
	case VARIABLE_PORT: // empty where the check has none
		len = check->port ? snprintf(buf, VARIABLE_MAX, "EDGESTEER_PORT=%u", check->port)
		                  : snprintf(buf, VARIABLE_MAX, "EDGESTEER_PORT=");
		break;
	case VARIABLE_TIMEOUT_MS: len = snprintf(buf, VARIABLE_MAX, "EDGESTEER_TIMEOUT_MS=%u", check->timeout_ms); break;
	case VARIABLE_COUNT: break;
	}
	return len < VARIABLE_MAX;
}

static int start_program(struct programs *programs, struct run *run)
{
	const struct config_check *check = &run->probe->check->conf;
	char texts[VARIABLE_COUNT][VARIABLE_MAX];
	const char *argv[PROGRAMS_WORDS_MAX + 1], *environment[VARIABLE_COUNT + 1];

	must(check->command_count > 0 && check->command_count <= PROGRAMS_WORDS_MAX);
	for (size_t i = 0; i < check->command_count; i++)
		argv[i] = check->command[i];
	argv[check->command_count] = NULL;
	for (enum variable i = 0; i < VARIABLE_COUNT; i++) {
		if (!set(texts[i], i, run->probe)) {
			errno = E2BIG;
			return E_IO;
		}
		environment[i] = texts[i];
	}
	environment[VARIABLE_COUNT] = NULL;

	int err = programs_run(programs, argv, environment, on_ended, run, &run->program);

	if (err != E_LIMIT)
		return err;
	errno = EAGAIN; // so many have been killed, and the kernel holds them
	return E_IO;
}

static int exec_start(void *engine, struct probe *probe)
{
	struct run *run = calloc(1, sizeof(*run));
	int err;

	if (!run)
		return E_NOMEM;
	run->probe = probe;
	err = start_program(engine, run);
	if (err < 0)
		free(run); // preserves errno
	else
		probe->run = run;
	return err;
}

static void exec_cancel(struct probe *probe)
{
	struct run *run = probe->run;

	must(run && run->probe == probe);
	programs_end(run->program);
	free(run);
	probe->run = NULL;
}

static const char *exec_stage(const struct probe *probe)
{
	const struct run *run = probe->run;

	return programs_has_begun(run->program) ? "waiting for the program to end" : "starting the program";
}

// Its file cannot be reached, or another's before it.
static bool exec_waits_here(const struct probe *probe)
{
	const struct run *run = probe->run;

	return !programs_has_begun(run->program);
}

const struct probe_type exec_probe = {
	.at_once = AT_ONCE, .open = exec_open, .close = exec_close, .start = exec_start, .cancel = exec_cancel,
	.stage = exec_stage, .waits_here = exec_waits_here,
};
