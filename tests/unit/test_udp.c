// net/udp.c on sockets whose buffers are small: Unix datagrams, ten of which a receiver that does not read can hold up;
// and on one that is bound to all addresses.
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/publish.h"
#include "base/report.h"
#include "dig.h"
#include "net/sockets.h"
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

static struct udp *start(int fd, bool wildcard, pthread_t *ret_thread)
{
	struct udp *udp = udp_new(fd, wildcard, 0, &server.counters);

	assert_non_null(udp);
	assert_int_equal(pthread_create(ret_thread, NULL, run, udp), 0);
	return udp;
}

static void stop(struct udp *udp, pthread_t thread)
{
	udp_stop(udp);
	while (pthread_tryjoin_np(thread, NULL) == EBUSY) {
		pthread_kill(thread, SIGURG);
		usleep(1000);
	}
	udp_free(udp);
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
	server.udp = start(server.fd, false, &server.thread);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	stop(server.udp, server.thread);
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

// A port of 0.0.0.0 that was free a moment ago.
static uint16_t free_port(void)
{
	struct sockaddr_in name = {.sin_family = AF_INET};
	socklen_t len = sizeof(name);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&name, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	close(fd);
	return ntohs(name.sin_port);
}

// A socket of all addresses replies from the one that was asked, not from the one that the kernel would choose.
static void test_wildcard(void **state)
{
	struct sockaddr_in name = {.sin_family = AF_INET};
	struct report *report = report_new();
	struct timeval patience = {5, 0};
	struct sockets *sockets;
	char listen[32];
	const char *const list[] = {listen};
	pthread_t thread;

	(void)state;
	for (int tries = 0, err = -1; err != E_OK; tries++) {
		assert_true(tries < 20); // others may take it meanwhile
		name.sin_port = htons(free_port());
		snprintf(listen, sizeof(listen), "0.0.0.0@%u", ntohs(name.sin_port));
		err = sockets_open(list, 1, 1, report, &sockets);
	}
	assert_true(sockets->list[0].transport == TRANSPORT_UDP && sockets->list[0].wildcard);

	struct udp *udp = start(sockets->list[0].fd, true, &thread);

	for (unsigned host = 1; host < 4; host++) {
		int client = socket(AF_INET, SOCK_DGRAM, 0);

		// Connected, so it takes nothing from any other address.
		name.sin_addr.s_addr = htonl(INADDR_LOOPBACK + host);
		assert_int_equal(connect(client, (struct sockaddr *)&name, sizeof(name)), 0);
		assert_int_equal(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
		assert_int_equal(send(client, query, sizeof(query), 0), (int)sizeof(query));
		expect_answer(client);
		close(client);
	}
	stop(udp, thread);
	sockets_close(sockets);
	report_free(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_stuck_client),
		cmocka_unit_test(test_wildcard),
	};

	alarm(60);
	return cmocka_run_group_tests(tests, setup, teardown);
}
