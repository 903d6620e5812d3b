// Starting and ending programs; see child.h.
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TURN_MS = 5 };

// The program's ends of its pipes.
struct ends {
	int in, out, err; // in -1: /dev/null
};

static int set_up(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, const struct ends *ends)
{
	sigset_t none, all;
	int failed = ends->in < 0 ? posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
	                          : posix_spawn_file_actions_adddup2(actions, ends->in, STDIN_FILENO);

	sigemptyset(&none); // the thread has all of them blocked
	sigfillset(&all);
	failed = failed ? failed : posix_spawn_file_actions_adddup2(actions, ends->out, STDOUT_FILENO);
	failed = failed ? failed : posix_spawn_file_actions_adddup2(actions, ends->err, STDERR_FILENO);
	failed = failed ? failed : posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
	failed = failed ? failed : posix_spawnattr_setsigmask(attributes, &none);
	failed = failed ? failed : posix_spawnattr_setsigdefault(attributes, &all);
	failed = failed ? failed : posix_spawnattr_setpgroup(attributes, 0);
	return failed ? failed : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
	                                                              POSIX_SPAWN_SETPGROUP);
}

static int spawn(pid_t *ret_pid, char *const *command, char *const *environment, const struct ends *ends)
{
	posix_spawn_file_actions_t actions; // lint-ok: the system's name
	posix_spawnattr_t attributes;       // lint-ok: the system's name
	int failed = posix_spawn_file_actions_init(&actions);

	if (failed)
		return failed;
	failed = posix_spawnattr_init(&attributes);
	if (!failed) {
		failed = set_up(&actions, &attributes, ends);
		if (!failed)
			failed = posix_spawn(ret_pid, command[0], &actions, &attributes, command, environment);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

static void close_both(int *fds)
{
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

const char *child_start(struct child *child, char *const *command, char *const *environment, bool has_input)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1}, failed = 0;
	pid_t pid = 0;

	if (has_input && (pipe2(in, O_CLOEXEC) < 0 || fcntl(in[1], F_SETFL, O_NONBLOCK) < 0))
		failed = errno;
	if (!failed && (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 || fcntl(out[0], F_SETFL, O_NONBLOCK) < 0 ||
	                fcntl(err[0], F_SETFL, O_NONBLOCK) < 0))
		failed = errno;
	if (!failed)
		failed = spawn(&pid, command, environment, &(struct ends){in[0], out[1], err[1]});
	if (failed) {
		close_both(in);
		close_both(out);
		close_both(err);
		return strerror(failed);
	}
	if (has_input)
		close(in[0]);
	close(out[1]);
	close(err[1]);
	*child = (struct child){pid, in[1], out[0], err[0], (int)syscall(SYS_pidfd_open, pid, 0)};
	return NULL;
}

// Whether it has ended within that time. It is not reaped: so long its process group stays its own.
static bool wait_for(pid_t pid, int patience_ms)
{
	const struct timespec turn = {0, TURN_MS * 1000000L};

	for (int waited_ms = 0;; waited_ms += TURN_MS) {
		siginfo_t info = {0}; // lint-ok: the system's name

		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid)
			return true;
		if (waited_ms >= patience_ms)
			return false;
		nanosleep(&turn, NULL);
	}
}

int child_end(struct child *child, int alone_ms, int patience_ms, char *buf)
{
	int status = 0;

	int *const fds[] = {&child->in, &child->out, &child->err, &child->ended};

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
	if (!wait_for(child->pid, alone_ms)) {
		kill(child->pid, SIGTERM);
		(void)wait_for(child->pid, patience_ms);
	}
	kill(-child->pid, SIGKILL); // and what it has started
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	child->pid = 0;
	if (WIFSIGNALED(status))
		snprintf(buf, CHILD_END_LEN, "signal %d", WTERMSIG(status));
	else
		snprintf(buf, CHILD_END_LEN, "exit status %d", WEXITSTATUS(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
