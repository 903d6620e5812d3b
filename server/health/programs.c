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
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/must.h"
#include "base/thread.h"
#include "health/probe.h"
#include "health/spawn.h"

enum { READ_SIZE = 4096, PATIENCE_S = 2, REAP_MS = 500 };

struct program {
	TAILQ_ENTRY(program) of_all;    // main thread
	STAILQ_ENTRY(program) queued;   // in `wanted`, then in `begun`
	enum { WANTED, STARTING, BEGUN } stage; // of the lock
	struct programs *programs;
	char **argv, **environment;     // in the same block of memory
	void (*ended)(void *ctx, const struct program_end *end);
	void *ctx;
	// The starter's while it is STARTING.
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

static void start(struct program *program)
{
	program->error = spawn_program(program->argv, program->environment, program->write_end, &program->pid, &program->pidfd);
	close_fd(&program->write_end);
}

static void *run_starter(void *ctx)
{
	struct programs *programs = ctx;
	const uint64_t one = 1;

	spawn_unprivileged();
	pthread_mutex_lock(&programs->lock);
	while (!programs->stop) {
		struct program *program = STAILQ_FIRST(&programs->wanted);

		if (!program) {
			pthread_cond_wait(&programs->more, &programs->lock);
			continue;
		}
		STAILQ_REMOVE_HEAD(&programs->wanted, queued);
		program->stage = STARTING;
		pthread_mutex_unlock(&programs->lock);
		start(program);
		pthread_mutex_lock(&programs->lock);
		program->stage = BEGUN;
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

// Reads one piece; returns what read() does.
static ssize_t read_output(struct program *program)
{
	char octets[READ_SIZE];
	ssize_t len = read(program->out, octets, sizeof(octets));

	if (len <= 0)
		return len;
	keep_line(program, octets, (size_t)len);
	program->output_len += (size_t)len;
	return len;
}

static bool is_too_much(const struct program *program)
{
	return program->output_len > PROGRAMS_OUTPUT_MAX;
}

static void on_output(evutil_socket_t fd, short what, void *ctx)
{
	struct program *program = ctx;
	ssize_t len = read_output(program);

	(void)fd;
	(void)what;
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len > 0 && !is_too_much(program))
		return;
	event_del(&program->writes);
	if (is_too_much(program))
		kill(-program->pid, SIGKILL); // on_exit_of() does the rest
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
	while (!is_too_much(program) && read_output(program) > 0)
		;
	spawn_reap(program->pid); // at once: it has ended
	end.too_much = is_too_much(program);
	end.signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
	end.status = info.si_code == CLD_EXITED ? info.si_status : 0;
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
		spawn_reap(program->pid);
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
	must(fcntl(program->out, F_SETFL, O_NONBLOCK) == 0); // of the reading end alone: the other is the program's
	return E_OK;
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

// False: the starter has it, or has had it.
static bool take_back(struct program *program)
{
	struct programs *programs = program->programs;
	bool is_wanted;

	pthread_mutex_lock(&programs->lock);
	is_wanted = program->stage == WANTED;
	if (is_wanted)
		STAILQ_REMOVE(&programs->wanted, program, program, queued);
	pthread_mutex_unlock(&programs->lock);
	return is_wanted;
}

void programs_end(struct program *program)
{
	program->abandoned = true;
	if (program->has_begun)
		kill(-program->pid, SIGKILL); // on_exit_of() does the rest
	else if (take_back(program))
		program_free(program);
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
	if (pthread_timedjoin_np(programs->thread, NULL, &until) == 0)
		return true;
	pthread_detach(programs->thread);
	return false;
}

// A program that has been killed ends at once, but where the kernel holds it.
static void reap_until(const struct program *program, int64_t until_ms)
{
	struct pollfd exits = {.fd = program->pidfd, .events = POLLIN};
	int64_t left_ms = until_ms - clock_mono_ms();

	if (program->pidfd >= 0 && poll(&exits, 1, left_ms > 0 ? (int)left_ms : 0) > 0)
		spawn_reap(program->pid);
}

// But for one that the starter may still have. The lock is nobody's by now.
static void end_all(struct programs *programs, bool has_stopped)
{
	const int64_t until_ms = clock_mono_ms() + REAP_MS;
	struct program *program, *next;

	pthread_mutex_lock(&programs->lock);
	STAILQ_INIT(&programs->wanted);
	STAILQ_INIT(&programs->begun);
	TAILQ_FOREACH(program, &programs->all, of_all)
		if (program->stage == BEGUN && program->pidfd >= 0)
			kill(-program->pid, SIGKILL);
	for (program = TAILQ_FIRST(&programs->all); program; program = next) {
		next = TAILQ_NEXT(program, of_all);
		if (program->stage == STARTING && !has_stopped)
			continue;
		reap_until(program, until_ms);
		program_free(program);
	}
	pthread_mutex_unlock(&programs->lock);
}

struct programs *programs_free(struct programs *programs)
{
	bool has_stopped;

	if (!programs)
		return NULL;
	has_stopped = stop_thread(programs);
	end_all(programs, has_stopped);
	event_del(&programs->wake);
	if (!has_stopped)
		return NULL;
	close(programs->wake_fd);
	pthread_cond_destroy(&programs->more);
	pthread_mutex_destroy(&programs->lock);
	free(programs);
	return NULL;
}
