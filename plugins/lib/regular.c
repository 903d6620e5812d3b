// Opens regular files and no others; see regular.h.
#include "regular.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *regular_fault(mode_t mode)
{
	return S_ISREG(mode) ? NULL : S_ISDIR(mode) ? strerror(EISDIR) : "not a regular file";
}

const char *regular_open(const char *path, int *ret_fd, off_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a named pipe may never get a writer
	const char *why = NULL;
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		why = strerror(errno);
	else
		why = regular_fault(status.st_mode);
	if (!why) {
		*ret_fd = fd;
		*ret_len = status.st_size;
	} else if (fd >= 0) {
		close(fd);
	}
	return why;
}
