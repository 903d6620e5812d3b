// Opens included files below the folder of the zone's file; see beneath.h. The kernel resolves the path, so that nothing
// can be replaced between a check and its use.
#include "zone/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"

static int open_folder(const char *zone_file)
{
	const char *slash = strrchr(zone_file, '/');
	char folder[PATH_MAX];

	if (!slash)
		return open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if ((size_t)(slash - zone_file) >= sizeof(folder)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(folder, zone_file, (size_t)(slash - zone_file));
	folder[slash - zone_file] = '\0';
	return open(*folder ? folder : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int zone_beneath_open(const char *zone_file, const char *name, int *ret_fd, char *ret_why)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, // never wait for a FIFO's writer
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int folder = open_folder(zone_file);
	int fd = folder < 0 ? -1 : (int)syscall(SYS_openat2, folder, name, &how, sizeof(how));
	int why = errno;

	if (folder >= 0)
		close(folder);
	if (fd >= 0) {
		*ret_fd = fd;
		return E_OK;
	}
	snprintf(ret_why, ZONE_BENEATH_WHY_MAX, "%s",
	         why == EXDEV    ? "is outside of the folder of the zone's file"
	         : why == ENOSYS ? "cannot be opened: that takes Linux 5.6 or later"
	                         : strerror(why));
	return E_IO;
}
