// TCP: connections from a fixed pool, so that serving allocates nothing. A connection has one deadline, set when it is
// accepted and each time a complete message has been answered: it also ends connections of clients that send octet by
// octet, or never read. When the pool is empty, the network that holds most connections loses the one that has been idle
// longest (RFC 9210 section 4): whoever opens many evicts only its own.
//
// A connection waits for one thing at a time: to write while replies are unsent (it reads again when its client has
// read them), else to read. The stream says which readiness of the socket that takes.
#include "net/tcp.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer/answer.h"
#include "base/addr.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "base/publish.h"
#include "net/holders.h"
#include "net/stream.h"
#include "view/live.h"
#include "wire/dns.h"

enum {
	FRAME_MAX = 2 + DNS_MESSAGE_MAX, // RFC 1035 section 4.2.2: two octets of length precede each message
	OUT_MAX = 2 * FRAME_MAX,
	ACCEPTS_PER_TURN = 64,
	LISTENERS_MAX = 512,
	ACCEPT_PAUSE_US = 100000,
	STOP_GRACE_S = 2,
	TOUCHED_MAX = 16384, // octets; buffers used beyond this are returned to the kernel when the connection closes
};

struct conn {
	struct tcp *tcp;
	struct stream stream;
	TAILQ_ENTRY(conn) links; // in tcp->free, or in tcp->busy, which has the longest idle first
	TAILQ_ENTRY(conn) held;  // in holder->conns
	struct holder *holder;   // NULL: in tcp->free
	struct event read, write, deadline;
	struct addr peer;
	bool ended;              // the client has closed its sending side
	size_t in_len, in_peak;
	size_t out_at, out_len;  // octets out[out_at..out_len) are to be sent
	size_t out_peak;
	uint8_t in[FRAME_MAX];
	uint8_t out[OUT_MAX];
};

TAILQ_HEAD(conns, conn);

struct listener {
	struct tcp *tcp;
	struct event *event;
	const struct stream_type *type;
	void *ctx; // the type's
};

struct tcp {
	struct event_base *base;
	uint32_t worker;
	struct counters *counters;
	const struct timeval *idle; // a libevent common timeout, which takes no heap operations to arm
	uint16_t idle_100ms;
	struct conns free, busy;
	struct holders holders;
	struct conn *pool;       // pages are not allocated until a connection is first used
	size_t pool_len;         // octets mapped after this struct: the pool, and what `holders` needs
	unsigned pool_count;     // connections
	unsigned pool_used;      // how many have been used: the others are in neither list yet
	unsigned listener_count;
	struct listener listeners[LISTENERS_MAX];
	struct event *resume;    // timer: accept again
	int stop_fd;             // an eventfd: readable means stop
	struct event *stop;
	bool finishing;
};

// Returns a connection to the pool. Its stream is closed, or was never opened.
static void conn_release(struct conn *conn)
{
	struct tcp *tcp = conn->tcp;

	if (conn->in_peak > TOUCHED_MAX || conn->out_peak > TOUCHED_MAX) {
		uintptr_t first = ((uintptr_t)conn->in + 4095) & ~(uintptr_t)4095;
		uintptr_t end = (uintptr_t)(conn + 1) & ~(uintptr_t)4095;

		(void)madvise((void *)first, end - first, MADV_DONTNEED);
	}
	TAILQ_REMOVE(&conn->holder->conns, conn, held);
	holders_remove(&tcp->holders, conn->holder);
	conn->holder = NULL;
	TAILQ_REMOVE(&tcp->busy, conn, links);
	TAILQ_INSERT_HEAD(&tcp->free, conn, links);
	if (tcp->finishing && TAILQ_EMPTY(&tcp->busy))
		event_base_loopbreak(tcp->base);
}

static void conn_close(struct conn *conn)
{
	event_del(&conn->read);
	event_del(&conn->write);
	event_del(&conn->deadline);
	stream_close(&conn->stream);
	conn_release(conn);
}

// Waits for the readiness that a read or a write of the stream returned. False: the connection has been closed.
static bool await(struct conn *conn, ssize_t want)
{
	bool writes = want == STREAM_WANT_WRITE;

	must(writes || want == STREAM_WANT_READ);
	event_del(writes ? &conn->read : &conn->write); // makes no system call when it was not pending
	if (event_add(writes ? &conn->write : &conn->read, NULL) == 0)
		return true;
	conn_close(conn);
	return false;
}

// Sends unsent replies, and waits for writability if some are left. False: the connection has been closed.
static bool flush(struct conn *conn)
{
	dev_must(conn->out_at <= conn->out_len && conn->out_len <= OUT_MAX);
	while (conn->out_at < conn->out_len) {
		ssize_t sent = stream_write(&conn->stream, conn->out + conn->out_at, conn->out_len - conn->out_at);

		if (sent == STREAM_FAILED) {
			conn_close(conn);
			return false;
		}
		if (sent < 0)
			return await(conn, sent);
		conn->out_at += (size_t)sent;
	}
	conn->out_at = conn->out_len = 0;
	return true;
}

static void restart_deadline(struct conn *conn)
{
	struct tcp *tcp = conn->tcp;

	TAILQ_REMOVE(&tcp->busy, conn, links);
	TAILQ_INSERT_TAIL(&tcp->busy, conn, links);
	TAILQ_REMOVE(&conn->holder->conns, conn, held);
	TAILQ_INSERT_TAIL(&conn->holder->conns, conn, held);
	event_add(&conn->deadline, tcp->idle);
}

// Answers the complete messages in `in` while there is room for replies. False after a message that gets no reply: over
// TCP that ends the connection, as the framing can no longer be trusted.
static bool answer_input(struct conn *conn)
{
	struct tcp *tcp = conn->tcp;
	struct answer_client client = {.addr = conn->peer, .transport = conn->stream.type->transport,
	                               .idle_100ms = tcp->idle_100ms, .worker = tcp->worker, .counters = tcp->counters};
	const struct live *live = live_read();
	size_t at = 0;
	bool good = true;

	dev_must(live && conn->in_len <= FRAME_MAX);
	while (good && conn->in_len - at >= 2 && OUT_MAX - conn->out_len >= FRAME_MAX) {
		size_t len = (size_t)conn->in[at] << 8 | conn->in[at + 1];

		if (conn->in_len - at - 2 < len)
			break;

		uint8_t *frame = conn->out + conn->out_len;
		size_t reply_len = answer_query(live, &client, conn->in + at + 2, len, frame + 2);

		dev_must(reply_len <= DNS_MESSAGE_MAX);
		good = reply_len > 0;
		if (good) {
			frame[0] = (uint8_t)(reply_len >> 8);
			frame[1] = (uint8_t)reply_len;
			conn->out_len += 2 + reply_len;
		}
		at += 2 + len;
	}
	if (at) {
		memmove(conn->in, conn->in + at, conn->in_len - at);
		conn->in_len -= at;
		restart_deadline(conn);
	}
	if (conn->out_len > conn->out_peak)
		conn->out_peak = conn->out_len;
	return good;
}

// Answers, sends, and decides what to wait for next.
static void proceed(struct conn *conn)
{
	for (;;) {
		size_t before = conn->in_len;
		bool good;

		publish_online();
		good = answer_input(conn);
		publish_offline();
		if (!flush(conn))
			return;
		if (!good) {
			conn_close(conn);
			return;
		}
		if (conn->in_len == before || conn->out_len)
			break;
	}
	if (conn->out_len)
		return; // flush() is waiting
	if (conn->ended || (conn->tcp->finishing && conn->in_len == 0)) {
		conn_close(conn);
		return;
	}
	if (await(conn, STREAM_WANT_READ) && stream_pending(&conn->stream))
		event_active(&conn->read, EV_READ, 0); // in the loop's next iteration, after the other connections
}

static void take_input(struct conn *conn)
{
	ssize_t got = stream_read(&conn->stream, conn->in + conn->in_len, sizeof(conn->in) - conn->in_len);

	if (got == STREAM_FAILED) {
		conn_close(conn);
		return;
	}
	if (got < 0) {
		await(conn, got);
		return;
	}
	conn->ended = got == 0;
	conn->in_len += (size_t)got;
	if (conn->in_len > conn->in_peak)
		conn->in_peak = conn->in_len;
	proceed(conn);
}

// The socket has become readable or writable: repeats the call that would have blocked.
static void ready(evutil_socket_t fd, short what, void *arg)
{
	struct conn *conn = arg;

	(void)fd;
	(void)what;
	if (conn->out_len == 0)
		take_input(conn);
	else if (flush(conn) && conn->out_len == 0)
		proceed(conn);
}

static void overdue(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	conn_close(arg);
}

// Closes the connection that has been idle longest of whoever holds most; of all, if nobody holds two.
static void evict(struct tcp *tcp)
{
	const struct holder *most = holders_most(&tcp->holders);

	must(most);
	counter_add(&tcp->counters->tcp_evicted, 1);
	conn_close(most->count > 1 ? TAILQ_FIRST(&most->conns) : TAILQ_FIRST(&tcp->busy));
}

static struct conn *conn_take(struct tcp *tcp, const struct addr *peer)
{
	struct conn *conn;

	if (TAILQ_EMPTY(&tcp->free) && tcp->pool_used < tcp->pool_count) {
		conn = &tcp->pool[tcp->pool_used++];
		TAILQ_INSERT_HEAD(&tcp->free, conn, links);
	} else if (TAILQ_EMPTY(&tcp->free)) {
		evict(tcp);
	}
	conn = TAILQ_FIRST(&tcp->free);
	must(conn && !conn->holder);
	TAILQ_REMOVE(&tcp->free, conn, links);
	TAILQ_INSERT_TAIL(&tcp->busy, conn, links);
	conn->holder = holders_add(&tcp->holders, peer);
	TAILQ_INSERT_TAIL(&conn->holder->conns, conn, held);
	return conn;
}

static void accept_one(const struct listener *listener, int fd, const struct sockaddr_storage *name)
{
	struct tcp *tcp = listener->tcp;
	struct addr peer = addr_of_sockaddr(name);
	struct conn *conn = conn_take(tcp, &peer);

	counter_add(&tcp->counters->tcp_accepted, 1);
	conn->tcp = tcp;
	conn->peer = peer;
	conn->ended = false;
	conn->in_len = conn->in_peak = conn->out_at = conn->out_len = conn->out_peak = 0;
	if (stream_open(&conn->stream, listener->type, fd, listener->ctx) < 0) {
		close(fd);
		conn_release(conn);
		return;
	}
	event_assign(&conn->read, tcp->base, fd, EV_READ | EV_PERSIST, ready, conn);
	event_assign(&conn->write, tcp->base, fd, EV_WRITE, ready, conn);
	event_assign(&conn->deadline, tcp->base, -1, 0, overdue, conn);
	if (event_add(&conn->read, NULL) < 0 || event_add(&conn->deadline, tcp->idle) < 0)
		conn_close(conn);
}

static void resume_accepting(evutil_socket_t fd, short what, void *arg)
{
	struct tcp *tcp = arg;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < tcp->listener_count; i++)
		event_add(tcp->listeners[i].event, NULL);
}

// Out of descriptors, with no connection to close: the listeners stay readable, and the loop would spin.
static void pause_accepting(struct tcp *tcp)
{
	struct timeval wait = {0, ACCEPT_PAUSE_US};

	if (event_add(tcp->resume, &wait) < 0)
		return;
	for (unsigned i = 0; i < tcp->listener_count; i++)
		event_del(tcp->listeners[i].event);
}

static void acceptable(evutil_socket_t listening_fd, short what, void *arg)
{
	const struct listener *listener = arg;
	struct tcp *tcp = listener->tcp;

	(void)what;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_storage name;
		socklen_t len = sizeof(name);
		int fd = accept4(listening_fd, (struct sockaddr *)&name, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			accept_one(listener, fd, &name);
			continue;
		}

		bool starved = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;

		if (starved && !TAILQ_EMPTY(&tcp->busy)) {
			evict(tcp);
			continue;
		}
		if (starved)
			pause_accepting(tcp);
		return;
	}
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
	struct tcp *tcp = arg;
	struct timeval grace = {STOP_GRACE_S, 0};

	(void)fd;
	(void)what;
	event_base_loopexit(tcp->base, &grace);
	event_del(tcp->resume);
	for (unsigned i = 0; i < tcp->listener_count; i++)
		event_del(tcp->listeners[i].event);
	for (struct conn *conn = TAILQ_FIRST(&tcp->busy), *next; conn; conn = next) {
		next = TAILQ_NEXT(conn, links);
		if (conn->in_len == 0 && conn->out_len == 0)
			conn_close(conn);
	}
	tcp->finishing = true;
	if (TAILQ_EMPTY(&tcp->busy))
		event_base_loopbreak(tcp->base);
}

static bool make_loop(struct tcp *tcp, const struct tcp_limits *limits)
{
	struct timeval idle = {limits->idle_ms / 1000, limits->idle_ms % 1000 * 1000};

	tcp->base = event_base_new();
	tcp->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!tcp->base || tcp->stop_fd < 0)
		return false;
	tcp->idle = event_base_init_common_timeout(tcp->base, &idle);
	tcp->resume = evtimer_new(tcp->base, resume_accepting, tcp);
	tcp->stop = event_new(tcp->base, tcp->stop_fd, EV_READ, on_stop, tcp);
	return tcp->idle && tcp->resume && tcp->stop && event_add(tcp->stop, NULL) == 0;
}

struct tcp *tcp_new(uint32_t worker, struct counters *counters, const struct tcp_limits *limits)
{
	must(limits->clients > 0);

	size_t conns_len = limits->clients * sizeof(struct conn), pool_len = conns_len + holders_size(limits->clients);
	struct tcp *tcp = mmap(NULL, sizeof(*tcp) + pool_len, PROT_READ | PROT_WRITE,
	                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (tcp == MAP_FAILED)
		return NULL;
	tcp->idle_100ms = (uint16_t)(limits->idle_ms / 100 < UINT16_MAX ? limits->idle_ms / 100 : UINT16_MAX);
	tcp->worker = worker;
	tcp->counters = counters;
	tcp->pool = (struct conn *)(tcp + 1);
	tcp->pool_len = pool_len;
	tcp->pool_count = limits->clients;
	holders_init(&tcp->holders, (unsigned char *)tcp->pool + conns_len, limits->clients,
	             hash_mix((uint64_t)clock_mono_ns()));
	TAILQ_INIT(&tcp->free);
	TAILQ_INIT(&tcp->busy);
	return make_loop(tcp, limits) ? tcp : tcp_free(tcp);
}

struct tcp *tcp_free(struct tcp *tcp)
{
	if (!tcp)
		return NULL;
	while (!TAILQ_EMPTY(&tcp->busy))
		conn_close(TAILQ_FIRST(&tcp->busy));
	for (unsigned i = 0; i < tcp->listener_count; i++)
		event_free(tcp->listeners[i].event);
	if (tcp->resume)
		event_free(tcp->resume);
	if (tcp->stop)
		event_free(tcp->stop);
	if (tcp->base)
		event_base_free(tcp->base);
	if (tcp->stop_fd >= 0)
		close(tcp->stop_fd);
	munmap(tcp, sizeof(*tcp) + tcp->pool_len);
	return NULL;
}

int tcp_add(struct tcp *tcp, int fd, const struct stream_type *type, void *ctx)
{
	if (tcp->listener_count == LISTENERS_MAX)
		return E_LIMIT;

	struct listener *listener = &tcp->listeners[tcp->listener_count];
	struct event *event = event_new(tcp->base, fd, EV_READ | EV_PERSIST, acceptable, listener);

	if (!event)
		return E_NOMEM;
	*listener = (struct listener){tcp, event, type, ctx};
	tcp->listener_count++;
	return event_add(event, NULL) < 0 ? E_NOMEM : E_OK;
}

void tcp_run(struct tcp *tcp)
{
	event_base_dispatch(tcp->base);
}

void tcp_stop(struct tcp *tcp)
{
	uint64_t one = 1;

	must(write(tcp->stop_fd, &one, sizeof(one)) == sizeof(one));
}
