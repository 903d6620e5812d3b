// The client's end of the control socket; see link.h.
#include "client/link.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "client/fault.h"

enum { FIRST_BUFFER = 65536, TICK_MS = 1000 };

static int not_connected(const char *path, struct client_fault *fault)
{
	switch (errno) {
	case ENOENT:
	case ECONNREFUSED:
		return client_fault(fault, true, "cannot reach the daemon: is edgesteerd running? tried %s (%s)", path, strerror(errno));
	case EACCES:
	case EPERM:
		return client_fault(fault, true, "no permission to use %s: be root or in the group that owns it", path);
	case EAGAIN:
		return client_fault(fault, true, "the daemon at %s is too busy to accept the connection; try again", path);
	}
	return client_fault(fault, true, "cannot connect to %s: %s", path, strerror(errno));
}

// A connected socket, or -1 with `error` set.
static int connect_to(const char *path, unsigned timeout_s, struct client_fault *fault)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct timeval timeout = {.tv_sec = timeout_s};

	if (strlen(path) >= sizeof(name.sun_path))
		return client_fault(fault, true, "the socket's path is longer than %zu bytes: %s", sizeof(name.sun_path) - 1, path);
	memcpy(name.sun_path, path, strlen(path) + 1);

	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return client_fault(fault, true, "cannot make a socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)); // for connect and send
	if (connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0) {
		not_connected(path, fault);
		close(fd);
		return -1;
	}
	return fd;
}

// Errors are ignored: a daemon that refuses the connection sends its reply and closes before it reads, so there may be
// a reply although sending failed. If there is none, reading reports it.
static void send_line(int fd, const char *text)
{
	for (size_t len = strlen(text); len > 0;) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

struct input {
	char *bytes;
	size_t len, size;
};

static bool make_room(struct input *input)
{
	must(input->len <= input->size);
	if (input->len < input->size)
		return true;

	size_t size = input->size ? input->size * 2 : FIRST_BUFFER;
	char *bytes = size > CLIENT_REPLY_MAX ? NULL : realloc(input->bytes, size);

	if (!bytes)
		return false;
	input->bytes = bytes;
	input->size = size;
	return true;
}

static void show_progress(const char *progress, int64_t passed_ms)
{
	if (progress && passed_ms >= TICK_MS && isatty(STDERR_FILENO))
		fprintf(stderr, "\r%s… %lld s", progress, (long long)(passed_ms / 1000));
}

// Waits until the socket is readable. 0, or -1 with `error` set: the timeout has passed, or poll() failed.
static int wait_input(int fd, int64_t begun_ms, unsigned timeout_s, const char *progress, struct client_fault *fault)
{
	for (;;) {
		int64_t passed_ms = clock_mono_ms() - begun_ms, left_ms = (int64_t)timeout_s * 1000 - passed_ms;
		struct pollfd wait = {.fd = fd, .events = POLLIN};

		show_progress(progress, passed_ms);
		if (left_ms <= 0)
			return client_fault(fault, true, "no reply within %u s: the daemon is busy, and may still carry the request out",
			            timeout_s);

		int n = poll(&wait, 1, left_ms < TICK_MS ? (int)left_ms : TICK_MS);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return client_fault(fault, true, "cannot wait for the reply: %s", strerror(errno));
	}
}

static int read_line(int fd, struct input *input, unsigned timeout_s, const char *progress, struct client_fault *fault)
{
	int64_t begun_ms = clock_mono_ms();

	for (;;) {
		if (!make_room(input))
			return client_fault(fault, false, "the daemon's reply is too large");
		if (wait_input(fd, begun_ms, timeout_s, progress, fault) < 0)
			return -1;

		ssize_t n = recv(fd, input->bytes + input->len, input->size - input->len, MSG_DONTWAIT);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return client_fault(fault, true, "cannot read the reply: %s", strerror(errno));
		if (n == 0)
			return client_fault(fault, true, "the daemon closed the connection without a reply: has it stopped?");

		char *end = memchr(input->bytes + input->len, '\n', (size_t)n);

		if (end) {
			input->len = (size_t)(end - input->bytes);
			return 0;
		}
		input->len += (size_t)n;
	}
}

json_t *client_link_ask(const char *path, const json_t *request, unsigned timeout_s, const char *progress,
                        struct client_fault *fault)
{
	char *line = json_dumps(request, JSON_COMPACT);
	int fd = line ? connect_to(path, timeout_s, fault) : client_fault(fault, false, "out of memory");
	struct input input = {0};
	json_t *reply = NULL;
	json_error_t why;

	if (fd >= 0) {
		send_line(fd, line);
		send_line(fd, "\n");

		int err = read_line(fd, &input, timeout_s, progress, fault);

		if (progress && isatty(STDERR_FILENO))
			fputs("\r\033[K", stderr);
		close(fd);
		if (err == 0 && !(reply = json_loadb(input.bytes, input.len, JSON_REJECT_DUPLICATES, &why)))
			client_fault(fault, false, "the daemon's reply is not JSON: column %d: %s", why.column, why.text);
	}
	free(input.bytes);
	free(line);
	return reply;
}
