// How long a busy machine keeps the main thread from running, for tests that measure time: what they measure is theirs
// less that. Used by responder.c and by tests of the main loop's turns; owns one descriptor.
#pragma once

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

// For how long the main thread was ready to run so far while the kernel let others run; -1 where the kernel does not say.
// The file stays open: a test takes all descriptors away.
static inline int64_t withheld_ns(void)
{
	static int fd = -1;
	long long ran_ns, waited_ns;
	char text[64];
	ssize_t len;

	if (fd < 0)
		fd = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);
	if (len <= 0)
		return -1;
	text[len] = '\0';
	return sscanf(text, "%lld %lld", &ran_ns, &waited_ns) == 2 ? waited_ns : -1;
}
