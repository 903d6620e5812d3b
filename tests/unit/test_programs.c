// Programs that are run and end in every way: what is said of them, and that nothing of them is left.
#include "health/programs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "tempdir.h"

enum { PATIENCE_S = 30 };

struct outcome {
	unsigned calls;
	struct program_end end;
	char line[PROGRAMS_LINE_LEN];
};

#define HANGING "/hangs/program"

static atomic_bool hangs = true;

// The library's, but for the program of a file system that hangs.
int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
                char *const argv[], char *const environ_[])
{
	int (*real)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, char *const[], char *const[]);

	while (strcmp(path, HANGING) == 0 && hangs)
		usleep(1000);
	if (strcmp(path, HANGING) == 0)
		return ENOENT; // at once, without a child for a moment: nobody waits for the thread that was left behind
	*(void **)&real = dlsym(RTLD_NEXT, "posix_spawn");
	return real(pid, path, actions, attributes, argv, environ_);
}

static struct event_base *base;
static struct programs *programs;
static struct programs *left_behind; // so that no leak is seen: a daemon ends then

static void on_ended(void *ctx, const struct program_end *end)
{
	struct outcome *outcome = ctx;

	outcome->calls++;
	outcome->end = *end;
	strcpy(outcome->line, end->line);
	event_base_loopbreak(base);
}

static void too_long(int number)
{
	(void)number;
	_exit(99);
}

static int set_up(void **state)
{
	(void)state;
	signal(SIGALRM, too_long);
	alarm(PATIENCE_S);
	base = event_base_new();
	assert_int_equal(event_base_priority_init(base, 3), 0);
	programs = programs_new(base);
	return programs ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	programs = programs_free(programs);
	event_base_free(base);
	alarm(0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); // no child is left, dead or alive
	return 0;
}

static const char *const environment[] = {"PATH=/usr/bin:/bin", "X=a b", NULL};

static struct program *run(const char *script, struct outcome *outcome)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	struct program *program = NULL;

	*outcome = (struct outcome){0};
	assert_int_equal(programs_run(programs, argv, environment, on_ended, outcome, &program), E_OK);
	return program;
}

static void wait_for(const struct outcome *outcome)
{
	while (outcome->calls == 0)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(outcome->calls, 1);
}

static void every_end(void **state)
{
	static const struct {
		const char *script;
		int signal, status;
		const char *line;
	} rows[] = {
		{"exit 0", 0, 0, ""},
		{"exit 7", 0, 7, ""},
		{"echo one; echo two; exit 1", 0, 1, "one"},
		{"echo one >&2; exit 1", 0, 1, "one"},
		{"printf 'no end'", 0, 0, "no end"},
		{"echo; echo two", 0, 0, ""},
		{"kill -9 $$", SIGKILL, 0, ""},
		{"echo first; kill -SEGV $$", SIGSEGV, 0, "first"},
		{"read line; exit $?", 0, 1, ""},                              // stdin is empty
		{"test \"$X\" = 'a b' && test -z \"$HOME\"; exit $?", 0, 0, ""}, // the environment is what was given
		{"set -- /proc/self/fd/*; echo $#", 0, 0, "4"},                 // 0, 1, 2, and what lists them
		{"head -c 50000 /dev/zero | tr '\\0' x; exit 3", 0, 3,
		 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
		{"sleep 1000 & exit 4", 0, 4, ""},                             // does not wait for what it leaves behind
		{"trap '' TERM; kill -TERM $$; exit 5", 0, 5, ""},
		{"grep -q 'SigBlk:.0000000000000000' /proc/self/status || exit 6; exit 0", 0, 0, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct outcome outcome;

		run(rows[i].script, &outcome);
		wait_for(&outcome);
		if (outcome.end.error || outcome.end.signal != rows[i].signal || outcome.end.status != rows[i].status ||
		    strcmp(outcome.line, rows[i].line) != 0)
			fail_msg("%s: error %d, signal %d, status %d, \"%s\"", rows[i].script, outcome.end.error, outcome.end.signal,
			         outcome.end.status, outcome.line);
	}
}

static void not_started(void **state)
{
	static const struct {
		const char *path;
		int error;
	} rows[] = {{"/nowhere/program", ENOENT}, {"/etc", EACCES}, {"/etc/passwd", EACCES}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const argv[] = {rows[i].path, NULL};
		struct outcome outcome = {0};
		struct program *program;

		assert_int_equal(programs_run(programs, argv, environment, on_ended, &outcome, &program), E_OK);
		wait_for(&outcome);
		assert_int_equal(outcome.end.error, rows[i].error);
	}
}

static unsigned count_fds(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

// Whether the other end of the pipe is closed: by all who had it.
static bool is_gone(int fd)
{
	struct pollfd pipe_end = {.fd = fd};

	return poll(&pipe_end, 1, 0) == 1 && pipe_end.revents & POLLERR;
}

// What a program leaves behind goes with it, whatever it ignores.
static void nothing_is_left_behind(void **state)
{
	char folder[TEMPDIR_LEN], path[TEMPDIR_LEN + 8], script[sizeof(path) + 128];
	struct outcome outcome;
	int fd;

	(void)state;
	assert_int_equal(tempdir_make(folder), 0);
	snprintf(path, sizeof(path), "%s/fifo", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR | O_CLOEXEC); // so that the shell need not wait for a writer
	assert_true(fd >= 0);
	snprintf(script, sizeof(script), "(trap '' TERM HUP; exec sleep 1000) <%s >/dev/null 2>&1 & exit 4", path);
	run(script, &outcome);
	wait_for(&outcome);
	assert_int_equal(outcome.end.status, 4);
	int other = open(path, O_WRONLY | O_CLOEXEC);

	close(fd);
	for (int i = 0; i < 1000 && !is_gone(other); i++) // the kernel is about to close its files
		usleep(10000);
	assert_true(is_gone(other));
	close(other);
	unlink(path);
	rmdir(folder);
}

// Ended at every moment: before it has begun, and while it runs with a child that ignores signals.
static void ended_from_outside(void **state)
{
	char folder[TEMPDIR_LEN], path[TEMPDIR_LEN + 8], script[2 * sizeof(path) + 128];
	unsigned before = 0;

	(void)state;
	assert_int_equal(tempdir_make(folder), 0);
	snprintf(path, sizeof(path), "%s/fifo", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(script, sizeof(script), "trap '' TERM INT HUP; (trap '' TERM INT HUP; sleep 1000) <%s & cat <%s", path, path);
	for (int i = 0; i < 4; i++) {
		struct outcome outcome, other;
		struct program *program = run(script, &outcome);
		int fd = -1;

		if (i % 2) { // both have the pipe open
			while (!programs_has_begun(program))
				event_base_loop(base, EVLOOP_ONCE);
			fd = open(path, O_WRONLY | O_CLOEXEC);
		}
		programs_end(program);
		run("exit 0", &other);
		wait_for(&other);
		while (fd >= 0 && !is_gone(fd))
			event_base_loop(base, EVLOOP_NONBLOCK);
		if (fd >= 0)
			close(fd);
		assert_int_equal(outcome.calls, 0);
	}
	for (int i = 0; i < 20; i++) { // nothing stays open
		struct outcome outcome;

		run("exit 0", &outcome);
		wait_for(&outcome);
		before = before ? before : count_fds();
	}
	assert_true(count_fds() <= before);
	unlink(path);
	rmdir(folder);
}

static void there_is_a_limit(void **state)
{
	static const char *const argv[] = {"/bin/sleep", "1000", NULL};
	struct program *running[PROGRAMS_MAX], *more;
	struct outcome outcome = {0};

	(void)state;
	for (int i = 0; i < PROGRAMS_MAX; i++)
		assert_int_equal(programs_run(programs, argv, environment, on_ended, &outcome, &running[i]), E_OK);
	assert_int_equal(programs_run(programs, argv, environment, on_ended, &outcome, &more), E_LIMIT);
	programs_end(running[0]);
	while (programs_run(programs, argv, environment, on_ended, &outcome, &more) == E_LIMIT)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(outcome.calls, 0); // the rest is ended by programs_free()
}

static void too_much_output(void **state)
{
	static const struct {
		const char *script;
		bool too_much;
	} rows[] = {
		{"head -c 65536 /dev/zero", false},
		{"head -c 65537 /dev/zero", true},
		{"head -c 200000 /dev/zero; exit 0", true},
		{"exec cat /dev/zero", true},
		{"trap '' TERM PIPE; cat /dev/zero >&2 & wait", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct outcome outcome;

		run(rows[i].script, &outcome);
		wait_for(&outcome);
		if (outcome.end.error || outcome.end.too_much != rows[i].too_much)
			fail_msg("%s: error %d, too much: %d", rows[i].script, outcome.end.error, outcome.end.too_much);
	}
}

// The file system of one program hangs: those behind it wait, may be ended meanwhile and are never started; and what runs goes
// with programs_free(), though the starter stays behind.
static void starting_hangs(void **state)
{
	static const char *const argv[] = {HANGING, NULL};
	char folder[TEMPDIR_LEN], path[TEMPDIR_LEN + 8], script[sizeof(path) + 64];
	struct outcome running, hanging = {0}, waiting;
	struct program *program, *other;

	(void)state;
	assert_int_equal(tempdir_make(folder), 0);
	snprintf(path, sizeof(path), "%s/begun", folder);
	snprintf(script, sizeof(script), "echo >%s; exec sleep 1000", path);
	program = run("exec sleep 1000", &running);
	while (!programs_has_begun(program))
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(programs_run(programs, argv, environment, on_ended, &hanging, &program), E_OK);
	for (int i = 0; i < 3 * PROGRAMS_MAX; i++) { // their places are free again at once
		other = run(script, &waiting);
		assert_false(programs_has_begun(other));
		programs_end(other);
	}
	run(script, &waiting);
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_false(programs_has_begun(program));
	left_behind = programs;
	programs = programs_free(programs);
	assert_non_null(left_behind);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); // also what ran
	hangs = false;
	assert_int_equal(running.calls + hanging.calls + waiting.calls, 0);
	assert_int_equal(access(path, F_OK), -1);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(not_started, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_is_left_behind, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ended_from_outside, set_up, tear_down),
		cmocka_unit_test_setup_teardown(there_is_a_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_much_output, set_up, tear_down),
		cmocka_unit_test_setup_teardown(starting_hangs, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
