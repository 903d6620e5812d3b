// Drives a multi handle's sockets and timer by libevent events; see curl_loop.h.
#include "http/curl_loop.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/must.h"

struct curl_loop {
	struct event_base *base;
	int priority;
	CURLM *multi; // NULL: there was no memory for one
	struct event timer;
	void (*done)(CURL *easy, CURLcode code);
	CURL **running;    // those that were added and have not been removed
	size_t running_count, running_room;
	size_t failing;    // of these, the first so many have failed, and done() is still to be called for them
	bool calling_done; // done() may free the loop: then it is destroyed only after done() has returned
	bool freed;        // curl_loop_free() was called meanwhile
};

static void assign(struct curl_loop *loop, struct event *event, evutil_socket_t fd, short what,
                   event_callback_fn callback)
{
	event_assign(event, loop->base, fd, what, callback, loop);
	event_priority_set(event, loop->priority);
}

static void destroy(struct curl_loop *loop)
{
	must(!loop->calling_done);
	curl_multi_cleanup(loop->multi);
	event_del(&loop->timer);
	free(loop->running);
	free(loop);
}

static void take_away(struct curl_loop *loop, CURL *easy)
{
	size_t i = 0;

	curl_multi_remove_handle(loop->multi, easy);
	while (i < loop->running_count && loop->running[i] != easy)
		i++;
	if (i == loop->running_count)
		return;
	loop->running_count--;
	loop->failing -= i < loop->failing;
	memmove(loop->running + i, loop->running + i + 1, (loop->running_count - i) * sizeof(CURL *));
}

static void on_socket(evutil_socket_t fd, short what, void *ctx);

static int set_timer(CURLM *multi, long timeout_ms, void *ctx)
{
	struct curl_loop *loop = ctx;
	struct timeval delay = {timeout_ms / 1000, timeout_ms % 1000 * 1000};

	(void)multi;
	if (timeout_ms < 0)
		event_del(&loop->timer);
	else
		event_add(&loop->timer, &delay);
	return 0;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	struct curl_loop *loop = ctx;
	struct event *event = socket_ctx;
	short kinds = (short)(EV_PERSIST | (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));

	(void)easy;
	if (event)
		event_del(event);
	if (what == CURL_POLL_REMOVE) {
		free(event);
		return 0;
	}
	if (!event) {
		event = malloc(sizeof(*event));
		if (!event) { // -1 would fail every transfer of the multi handle; this way only one times out
			log_error("http: out of memory for a connection's events");
			return 0;
		}
		curl_multi_assign(loop->multi, fd, event);
	}
	assign(loop, event, fd, kinds, on_socket);
	event_add(event, NULL);
	return 0;
}

static int make_multi(struct curl_loop *loop)
{
	loop->multi = curl_multi_init();
	if (!loop->multi)
		return E_NOMEM;
	curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
	curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
	curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
	return E_OK;
}

// Out of memory, libcurl forgets which transfers a socket has, but not the socket (7.88): when that is used again, it
// divides by zero. So all transfers fail, and the multi handle with its connections is not used again. The new one, if
// there is no memory for it either, is made when there is a transfer.
static void fail_all(struct curl_loop *loop, CURLMcode code)
{
	log_error("http: %s: %zu transfers under way have failed", curl_multi_strerror(code), loop->running_count);
	for (size_t i = 0; i < loop->running_count; i++)
		curl_multi_remove_handle(loop->multi, loop->running[i]);
	loop->failing = loop->running_count;
	curl_multi_cleanup(loop->multi);
	event_del(&loop->timer);
	(void)make_multi(loop);
}

// Calls done() for every finished transfer. `code`: what libcurl has returned.
static void finish_transfers(struct curl_loop *loop, CURLMcode code)
{
	CURLMsg *msg;
	int left;

	must(!loop->calling_done && !loop->freed);
	if (code != CURLM_OK)
		fail_all(loop, code);
	loop->calling_done = true;
	while (!loop->freed && loop->failing > 0) {
		CURL *easy = loop->running[0];

		take_away(loop, easy);
		loop->done(easy, CURLE_OUT_OF_MEMORY);
	}
	while (!loop->freed && (msg = curl_multi_info_read(loop->multi, &left))) {
		CURL *easy = msg->easy_handle;
		CURLcode result = msg->data.result; // `msg` is invalid after the removal

		take_away(loop, easy);
		loop->done(easy, result);
	}
	loop->calling_done = false;
	if (loop->freed)
		destroy(loop);
}

static void on_socket(evutil_socket_t fd, short what, void *ctx)
{
	struct curl_loop *loop = ctx;
	int mask = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	int running;

	finish_transfers(loop, curl_multi_socket_action(loop->multi, fd, mask, &running));
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct curl_loop *loop = ctx;
	int running;

	(void)fd;
	(void)what;
	finish_transfers(loop, curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &running));
}

struct curl_loop *curl_loop_new(struct event_base *base, int priority, void (*done)(CURL *easy, CURLcode code))
{
	struct curl_loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	loop->base = base;
	loop->priority = priority;
	loop->done = done;
	if (make_multi(loop) < 0) {
		free(loop);
		return NULL;
	}
	assign(loop, &loop->timer, -1, 0, on_timer);
	return loop;
}

struct curl_loop *curl_loop_free(struct curl_loop *loop)
{
	if (loop && loop->calling_done)
		loop->freed = true;
	else if (loop)
		destroy(loop);
	return NULL;
}

int curl_loop_add(struct curl_loop *loop, CURL *easy)
{
	if (!loop->multi && make_multi(loop) < 0)
		return E_NOMEM;
	if (loop->running_count == loop->running_room) {
		size_t room = loop->running_room ? loop->running_room * 2 : 16;
		CURL **running = reallocarray(loop->running, room, sizeof(CURL *));

		if (!running)
			return E_NOMEM;
		loop->running = running;
		loop->running_room = room;
	}
	if (curl_multi_add_handle(loop->multi, easy) != CURLM_OK)
		return E_NOMEM;
	loop->running[loop->running_count++] = easy;
	return E_OK;
}

void curl_loop_remove(struct curl_loop *loop, CURL *easy)
{
	take_away(loop, easy);
}
