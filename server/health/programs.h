// Programs of the operator's, each run once: started on a thread of its own, as the file system that one is on may hang, and
// watched in the event loop. For probe_exec.c. Main thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

enum {
	PROGRAMS_MAX = 64,         // that run at once, those that have been killed and have not ended yet included
	PROGRAMS_LINE_LEN = 128,   // of the first line, with its final zero
	PROGRAMS_OUTPUT_MAX = 64 << 10, // octets that one may write
	PROGRAMS_WORDS_MAX = 64,   // of its arguments, and of its environment
};

struct event_base;
struct program;
struct programs;

// How a program has ended.
struct program_end {
	int error;             // errno: it could not be started, and the rest says nothing; 0
	int signal;            // that has ended it; 0: none
	int status;            // that it has exited with
	bool too_much;         // it has written more than it may, and was killed for that, or has ended before
	const char *line;      // the first that it wrote to stdout or stderr, cut; "" for none. Valid during the call
};

// NULL: out of memory, or (with errno) no file descriptor. No thread runs before the first program.
struct programs *programs_new(struct event_base *base) MUST_USE;
// Ends all that run, with what they have started. None may be in use. Takes NULL; returns NULL.
struct programs *programs_free(struct programs *programs);

// Runs argv[0], the path of a program, with these arguments and this environment and nothing else: no shell, no open files
// but stdout and stderr, stdin empty, no privilege that the daemon has not, in a process group of its own. The texts are copied.
// Calls ended(ctx) once, never from inside; then *ret_program is gone. E_LIMIT: as many run as may; E_NOMEM; E_IO (with
// errno).
int programs_run(struct programs *programs, const char *const *argv, const char *const *environment,
                 void (*ended)(void *ctx, const struct program_end *end), void *ctx, struct program **ret_program) MUST_USE;
// Ends it, with what it has started, at once; ended() is not called.
void programs_end(struct program *program);
// Whether it has been started.
bool programs_has_begun(const struct program *program) PURE;
