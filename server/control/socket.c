// Unix sockets in the file system; see socket.h.
#include "control/socket.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"

enum { BACKLOG = 64, SOCKET_MODE = 0660, FOLDER_MODE = 0755 };

static bool is_served(const struct sockaddr_un *name)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool served = fd >= 0 && (connect(fd, (const struct sockaddr *)name, sizeof(*name)) == 0 || errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return served;
}

// Removes a stale socket.
static int remove_stale(const struct sockaddr_un *name)
{
	struct stat st;

	if (lstat(name->sun_path, &st) < 0)
		return E_OK; // if that is an error, bind() reports it
	if (!S_ISSOCK(st.st_mode)) {
		log_error("control socket %s: the file exists and is not a socket", name->sun_path);
		return E_EXISTS;
	}
	if (is_served(name)) {
		log_error("control socket %s: another process is serving it", name->sun_path);
		return E_EXISTS;
	}
	if (unlink(name->sun_path) < 0 && errno != ENOENT) {
		log_error("control socket %s: cannot remove the stale socket: %s", name->sun_path, strerror(errno));
		return E_IO;
	}
	return E_OK;
}

static void make_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];

	if (!slash || slash == path)
		return;
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	(void)mkdir(folder, FOLDER_MODE); // if it is still missing, bind() reports it
}

int socket_listen(const char *path, int *ret_fd, struct stat *ret_made)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(name.sun_path)) {
		log_error("control socket %s: the path is longer than %zu bytes", path, sizeof(name.sun_path) - 1);
		return E_INVAL;
	}
	memcpy(name.sun_path, path, strlen(path) + 1);
	make_folder(path);

	int err = remove_stale(&name);

	if (err < 0)
		return err;

	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	// The mode is set before the name exists, so that at no moment others can connect; the umask may have cleared some
	// of its bits, so it is set again.
	if (fd < 0 || fchmod(fd, SOCKET_MODE) < 0 || bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 ||
	    chmod(path, SOCKET_MODE) < 0 || lstat(path, ret_made) < 0 || listen(fd, BACKLOG) < 0) {
		log_error("control socket %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return E_IO;
	}
	*ret_fd = fd;
	return E_OK;
}

void socket_remove(const char *path, const struct stat *made)
{
	struct stat st;

	if (lstat(path, &st) == 0 && st.st_dev == made->st_dev && st.st_ino == made->st_ino && unlink(path) < 0)
		log_debug("control socket %s: cannot remove it: %s", path, strerror(errno));
}

// Reads /etc/passwd only: a directory service (nsswitch) could block the main loop.
static void user_name(uid_t uid, char *buf, size_t size)
{
	FILE *passwd = fopen("/etc/passwd", "re");
	struct passwd *entry;

	buf[0] = '\0';
	while (passwd && (entry = fgetpwent(passwd))) {
		if (entry->pw_uid == uid) {
			snprintf(buf, size, " (%s)", entry->pw_name);
			break;
		}
	}
	if (passwd)
		fclose(passwd);
}

// Who logged in, whatever the process has become since by sudo or su. The kernel keeps it from the login on
// (pam_loginuid). False: nobody did, as with a service, or it is not known. The peer is connected, so its number is
// its own.
static bool login_uid(pid_t pid, uid_t *ret_uid)
{
	char path[64];
	unsigned uid;

	snprintf(path, sizeof(path), "/proc/%d/loginuid", (int)pid);

	FILE *file = pid > 0 ? fopen(path, "re") : NULL;
	bool is_read = file && fscanf(file, "%u", &uid) == 1 && uid != (uid_t)-1;

	if (file)
		fclose(file);
	if (is_read)
		*ret_uid = uid;
	return is_read;
}

const char *socket_peer(int fd, char *buf)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	char name[64], login_name[64];
	uid_t login;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0) {
		snprintf(buf, SOCKET_PEER_LEN, "unknown peer");
		return buf;
	}
	user_name(cred.uid, name, sizeof(name));
	if (!login_uid(cred.pid, &login) || login == cred.uid) {
		snprintf(buf, SOCKET_PEER_LEN, "uid %u%s, pid %d", (unsigned)cred.uid, name, (int)cred.pid);
		return buf;
	}
	user_name(login, login_name, sizeof(login_name));
	snprintf(buf, SOCKET_PEER_LEN, "uid %u%s as uid %u%s, pid %d", (unsigned)login, login_name, (unsigned)cred.uid, name,
	         (int)cred.pid);
	return buf;
}
