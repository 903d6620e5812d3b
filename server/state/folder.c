// The folder, its lock and its files; see folder.h.
#include "state/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"

// folder_try()'s.
static const char try_file[] = "state.try";

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

// Logged.
static int check_and_lock(int fd, const char *path)
{
	// What is on a file system that is read-only can be served.
	if (faccessat(fd, ".", R_OK | W_OK | X_OK, AT_EACCESS) < 0 &&
	    (errno != EROFS || faccessat(fd, ".", R_OK | X_OK, AT_EACCESS) < 0)) {
		log_error("state folder %s cannot be read and written by uid %u: %s", path, (unsigned)geteuid(),
		          strerror(errno));
		return E_IO;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) { // file systems without locks: go on without
		log_error("state folder %s: another edgesteerd is using it", path);
		return E_EXISTS;
	}
	return E_OK;
}

int folder_open(const char *path, struct folder *ret_folder)
{
	int fd = path[0] ? open_path(path) : -1;

	if (fd < 0) {
		log_error("state folder '%s': cannot be opened or made: %s", path, path[0] ? strerror(errno) : "no path");
		return E_IO;
	}

	int err = check_and_lock(fd, path);
	struct folder folder = {.fd = fd, .path = strdup(path), .real_path = realpath(path, NULL),
	                        .why = calloc(1, FOLDER_WHY_LEN)};

	if (err == E_OK && !folder.real_path) {
		log_error("state folder %s: its path cannot be resolved: %s", path, strerror(errno));
		err = errno == ENOMEM ? E_NOMEM : E_IO;
	}
	if (err == E_OK && (!folder.path || !folder.why))
		err = E_NOMEM;
	if (err < 0) {
		folder_close(&folder);
		return err;
	}
	unlinkat(fd, try_file, 0); // of a daemon that was killed
	*ret_folder = folder;
	return E_OK;
}

void folder_close(struct folder *folder)
{
	close(folder->fd);
	free(folder->path);
	free(folder->real_path);
	free(folder->why);
	*folder = (struct folder){.fd = -1};
}

void folder_fail(const struct folder *folder, const char *name, const char *what, const char *reason)
{
	int error = errno;

	snprintf(folder->why, FOLDER_WHY_LEN, "%.*s/%s %s: %s", FOLDER_WHY_LEN / 2, folder->path, name, what, reason);
	errno = error;
}

void folder_fail_to_read(const struct folder *folder, const char *name)
{
	bool is_forbidden = errno == EACCES || errno == EPERM;
	char reason[160], buffer[1024];
	const char *what = strerror(errno);
	struct passwd user, *found = NULL;

	// Who it is does not matter otherwise, and without memory glibc crashes in the search for the name.
	if (!is_forbidden)
		snprintf(reason, sizeof(reason), "%s", what);
	else if (getpwuid_r(geteuid(), &user, buffer, sizeof(buffer), &found) != 0 || !found)
		snprintf(reason, sizeof(reason), "%s (as uid %u)", what, (unsigned)geteuid());
	else
		snprintf(reason, sizeof(reason), "%s (as user %.64s, uid %u)", what, user.pw_name, (unsigned)geteuid());
	folder_fail(folder, name, "cannot be read", reason);
}

bool folder_is_in_place(const struct folder *folder)
{
	struct stat opened, there;

	return fstat(folder->fd, &opened) == 0 && stat(folder->real_path, &there) == 0 && opened.st_ino == there.st_ino &&
	       opened.st_dev == there.st_dev;
}

enum folder_entry folder_look(const struct folder *folder, const char *name)
{
	struct stat st;

	if (fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? FOLDER_NOTHING : FOLDER_OTHER;
	return S_ISREG(st.st_mode) ? FOLDER_FILE : FOLDER_OTHER;
}

const char *folder_log(const char *name, char *buf)
{
	snprintf(buf, FOLDER_LOG_LEN, "%s-wal", name);
	return buf;
}

int folder_open_file(const struct folder *folder, const char *name, int *ret_fd)
{
	// O_NONBLOCK: opening a pipe in its place must not wait for a writer.
	int fd = openat(folder->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0) {
		if (errno == ENOENT)
			return E_NOTFOUND;
		return errno == ELOOP || errno == ENXIO ? E_INVAL : E_IO; // a link; a socket
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FOLDER_FILE_MAX) {
		close(fd);
		return E_INVAL;
	}
	*ret_fd = fd;
	return E_OK;
}

// What root makes, as with --export-state, is to be read by the user that the daemon runs as, who owns the folder.
static int give_to_owner(const struct folder *folder, int fd)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	return fstat(folder->fd, &st) < 0 ? -1 : fchown(fd, st.st_uid, st.st_gid);
}

int folder_new_file(const struct folder *folder, const char *name, int *ret_fd)
{
	if (unlinkat(folder->fd, name, 0) < 0 && errno != ENOENT) // a torn one from before; never written through
		return E_IO;

	int fd = openat(folder->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);

	if (fd < 0)
		return E_IO;
	if (give_to_owner(folder, fd) < 0) {
		int error = errno;

		close(fd);
		errno = error;
		return E_IO;
	}
	*ret_fd = fd;
	return E_OK;
}

int folder_sync(const struct folder *folder)
{
	return fsync(folder->fd) < 0 ? E_IO : E_OK;
}

int folder_rename(const struct folder *folder, const char *from, const char *to)
{
	return renameat(folder->fd, from, folder->fd, to) < 0 ? E_IO : folder_sync(folder);
}

static int write_all(int fd, const char *octets, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, octets, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return E_IO;
		octets += n;
		len -= (size_t)n;
	}
	return E_OK;
}

int folder_try(const struct folder *folder, size_t len)
{
	const char *name = try_file;
	char octets[4096] = {0};
	int fd, err = folder_new_file(folder, name, &fd);

	if (err == E_OK) {
		for (size_t done = 0; done < len && err == E_OK; done += sizeof(octets))
			err = write_all(fd, octets, sizeof(octets));
		if (err == E_OK && fsync(fd) < 0)
			err = E_IO;
		if (err < 0)
			folder_fail(folder, "state.db", "cannot be written", strerror(errno));
		close(fd);
		unlinkat(folder->fd, name, 0);
	} else {
		folder_fail(folder, "state.db", "cannot be written", strerror(errno));
	}
	return err;
}

int folder_replace(const struct folder *folder, const char *name, const char *octets, size_t len)
{
	char temp[NAME_MAX + 1];
	int fd;

	snprintf(temp, sizeof(temp), "%s.new", name);
	if (folder_new_file(folder, temp, &fd) < 0)
		return E_IO;

	int err = write_all(fd, octets, len);

	if (err == E_OK && fsync(fd) < 0)
		err = E_IO;

	int error = errno;

	if (close(fd) < 0 && err == E_OK) {
		error = errno;
		err = E_IO;
	}
	if (err == E_OK)
		return folder_rename(folder, temp, name);
	unlinkat(folder->fd, temp, 0);
	errno = error;
	return err;
}

// A name for the file that is set aside, and for the log of writes that goes with it.
static bool is_free(const struct folder *folder, const char *name)
{
	char log[FOLDER_LOG_LEN];

	return folder_look(folder, name) == FOLDER_NOTHING && folder_look(folder, folder_log(name, log)) == FOLDER_NOTHING;
}

// Where there is such a file. An empty log of writes is no evidence and is removed. E_IO.
static int move_beside(const struct folder *folder, const char *name, const char *aside, const char *suffix,
                       bool *ret_moved)
{
	char from[NAME_MAX + 1], to[NAME_MAX + 1];
	struct stat st;

	snprintf(from, sizeof(from), "%s%s", name, suffix);
	snprintf(to, sizeof(to), "%s%s", aside, suffix);
	if (fstatat(folder->fd, from, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? E_OK : E_IO;
	if (suffix[0] && S_ISREG(st.st_mode) && st.st_size == 0)
		return unlinkat(folder->fd, from, 0) < 0 ? E_IO : E_OK;
	*ret_moved = true;
	return renameat(folder->fd, from, folder->fd, to) < 0 ? E_IO : E_OK;
}

int folder_set_aside(const struct folder *folder, const char *name, const char *word, int64_t now_s)
{
	char aside[NAME_MAX + 1];
	bool moved = false;

	for (int i = 0; i < ASIDE_TRIES; i++) { // an earlier one of the same second is not overwritten
		if (i == 0)
			snprintf(aside, sizeof(aside), "%s.%s-%" PRId64, name, word, now_s);
		else
			snprintf(aside, sizeof(aside), "%s.%s-%" PRId64 "-%d", name, word, now_s, i);
		if (!is_free(folder, aside)) {
			errno = EEXIST;
			continue;
		}
		// The file itself last: where this is cut short, it is found damaged again.
		if (move_beside(folder, name, aside, "-wal", &moved) < 0 ||
		    move_beside(folder, name, aside, "-journal", &moved) < 0 ||
		    move_beside(folder, name, aside, "", &moved) < 0 || folder_sync(folder) < 0)
			break;
		if (moved)
			log_warning("state file %s/%s is set aside as %s", folder->path, name, aside);
		return E_OK;
	}
	folder_fail(folder, name, "cannot be set aside", strerror(errno));
	return E_IO;
}
