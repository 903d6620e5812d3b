// The CPU time of a server's threads in nanoseconds, and its memory, read from /proc. For load.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"

// The CPU time of the process's threads whose names match `pattern` (fnmatch; NULL: all), as the scheduler counts it:
// user, system, and soft interrupts run at the end of a system call. The figure of a thread running on another CPU is
// up to one tick (some ms) old, so measure for seconds. E_IO when there is no such process or thread.
int servercpu_read(pid_t pid, const char *pattern, int64_t *ret_ns) MUST_USE;
