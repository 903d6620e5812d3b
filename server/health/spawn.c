// Starts one program with posix_spawn(). See spawn.h.
#include "health/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/must.h"

static int set_up(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int out)
{
	sigset_t none, all;
	int failed = posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);

	sigemptyset(&none); // this thread has all of them blocked
	sigfillset(&all);
	failed = failed ? failed : posix_spawn_file_actions_adddup2(actions, out, STDERR_FILENO);
	// Last, as `out` may be number 0 where the daemon was started without.
	failed = failed ? failed : posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	failed = failed ? failed : posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
	failed = failed ? failed : posix_spawnattr_setsigmask(attributes, &none);
	failed = failed ? failed : posix_spawnattr_setsigdefault(attributes, &all);
	failed = failed ? failed : posix_spawnattr_setpgroup(attributes, 0);
	return failed ? failed : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
	                                                              POSIX_SPAWN_SETPGROUP);
}

// glibc's posix_spawn() shares the memory with the child until it has become the program, so it costs the same however much
// memory the daemon has.
static int spawn(char *const *argv, char *const *environment, int out, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions; // lint-ok: the system's name
	posix_spawnattr_t attributes;       // lint-ok: the system's name
	int failed = posix_spawn_file_actions_init(&actions);

	if (failed)
		return failed;
	failed = posix_spawnattr_init(&attributes);
	if (!failed) {
		failed = set_up(&actions, &attributes, out);
		if (!failed)
			failed = posix_spawn(ret_pid, argv[0], &actions, &attributes, argv, environment);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

int spawn_program(char *const *argv, char *const *environment, int out, pid_t *ret_pid, int *ret_pidfd)
{
	pid_t pid;
	int failed = spawn(argv, environment, out, &pid), pidfd;

	if (failed)
		return failed;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) {
		failed = errno;
		kill(-pid, SIGKILL);
		spawn_reap(pid);
		return failed;
	}
	*ret_pid = pid;
	*ret_pidfd = pidfd;
	return 0;
}

void spawn_reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void spawn_unprivileged(void)
{
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}
