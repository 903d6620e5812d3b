// Notifications and privileges; see service.h.
#include "daemon/service.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <malloc.h>
#include <pwd.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/parallel.h"
#include "base/report.h"
#include "config/config.h"

enum { FOLDER_MODE = 0755, STATE_MODE = 0750, MAPPED_FROM = 128 << 10, TRIMMED_FROM = 1 << 20 };

void service_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	size_t len = path ? strlen(path) : 0;

	if (len < 2 || len >= sizeof(name.sun_path))
		return;
	memcpy(name.sun_path, path, len);
	if (name.sun_path[0] == '@')
		name.sun_path[0] = '\0'; // an abstract socket, see unix(7)

	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	// Nothing can be done if the service manager is not listening any more.
	(void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&name,
	              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

void service_tune_memory(void)
{
	// A generation's tables are a few large blocks. glibc raises its mmap threshold whenever a mapped block is freed,
	// so that later blocks come from the heap and are kept; a fixed threshold makes it return them to the system.
	(void)mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
	// That also stops glibc from raising the size from which it returns the heap's end: what is taken and freed again and
	// again there would then change the heap's size each time.
	(void)mallopt(M_TRIM_THRESHOLD, TRIMMED_FROM);
}

void service_trim_memory(void)
{
	(void)malloc_trim(0);
}

void service_raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

// mkdir -p, with the last folder owned by `user` (NULL: unchanged). Existing folders, or links to them (with
// DynamicUser, systemd makes the state folder a link), are left as they are. A folder just made is opened with
// O_NOFOLLOW before its owner changes, so that a link put in its place is not followed.
static int make_folder(const char *path, mode_t mode, const struct passwd *user, struct report *report)
{
	char *copy = strdup(path);
	int err = E_OK;

	if (!copy)
		return E_NOMEM;
	// "a/b/" is "a/b": otherwise the loop would make the last folder, with the wrong mode.
	for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/'; len--)
		copy[len - 1] = '\0';
	for (char *slash = copy + 1; *slash; slash++)
		if (*slash == '/') {
			*slash = '\0';
			(void)mkdir(copy, FOLDER_MODE); // if that fails, so does opening the last folder
			*slash = '/';
		}

	bool made = mkdir(copy, mode) == 0;
	int fd = open(copy, O_DIRECTORY | O_RDONLY | O_CLOEXEC | (made ? O_NOFOLLOW : 0));

	if (fd < 0 || (made && user && fchown(fd, user->pw_uid, user->pw_gid) < 0)) {
		report_error(report, NULL, 0, 0, "folder %s: %s", path, strerror(errno));
		err = E_IO;
	}
	if (fd >= 0)
		close(fd);
	free(copy);
	return err;
}

static int make_parent(const char *path, const struct passwd *user, struct report *report)
{
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return E_OK;

	char *folder = strndup(path, (size_t)(slash - path));
	int err = folder ? make_folder(folder, FOLDER_MODE, user, report) : E_NOMEM;

	free(folder);
	return err;
}

#define report_at(report, mark, ...) report_error(report, (mark).file, (mark).line, (mark).column, __VA_ARGS__)

static void refuse_user(const struct config_server *server, struct report *report)
{
	report_at(report, server->user_mark, "server.user: there is no user \"%s\" on this machine", server->user);
}

// Why the calling process cannot keep its state in a folder: an errno, or 0. The state on a file system that is
// read-only can be served.
static int find_state_fault(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return errno;
	if (!S_ISDIR(status.st_mode))
		return ENOTDIR;
	if (faccessat(AT_FDCWD, path, R_OK | W_OK | X_OK, AT_EACCESS) == 0 ||
	    (errno == EROFS && faccessat(AT_FDCWD, path, R_OK | X_OK, AT_EACCESS) == 0))
		return 0;
	return errno;
}

// The same for a folder that a start would make: it needs the nearest folder that exists.
static int find_making_fault(const char *path)
{
	char *copy = strdup(path);
	struct stat status;
	int fault = 0;

	if (!copy)
		return ENOMEM;
	for (char *slash; stat(copy, &status) < 0 && errno == ENOENT && (slash = strrchr(copy, '/'));)
		slash[slash == copy] = '\0';
	if (stat(copy, &status) < 0 || faccessat(AT_FDCWD, copy, W_OK | X_OK, AT_EACCESS) < 0)
		fault = errno;
	else if (!S_ISDIR(status.st_mode))
		fault = ENOTDIR;
	free(copy);
	return fault;
}

static bool is_already(const struct passwd *user)
{
	return getuid() == user->pw_uid && geteuid() == user->pw_uid;
}

static bool become(const struct passwd *user)
{
	if (is_already(user))
		return true;
	return initgroups(user->pw_name, user->pw_gid) == 0 && setgid(user->pw_gid) == 0 && setuid(user->pw_uid) == 0;
}

static void refuse_state(const struct config_server *server, int fault, struct report *report)
{
	const char *quote = server->user ? "\"" : "";

	report_at(report, server->state_dir_mark, "server.state-dir: %s cannot be read and written%s%s%s%s: %s",
	          server->state_dir, server->user ? " by user " : "", quote, server->user ? server->user : "", quote,
	          strerror(fault));
}

bool service_test(const struct config_server *server, struct report *report)
{
	const struct passwd *user = server->user ? getpwnam(server->user) : NULL;
	bool will_become = user && geteuid() == 0 && !is_already(user);
	struct stat status;
	int fault;

	if (server->user && !user) {
		refuse_user(server, report);
		return false;
	}
	if (user && geteuid() != 0 && !is_already(user)) {
		report_add(report, REPORT_NOTE, server->state_dir_mark.file, server->state_dir_mark.line,
		           server->state_dir_mark.column, "server.state-dir: whether user \"%s\" can read and write %s is not tested, "
		           "which takes root", server->user, server->state_dir);
		return false;
	}

	bool is_missing = stat(server->state_dir, &status) < 0 && errno == ENOENT;

	fault = is_missing ? find_making_fault(server->state_dir) : 0; // a start makes it before it becomes the user
	if (will_become && !become(user))
		return false; // a start says why
	if (!is_missing)
		fault = find_state_fault(server->state_dir);
	if (fault)
		refuse_state(server, fault, report);
	return will_become;
}

int service_check_state(const struct config_server *server, struct report *report)
{
	int fault = find_state_fault(server->state_dir);

	if (fault)
		refuse_state(server, fault, report);
	return fault ? E_IO : E_OK;
}

static void warn_unreadable(const char *path, const char *user, struct report *report)
{
	if (path && access(path, R_OK) < 0)
		report_warning(report, path, 0, 0, "cannot be read as user \"%s\", so no reload will succeed: %s", user,
		               strerror(errno));
}

void service_check_files(const struct config *config, struct report *report)
{
	const char *user = config->server.user ? config->server.user : "root";

	if (!config->server.user && geteuid() != 0) // it has read them as who it is
		return;
	warn_unreadable(config->file, user, report);
	for (size_t i = 0; i < config->domain_count; i++)
		warn_unreadable(config->domains[i].file, user, report);
	for (size_t i = 0; i < config->check_count; i++)
		warn_unreadable(config->checks[i].ca_file, user, report);
	for (size_t i = 0; i < config->server.http_count; i++) {
		const struct config_http *http = &config->server.http[i];

		warn_unreadable(http->cert, user, report);
		warn_unreadable(http->key, user, report);
		warn_unreadable(http->client_ca, user, report);
		warn_unreadable(http->tokens, user, report);
	}
	warn_unreadable(config->latency, user, report);
	warn_unreadable(config->metros, user, report);
	warn_unreadable(config->catalogue, user, report);
	warn_unreadable(config->aws_ranges, user, report);
}

// Gives up every capability of the calling thread but those in `kept`, a bit for each, and those of threads and programs
// that it starts; what is not held is not gained. False, with errno: the kernel refuses.
static bool keep_capabilities(uint64_t kept)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct held[_LINUX_CAPABILITY_U32S_3] = {0};
	bool differs = false;

	if (syscall(SYS_capget, &header, held) < 0)
		return false;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		uint32_t left = held[i].permitted & (uint32_t)(kept >> 32 * i);

		differs = differs || held[i].permitted != left || held[i].inheritable;
		held[i] = (struct __user_cap_data_struct){.effective = left, .permitted = left};
	}
	return !differs || syscall(SYS_capset, &header, held) == 0;
}

void service_keep_binding(const struct config_server *server)
{
	if (!server->user)
		(void)keep_capabilities(UINT64_C(1) << CAP_NET_BIND_SERVICE); // service_drop_privileges() says so if it fails
}

static void drop_capabilities(const struct config_server *server, struct report *report)
{
	if (!keep_capabilities(0))
		report_warning(report, NULL, 0, 0, "the capabilities that it was started with cannot be given up: %s",
		               strerror(errno));
	if (!server->user && geteuid() == 0)
		report_warning(report, NULL, 0, 0,
		               "runs as root, as no server.user is set: its capabilities are given up, so that files of other users "
		               "are read only where their mode allows it, but root's own files remain its own");
}

int service_drop_privileges(const struct config_server *server, struct report *report)
{
	const struct passwd *user = server->user ? getpwnam(server->user) : NULL;
	int err;

	if (server->user && !user) {
		refuse_user(server, report);
		return E_NOTFOUND;
	}
	err = make_parent(server->control, user, report);
	if (err == E_OK)
		err = make_folder(server->state_dir, STATE_MODE, user, report);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); // programs gain no capability either, not even root's
	if (err == E_OK && user && !become(user)) {
		report_at(report, server->user_mark, "server.user: cannot become \"%s\": %s", server->user, strerror(errno));
		err = E_IO;
	}
	if (err == E_OK)
		drop_capabilities(server, report);
	return err;
}

unsigned service_socket_sets(const struct config_server *server)
{
	return server->workers ? server->workers : parallel_processors();
}
