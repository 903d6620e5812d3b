// Simulates a full disk, for tests of failing writes, by the process's limit on file sizes. While it
// is full, no file can be written by any thread of the process.
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>

static inline int full_disk(bool is_full)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN); // an error, then
	if (getrlimit(RLIMIT_FSIZE, &limit) < 0)
		return -1;
	limit.rlim_cur = is_full ? 0 : limit.rlim_max;
	return setrlimit(RLIMIT_FSIZE, &limit);
}
