// The way of a program: main thread -> `wanted` -> the starter's thread -> `begun` -> main thread, which waits for its end by
// a pidfd, and reaps it. Until then its process group is its own, so that a kill of that group meets nobody else. See
// programs.h.
#include "health/programs.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/must.h"
#include "base/thread.h"
#include "health/probe.h"

enum { READ_SIZE = 4096, PATIENCE_S = 2, REAP_MS = 500 };

struct program {
	TAILQ_ENTRY(program) of_all;    // main thread
	STAILQ_ENTRY(program) queued;   // in `wanted`, then in `begun`
	struct programs *programs;
	char **argv, **environment;     // in the same block of memory
	void (*ended)(void *ctx, const struct program_end *end);
	void *ctx;
	// The starter's, until it is in `begun`.
	pid_t pid;
	int out, write_end;    // of the pipe; -1: closed
	int pidfd;             // -1: it does not run
	int error;             // errno: it could not be started
	// The main thread's.
	bool has_begun, abandoned;
	struct event exits, writes;
	size_t output_len;
	size_t line_len;
	bool line_ended;
	char line[PROGRAMS_LINE_LEN];
};

STAILQ_HEAD(program_queue, program);

struct programs {
	struct event_base *base;
	TAILQ_HEAD(, program) all;
	size_t count;
	struct event wake;
	int wake_fd;           // an eventfd: something is in `begun`
	bool has_thread;
	pthread_t thread;
	pthread_mutex_t lock;  // of what follows; held for a few instructions
	pthread_cond_t more;
	struct program_queue wanted, begun;
	bool stop;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

// ---- the starter's thread

static int set_up(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int out)
{
	sigset_t none, all;
	int failed = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

	sigemptyset(&none); // this thread has all of them blocked
	sigfillset(&all);
	failed = failed ? failed : posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);
	failed = failed ? failed : posix_spawn_file_actions_adddup2(actions, out, STDERR_FILENO);
	failed = failed ? failed : posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
	failed = failed ? failed : posix_spawnattr_setsigmask(attributes, &none);
	failed = failed ? failed : posix_spawnattr_setsigdefault(attributes, &all);
	failed = failed ? failed : posix_spawnattr_setpgroup(attributes, 0);
	return failed ? failed : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
	                                                              POSIX_SPAWN_SETPGROUP);
}

// glibc's posix_spawn() shares the memory with the child until it has become the program, so it costs the same however much
// memory the daemon has.
static int spawn(struct program *program)
{
	posix_spawn_file_actions_t actions; // lint-ok: the system's name
	posix_spawnattr_t attributes;       // lint-ok: the system's name
	int failed = posix_spawn_file_actions_init(&actions);

	if (failed)
		return failed;
	failed = posix_spawnattr_init(&attributes);
	if (!failed) {
		failed = set_up(&actions, &attributes, program->write_end);
		if (!failed)
			failed = posix_spawn(&program->pid, program->argv[0], &actions, &attributes, program->argv, program->environment);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void start(struct program *program)
{
	program->error = spawn(program);
	close_fd(&program->write_end);
	if (program->error)
		return;
	program->pidfd = (int)syscall(SYS_pidfd_open, program->pid, 0);
	if (program->pidfd >= 0)
		return;
	program->error = errno;
	kill(-program->pid, SIGKILL);
	reap(program->pid);
}

// A program gets no privilege that this thread has not: neither by being root's, nor by a mode of its file, nor as ambient
// capabilities. The daemon has seen to that; the agent runs as it was started.
static void keep_privileges_down(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

static void *run_starter(void *ctx)
{
	struct programs *programs = ctx;
	const uint64_t one = 1;

	keep_privileges_down();
	pthread_mutex_lock(&programs->lock);
	while (!programs->stop) {
		struct program *program = STAILQ_FIRST(&programs->wanted);

		if (!program) {
			pthread_cond_wait(&programs->more, &programs->lock);
			continue;
		}
		STAILQ_REMOVE_HEAD(&programs->wanted, queued);
		pthread_mutex_unlock(&programs->lock);
		start(program);
		pthread_mutex_lock(&programs->lock);
		STAILQ_INSERT_TAIL(&programs->begun, program, queued);
		if (write(programs->wake_fd, &one, sizeof(one)) < 0)
			must(errno == EAGAIN); // it is readable already
	}
	pthread_mutex_unlock(&programs->lock);
	return NULL;
}

// ---- ends

static void program_free(struct program *program)
{
	struct programs *programs = program->programs;

	if (program->has_begun) {
		event_del(&program->exits);
		event_del(&program->writes);
	}
	close_fd(&program->out);
	close_fd(&program->write_end);
	close_fd(&program->pidfd);
	TAILQ_REMOVE(&programs->all, program, of_all);
	must(programs->count > 0);
	programs->count--;
	free(program);
}

static void keep_line(struct program *program, const char *octets, size_t len)
{
	const char *end = memchr(octets, '\n', len);
	size_t room = sizeof(program->line) - 1 - program->line_len;

	if (program->line_ended)
		return;
	program->line_ended = end != NULL;
	len = end ? (size_t)(end - octets) : len;
	len = len < room ? len : room;
	memcpy(program->line + program->line_len, octets, len);
	program->line_len += len;
	program->line[program->line_len] = '\0';
}

// Reads one piece. False: nothing is there, or nothing more is wanted.
static bool read_output(struct program *program)
{
	char octets[READ_SIZE];
	ssize_t len = read(program->out, octets, sizeof(octets));

	if (len <= 0)
		return false;
	keep_line(program, octets, (size_t)len);
	program->output_len += (size_t)len;
	return program->output_len < PROGRAMS_OUTPUT_MAX;
}

// What has written too much is not read on: it waits, and runs into the timeout.
static void on_output(evutil_socket_t fd, short what, void *ctx)
{
	struct program *program = ctx;

	(void)fd;
	(void)what;
	if (!read_output(program))
		event_del(&program->writes);
}

static void conclude(struct program *program, const struct program_end *end)
{
	void (*ended)(void *ctx, const struct program_end *end) = program->abandoned ? NULL : program->ended;
	char line[PROGRAMS_LINE_LEN];
	struct program_end kept = *end;
	void *of = program->ctx;

	memcpy(line, program->line, sizeof(line));
	kept.line = line;
	program_free(program);
	if (ended)
		ended(of, &kept);
}

// What the program has started goes with it: it would hold the pipe, and stay for ever.
static void on_exit_of(evutil_socket_t fd, short what, void *ctx)
{
	struct program *program = ctx;
	struct program_end end = {0};
	siginfo_t info = {0}; // lint-ok: the system's name
	int status = 0;

	(void)fd;
	(void)what;
	if (waitid(P_PID, (id_t)program->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
		end.error = errno; // somebody else has reaped it
		conclude(program, &end);
		return;
	}
	if (info.si_pid != program->pid)
		return;
	kill(-program->pid, SIGKILL);
	while (program->output_len < PROGRAMS_OUTPUT_MAX && read_output(program))
		;
	must(waitpid(program->pid, &status, WNOHANG) == program->pid);
	end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	end.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	conclude(program, &end);
}

static void on_begun(struct program *program)
{
	struct event_base *base = program->programs->base;

	program->has_begun = true;
	probe_event_assign(&program->exits, base, program->pidfd, EV_READ | EV_PERSIST, on_exit_of, program);
	probe_event_assign(&program->writes, base, program->out, EV_READ | EV_PERSIST, on_output, program);
	if (!program->error && event_add(&program->exits, NULL) == 0) {
		(void)event_add(&program->writes, NULL); // without it, what it writes is read at its end
		if (program->abandoned)
			kill(-program->pid, SIGKILL);
		return;
	}

	const struct program_end end = {.error = program->error ? program->error : ENOMEM};

	if (!program->error) {
		kill(-program->pid, SIGKILL);
		reap(program->pid);
	}
	conclude(program, &end);
}

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
	struct programs *programs = ctx;
	struct program_queue begun;
	struct program *program;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0)
		must(errno == EAGAIN);
	STAILQ_INIT(&begun);
	pthread_mutex_lock(&programs->lock);
	STAILQ_CONCAT(&begun, &programs->begun);
	pthread_mutex_unlock(&programs->lock);
	while ((program = STAILQ_FIRST(&begun))) {
		STAILQ_REMOVE_HEAD(&begun, queued);
		on_begun(program);
	}
}

// ---- runs

static size_t size_of(const char *const *texts, size_t *ret_count)
{
	size_t size = 0, count = 0;

	for (; texts[count]; count++)
		size += strlen(texts[count]) + 1;
	must(count > 0 && count <= PROGRAMS_WORDS_MAX);
	*ret_count = count;
	return size;
}

// Copies texts to *at, which is moved behind them.
static void copy_texts(char **words, char **at, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(texts[i]) + 1;

		words[i] = memcpy(*at, texts[i], len);
		*at += len;
	}
}

static struct program *program_new(const char *const *argv, const char *const *environment)
{
	size_t words, variables, size = size_of(argv, &words);

	size += size_of(environment, &variables);

	struct program *program = calloc(1, sizeof(*program) + (words + variables + 2) * sizeof(char *) + size);

	if (!program)
		return NULL;
	program->argv = (char **)(program + 1);
	program->environment = program->argv + words + 1;

	char *at = (char *)(program->environment + variables + 1);

	copy_texts(program->argv, &at, argv, words);
	copy_texts(program->environment, &at, environment, variables);
	program->pidfd = -1;
	return program;
}

static int open_pipe(struct program *program)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return E_IO;
	program->out = ends[0];
	program->write_end = ends[1];
	return fcntl(program->out, F_SETFL, O_NONBLOCK) < 0 ? E_IO : E_OK;
}

int programs_run(struct programs *programs, const char *const *argv, const char *const *environment,
                 void (*ended)(void *ctx, const struct program_end *end), void *ctx, struct program **ret_program)
{
	struct program *program;
	int err;

	if (programs->count == PROGRAMS_MAX)
		return E_LIMIT;
	if (!programs->has_thread)
		programs->has_thread = thread_start(&programs->thread, "programs", run_starter, programs);
	program = programs->has_thread ? program_new(argv, environment) : NULL;
	if (!program)
		return E_NOMEM;
	err = open_pipe(program);
	if (err < 0) {
		free(program); // preserves errno
		return err;
	}
	program->programs = programs;
	program->ended = ended;
	program->ctx = ctx;
	TAILQ_INSERT_TAIL(&programs->all, program, of_all);
	programs->count++;
	pthread_mutex_lock(&programs->lock);
	STAILQ_INSERT_TAIL(&programs->wanted, program, queued);
	pthread_cond_signal(&programs->more);
	pthread_mutex_unlock(&programs->lock);
	*ret_program = program;
	return E_OK;
}

void programs_end(struct program *program)
{
	program->abandoned = true;
	if (program->has_begun)
		kill(-program->pid, SIGKILL); // on_exit_of() does the rest
}

bool programs_has_begun(const struct program *program)
{
	return program->has_begun;
}

struct programs *programs_new(struct event_base *base)
{
	struct programs *programs = calloc(1, sizeof(*programs));

	if (!programs)
		return NULL;
	signal(SIGCHLD, SIG_DFL); // whoever started us may have ignored it, and then nobody could be waited for
	programs->base = base;
	programs->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (programs->wake_fd < 0) {
		free(programs);
		return NULL;
	}
	TAILQ_INIT(&programs->all);
	STAILQ_INIT(&programs->wanted);
	STAILQ_INIT(&programs->begun);
	pthread_mutex_init(&programs->lock, NULL);
	pthread_cond_init(&programs->more, NULL);
	probe_event_assign(&programs->wake, base, programs->wake_fd, EV_READ | EV_PERSIST, on_wake, programs);
	event_add(&programs->wake, NULL);
	return programs;
}

// False: the thread is in a call that hangs, and is left to it, with what it uses.
static bool stop_thread(struct programs *programs)
{
	struct timespec until;

	if (!programs->has_thread)
		return true;
	pthread_mutex_lock(&programs->lock);
	programs->stop = true;
	pthread_cond_signal(&programs->more);
	pthread_mutex_unlock(&programs->lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	return pthread_timedjoin_np(programs->thread, NULL, &until) == 0;
}

// A program that has been killed ends at once, but where the kernel holds it.
static void end_now(struct program *program)
{
	struct pollfd exits = {.fd = program->pidfd, .events = POLLIN};

	if (program->pidfd >= 0) {
		kill(-program->pid, SIGKILL);
		if (poll(&exits, 1, REAP_MS) > 0)
			reap(program->pid);
	}
	program_free(program);
}

struct programs *programs_free(struct programs *programs)
{
	struct program *program;

	if (!programs || !stop_thread(programs))
		return NULL;
	while ((program = TAILQ_FIRST(&programs->all)))
		end_now(program);
	event_del(&programs->wake);
	close(programs->wake_fd);
	pthread_cond_destroy(&programs->more);
	pthread_mutex_destroy(&programs->lock);
	free(programs);
	return NULL;
}
