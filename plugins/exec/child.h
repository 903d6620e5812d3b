// A program of the operator's as a child process: its standard output and error as pipes, an environment of its own and
// nothing else of the daemon's. It leads a process group, which ends as a whole.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid;    // 0: there is none
	int in;       // to be written to, without waiting; -1: its standard input is /dev/null
	int out, err; // to be read, without waiting; -1: closed
	int ended;    // readable once it has ended, though what it has started may still hold the pipes; -1: not known here
};

// Starts it. `command` and `environment` end with NULL; command[0] is a path. `has_input`: its standard input is a pipe,
// child->in. NULL, or why not.
const char *child_start(struct child *child, char *const *command, char *const *environment, bool has_input);
// Ends what is left of it: nothing for `alone_ms`, then SIGTERM, and SIGKILL for the group after `patience_ms`. Closes the
// pipes. Writes how it ended into buf[CHILD_END_LEN], such as "exit status 1" or "signal 9", and returns its exit status,
// or -1.
enum { CHILD_END_LEN = 64 };
int child_end(struct child *child, int alone_ms, int patience_ms, char *buf);
