// Opens regular files and no others; see regular.h.
#include "regular.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *regular_open(const char *path, int *ret_fd, off_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a named pipe may never get a writer
	const char *why = NULL;
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		why = strerror(errno);
	else if (!S_ISREG(status.st_mode))
		why = S_ISDIR(status.st_mode) ? strerror(EISDIR) : "not a regular file";
	if (!why) {
		*ret_fd = fd;
		*ret_len = status.st_size;
	} else if (fd >= 0) {
		close(fd);
	}
	return why;
}
