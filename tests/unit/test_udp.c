// net/udp.c on sockets whose buffers are small: Unix datagrams, ten of which a receiver that does not read can hold up.
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/publish.h"
#include "dig.h"
#include "net/udp.h"

// ID 7, "app.example", A, IN.
static const uint8_t query[] = {0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 'a', 'p', 'p', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e',
                                0, 0, 1, 0, 1};

static struct {
	struct counters counters;
	struct udp *udp;
	pthread_t thread;
	struct sockaddr_un name;
	socklen_t name_len;
	int fd;
} server;

static void wake(int number)
{
	(void)number;
}

static void *run(void *arg)
{
	publish_register_reader();
	udp_run(arg);
	publish_unregister_reader();
	return NULL;
}

// A Unix datagram socket with a name of the kernel's choice.
static int open_socket(struct sockaddr_un *ret_name, socklen_t *ret_len)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct timeval patience = {5, 0};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(sa_family_t)), 0);
	*ret_len = sizeof(*ret_name);
	assert_int_equal(getsockname(fd, (struct sockaddr *)ret_name, ret_len), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	return fd;
}

static int open_client(void)
{
	struct sockaddr_un name;
	socklen_t len;

	return open_socket(&name, &len);
}

static int setup(void **state)
{
	struct sigaction action = {.sa_handler = wake};
	struct timeval forever = {0, 0};

	(void)state;
	dig_begin_published();
	sigaction(SIGURG, &action, NULL);
	server.fd = open_socket(&server.name, &server.name_len);
	assert_int_equal(setsockopt(server.fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever)), 0);
	server.udp = udp_new(server.fd, false, 0, &server.counters);
	assert_non_null(server.udp);
	return pthread_create(&server.thread, NULL, run, server.udp);
}

static int teardown(void **state)
{
	(void)state;
	udp_stop(server.udp);
	while (pthread_tryjoin_np(server.thread, NULL) == EBUSY) {
		pthread_kill(server.thread, SIGURG);
		usleep(1000);
	}
	udp_free(server.udp);
	close(server.fd);
	dig_end_published();
	return 0;
}

static void ask(int fd)
{
	assert_int_equal(sendto(fd, query, sizeof(query), 0, (struct sockaddr *)&server.name, server.name_len),
	                 (int)sizeof(query));
}

static void expect_answer(int fd)
{
	uint8_t reply[512];

	assert_int_equal(recv(fd, reply, sizeof(reply), 0), (int)sizeof(query) + 16);
	assert_int_equal(reply[1], 7);
	assert_int_equal(reply[3] & 0xf, DNS_NOERROR);
}

static void test_answers(void **state)
{
	int client = open_client();

	(void)state;
	for (int i = 0; i < 3; i++) {
		ask(client);
		expect_answer(client);
	}
	close(client);
}

// A client whose replies cannot be sent holds up neither the others nor what waits for readers to move on.
static void test_stuck_client(void **state)
{
	enum { MORE_THAN_FIT = 600 }; // net.unix.max_dgram_qlen is 10 by default, 512 on some systems
	int stuck = open_client(), client = open_client();

	(void)state;
	for (int i = 0; i < MORE_THAN_FIT; i++)
		ask(stuck);
	ask(client);
	expect_answer(client);
	assert_true(counter_read(&server.counters.udp_send_failed) > 0);
	publish_drain(); // returns
	close(stuck);
	close(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_stuck_client),
	};

	alarm(60);
	return cmocka_run_group_tests(tests, setup, teardown);
}
