// See responder.h.
#include "responder.h"

#include <arpa/inet.h>
#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/clock.h"
#include "withheld.h"

struct conn {
	struct conn *next, **prev;
	struct responder *responder;
	struct bufferevent *bev;
	struct event *timer;
	size_t sent;
	bool started;
};

static void conn_free(struct conn *conn)
{
	*conn->prev = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	conn->responder->open--;
	event_free(conn->timer);
	bufferevent_free(conn->bev);
	free(conn);
}

static void later(struct conn *conn)
{
	unsigned ms = conn->responder->delay_ms;
	struct timeval delay = {ms / 1000, ms % 1000 * 1000};

	evtimer_add(conn->timer, &delay);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct conn *conn = ctx;
	struct responder *responder = conn->responder;
	size_t len = responder->reply ? strlen(responder->reply) : 0, piece = responder->piece ? responder->piece : len;

	(void)fd;
	(void)what;
	if (!responder->reply)
		return;
	if (len == 0) {
		conn_free(conn);
		return;
	}
	if (responder->endless) {
		for (int i = 0; i < 64; i++)
			bufferevent_write(conn->bev, responder->reply, len);
		return;
	}
	if (piece > len - conn->sent)
		piece = len - conn->sent;
	bufferevent_write(conn->bev, responder->reply + conn->sent, piece);
	conn->sent += piece;
	if (conn->sent < len && responder->delay_ms)
		later(conn);
}

static void on_written(struct bufferevent *bev, void *ctx)
{
	struct conn *conn = ctx;
	struct responder *responder = conn->responder;
	size_t len = responder->reply ? strlen(responder->reply) : 0;

	(void)bev;
	if (!conn->started || !responder->reply || event_pending(conn->timer, EV_TIMEOUT, NULL))
		return;
	if (conn->sent < len || responder->endless)
		on_timer(-1, 0, conn);
	else if (!responder->keep)
		conn_free(conn);
}

static void start(struct conn *conn)
{
	if (conn->started)
		return;
	conn->started = true;
	later(conn);
}

static void on_input(struct bufferevent *bev, void *ctx)
{
	struct conn *conn = ctx;
	struct responder *responder = conn->responder;
	struct evbuffer *input = bufferevent_get_input(bev);
	struct evbuffer_ptr end = evbuffer_search(input, "\r\n\r\n", 4, NULL);

	if (end.pos < 0)
		return;

	int len = evbuffer_remove(input, responder->request, sizeof(responder->request) - 1);

	responder->request[len > 0 ? len : 0] = '\0';
	responder->times_ns[responder->requests++ % RESPONDER_TIMES] = clock_mono_ns();
	start(conn);
}

static void on_event(struct bufferevent *bev, short what, void *ctx)
{
	(void)bev;
	(void)what;
	conn_free(ctx);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *name, int len, void *ctx)
{
	struct responder *responder = ctx;
	struct conn *conn = calloc(1, sizeof(*conn));

	(void)listener;
	(void)name;
	(void)len;
	assert(conn);
	conn->responder = responder;
	conn->bev = bufferevent_socket_new(responder->base, fd, BEV_OPT_CLOSE_ON_FREE);
	conn->timer = evtimer_new(responder->base, on_timer, conn);
	conn->next = responder->conns;
	conn->prev = &responder->conns;
	if (conn->next)
		conn->next->prev = &conn->next;
	responder->conns = conn;
	responder->accepted++;
	if (++responder->open > responder->most_open)
		responder->most_open = responder->open;
	bufferevent_setcb(conn->bev, on_input, on_written, on_event, conn);
	bufferevent_enable(conn->bev, EV_READ | EV_WRITE);
	if (responder->at_once)
		start(conn);
}

void responder_open(struct responder *responder, struct event_base *base, const char *address, uint16_t port)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);
	struct addr addr;

	responder->base = base;
	assert(addr_parse(address, &addr) == 0);
	len = addr_to_sockaddr(&addr, port, &name);
	responder->listener = evconnlistener_new_bind(base, on_accept, responder,
	                                              LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 1024,
	                                              (struct sockaddr *)&name, (int)len);
	assert(responder->listener);
	len = sizeof(name);
	assert(getsockname(evconnlistener_get_fd(responder->listener), (struct sockaddr *)&name, &len) == 0);
	responder->port = ntohs(addr.family == ADDR_V4 ? ((struct sockaddr_in *)&name)->sin_port
	                                               : ((struct sockaddr_in6 *)&name)->sin6_port);
}

void responder_close(struct responder *responder)
{
	if (responder->listener)
		evconnlistener_free(responder->listener);
	responder->listener = NULL;
	while (responder->conns)
		conn_free(responder->conns);
}

uint16_t blackhole_open(struct blackhole *hole)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(name);

	hole->fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert(bind(hole->fds[0], (struct sockaddr *)&name, len) == 0 && listen(hole->fds[0], 0) == 0);
	assert(getsockname(hole->fds[0], (struct sockaddr *)&name, &len) == 0);
	for (size_t i = 1; i < ARRAY_LEN(hole->fds); i++) {
		hole->fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(hole->fds[i], (struct sockaddr *)&name, len);
	}
	usleep(20000);
	return ntohs(name.sin_port);
}

void blackhole_close(struct blackhole *hole)
{
	for (size_t i = 0; i < ARRAY_LEN(hole->fds); i++)
		close(hole->fds[i]);
}

static void tick(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	(void)ctx;
}

static int64_t stalled_ns, longest_stall_ns;

int64_t responder_stalled_ms(void)
{
	return stalled_ns / 1000000;
}

int64_t responder_longest_stall_ms(void)
{
	int64_t longest_ns = longest_stall_ns;

	longest_stall_ns = 0;
	return (longest_ns + 999999) / 1000000;
}

// Wall-clock time that is not this process's own CPU time: asleep, or not let run.
static int64_t idle_ns(void)
{
	struct timespec cpu;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	return clock_mono_ns() - cpu.tv_sec * 1000000000 - cpu.tv_nsec;
}

// One turn of the loop; returns for how long this thread was not let run in it.
static int64_t turn(struct event_base *base)
{
	int64_t withheld = withheld_ns(), idle = idle_ns();

	event_base_loop(base, EVLOOP_ONCE);
	if (withheld >= 0)
		return withheld_ns() - withheld; // however short, as many short ones make a long one
	idle = idle_ns() - idle;
	return idle > 8000000 ? idle : 0; // the ticker asks for 1 ms, and gets it to a few
}

int64_t responder_run(struct event_base *base, bool (*done)(void *ctx), void *ctx, unsigned limit_ms)
{
	struct event *ticker = event_new(base, -1, EV_PERSIST, tick, NULL);
	int64_t began_ns = clock_mono_ns(), stalled_before_ns = stalled_ns, took_ms = 0;

	event_add(ticker, &(struct timeval){0, 1000});
	while (!done(ctx) && took_ms < limit_ms) {
		int64_t stall_ns = turn(base);

		stalled_ns += stall_ns;
		if (stall_ns > longest_stall_ns)
			longest_stall_ns = stall_ns;
		took_ms = (clock_mono_ns() - began_ns - (stalled_ns - stalled_before_ns)) / 1000000;
	}
	event_free(ticker);
	return done(ctx) ? took_ms : -1;
}
