// A disk that takes no more octets, for tests of what cannot be saved: the process's limit on the size of a file. While it
// is full, nobody in the process can write to any file.
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
