// net/tcp.c over streams of two kinds: TCP alone, and one as awkward as TLS can be.
#include "net/tcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/publish.h"
#include "dig.h"
#include "net/stream.h"

// Framed: ID 7, "app.example", A, IN.
static const uint8_t query[] = {0, 29, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 'a', 'p', 'p', 7, 'e', 'x', 'a', 'm', 'p',
                                'l', 'e', 0, 0, 1, 0, 1};

enum { PLAIN, AWKWARD, CLOSED, KINDS, REPLY_LEN = sizeof(query) + 16, SIP = 7, KEY = '!' };

// An awkward stream reads only after it has seen that it could write, takes in what there is and gives it in sips, and
// sends only once the peer has sent it a key of one octet, which is none of the peer's queries.
struct awkward {
	bool may_read, has_key;
	size_t at, len;
	uint8_t held[4096];
};

static atomic_int sessions;

static int awkward_open(struct stream *stream, void *ctx)
{
	assert_ptr_equal(ctx, &sessions);
	stream->session = calloc(1, sizeof(struct awkward));
	atomic_fetch_add(&sessions, 1);
	return E_OK;
}

static ssize_t awkward_read(struct stream *stream, uint8_t *buffer, size_t size)
{
	struct awkward *session = stream->session;
	size_t len = session->len - session->at;

	if (len == 0) {
		session->may_read = !session->may_read;
		if (session->may_read)
			return STREAM_WANT_WRITE;

		ssize_t got = stream_plain.read(stream, session->held, sizeof(session->held));

		if (got <= 0)
			return got;
		session->at = 0;
		session->len = len = (size_t)got;
	}
	len = len < SIP ? len : SIP;
	len = len < size ? len : size;
	memcpy(buffer, session->held + session->at, len);
	session->at += len;
	return (ssize_t)len;
}

static ssize_t awkward_write(struct stream *stream, const uint8_t *octets, size_t len)
{
	struct awkward *session = stream->session;
	uint8_t key;

	if (!session->has_key) {
		if (recv(stream->fd, &key, 1, 0) != 1)
			return STREAM_WANT_READ;
		assert_int_equal(key, KEY);
		session->has_key = true;
		return STREAM_WANT_WRITE;
	}
	return stream_plain.write(stream, octets, len < SIP ? len : SIP);
}

static bool awkward_pending(const struct stream *stream)
{
	const struct awkward *session = stream->session;

	return session->at < session->len;
}

static void awkward_close(struct stream *stream)
{
	free(stream->session);
	close(stream->fd);
	atomic_fetch_sub(&sessions, 1);
}

static int closed_open(struct stream *stream, void *ctx)
{
	(void)stream;
	(void)ctx;
	return E_NOMEM;
}

static const struct stream_type awkward = {TRANSPORT_TCP, awkward_open, awkward_read, awkward_write, awkward_pending,
                                           awkward_close};
static const struct stream_type closed = {.transport = TRANSPORT_TCP, .open = closed_open};

static struct {
	struct counters counters;
	struct tcp *tcp;
	pthread_t thread;
	struct sockaddr_in names[KINDS];
	int fds[KINDS];
} server;

static void *run(void *arg)
{
	publish_register_reader();
	tcp_run(arg);
	publish_unregister_reader();
	return NULL;
}

static void open_listener(int kind, const struct stream_type *type, void *ctx)
{
	struct sockaddr_in *name = &server.names[kind];
	socklen_t len = sizeof(*name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	*name = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(fd, (struct sockaddr *)name, len), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)name, &len), 0);
	assert_int_equal(tcp_add(server.tcp, fd, type, ctx), E_OK);
	server.fds[kind] = fd;
}

static int setup(void **state)
{
	static const struct tcp_limits limits = {4, 5000};

	(void)state;
	dig_begin_published();
	server.tcp = tcp_new(0, &server.counters, &limits);
	assert_non_null(server.tcp);
	open_listener(PLAIN, &stream_plain, NULL);
	open_listener(AWKWARD, &awkward, &sessions);
	open_listener(CLOSED, &closed, NULL);
	return pthread_create(&server.thread, NULL, run, server.tcp);
}

static int teardown(void **state)
{
	(void)state;
	tcp_stop(server.tcp);
	pthread_join(server.thread, NULL);
	tcp_free(server.tcp);
	for (int i = 0; i < KINDS; i++)
		close(server.fds[i]);
	dig_end_published();
	return 0;
}

static int connect_to(int kind)
{
	struct timeval patience = {5, 0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&server.names[kind], sizeof(server.names[kind])), 0);
	return fd;
}

static void ask(int fd, int count)
{
	for (int i = 0; i < count; i++)
		assert_int_equal(send(fd, query, sizeof(query), MSG_NOSIGNAL), (int)sizeof(query));
}

static void expect_answers(int fd, int count)
{
	uint8_t reply[REPLY_LEN];

	for (int i = 0; i < count; i++) {
		assert_int_equal(recv(fd, reply, sizeof(reply), MSG_WAITALL), (int)sizeof(reply));
		assert_int_equal(reply[0] << 8 | reply[1], (int)sizeof(reply) - 2);
		assert_int_equal(reply[3], 7);
		assert_int_equal(reply[5] & 0xf, DNS_NOERROR);
	}
}

// Nothing more comes.
static void expect_end(int fd)
{
	uint8_t octet;

	errno = 0;
	assert_true(recv(fd, &octet, 1, 0) <= 0 && errno != EAGAIN);
	close(fd);
}

static void test_plain(void **state)
{
	int client = connect_to(PLAIN);

	(void)state;
	ask(client, 3);
	expect_answers(client, 3);
	assert_int_equal(send(client, query, 5, 0), 5);
	usleep(10000);
	assert_int_equal(send(client, query + 5, sizeof(query) - 5, 0), (int)sizeof(query) - 5);
	ask(client, 1);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	expect_answers(client, 2);
	expect_end(client);
}

// A read that waits to write, a write that waits to read, octets that no event announces.
static void test_awkward(void **state)
{
	uint64_t before = counter_read(&server.counters.queries_tcp);
	int client = connect_to(AWKWARD);
	uint8_t octet;

	(void)state;
	ask(client, 1);
	usleep(50000);
	assert_int_equal(recv(client, &octet, 1, MSG_DONTWAIT), -1);
	octet = KEY;
	assert_int_equal(send(client, &octet, 1, 0), 1);
	expect_answers(client, 1);
	ask(client, 20);
	expect_answers(client, 20);
	assert_int_equal(counter_read(&server.counters.queries_tcp) - before, 21);
	assert_int_equal(atomic_load(&sessions), 1);
	ask(client, 2);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	expect_answers(client, 2);
	expect_end(client);
	for (int i = 0; i < 30000 && atomic_load(&sessions); i++)
		usleep(1000);
	assert_int_equal(atomic_load(&sessions), 0);
}

// Where no stream can be made the connection is closed, and its place is free again: there are fewer than are tried.
static void test_closed(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		expect_end(connect_to(CLOSED));
	test_plain(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_awkward),
		cmocka_unit_test(test_closed),
	};

	alarm(60);
	return cmocka_run_group_tests(tests, setup, teardown);
}
