// The control socket itself: framing, order, caps, idle and slow peers, the file. What the verbs say: test_verbs.
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/publish.h"
#include "control/control.h"
#include "fake_daemon.h"
#include "state/state.h"

enum { IDLE_MS = 400, WAIT_MS = 5000 };

#define STATUS "{\"verb\": \"version\"}\n"

static struct fake_daemon fake;
static struct event_base *base;
static struct control *control;
static char path[100];
static unsigned looks; // at what is served: each drain takes one before it waits

static const struct live *(*real_live)(void *ctx);

static const struct live *look(void *ctx)
{
	looks++;
	return real_live(ctx);
}

static int set_up_for(unsigned idle_ms)
{
	fake_daemon_open(&fake, 0, true);
	fake.ops.idle_ms = idle_ms;
	real_live = fake.ops.live;
	fake.ops.live = look;
	looks = 0;
	snprintf(path, sizeof(path), "%s/run/control.sock", fake.folder);
	base = fake.base;
	assert_int_equal(control_open(base, path, &fake.ops, &control), E_OK);
	return 0;
}

static int set_up(void **unused)
{
	(void)unused;
	return set_up_for(IDLE_MS);
}

static int set_up_patiently(void **unused)
{
	(void)unused;
	return set_up_for(60000);
}

static int tear_down(void **unused)
{
	(void)unused;
	control = control_close(control);
	fake_daemon_close(&fake);
	return 0;
}

// Lets the daemon's side do what it can.
static void turn(void)
{
	for (int i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void turn_until(const unsigned *count, unsigned least)
{
	for (int64_t end_ms = clock_mono_ms() + WAIT_MS; *count < least && clock_mono_ms() < end_ms;)
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_int_equal(*count, least);
}

static void turn_for(int64_t ms)
{
	for (int64_t end_ms = clock_mono_ms() + ms; clock_mono_ms() < end_ms; usleep(1000))
		turn();
}

static int dial(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fd;
}

static void say(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0)
			assert_int_equal(errno, EAGAIN);
		else
			text += n, len -= (size_t)n;
		turn();
	}
}

// Without a turn of the daemon's side.
static void say_quietly(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void say_text(int fd, const char *text)
{
	say(fd, text, strlen(text));
}

// The next line, parsed; the caller's. NULL: the connection was closed without one.
static json_t *hear(int fd)
{
	static char line[1 << 20];
	size_t len = 0;

	for (int64_t end_ms = clock_mono_ms() + WAIT_MS; clock_mono_ms() < end_ms;) {
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
			turn();
	}
	fail_msg("no reply");
	return NULL;
}

static void hear_ok(int fd)
{
	json_t *reply = hear(fd);
	const json_t *ok = json_object_get(reply, "ok");

	assert_true(json_is_true(ok));
	json_decref(reply);
}

static void hear_error(int fd, const char *text)
{
	json_t *reply = hear(fd);
	const char *error = json_string_value(json_object_get(reply, "error"));

	assert_non_null(error);
	if (!strstr(error, text))
		fail_msg("'%s' does not say '%s'", error, text);
	json_decref(reply);
}

static void hear_end(int fd)
{
	json_t *reply = hear(fd);

	assert_null(reply);
	close(fd);
}

// Framing -------------------------------------------------------------------------------------------------------------

static void test_in_pieces(void **unused)
{
	int fd = dial();

	(void)unused;
	for (const char *p = STATUS; *p; p++)
		say(fd, p, 1);
	hear_ok(fd);
	say_text(fd, "{\"verb\": \"version\"}\r\n");
	hear_ok(fd);
	close(fd);
}

static void test_replies_in_order(void **unused)
{
	enum { REQUESTS = 500 };
	int fd = dial();

	(void)unused;
	for (int i = 0; i < REQUESTS; i++)
		say_text(fd, i % 2 ? STATUS : "{\"verb\": \"nothing\"}\n");
	for (int i = 0; i < REQUESTS; i++) {
		if (i % 2)
			hear_ok(fd);
		else
			hear_error(fd, "no verb 'nothing'");
	}
	close(fd);
}

// What probes are to the loop: something that is ready again and again, in the lowest priority.
struct busy {
	struct event *event;
	unsigned runs;
};

static void on_busy(evutil_socket_t fd, short what, void *ctx)
{
	struct busy *busy = ctx;

	(void)fd;
	(void)what;
	busy->runs++;
	evtimer_add(busy->event, &(struct timeval){0});
}

// Requests without end leave the lowest priority as much time as they take.
static void test_gives_way_to_probes(void **unused)
{
	enum { REQUESTS = 20 };
	unsigned replies = 0;
	struct busy busy = {0};
	int fd = dial();

	(void)unused;
	busy.event = evtimer_new(base, on_busy, &busy);
	event_priority_set(busy.event, 2);
	evtimer_add(busy.event, &(struct timeval){0});
	for (int i = 0; i < REQUESTS; i++)
		assert_int_equal(send(fd, STATUS, strlen(STATUS), 0), strlen(STATUS));
	for (int64_t end_ms = clock_mono_ms() + WAIT_MS; replies < REQUESTS && clock_mono_ms() < end_ms;) {
		char got;

		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		while (recv(fd, &got, 1, 0) == 1)
			replies += got == '\n';
	}
	assert_int_equal(replies, REQUESTS);
	assert_true(busy.runs >= REQUESTS / 2);
	event_free(busy.event);
	close(fd);
	turn();
}

// A wrong line is answered and the next one is served: the line feed says where it begins.
static void test_garbage(void **unused)
{
	char noise[4096];
	int fd = dial();

	(void)unused;
	srand(7);
	for (size_t i = 0; i < sizeof(noise); i++) {
		int byte = rand() % 256;

		noise[i] = (char)(byte == '\n' ? 0 : byte);
	}
	noise[sizeof(noise) - 1] = '\n';
	for (int i = 0; i < 10; i++) {
		say(fd, noise, sizeof(noise));
		hear_error(fd, "not JSON");
		say_text(fd, STATUS);
		hear_ok(fd);
	}
	say_text(fd, "\n");
	hear_error(fd, "not JSON");
	close(fd);
}

static void test_line_lengths(void **unused)
{
	char *line = malloc(CONTROL_LINE_MAX + 2);
	int fd = dial();

	(void)unused;
	memset(line, ' ', CONTROL_LINE_MAX + 2);
	memcpy(line, STATUS, strlen(STATUS) - 1);
	line[CONTROL_LINE_MAX] = '\n';
	say(fd, line, CONTROL_LINE_MAX + 1); // the longest there can be
	hear_ok(fd);
	line[CONTROL_LINE_MAX] = ' ';
	line[CONTROL_LINE_MAX + 1] = '\n';
	say(fd, line, CONTROL_LINE_MAX + 2);
	hear_error(fd, "longer than 65536");
	hear_end(fd);

	fd = dial();
	for (int i = 0; i < 100; i++) // and more than that without an end
		if (send(fd, line, CONTROL_LINE_MAX, MSG_NOSIGNAL) < 0)
			turn();
	hear_error(fd, "longer than 65536");
	hear_end(fd);
	free(line);
}

static void test_end_of_input(void **unused)
{
	int fd = dial();

	(void)unused;
	say_text(fd, STATUS STATUS STATUS);
	shutdown(fd, SHUT_WR); // as `echo … | socat` does
	hear_ok(fd);
	hear_ok(fd);
	hear_ok(fd);
	hear_end(fd);

	fd = dial();
	say_text(fd, STATUS "{\"verb\": \"drain\", \"site\": \"bos\"");
	shutdown(fd, SHUT_WR);
	hear_ok(fd);
	hear_error(fd, "a line feed is missing");
	hear_end(fd);
	assert_int_equal(fake_daemon_count(&fake, OVERRIDE_DRAIN), 0);

	fd = dial();
	shutdown(fd, SHUT_WR);
	hear_end(fd);
}

// The peer goes while its drain waits for the disk: it was asked for, so it is done; `unread`: of an earlier reply.
static void go_while_it_waits(bool unread)
{
	unsigned changes = fake.changes;
	int fd = dial(), other;

	if (unread) { // then the other end sees a reset, not an end
		say_text(fd, STATUS);
		turn();
	}
	looks = 0;
	say_quietly(fd, unread ? "{\"verb\": \"undrain\", \"site\": \"bos\"}\n" : "{\"verb\": \"drain\", \"site\": \"bos\"}\n");
	turn_until(&looks, 1);
	close(fd);
	turn_until(&fake.changes, changes + 1);
	turn();
	assert_int_equal(fake_daemon_count(&fake, OVERRIDE_DRAIN), unread ? 0 : 1);
	other = dial();
	say_text(other, STATUS);
	hear_ok(other);
	close(other);
	turn();
}

static void test_peer_goes_while_its_drain_waits(void **unused)
{
	unsigned changes;
	int fd;

	(void)unused;
	for (int i = 0; i < 10; i++) {
		go_while_it_waits(false);
		go_while_it_waits(true);
	}

	// The socket goes first, as at the end of the daemon: the drain is still done, and nobody is left to be told.
	changes = fake.changes;
	looks = 0;
	fd = dial();
	say_quietly(fd, "{\"verb\": \"drain\", \"site\": \"bos\"}\n");
	turn_until(&looks, 1);
	control = control_close(control);
	turn_until(&fake.changes, changes + 1);
	turn();
	assert_int_equal(fake_daemon_count(&fake, OVERRIDE_DRAIN), 1);
	close(fd);
}

// While a drain waits for the disk, the requests behind it wait for its reply, and other connections are served.
static void test_requests_behind_a_drain(void **unused)
{
	int fd = dial(), other = dial();

	(void)unused;
	say_quietly(fd, "{\"verb\": \"drain\", \"site\": \"bos\"}\n{\"verb\": \"sites\", \"site\": \"bos\"}\n"
	                "{\"verb\": \"undrain\", \"site\": \"bos\"}\n{\"verb\": \"undrain\", \"site\": \"bos\"}\n" STATUS);
	turn_until(&looks, 1);
	say_text(other, STATUS);
	hear_ok(other);
	close(other);
	hear_ok(fd);

	json_t *reply = hear(fd);
	const json_t *site = json_array_get(json_object_get(reply, "sites"), 0);

	assert_true(json_is_object(json_object_get(site, "drained"))); // it was published before it was acknowledged
	json_decref(reply);
	hear_ok(fd);
	hear_error(fd, "bos is not drained");
	hear_ok(fd);
	close(fd);
}

// The peer is gone before its reply is there.
static void test_peer_goes(void **unused)
{
	int fd;

	(void)unused;
	fake.keep_reload = true;
	fd = dial();
	say_text(fd, "{\"verb\": \"reload\"}\n");
	turn();
	assert_non_null(fake.reload_done);
	close(fd);
	turn();
	fake_daemon_end_reload(&fake, E_OK);

	fd = dial();
	say_text(fd, "{\"verb\": \"reload\"}\n");
	turn();
	control = control_close(control);
	fake_daemon_end_reload(&fake, E_OK); // nobody is left to be told
	close(fd);
}

static void test_reload_takes_time(void **unused)
{
	int fd = dial(), other;

	(void)unused;
	fake.keep_reload = true;
	say_text(fd, "{\"verb\": \"reload\"}\n" STATUS);
	turn_for(2 * IDLE_MS); // our own work is not the peer's idleness
	other = dial();
	say_text(other, STATUS);
	hear_ok(other); // others are served meanwhile
	say_text(other, "{\"verb\": \"reload\"}\n");
	hear_error(other, "under way");
	close(other);
	fake_daemon_end_reload(&fake, E_INVAL);

	json_t *reply = hear(fd);

	assert_int_equal(json_array_size(json_object_get(reply, "errors")), 2);
	json_decref(reply);
	hear_ok(fd);
	close(fd);
}

static void test_peer_is_known(void **unused)
{
	char expected[64];
	int fd = dial();

	(void)unused;
	say_text(fd, "{\"verb\": \"drain\", \"site\": \"bos\"}\n");
	hear_ok(fd);
	close(fd);

	const char *who = state_override_at(fake.ops.state, 0)->who;

	snprintf(expected, sizeof(expected), "uid %u", (unsigned)getuid());
	assert_int_equal(strncmp(who, expected, strlen(expected)), 0);
	snprintf(expected, sizeof(expected), ", pid %d", (int)getpid());
	assert_non_null(strstr(who, expected));
}

// Caps ----------------------------------------------------------------------------------------------------------------

static void test_connections_max(void **unused)
{
	int fds[CONTROL_CONNECTIONS_MAX];

	(void)unused;
	for (int i = 0; i < CONTROL_CONNECTIONS_MAX; i++) {
		fds[i] = dial();
		turn();
	}
	turn_for(20); // the loop's clock is coarse
	say_text(fds[0], STATUS);
	hear_ok(fds[0]);
	for (int i = 1; i <= 3; i++) { // the silent ones make room, the longest silent first
		int more = dial();

		say_text(more, STATUS);
		hear_ok(more);
		hear_end(fds[i]);
		fds[i] = more;
	}
	say_text(fds[0], STATUS);
	hear_ok(fds[0]);
	say_text(fds[CONTROL_CONNECTIONS_MAX - 1], STATUS);
	hear_ok(fds[CONTROL_CONNECTIONS_MAX - 1]);
	for (int i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
		close(fds[i]);
}

static void test_idle(void **unused)
{
	int silent = dial(), half = dial(), busy = dial();

	(void)unused;
	for (int64_t end_ms = clock_mono_ms() + 2 * IDLE_MS; clock_mono_ms() < end_ms; usleep(20000)) {
		if (send(half, "x", 1, MSG_NOSIGNAL) < 0) // a letter now and then is not a request
			assert_int_equal(errno, EPIPE);
		say_text(busy, STATUS);
		hear_ok(busy);
	}
	hear_end(silent);
	hear_end(half);
	say_text(busy, STATUS);
	hear_ok(busy);
	close(busy);
}

// A peer that asks and asks and reads nothing: it is bounded, others are served, and in the end it is cut.
static void test_slow_reader(void **unused)
{
	int slow = dial(), other = dial();
	unsigned asked = 0, rounds = 0;

	(void)unused;
	fake.pad = 1 << 20;
	for (int64_t end_ms = clock_mono_ms() + 3 * IDLE_MS; clock_mono_ms() < end_ms || rounds < 150; usleep(1000)) {
		rounds++;
		if (send(slow, "{\"verb\": \"stats\"}\n", 18, MSG_NOSIGNAL) > 0)
			asked++;
		turn();
		say_text(other, STATUS);
		hear_ok(other);
	}
	close(other);
	assert_true(asked > 100);

	static char bytes[1 << 16];
	size_t total = 0;
	ssize_t n;

	while ((n = recv(slow, bytes, sizeof(bytes), 0)) > 0)
		total += (size_t)n;
	assert_true(n == 0 || errno == ECONNRESET); // cut, not waiting
	assert_true(total < 1 << 20);               // within the first reply: the others were never made
	close(slow);
}

static void test_reply_max(void **unused)
{
	int fd = dial();

	(void)unused;
	fake.pad = CONTROL_REPLY_MAX;
	say_text(fd, "{\"verb\": \"stats\"}\n");
	hear_error(fd, "the reply is larger");
	say_text(fd, STATUS);
	hear_ok(fd);
	close(fd);
}

// The file ------------------------------------------------------------------------------------------------------------

static void test_file(void **unused)
{
	struct control *other = NULL;
	struct stat st;
	char aside[160];

	(void)unused;
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(control_open(base, path, &fake.ops, &other), E_EXISTS); // it is served

	snprintf(aside, sizeof(aside), "%s.aside", path);
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(control_open(base, path, &fake.ops, &other), E_OK);
	control = control_close(control); // not its file any more
	assert_int_equal(stat(path, &st), 0);
	control = other;
	assert_int_equal(unlink(aside), 0);

	control = control_close(control);
	assert_int_equal(stat(path, &st), -1);
}

static void test_stale_file(void **unused)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)unused;
	control = control_close(control);
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	close(fd); // as kill -9 leaves it
	assert_int_equal(control_open(base, path, &fake.ops, &control), E_OK);
	fd = dial();
	say_text(fd, STATUS);
	hear_ok(fd);
	close(fd);
}

static void test_file_in_the_way(void **unused)
{
	char far[300];

	(void)unused;
	control = control_close(control);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(control_open(base, path, &fake.ops, &control), E_EXISTS);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(unlink(path), 0);
	snprintf(far, sizeof(far), "%s/%0200d", fake.folder, 7);
	assert_int_equal(control_open(base, far, &fake.ops, &control), E_INVAL);
	snprintf(far, sizeof(far), "%s/no/such/folder", fake.folder);
	assert_int_equal(control_open(base, far, &fake.ops, &control), E_IO);
	assert_null(control);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_replies_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gives_way_to_probes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_garbage, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_line_lengths, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_end_of_input, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_peer_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_peer_goes_while_its_drain_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_requests_behind_a_drain, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reload_takes_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_peer_is_known, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_connections_max, set_up_patiently, tear_down),
		cmocka_unit_test_setup_teardown(test_idle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_slow_reader, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reply_max, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stale_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_file_in_the_way, set_up, tear_down),
	};

	signal(SIGPIPE, SIG_IGN);
	publish_register_reader();
	log_set_level((enum log_level)0);

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	publish_unregister_reader();
	return failed;
}
