// A datagram socket in the file system; see inlet.h.
#include "learn/inlet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"

bool inlet_same(const struct inlet_place *a, const struct inlet_place *b)
{
	return strcmp(a->path, b->path) == 0 && a->mode == b->mode && a->gid == b->gid;
}

static struct sockaddr_un name_of(const struct inlet_place *place)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	memcpy(name.sun_path, place->path, strlen(place->path) + 1);
	return name;
}

static bool is_read_from(const struct sockaddr_un *name)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool is_read = fd >= 0 && connect(fd, (const struct sockaddr *)name, sizeof(*name)) == 0;

	if (fd >= 0)
		close(fd);
	return is_read;
}

static int remove_stale(const struct sockaddr_un *name)
{
	struct stat st;

	if (lstat(name->sun_path, &st) < 0)
		return E_OK; // if that is an error, bind() reports it
	if (!S_ISSOCK(st.st_mode) || is_read_from(name)) {
		log_error("observe: socket %s: %s", name->sun_path,
		          S_ISSOCK(st.st_mode) ? "another process reads from it" : "the file exists and is not a socket");
		return E_EXISTS;
	}
	if (unlink(name->sun_path) == 0 || errno == ENOENT)
		return E_OK;
	log_error("observe: socket %s: cannot remove the stale socket: %s", name->sun_path, strerror(errno));
	return E_IO;
}

// Gives the file what the place wants. Until then nobody else can send to it.
static int dress(const struct inlet_place *place, struct stat *ret_made)
{
	return (place->gid == (gid_t)-1 || lchown(place->path, (uid_t)-1, place->gid) == 0) &&
	       chmod(place->path, place->mode) == 0 && lstat(place->path, ret_made) == 0 ? 0 : -1;
}

int inlet_open(const struct inlet_place *place, int *ret_fd, struct stat *ret_made)
{
	struct sockaddr_un name = name_of(place);
	int err = remove_stale(&name);

	if (err < 0)
		return err;

	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool is_bound = fd >= 0 && fchmod(fd, 0600) == 0 && bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0;

	if (is_bound && dress(place, ret_made) == 0) {
		*ret_fd = fd;
		return E_OK;
	}
	log_error("observe: socket %s: %s", place->path, strerror(errno));
	if (is_bound)
		unlink(place->path);
	if (fd >= 0)
		close(fd);
	return E_IO;
}

void inlet_remove(const struct inlet_place *place, const struct stat *made)
{
	struct stat st;

	if (lstat(place->path, &st) == 0 && st.st_dev == made->st_dev && st.st_ino == made->st_ino && unlink(place->path) < 0)
		log_debug("observe: socket %s: cannot remove it: %s", place->path, strerror(errno));
}
