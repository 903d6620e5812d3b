// The DNS probe: one query over UDP, sent again at each third of the timeout, and over TCP where the reply is truncated. What
// is no reply to it is overlooked, as anybody may send that. See probe.h.
#include "health/probe.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/must.h"
#include "health/dns_reply.h"
#include "wire/dns.h"
#include "wire/put.h"

enum { READS_PER_TURN = 8, RESENDS = 3, LENGTH_LEN = 2, RCODE_LEN = 24 };

struct run {
	struct probe *probe;
	struct event event;    // of the socket
	struct event timer;    // when the query is sent again; over UDP
	struct event_base *base;
	struct dns_reply_question question;
	uint8_t query[LENGTH_LEN + DNS_REPLY_QUERY_MAX]; // behind its length, as TCP has it
	size_t query_len;      // without that
	int fd;
	int error;             // errno of a call that failed before the loop's turn; 0
	bool is_tcp, is_connected;
	size_t sent;           // over TCP: octets of the length and the query
	size_t len;            // over TCP: octets of the length and the reply that have come
	uint8_t *reply;        // over TCP, with room for any
};

static const char *const type_names[] = {
#define TYPE_NAME(name) [CHECK_QUERY_##name] = #name,
	CHECK_QUERY_TYPES(TYPE_NAME)
};
static const uint16_t types[] = {
#define TYPE_NUMBER(name) [CHECK_QUERY_##name] = DNS_##name,
	CHECK_QUERY_TYPES(TYPE_NUMBER)
};
static const char *const rcode_names[] = {
#define RCODE_NAME(name) [CHECK_RCODE_##name] = #name,
	CHECK_RCODES(RCODE_NAME)
};
static const uint8_t rcodes[] = {
#define RCODE_NUMBER(name) [CHECK_RCODE_##name] = DNS_##name,
	CHECK_RCODES(RCODE_NUMBER)
};

static void *dns_open(struct event_base *base)
{
	return base;
}

static void dns_close(void *engine)
{
	(void)engine;
}

static void close_socket(struct run *run)
{
	event_del(&run->event);
	event_del(&run->timer);
	if (run->fd >= 0)
		close(run->fd);
	run->fd = -1;
}

static void dns_cancel(struct probe *probe)
{
	struct run *run = probe->run;

	must(run && run->probe == probe);
	close_socket(run);
	free(run->reply);
	free(run);
	probe->run = NULL;
}

static void conclude(struct run *run, const struct verdict *verdict)
{
	struct probe *probe = run->probe;

	dns_cancel(probe);
	probe->done(probe, verdict);
}

// A system call on the socket has failed: by an ICMP message, a reset, or for lack of something here.
static void conclude_error(struct run *run, int error)
{
	struct verdict verdict;

	probe_verdict_connect(&verdict, run->probe, error);
	conclude(run, &verdict);
}

// ---- the reply

static const char *rcode_text(unsigned rcode, char buf[static RCODE_LEN])
{
	for (size_t i = 0; i < ARRAY_LEN(rcodes); i++)
		if (rcodes[i] == rcode)
			return rcode_names[i];
	snprintf(buf, RCODE_LEN, "rcode %u", rcode);
	return buf;
}

static void judge(const struct run *run, const uint8_t *octets, size_t len, struct verdict *verdict)
{
	const struct config_check *check = &run->probe->check->conf;
	unsigned rcode = dns_reply_rcode(octets), count = 0;
	const char *type = type_names[check->query_type];
	char buf[RCODE_LEN];

	if (rcode != rcodes[check->expect_rcode]) {
		probe_verdict(verdict, HEALTH_STATUS, "%s, expected %s", rcode_text(rcode, buf), rcode_names[check->expect_rcode]);
		return;
	}
	switch (dns_reply_find(octets, len, &run->question, check->expect, &count)) {
	case E_OK: probe_verdict(verdict, HEALTH_OK, "%s, %u %s", rcode_text(rcode, buf), count, type); break;
	case E_NOTFOUND:
		probe_verdict(verdict, HEALTH_BODY, "\"%.64s\" is not in the answer, which has %u %s", check->expect, count, type);
		break;
	default: probe_verdict(verdict, HEALTH_BODY, "the reply is malformed"); break;
	}
}

static void start_tcp(struct run *run);

// Octets that came over UDP: the reply, or not.
static bool take_datagram(struct run *run, const uint8_t *octets, size_t len)
{
	struct verdict verdict;

	if (!dns_reply_is_to(octets, len, &run->question))
		return false;
	if (dns_reply_is_truncated(octets)) {
		start_tcp(run);
		return true;
	}
	judge(run, octets, len, &verdict);
	conclude(run, &verdict);
	return true;
}

static void read_datagrams(struct run *run)
{
	uint8_t octets[4096]; // without EDNS a reply has 512 at most; what is cut is malformed

	for (int i = 0; i < READS_PER_TURN; i++) {
		ssize_t len = recv(run->fd, octets, sizeof(octets), 0);

		if (len < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (len < 0) {
			conclude_error(run, errno);
			return;
		}
		if (take_datagram(run, octets, (size_t)len))
			return;
	}
}

// ---- TCP

// More of the length and the reply.
static void read_stream(struct run *run)
{
	size_t want = LENGTH_LEN;
	struct verdict verdict;

	if (run->len >= LENGTH_LEN)
		want += (size_t)(run->reply[0] << 8 | run->reply[1]);

	ssize_t len = recv(run->fd, run->reply + run->len, want - run->len, 0);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len < 0) {
		conclude_error(run, errno);
		return;
	}
	run->len += (size_t)len;
	if (len > 0 && (run->len < LENGTH_LEN || run->len < LENGTH_LEN + (size_t)(run->reply[0] << 8 | run->reply[1])))
		return;
	if (len == 0)
		probe_verdict(&verdict, HEALTH_BODY, "the connection over TCP was closed before the reply had ended");
	else if (!dns_reply_is_to(run->reply + LENGTH_LEN, run->len - LENGTH_LEN, &run->question) ||
	         dns_reply_is_truncated(run->reply + LENGTH_LEN))
		probe_verdict(&verdict, HEALTH_BODY, "what came over TCP is no reply to the query");
	else
		judge(run, run->reply + LENGTH_LEN, run->len - LENGTH_LEN, &verdict);
	conclude(run, &verdict);
}

static void watch_socket(struct run *run, short what, event_callback_fn callback)
{
	probe_event_assign(&run->event, run->base, run->fd, (short)(what | EV_PERSIST), callback, run);
	if (event_add(&run->event, NULL) < 0) {
		run->error = ENOMEM;
		event_active(&run->event, EV_WRITE, 0);
	}
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct run *run = ctx;

	(void)fd;
	(void)what;
	if (run->error)
		conclude_error(run, run->error);
	else if (run->is_tcp)
		read_stream(run);
	else
		read_datagrams(run);
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
	struct run *run = ctx;
	socklen_t len = sizeof(run->error);
	size_t all = LENGTH_LEN + run->query_len;

	(void)what;
	if (!run->error && getsockopt(fd, SOL_SOCKET, SO_ERROR, &run->error, &len) < 0)
		run->error = errno;
	run->is_connected = !run->error;

	ssize_t sent = run->error ? 0 : send(fd, run->query + run->sent, all - run->sent, MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		run->error = errno;
	if (run->error) {
		conclude_error(run, run->error);
		return;
	}
	run->sent += sent > 0 ? (size_t)sent : 0;
	if (run->sent < all)
		return;
	event_del(&run->event);
	watch_socket(run, EV_READ, on_readable);
}

// Connects a new socket to the target. An errno, or 0.
static int open_socket(struct run *run, int type)
{
	struct sockaddr_storage name;
	socklen_t len = addr_to_sockaddr(&run->probe->addr, run->probe->check->conf.port, &name);

	run->fd = socket(name.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (run->fd < 0)
		return errno;
	return connect(run->fd, (struct sockaddr *)&name, len) < 0 && errno != EINPROGRESS ? errno : 0;
}

static void start_tcp(struct run *run)
{
	int error;

	close_socket(run);
	run->is_tcp = true;
	run->reply = malloc(LENGTH_LEN + DNS_MESSAGE_MAX);
	error = run->reply ? open_socket(run, SOCK_STREAM) : ENOMEM;
	if (error)
		conclude_error(run, error);
	else
		watch_socket(run, EV_WRITE, on_writable);
}

// ---- UDP

static void wait_to_resend(struct run *run)
{
	unsigned ms = run->probe->check->conf.timeout_ms / RESENDS;
	const struct timeval delay = {ms / 1000, ms % 1000 * 1000};

	(void)event_add(&run->timer, &delay); // without memory it is sent once
}

// What cannot be sent now is sent again; that nobody listens is told when it is read.
static void send_query(struct run *run)
{
	if (send(run->fd, run->query + LENGTH_LEN, run->query_len, 0) < 0 && errno != EAGAIN && errno != EINTR &&
	    errno != ECONNREFUSED)
		run->error = errno;
}

static void on_resend(evutil_socket_t fd, short what, void *ctx)
{
	struct run *run = ctx;

	(void)fd;
	(void)what;
	send_query(run);
	if (run->error)
		conclude_error(run, run->error);
	else
		wait_to_resend(run);
}

static int prepare(struct run *run)
{
	const struct config_check *check = &run->probe->check->conf;
	const char *name = check->query_name ? check->query_name : run->probe->app;

	// That of the config is a domain name, and so is an app's.
	must(name_from_text(name, run->question.name.wire, &run->question.name.len) == E_OK);
	name_fold(run->question.name.wire, run->question.name.len);
	run->question.type = types[check->query_type];
	if (getrandom(&run->question.id, sizeof(run->question.id), GRND_NONBLOCK) != sizeof(run->question.id))
		return E_IO;
	run->query_len = dns_reply_query(&run->question, run->query + LENGTH_LEN);
	put16(run->query, (unsigned)run->query_len);
	return E_OK;
}

static int dns_start(void *engine, struct probe *probe)
{
	struct run *run = calloc(1, sizeof(*run));

	if (!run)
		return E_NOMEM;
	run->probe = probe;
	run->base = engine;
	run->fd = -1;
	probe_event_assign(&run->event, engine, -1, 0, on_readable, run);
	probe_event_assign(&run->timer, engine, -1, 0, on_resend, run);
	if (prepare(run) < 0) {
		free(run); // preserves errno
		return E_IO;
	}
	run->error = open_socket(run, SOCK_DGRAM);
	if (run->fd < 0) {
		errno = run->error;
		free(run);
		return E_IO;
	}
	if (!run->error)
		send_query(run);
	probe->run = run;
	watch_socket(run, EV_READ, on_readable);
	if (run->error)
		event_active(&run->event, EV_READ, 0);
	else
		wait_to_resend(run);
	return E_OK;
}

static const char *dns_stage(const struct probe *probe)
{
	const struct run *run = probe->run;

	if (!run->is_tcp)
		return "waiting for the reply";
	return run->is_connected ? "waiting for the reply over TCP" : "connecting over TCP";
}

const struct probe_type dns_probe = {
	.open = dns_open, .close = dns_close, .start = dns_start, .cancel = dns_cancel, .stage = dns_stage,
};
