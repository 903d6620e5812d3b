// A client of the control socket; see peer.h.
#include "peer.h"

#include <errno.h>
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "control/control.h"

struct fake_daemon peer_fake;
struct control *peer_control;
char peer_path[100];
unsigned peer_looks;

static const struct live *(*real_live)(void *ctx);

static const struct live *look(void *ctx)
{
	peer_looks++;
	return real_live(ctx);
}

void peer_set_up(unsigned idle_ms)
{
	fake_daemon_open(&peer_fake, 0, true);
	peer_fake.ops.idle_ms = idle_ms;
	real_live = peer_fake.ops.live;
	peer_fake.ops.live = look;
	peer_looks = 0;
	snprintf(peer_path, sizeof(peer_path), "%s/run/control.sock", peer_fake.folder);
	assert_int_equal(control_open(peer_fake.base, peer_path, &peer_fake.ops, &peer_control), E_OK);
}

int peer_set_up_patiently(void **unused)
{
	(void)unused;
	peer_set_up(60000);
	return 0;
}

int peer_tear_down(void **unused)
{
	(void)unused;
	peer_control = control_close(peer_control);
	fake_daemon_close(&peer_fake);
	return 0;
}

void peer_turn(void)
{
	for (int i = 0; i < 20; i++)
		event_base_loop(peer_fake.base, EVLOOP_NONBLOCK);
}

void peer_turn_until(const unsigned *count, unsigned least)
{
	for (int64_t end_ms = clock_mono_ms() + PEER_WAIT_MS; *count < least && clock_mono_ms() < end_ms;)
		event_base_loop(peer_fake.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_int_equal(*count, least);
}

void peer_turn_for(int64_t ms)
{
	for (int64_t end_ms = clock_mono_ms() + ms; clock_mono_ms() < end_ms; usleep(1000))
		peer_turn();
}

int peer_dial(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(name.sun_path, sizeof(name.sun_path), "%s", peer_path);
	assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fd;
}

void peer_say(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0)
			assert_int_equal(errno, EAGAIN);
		else
			text += n, len -= (size_t)n;
		peer_turn();
	}
}

void peer_say_quietly(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

void peer_say_text(int fd, const char *text)
{
	peer_say(fd, text, strlen(text));
}

json_t *peer_hear(int fd)
{
	static char line[1 << 20];
	size_t len = 0;

	for (int64_t end_ms = clock_mono_ms() + PEER_WAIT_MS; clock_mono_ms() < end_ms;) {
		ssize_t n = recv(fd, line + len, 1, 0);

		if (n == 0 || (n < 0 && errno == ECONNRESET)) {
			assert_int_equal(len, 0);
			return NULL;
		}
		if (n == 1 && line[len] == '\n') {
			json_t *reply = json_loadb(line, len, 0, NULL);

			assert_non_null(reply);
			return reply;
		}
		if (n == 1)
			len++;
		else
			peer_turn();
	}
	fail_msg("no reply");
	return NULL;
}

void peer_hear_ok(int fd)
{
	json_t *reply = peer_hear(fd);
	const json_t *ok = json_object_get(reply, "ok");

	assert_true(json_is_true(ok));
	json_decref(reply);
}

void peer_hear_error(int fd, const char *text)
{
	json_t *reply = peer_hear(fd);
	const char *error = json_string_value(json_object_get(reply, "error"));

	assert_non_null(error);
	if (!strstr(error, text))
		fail_msg("'%s' does not say '%s'", error, text);
	json_decref(reply);
}

void peer_hear_end(int fd)
{
	json_t *reply = peer_hear(fd);

	assert_null(reply);
	close(fd);
}
