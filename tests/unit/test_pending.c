// Changes that wait for the disk while their connections continue, or are closed.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/publish.h"
#include "control/control.h"
#include "control/gate.h"
#include "peer.h"

#define DRAIN "{\"verb\": \"drain\", \"force\": true, \"site\": \"bos\"}\n"
#define UNDRAIN "{\"verb\": \"undrain\", \"site\": \"bos\"}\n"

// The peer goes while its drain waits for the disk: it was asked for, so it is done; `unread`: of an earlier reply.
static void go_while_it_waits(bool unread)
{
	unsigned changes = peer_fake.changes;
	int fd = peer_dial(), other;

	if (unread) { // then the peer sees a reset, not an end of file
		peer_say_text(fd, PEER_VERSION);
		peer_turn();
	}
	peer_looks = 0;
	peer_say_quietly(fd, unread ? UNDRAIN : DRAIN);
	peer_turn_until(&peer_looks, unread ? 1 : PEER_DRAIN_LOOKS);
	close(fd);
	peer_turn_until(&peer_fake.changes, changes + 1);
	peer_turn();
	assert_int_equal(fake_daemon_count(&peer_fake, OVERRIDE_DRAIN), unread ? 0 : 1);
	other = peer_dial();
	peer_say_text(other, PEER_VERSION);
	peer_hear_ok(other);
	close(other);
	peer_turn();
}

static void test_peer_goes_while_its_drain_waits(void **unused)
{
	unsigned changes;
	char reply[4096];
	ssize_t len;
	int fd;

	(void)unused;
	for (int i = 0; i < 10; i++) {
		go_while_it_waits(false);
		go_while_it_waits(true);
	}

	// As when the daemon stops: the state is closed while the drain waits for it, then the socket. The drain is carried
	// out, and whoever asked for it reads so.
	changes = peer_fake.changes;
	peer_looks = 0;
	fd = peer_dial();
	peer_say_quietly(fd, DRAIN);
	peer_turn_until(&peer_looks, PEER_DRAIN_LOOKS);
	peer_fake.ops.state = state_close(peer_fake.ops.state);
	assert_int_equal(peer_fake.changes, changes + 1);
	peer_control = control_close(peer_control);
	assert_true((len = recv(fd, reply, sizeof(reply) - 1, 0)) > 0);
	reply[len] = '\0';
	assert_non_null(strstr(reply, "\"ok\":true"));
	assert_non_null(strstr(reply, "\"warnings\":["));
	fake_daemon_open_state(&peer_fake);
	assert_int_equal(fake_daemon_count(&peer_fake, OVERRIDE_DRAIN), 1);
	close(fd);
}

// As when the daemon stops while it is looked at what a drain would do, and a second look would be needed: nothing is given.
static void test_stops_while_a_drain_is_looked_at(void **unused)
{
	int fd = peer_dial();

	(void)unused;
	peer_looks = 0;
	peer_say_quietly(fd, DRAIN);
	peer_turn_until(&peer_looks, 2); // for its words, and for what it would do
	gate_close(peer_fake.ops.gate);
	peer_fake.ops.state = state_close(peer_fake.ops.state);
	peer_control = control_close(peer_control);
	peer_hear_error(fd, "the daemon is stopping");
	fake_daemon_open_state(&peer_fake);
	assert_int_equal(fake_daemon_count(&peer_fake, OVERRIDE_DRAIN), 0);
	close(fd);
}

// While a drain waits for the disk, the requests behind it wait for its reply, and other connections are served.
static void test_requests_behind_a_drain(void **unused)
{
	int fd = peer_dial(), other = peer_dial();

	(void)unused;
	peer_say_quietly(fd, DRAIN "{\"verb\": \"sites\", \"site\": \"bos\"}\n" UNDRAIN UNDRAIN PEER_VERSION);
	peer_turn_until(&peer_looks, PEER_DRAIN_LOOKS);
	peer_say_text(other, PEER_VERSION);
	peer_hear_ok(other);
	close(other);
	peer_hear_ok(fd);

	json_t *reply = peer_hear(fd);
	const json_t *site = json_array_get(json_object_get(reply, "sites"), 0);

	assert_true(json_is_object(json_object_get(site, "drained"))); // it was published before it was acknowledged
	json_decref(reply);
	peer_hear_ok(fd);
	peer_hear_error(fd, "bos is not drained");
	peer_hear_ok(fd);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_peer_goes_while_its_drain_waits, peer_set_up_patiently, peer_tear_down),
		cmocka_unit_test_setup_teardown(test_stops_while_a_drain_is_looked_at, peer_set_up_patiently, peer_tear_down),
		cmocka_unit_test_setup_teardown(test_requests_behind_a_drain, peer_set_up_patiently, peer_tear_down),
	};

	signal(SIGPIPE, SIG_IGN);
	publish_register_reader();
	log_set_level((enum log_level)0);

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	publish_unregister_reader();
	return failed;
}
