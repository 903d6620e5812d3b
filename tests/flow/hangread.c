// A file system that hangs, for tests/flow/files.py: preloaded into the daemon, reading a file whose path ends in
// ".hung" waits for as long as the file named by $HANGREAD_WHILE exists. Everything else is as it is.
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int is_hung(int fd)
{
	char link[64], path[4096];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path));
	return len > 5 && memcmp(path + len - 5, ".hung", 5) == 0;
}

ssize_t read(int fd, void *buf, size_t len)
{
	const struct timespec tick = {0, 10 * 1000 * 1000};
	const char *while_there = getenv("HANGREAD_WHILE");

	if (while_there && access(while_there, F_OK) == 0 && is_hung(fd))
		while (access(while_there, F_OK) == 0)
			nanosleep(&tick, NULL);
	return syscall(SYS_read, fd, buf, len);
}
