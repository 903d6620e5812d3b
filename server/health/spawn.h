// One program of the operator's is started: no shell, no open files but stdin, which is empty, stdout and stderr, all signals as at
// a login, in a process group of its own. For programs.c, on the starter's thread.
#pragma once

#include <sys/types.h>

#include "base/attr.h"

// Runs argv[0], a path, with its stdout and stderr at `out`. An errno, or 0, and then *ret_pid is to be reaped and *ret_pidfd,
// by which its end is seen, to be closed. May take as long as the file system does.
int spawn_program(char *const *argv, char *const *environment, int out, pid_t *ret_pid, int *ret_pidfd) MUST_USE;
// Waits for a program that has ended, or been killed.
void spawn_reap(pid_t pid);
// From here on the programs of this thread get no privilege that it has not: neither by being root's, nor by a mode of their
// file, nor as ambient capabilities. The daemon has given its own up; the agent runs as it was started.
void spawn_unprivileged(void);
