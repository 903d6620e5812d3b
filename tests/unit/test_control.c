// The control socket itself: framing, order, caps, idle and slow peers, the file. What the verbs say: test_verbs.
// Changes that wait for the disk: test_pending.
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

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/publish.h"
#include "control/control.h"
#include "peer.h"
#include "state/state.h"

enum { IDLE_MS = 400, WAIT_MS = PEER_WAIT_MS };

static int set_up(void **unused)
{
	(void)unused;
	peer_set_up(IDLE_MS);
	return 0;
}

// Framing -------------------------------------------------------------------------------------------------------------

static void test_in_pieces(void **unused)
{
	int fd = peer_dial();

	(void)unused;
	for (const char *p = PEER_VERSION; *p; p++)
		peer_say(fd, p, 1);
	peer_hear_ok(fd);
	peer_say_text(fd, "{\"verb\": \"version\"}\r\n");
	peer_hear_ok(fd);
	close(fd);
}

static void test_replies_in_order(void **unused)
{
	enum { REQUESTS = 500 };
	int fd = peer_dial();

	(void)unused;
	for (int i = 0; i < REQUESTS; i++)
		peer_say_text(fd, i % 2 ? PEER_VERSION : "{\"verb\": \"nothing\"}\n");
	for (int i = 0; i < REQUESTS; i++) {
		if (i % 2)
			peer_hear_ok(fd);
		else
			peer_hear_error(fd, "no verb 'nothing'");
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

// A stream of requests leaves as much time for the lowest priority as it takes itself.
static void test_gives_way_to_probes(void **unused)
{
	enum { REQUESTS = 20 };
	unsigned replies = 0;
	struct busy busy = {0};
	int fd = peer_dial();

	(void)unused;
	busy.event = evtimer_new(peer_fake.base, on_busy, &busy);
	event_priority_set(busy.event, 2);
	evtimer_add(busy.event, &(struct timeval){0});
	for (int i = 0; i < REQUESTS; i++)
		assert_int_equal(send(fd, PEER_VERSION, strlen(PEER_VERSION), 0), strlen(PEER_VERSION));
	for (int64_t end_ms = clock_mono_ms() + WAIT_MS; replies < REQUESTS && clock_mono_ms() < end_ms;) {
		char got;

		event_base_loop(peer_fake.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		while (recv(fd, &got, 1, 0) == 1)
			replies += got == '\n';
	}
	assert_int_equal(replies, REQUESTS);
	assert_true(busy.runs >= REQUESTS / 2);
	event_free(busy.event);
	close(fd);
	peer_turn();
}

// An invalid line gets an error and the next one is served, as the line feed keeps the framing.
static void test_garbage(void **unused)
{
	char noise[4096];
	int fd = peer_dial();

	(void)unused;
	srand(7);
	for (size_t i = 0; i < sizeof(noise); i++) {
		int byte = rand() % 256;

		noise[i] = (char)(byte == '\n' ? 0 : byte);
	}
	noise[sizeof(noise) - 1] = '\n';
	for (int i = 0; i < 10; i++) {
		peer_say(fd, noise, sizeof(noise));
		peer_hear_error(fd, "not JSON");
		peer_say_text(fd, PEER_VERSION);
		peer_hear_ok(fd);
	}
	peer_say_text(fd, "\n");
	peer_hear_error(fd, "not JSON");
	close(fd);
}

static void test_line_lengths(void **unused)
{
	char *line = malloc(CONTROL_LINE_MAX + 2);
	int fd = peer_dial();

	(void)unused;
	memset(line, ' ', CONTROL_LINE_MAX + 2);
	memcpy(line, PEER_VERSION, strlen(PEER_VERSION) - 1);
	line[CONTROL_LINE_MAX] = '\n';
	peer_say(fd, line, CONTROL_LINE_MAX + 1); // the longest there can be
	peer_hear_ok(fd);
	line[CONTROL_LINE_MAX] = ' ';
	line[CONTROL_LINE_MAX + 1] = '\n';
	peer_say(fd, line, CONTROL_LINE_MAX + 2);
	peer_hear_error(fd, "longer than 65536");
	peer_hear_end(fd);

	fd = peer_dial();
	for (int i = 0; i < 100; i++) // and more than the limit without a line feed
		if (send(fd, line, CONTROL_LINE_MAX, MSG_NOSIGNAL) < 0)
			peer_turn();
	peer_hear_error(fd, "longer than 65536");
	peer_hear_end(fd);
	free(line);
}

static void test_end_of_input(void **unused)
{
	int fd = peer_dial();

	(void)unused;
	peer_say_text(fd, PEER_VERSION PEER_VERSION PEER_VERSION);
	shutdown(fd, SHUT_WR); // as `echo … | socat` does
	peer_hear_ok(fd);
	peer_hear_ok(fd);
	peer_hear_ok(fd);
	peer_hear_end(fd);

	fd = peer_dial();
	peer_say_text(fd, PEER_VERSION "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\"");
	shutdown(fd, SHUT_WR);
	peer_hear_ok(fd);
	peer_hear_error(fd, "a line feed is missing");
	peer_hear_end(fd);
	assert_int_equal(fake_daemon_count(&peer_fake, OVERRIDE_DRAIN), 0);

	fd = peer_dial();
	shutdown(fd, SHUT_WR);
	peer_hear_end(fd);
}

// The peer is gone before its reply is there.
static void test_peer_goes(void **unused)
{
	int fd;

	(void)unused;
	peer_fake.keep_reload = true;
	fd = peer_dial();
	peer_say_text(fd, "{\"verb\": \"reload\"}\n");
	peer_turn();
	assert_non_null(peer_fake.reload_done);
	close(fd);
	peer_turn();
	fake_daemon_end_reload(&peer_fake, E_OK);

	fd = peer_dial();
	peer_say_text(fd, "{\"verb\": \"reload\"}\n");
	peer_turn();
	peer_control = control_close(peer_control);
	fake_daemon_end_reload(&peer_fake, E_OK); // there is no connection left to answer
	close(fd);
}

static void test_reload_takes_time(void **unused)
{
	int fd = peer_dial(), other;

	(void)unused;
	peer_fake.keep_reload = true;
	peer_say_text(fd, "{\"verb\": \"reload\"}\n" PEER_VERSION);
	peer_turn_for(2 * IDLE_MS); // our own work is not the peer's idleness
	other = peer_dial();
	peer_say_text(other, PEER_VERSION);
	peer_hear_ok(other); // others are served meanwhile
	peer_say_text(other, "{\"verb\": \"reload\"}\n");
	peer_hear_error(other, "under way");
	close(other);
	fake_daemon_end_reload(&peer_fake, E_INVAL);

	json_t *reply = peer_hear(fd);

	assert_int_equal(json_array_size(json_object_get(reply, "errors")), 2);
	json_decref(reply);
	peer_hear_ok(fd);
	close(fd);
}

static void test_peer_is_known(void **unused)
{
	char expected[64];
	int fd = peer_dial();

	(void)unused;
	peer_say_text(fd, "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\"}\n");
	peer_hear_ok(fd);
	close(fd);

	const char *who = state_override_at(peer_fake.ops.state, 0)->who;

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
		fds[i] = peer_dial();
		peer_turn();
	}
	peer_turn_for(20); // the loop's clock is coarse
	peer_say_text(fds[0], PEER_VERSION);
	peer_hear_ok(fds[0]);
	for (int i = 1; i <= 3; i++) { // idle connections make room, the longest idle first
		int more = peer_dial();

		peer_say_text(more, PEER_VERSION);
		peer_hear_ok(more);
		peer_hear_end(fds[i]);
		fds[i] = more;
	}
	peer_say_text(fds[0], PEER_VERSION);
	peer_hear_ok(fds[0]);
	peer_say_text(fds[CONTROL_CONNECTIONS_MAX - 1], PEER_VERSION);
	peer_hear_ok(fds[CONTROL_CONNECTIONS_MAX - 1]);
	for (int i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
		close(fds[i]);
}

static void test_idle(void **unused)
{
	int silent = peer_dial(), half = peer_dial(), busy = peer_dial();

	(void)unused;
	for (int64_t end_ms = clock_mono_ms() + 2 * IDLE_MS; clock_mono_ms() < end_ms; usleep(20000)) {
		if (send(half, "x", 1, MSG_NOSIGNAL) < 0) // a letter now and then is not a request
			assert_int_equal(errno, EPIPE);
		peer_say_text(busy, PEER_VERSION);
		peer_hear_ok(busy);
	}
	peer_hear_end(silent);
	peer_hear_end(half);
	peer_say_text(busy, PEER_VERSION);
	peer_hear_ok(busy);
	close(busy);
}

// A peer that keeps sending requests and reads nothing: its memory is bounded, others are served, and it is closed.
static void test_slow_reader(void **unused)
{
	int slow = peer_dial(), other = peer_dial();
	unsigned asked = 0, rounds = 0;

	(void)unused;
	peer_fake.pad = 1 << 20;
	// All at once: it is cut after its time, whatever the machine got done in that.
	for (; asked < 150; asked++)
		assert_int_equal(send(slow, "{\"verb\": \"stats\"}\n", 18, MSG_NOSIGNAL), 18);
	for (int64_t end_ms = clock_mono_ms() + 3 * IDLE_MS; clock_mono_ms() < end_ms || rounds < 150; usleep(1000)) {
		rounds++;
		if (send(slow, "{\"verb\": \"stats\"}\n", 18, MSG_NOSIGNAL) > 0)
			asked++;
		peer_turn();
		peer_say_text(other, PEER_VERSION);
		peer_hear_ok(other);
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
	int fd = peer_dial();

	(void)unused;
	peer_fake.pad = CONTROL_REPLY_MAX;
	peer_say_text(fd, "{\"verb\": \"stats\"}\n");
	peer_hear_error(fd, "the reply is larger");
	peer_say_text(fd, PEER_VERSION);
	peer_hear_ok(fd);
	close(fd);
}

// The file ------------------------------------------------------------------------------------------------------------

static void test_file(void **unused)
{
	struct control *other = NULL;
	struct stat st;
	char aside[160];

	(void)unused;
	assert_int_equal(stat(peer_path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(control_open(peer_fake.base, peer_path, &peer_fake.ops, &other), E_EXISTS); // it is served

	snprintf(aside, sizeof(aside), "%s.aside", peer_path);
	assert_int_equal(rename(peer_path, aside), 0);
	assert_int_equal(control_open(peer_fake.base, peer_path, &peer_fake.ops, &other), E_OK);
	peer_control = control_close(peer_control); // not its file any more
	assert_int_equal(stat(peer_path, &st), 0);
	peer_control = other;
	assert_int_equal(unlink(aside), 0);

	peer_control = control_close(peer_control);
	assert_int_equal(stat(peer_path, &st), -1);
}

static void test_stale_file(void **unused)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)unused;
	peer_control = control_close(peer_control);
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", peer_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	close(fd); // as kill -9 leaves it
	assert_int_equal(control_open(peer_fake.base, peer_path, &peer_fake.ops, &peer_control), E_OK);
	fd = peer_dial();
	peer_say_text(fd, PEER_VERSION);
	peer_hear_ok(fd);
	close(fd);
}

static void test_file_in_the_way(void **unused)
{
	char far[300];

	(void)unused;
	peer_control = control_close(peer_control);
	close(open(peer_path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(control_open(peer_fake.base, peer_path, &peer_fake.ops, &peer_control), E_EXISTS);
	assert_int_equal(access(peer_path, F_OK), 0);
	assert_int_equal(unlink(peer_path), 0);
	snprintf(far, sizeof(far), "%s/%0200d", peer_fake.folder, 7);
	assert_int_equal(control_open(peer_fake.base, far, &peer_fake.ops, &peer_control), E_INVAL);
	snprintf(far, sizeof(far), "%s/no/such/folder", peer_fake.folder);
	assert_int_equal(control_open(peer_fake.base, far, &peer_fake.ops, &peer_control), E_IO);
	assert_null(peer_control);
}

// Memory --------------------------------------------------------------------------------------------------------------

// libevent's allocations, of which one fails.
static unsigned allocated, failing; // 0: none

static void *allocate(size_t size)
{
	return ++allocated == failing ? NULL : malloc(size);
}

static void *reallocate(void *old, size_t size)
{
	return ++allocated == failing ? NULL : realloc(old, size);
}

static void fail_later(unsigned allocations)
{
	allocated = 0;
	failing = allocations;
}

enum { ALLOCATIONS = 25 }; // of a connection, and of a socket, and more

// A connection that cannot be set up is closed. The others stay open, so that each is the first of its descriptor, for which
// libevent then allocates.
static void test_no_memory_for_a_connection(void **unused)
{
	int fds[ALLOCATIONS];
	unsigned answered = 0;

	(void)unused;
	for (unsigned i = 0; i < ALLOCATIONS; i++) {
		fds[i] = peer_dial();
		peer_say_quietly(fds[i], PEER_VERSION);
		fail_later(i + 1);

		json_t *reply = peer_hear(fds[i]);

		fail_later(0);
		answered += reply != NULL;
		json_decref(reply);
	}
	assert_in_range(answered, 1, ALLOCATIONS - 1);
	for (unsigned i = 0; i < ALLOCATIONS; i++)
		close(fds[i]);
	peer_turn();
}

// A socket that is open is listened to.
static void test_no_memory_to_listen(void **unused)
{
	enum { USED = 8 }; // descriptors, at most, in a turn
	int others[ALLOCATIONS * USED];
	unsigned opened = 0;

	(void)unused;
	for (unsigned i = 0; i < ALLOCATIONS; i++) {
		peer_control = control_close(peer_control);
		for (unsigned k = 0; k < USED; k++) // so that the socket is the first of its descriptor
			others[i * USED + k] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		fail_later(i + 1);

		int err = control_open(peer_fake.base, peer_path, &peer_fake.ops, &peer_control);

		fail_later(0);
		assert_true(err == E_OK || err == E_NOMEM);
		if (err == E_OK) {
			int fd = peer_dial();

			opened++;
			peer_say_text(fd, PEER_VERSION);
			peer_hear_ok(fd);
			close(fd);
			peer_turn();
		}
	}
	assert_in_range(opened, 1, ALLOCATIONS - 1);
	for (unsigned i = 0; i < ARRAY_LEN(others); i++)
		close(others[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_pieces, set_up, peer_tear_down),
		cmocka_unit_test_setup_teardown(test_replies_in_order, peer_set_up_patiently, peer_tear_down),
		cmocka_unit_test_setup_teardown(test_gives_way_to_probes, set_up, peer_tear_down),
		cmocka_unit_test_setup_teardown(test_garbage, set_up, peer_tear_down),
		cmocka_unit_test_setup_teardown(test_line_lengths, set_up, peer_tear_down),
		cmocka_unit_test_setup_teardown(test_end_of_input, set_up, peer_tear_down),
		cmocka_unit_test_setup_teardown(test_peer_goes, set_up, peer_tear_down),
		cmocka_unit_test_setup_teardown(test_reload_takes_time, set_up, peer_tear_down),
		cmocka_unit_test_setup_teardown(test_peer_is_known, set_up, peer_tear_down),
		cmocka_unit_test_setup_teardown(test_connections_max, peer_set_up_patiently, peer_tear_down),
		cmocka_unit_test_setup_teardown(test_idle, set_up, peer_tear_down),
		cmocka_unit_test_setup_teardown(test_slow_reader, set_up, peer_tear_down),
		cmocka_unit_test_setup_teardown(test_reply_max, set_up, peer_tear_down),
		cmocka_unit_test_setup_teardown(test_file, set_up, peer_tear_down),
		cmocka_unit_test_setup_teardown(test_stale_file, set_up, peer_tear_down),
		cmocka_unit_test_setup_teardown(test_file_in_the_way, set_up, peer_tear_down),
		cmocka_unit_test_setup_teardown(test_no_memory_for_a_connection, peer_set_up_patiently, peer_tear_down),
		cmocka_unit_test_setup_teardown(test_no_memory_to_listen, peer_set_up_patiently, peer_tear_down),
	};

	signal(SIGPIPE, SIG_IGN);
	event_set_mem_functions(allocate, reallocate, free);
	publish_register_reader();
	log_set_level((enum log_level)0);

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	publish_unregister_reader();
	return failed;
}
