// Work on all processors, for builders: independent jobs by number, shared out among threads that live as long as the
// call.
#pragma once

#include <stddef.h>

#include "base/attr.h"

// How many processors the process may run on.
unsigned parallel_processors(void);

// Calls job(ctx, i) once for every i below `count`, in no particular order, on up to as many threads as there are
// processors; the caller's is one of them. The threads have the caller's scheduling priority and block all signals.
// Jobs return 0 or a negative E_*; after a failure no more jobs are begun. Returns 0, or the failure of one of the jobs.
int parallel_run(size_t count, int (*job)(void *ctx, size_t i), void *ctx) MUST_USE;
// The same on up to `most` threads (at most 64), for jobs that mostly wait.
int parallel_run_on(unsigned most, size_t count, int (*job)(void *ctx, size_t i), void *ctx) MUST_USE;
