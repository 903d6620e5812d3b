// One connection of the HTTP door: a request is read, then answered, then the next one is read. So a connection holds at
// most one request and one reply, and what its peer sends meanwhile stays in the kernel. libevent's evhttp is not used: its
// timeouts begin anew with every octet, it reads without a limit while it replies, and it cannot limit connections.
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/must.h"
#include "control/reply_json.h"
#include "door/inner.h"

enum { LINGER_OCTETS_MAX = 4 << 20, WRITE_AT_ONCE = 256 << 10 }; // octets: a reply to a scrape may have tens of millions

static struct timeval of_ms(unsigned ms)
{
	return (struct timeval){ms / 1000, (suseconds_t)(ms % 1000) * 1000};
}

// Out of memory it is over at once.
static void enter(struct session *session, enum session_phase phase, unsigned ms)
{
	struct timeval wait = of_ms(ms);

	session->phase = phase;
	if (event_add(session->deadline, &wait) < 0)
		event_active(session->deadline, EV_TIMEOUT, 0);
}

static unsigned read_ms(const struct session *session)
{
	return session->door->ops.read_ms ? session->door->ops.read_ms : DOOR_READ_MS;
}

void session_free(struct session *session)
{
	struct door *door = session->door;

	must(door->count > 0);
	if (session->wait)
		session->wait->session = NULL;
	if (session->scrapes && !session->wait) // else until it is rendered
		door->scrapes--;
	if (session->prev)
		session->prev->next = session->next;
	else
		door->first = session->next;
	if (session->next)
		session->next->prev = session->prev;
	door->count--;
	event_free(session->deadline);
	bufferevent_free(session->stream);
	free(session);
}

// ---- replies --------------------------------------------------------------------------------------------------------

static const char *count_status(struct door_stats *stats, int status)
{
#define COUNT(number, reason) \
	case number: \
		stats->status_##number++; \
		return reason;
	switch (status) {
		STATUSES(COUNT)
	}
#undef COUNT
	must(!"a status without a row");
	return NULL;
}

static const char *date(char *buf, size_t size)
{
	time_t now_s = time(NULL);
	struct tm now;

	gmtime_r(&now_s, &now);
	if (strftime(buf, size, "%a, %d %b %Y %H:%M:%S GMT", &now) == 0)
		buf[0] = '\0';
	return buf;
}

static void free_body(const void *body, size_t len, void *ctx)
{
	(void)len;
	(void)ctx;
	free((void *)body);
}

void session_reply(struct session *session, int status, const char *type, const char *more, char *body, size_t len)
{
	struct evbuffer *out = bufferevent_get_output(session->stream);
	const char *reason = count_status(&session->door->stats, status);
	char now[64];
	int err = evbuffer_add_printf(out,
	                              "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
	                              "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n%s%s\r\n",
	                              status, reason, date(now, sizeof(now)), type, len, more,
	                              session->keeps ? "" : "Connection: close\r\n");

	enter(session, SESSION_WRITES, DOOR_WRITE_MS);
	if (err >= 0 && len > 0 && !session->headless && evbuffer_add_reference(out, body, len, free_body, NULL) == 0)
		body = NULL;
	else if (len > 0 && !session->headless)
		err = -1;
	free(body);
	// Enabled once more, as libevent forgets to write when it had no memory as the connection was made.
	if (err < 0 || bufferevent_enable(session->stream, EV_WRITE) < 0)
		event_active(session->deadline, EV_TIMEOUT, 0); // closes it: it cannot be told
}

void session_reply_json(struct session *session, int status, const char *more, json_t *reply)
{
	char *text = reply ? json_dumps(reply, REPLY_FLAGS) : NULL;

	json_decref(reply);
	session_reply(session, text ? status : 500, "application/json", more, text, text ? strlen(text) : 0);
}

void session_refuse(struct session *session, int status, const char *why)
{
	session_reply_json(session, status, "", reply_error(REPLY_USAGE, "%s", why));
}

// ---- requests -------------------------------------------------------------------------------------------------------

// For what cannot be framed: it is the last request.
static void fail(struct session *session, int status, const char *why)
{
	session->keeps = false;
	bufferevent_disable(session->stream, EV_READ);
	session_refuse(session, status, why);
}

// Whether the head is there and good; else more is awaited, or it has been refused.
static bool read_head(struct session *session, struct evbuffer *in)
{
	static const char more[] = "HTTP/1.1 100 Continue\r\n\r\n";
	size_t len = evbuffer_get_length(in), looked = len < REQUEST_HEAD_MAX ? len : REQUEST_HEAD_MAX, head_len;
	const char *octets = (const char *)evbuffer_pullup(in, (ev_ssize_t)looked), *why = NULL;
	struct request request;
	int status;

	if (!octets)
		return false; // nothing has come, or no memory: the deadline ends it
	head_len = request_head_len(octets, looked);
	if (head_len == 0 && len >= REQUEST_HEAD_MAX)
		fail(session, 431, "the head of the request is larger than 8192 bytes");
	if (head_len == 0)
		return false;
	status = request_read(octets, head_len, &request, &why);
	if (status != 0) {
		fail(session, status, why);
		return false;
	}
	session->head_len = head_len;
	session->body_len = request.body_len;
	if (request.continues && len < head_len + request.body_len)
		(void)bufferevent_write(session->stream, more, sizeof(more) - 1); // else the peer stops waiting for it
	return true;
}

_Static_assert(REQUEST_HEAD_MAX == 8192, "as read_head() says");

// Serves the next request if all of it has come.
static void serve(struct session *session)
{
	struct evbuffer *in = bufferevent_get_input(session->stream);
	struct request request;
	const char *octets, *why;
	size_t len;

	if (session->head_len == 0 && !read_head(session, in))
		return;
	len = session->head_len + session->body_len;
	if (evbuffer_get_length(in) < len)
		return;
	bufferevent_disable(session->stream, EV_READ);
	octets = (const char *)evbuffer_pullup(in, (ev_ssize_t)len);
	session->keeps = false;
	if (!octets || request_read(octets, session->head_len, &request, &why) != 0) {
		session_refuse(session, 500, "out of memory");
		return;
	}
	event_del(session->deadline);
	session->phase = SESSION_WAITS;
	session->keeps = request.keeps;
	session->headless = request.method == REQUEST_HEAD;
	respond_request(session, &request, octets + session->head_len);
}

// How much that makes since the last reply.
static size_t throw_away(struct session *session, struct bufferevent *stream)
{
	struct evbuffer *in = bufferevent_get_input(stream);

	session->thrown += evbuffer_get_length(in);
	evbuffer_drain(in, evbuffer_get_length(in));
	return session->thrown;
}

static void on_input(struct bufferevent *stream, void *ctx)
{
	struct session *session = ctx;

	if (session->phase == SESSION_READS)
		serve(session);
	else if (session->phase == SESSION_LEAVES && throw_away(session, stream) > LINGER_OCTETS_MAX)
		session_free(session);
}

// A peer that is still sending would be told so by the kernel, and may then not read the reply. What it sends is thrown
// away until it ends.
static void leave(struct session *session)
{
	if (session->tls)
		tls_end(session->tls);
	shutdown(bufferevent_getfd(session->stream), SHUT_WR);
	enter(session, SESSION_LEAVES, DOOR_LINGER_MS);
	throw_away(session, session->stream);
	if (bufferevent_enable(session->stream, EV_READ) < 0)
		session_free(session);
}

static void read_next(struct session *session)
{
	evbuffer_drain(bufferevent_get_input(session->stream), session->head_len + session->body_len);
	session->head_len = session->body_len = 0;
	enter(session, SESSION_READS, read_ms(session));
	if (bufferevent_enable(session->stream, EV_READ) < 0)
		session_free(session);
	else
		serve(session); // it may be there already
}

static void on_output_empty(struct bufferevent *stream, void *ctx)
{
	struct session *session = ctx;

	(void)stream;
	if (session->phase != SESSION_WRITES)
		return;
	if (session->scrapes)
		session->door->scrapes--;
	session->scrapes = false;
	if (session->keeps)
		read_next(session);
	else
		leave(session);
}

static void on_event(struct bufferevent *stream, short what, void *ctx)
{
	struct session *session = ctx;

	(void)stream;
	if (what & BEV_EVENT_CONNECTED) { // the handshake is over
		enter(session, SESSION_READS, read_ms(session));
		return;
	}
	if (session->phase == SESSION_SHAKES)
		session->door->stats.dropped_tls++;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		session_free(session);
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
	struct session *session = ctx;
	bool has_begun = session->head_len > 0 || evbuffer_get_length(bufferevent_get_input(session->stream)) > 0;

	(void)fd;
	(void)what;
	if (session->phase == SESSION_SHAKES || session->phase == SESSION_WRITES || (session->phase == SESSION_READS && has_begun))
		session->door->stats.dropped_timeout++;
	if (session->phase == SESSION_READS && has_begun)
		fail(session, 408, "the request has not come in time");
	else
		session_free(session);
}

// ---- opening --------------------------------------------------------------------------------------------------------

static struct bufferevent *stream_new(struct session *session, int fd, SSL_CTX *context)
{
	struct event_base *base = session->door->base;
	struct bufferevent *stream;

	if (!context)
		return bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	session->tls = SSL_new(context);
	if (!session->tls)
		return NULL;
	stream = bufferevent_openssl_socket_new(base, fd, session->tls, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (!stream)
		SSL_free(session->tls);
	return stream;
}

void session_open(const struct entry *entry, int fd, const struct addr *peer, const char *address)
{
	struct door *door = entry->door;
	struct session *session = calloc(1, sizeof(*session));
	struct event *deadline = session ? evtimer_new(door->base, on_deadline, session) : NULL;

	if (!deadline) {
		close(fd);
		free(session);
		return;
	}
	*session = (struct session){.door = door, .entry = entry, .deadline = deadline, .peer = *peer};
	snprintf(session->address, sizeof(session->address), "%s", address);

	SSL_CTX *context = entry->key.tls;

	session->stream = stream_new(session, fd, context);
	if (!session->stream) {
		close(fd);
		event_free(deadline);
		free(session);
		return;
	}
	session->next = door->first;
	if (door->first)
		door->first->prev = session;
	door->first = session;
	door->count++;
	bufferevent_priority_set(session->stream, event_base_get_npriorities(door->base) - 1); // that of the probes
	bufferevent_set_max_single_write(session->stream, WRITE_AT_ONCE);
	bufferevent_setcb(session->stream, on_input, on_output_empty, on_event, session);
	enter(session, context ? SESSION_SHAKES : SESSION_READS, read_ms(session));
	if (bufferevent_enable(session->stream, EV_READ | EV_WRITE) < 0)
		session_free(session);
}
