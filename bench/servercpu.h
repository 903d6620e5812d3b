// What a server's threads have used of the CPU, read from /proc in nanoseconds, and what it holds of memory. For load.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"

// The CPU time of the process's threads whose name matches `pattern` (fnmatch; NULL: all), as the scheduler counts it:
// user and system, and the soft interrupts the thread ran on its way out of a system call. A thread that runs on another
// CPU is up to one tick (some ms) behind, so measure seconds. E_IO when there is no such process or no such thread.
int servercpu_read(pid_t pid, const char *pattern, int64_t *ret_ns) MUST_USE;
