// Atomic files in one folder; see file.h.
#include "state/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"

enum { DIR_MODE = 0750, PARENT_MODE = 0755, FILE_MODE = 0640, ASIDE_TRIES = 100 };

// So that a power cut does not take a new folder in it, and what was acknowledged there. `at` may be an O_PATH one. A
// folder that may be written but not read cannot be synced.
static int sync_folder(int at)
{
	int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd >= 0 ? fsync(fd) : errno == EACCES ? 0 : -1, error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return result;
}

// Opens `name` in folder `at`, made when it is missing. Negative with errno.
static int open_step(int at, const char *name, bool is_last)
{
	if (mkdirat(at, name, is_last ? DIR_MODE : PARENT_MODE) == 0) {
		if (sync_folder(at) < 0)
			return -1;
	} else if (errno != EEXIST) {
		return -1;
	}
	return openat(at, name, (is_last ? O_RDONLY : O_PATH) | O_DIRECTORY | O_CLOEXEC);
}

// Walks the path step by step; only the last folder need be readable. Negative with errno.
static int open_path(const char *path)
{
	bool is_here = path[strspn(path, "/")] == '\0'; // "/"
	int at = open(path[0] == '/' ? "/" : ".", (is_here ? O_RDONLY : O_PATH) | O_DIRECTORY | O_CLOEXEC);

	while (at >= 0) {
		char name[NAME_MAX + 1];

		path += strspn(path, "/");

		size_t len = strcspn(path, "/");

		if (len == 0)
			break;

		int next = -1;

		if (len < sizeof(name)) {
			memcpy(name, path, len);
			name[len] = '\0';
			path += len;
			next = open_step(at, name, path[strspn(path, "/")] == '\0');
		} else {
			errno = ENAMETOOLONG;
		}

		int error = errno;

		close(at);
		errno = error;
		at = next;
	}
	return at;
}

int file_open_dir(const char *path, int *ret_dir)
{
	int dir = path[0] ? open_path(path) : -1;

	if (dir < 0) {
		log_error("state folder '%s': cannot be opened or made: %s", path, path[0] ? strerror(errno) : "no path");
		return E_IO;
	}
	if (faccessat(dir, ".", R_OK | W_OK | X_OK, AT_EACCESS) < 0) {
		log_error("state folder %s: cannot be written: %s", path, strerror(errno));
		close(dir);
		return E_IO;
	}
	if (flock(dir, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) { // file systems without locks: go on without
		log_error("state folder %s: another edgesteerd is using it", path);
		close(dir);
		return E_EXISTS;
	}
	*ret_dir = dir;
	return E_OK;
}

int file_open(int dir, const char *name, int *ret_fd)
{
	// O_NONBLOCK: opening a pipe somebody put there must not wait for its writer.
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0) {
		if (errno == ENOENT)
			return E_NOTFOUND;
		return errno == ELOOP || errno == ENXIO ? E_INVAL : E_IO; // a link; a socket
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_SIZE_MAX) {
		close(fd);
		return E_INVAL;
	}
	*ret_fd = fd;
	return E_OK;
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return E_IO;
		bytes += n;
		len -= (size_t)n;
	}
	return E_OK;
}

int file_replace(int dir, const char *name, const char *bytes, size_t len)
{
	char temp[NAME_MAX + 1];

	snprintf(temp, sizeof(temp), "%s.new", name);
	if (unlinkat(dir, temp, 0) < 0 && errno != ENOENT) // a torn one from before; never written through
		return E_IO;

	int fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);

	if (fd < 0)
		return E_IO;

	int err = write_all(fd, bytes, len);

	if (err == E_OK && fsync(fd) < 0)
		err = E_IO;

	int error = errno;

	if (close(fd) < 0 && err == E_OK) {
		error = errno;
		err = E_IO;
	}
	if (err == E_OK && renameat(dir, temp, dir, name) < 0) {
		error = errno;
		err = E_IO;
	}
	if (err < 0) {
		unlinkat(dir, temp, 0);
		errno = error;
		return err;
	}
	return fsync(dir) < 0 ? E_IO : E_OK;
}

int file_set_aside(int dir, const char *name, int64_t now_s)
{
	char aside[NAME_MAX + 1];

	for (int i = 0; i < ASIDE_TRIES; i++) { // an earlier one of the same second is not overwritten
		if (i == 0)
			snprintf(aside, sizeof(aside), "%s.damaged-%" PRId64, name, now_s);
		else
			snprintf(aside, sizeof(aside), "%s.damaged-%" PRId64 "-%d", name, now_s, i);
		if (faccessat(dir, aside, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		if (renameat(dir, name, dir, aside) < 0)
			return E_IO;
		log_error("state file %s is set aside as %s", name, aside);
		return fsync(dir) < 0 ? E_IO : E_OK;
	}
	errno = EEXIST;
	return E_IO;
}
