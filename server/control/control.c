// The control socket's connections; see control.h. One request of a connection is answered at a time, and the next one is
// looked at when its reply is out: what a connection can hold in memory is one line and one reply.
#include "control/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "control/call.h"
#include "control/ops.h"
#include "control/reply_json.h"
#include "control/socket.h"
#include "control/verbs.h"

enum { ACCEPT_PAUSE_S = 1 };

// A reply that is waited for. Owned by whoever gives it: a reload outlives the connection that asked for it.
struct waiting {
	struct connection *connection; // NULL: it is gone
};

struct connection {
	struct control *control;
	struct connection *next, *before;
	struct bufferevent *stream;
	struct event *deadline;
	struct waiting *waiting;
	bool ended;   // the peer sends no more
	bool closing; // nothing more is read; closed when the reply is out
	char who[SOCKET_PEER_LEN];
};

struct control {
	struct event_base *base;
	struct control_ops ops;
	struct timeval idle;
	struct evconnlistener *listener;
	struct event *resume; // accepting again after a pause
	bool giving_way;      // requests wait, see give_way()
	int64_t took_us;      // by requests since it last gave way
	struct event *free, *enough; // the end of that
	struct connection *first;
	unsigned count;
	char *path;
	struct stat made;
};

static void connection_free(struct connection *connection)
{
	struct control *control = connection->control;

	if (connection->waiting)
		connection->waiting->connection = NULL;
	if (connection->before)
		connection->before->next = connection->next;
	else
		control->first = connection->next;
	if (connection->next)
		connection->next->before = connection->before;
	control->count--;
	event_free(connection->deadline);
	bufferevent_free(connection->stream);
	free(connection);
}

static void free_text(const void *text, size_t len UNUSED, void *ctx UNUSED)
{
	free((void *)text);
}

// Takes the reply and puts its line into the output.
static void send_reply(struct connection *connection, json_t *reply)
{
	static const char no_memory[] = "{\"ok\": false, \"error\": \"out of memory\", \"code\": 1}\n";
	struct evbuffer *out = bufferevent_get_output(connection->stream);
	char *text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;

	json_decref(reply);
	if (text && strlen(text) > CONTROL_REPLY_MAX) {
		free(text);
		reply = reply_error(REPLY_REFUSED, "the reply is larger than %d bytes", CONTROL_REPLY_MAX);
		text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
		json_decref(reply);
	}
	event_add(connection->deadline, &connection->control->idle);
	if (!text || evbuffer_add_reference(out, text, strlen(text), free_text, NULL) < 0) {
		free(text);
		evbuffer_add_reference(out, no_memory, sizeof(no_memory) - 1, NULL, NULL);
		return;
	}
	evbuffer_add_reference(out, "\n", 1, NULL, NULL);
}

static void reply_is_there(void *ctx, json_t *reply)
{
	struct waiting *waiting = ctx;
	struct connection *connection = waiting->connection;

	free(waiting);
	if (!connection) {
		json_decref(reply);
		return;
	}
	connection->waiting = NULL;
	send_reply(connection, reply);
}

// The socket goes before probes, so that one request is carried out at once however many of them are ready. Requests
// without end must not keep the probes from running, though: after each, those that follow wait until no probe is ready any
// more, or until the probes have had as much time as the requests.
static void give_way(struct control *control, int64_t took_us)
{
	static const struct timeval now = {0};

	control->giving_way = true;
	control->took_us += took_us;
	event_base_update_cache_time(control->base); // to be counted from the end of the request
	event_add(control->free, &now);
	event_add(control->enough, &(struct timeval){control->took_us / 1000000, control->took_us % 1000000});
}

static void run_line(struct connection *connection, const char *line, size_t len)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));

	if (!waiting) {
		send_reply(connection, NULL);
		return;
	}
	waiting->connection = connection;
	connection->waiting = waiting;
	event_del(connection->deadline); // our own work is not the peer's idleness

	int64_t began_ns = clock_mono_ns();
	struct call call = {.ops = connection->control->ops, .who = connection->who, .reply = reply_is_there,
	                    .reply_ctx = waiting};

	verbs_run(&call, line, len);
	give_way(connection->control, (clock_mono_ns() - began_ns) / 1000);
}

// Framing is lost, or the peer is gone: says why and closes.
static void give_up(struct connection *connection, json_t *reply)
{
	connection->closing = true;
	bufferevent_disable(connection->stream, EV_READ);
	send_reply(connection, reply);
}

// Takes the next request, if a whole one is there and nothing is under way. The connection may be gone afterwards.
static void serve(struct connection *connection)
{
	struct evbuffer *in = bufferevent_get_input(connection->stream);

	if (connection->waiting || evbuffer_get_length(bufferevent_get_output(connection->stream)) > 0)
		return;
	if (connection->closing) {
		connection_free(connection);
		return;
	}

	struct evbuffer_ptr end = evbuffer_search_eol(in, NULL, NULL, EVBUFFER_EOL_LF);

	if (end.pos > CONTROL_LINE_MAX || (end.pos < 0 && evbuffer_get_length(in) > CONTROL_LINE_MAX)) {
		give_up(connection, reply_error(REPLY_USAGE, "the request is longer than %d bytes", CONTROL_LINE_MAX));
	} else if (end.pos >= 0) {
		char *line = evbuffer_readln(in, NULL, EVBUFFER_EOL_LF);

		if (line)
			run_line(connection, line, (size_t)end.pos);
		else
			give_up(connection, NULL);
		free(line);
	} else if (connection->ended && evbuffer_get_length(in) > 0) {
		give_up(connection, reply_error(REPLY_USAGE, "the request does not end: a line feed is missing"));
	} else if (connection->ended) {
		connection_free(connection);
	}
}

static void serve_in_turn(struct connection *connection)
{
	if (!connection->control->giving_way)
		serve(connection);
}

// Each connection gets one request.
static void on_way_given(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct control *control = ctx;

	event_del(control->free);
	event_del(control->enough);
	control->giving_way = false;
	control->took_us = 0;
	for (struct connection *at = control->first, *next; at; at = next) {
		next = at->next;
		serve(at);
	}
}

static void on_input(struct bufferevent *stream UNUSED, void *ctx)
{
	serve_in_turn(ctx);
}

static void on_output_empty(struct bufferevent *stream UNUSED, void *ctx)
{
	struct connection *connection = ctx;

	if (!connection->waiting)
		event_add(connection->deadline, &connection->control->idle);
	serve_in_turn(connection);
}

static void on_event(struct bufferevent *stream UNUSED, short what, void *ctx)
{
	struct connection *connection = ctx;

	if (what & BEV_EVENT_EOF) {
		connection->ended = true;
		serve_in_turn(connection);
	} else if (what & BEV_EVENT_ERROR) {
		connection_free(connection);
	}
}

static void on_deadline(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct connection *connection = ctx;

	if (evbuffer_get_length(bufferevent_get_output(connection->stream)) > 0)
		log_notice("control: %s does not read its reply: closed", connection->who);
	connection_free(connection);
}

// The connection that has been silent longest; one whose reply is waited for is not. Whoever comes with a request goes
// before whoever only holds a connection.
static struct connection *silent_longest(const struct control *control)
{
	struct connection *found = NULL;
	struct timeval earliest, due;

	for (struct connection *at = control->first; at; at = at->next)
		if (event_pending(at->deadline, EV_TIMEOUT, &due) && (!found || evutil_timercmp(&due, &earliest, <=))) {
			found = at;
			earliest = due;
		}
	return found;
}

// False: there is none to be had.
static bool make_room(struct control *control)
{
	struct connection *silent;

	if (control->count < CONTROL_CONNECTIONS_MAX)
		return true;
	silent = silent_longest(control);
	if (!silent)
		return false;
	log_notice("control: %s is closed to make room: there are %u connections", silent->who, control->count);
	connection_free(silent);
	return true;
}

static void on_accept(struct evconnlistener *listener UNUSED, evutil_socket_t fd, struct sockaddr *name UNUSED,
                      int len UNUSED, void *ctx)
{
	struct control *control = ctx;

	if (!make_room(control)) {
		log_warning("control: a connection is refused: %u wait for their replies", control->count);
		close(fd);
		return;
	}

	struct connection *connection = calloc(1, sizeof(*connection));
	struct bufferevent *stream = bufferevent_socket_new(control->base, fd, BEV_OPT_CLOSE_ON_FREE);
	struct event *deadline = connection ? evtimer_new(control->base, on_deadline, connection) : NULL;

	if (!stream || !deadline) {
		if (stream)
			bufferevent_free(stream);
		else
			close(fd);
		if (deadline)
			event_free(deadline);
		free(connection);
		return;
	}
	connection->control = control;
	connection->stream = stream;
	connection->deadline = deadline;
	connection->next = control->first;
	if (control->first)
		control->first->before = connection;
	control->first = connection;
	control->count++;
	socket_peer(fd, connection->who);
	bufferevent_setcb(stream, on_input, on_output_empty, on_event, connection);
	bufferevent_setwatermark(stream, EV_READ, 0, CONTROL_LINE_MAX + 2); // a line too long is seen, not kept
	bufferevent_enable(stream, EV_READ | EV_WRITE);
	event_add(deadline, &control->idle);
}

// Out of descriptors, mostly: the waiting peer would wake the loop again at once, so let it wait a moment.
static void on_accept_error(struct evconnlistener *listener, void *ctx)
{
	struct control *control = ctx;
	struct timeval pause = {.tv_sec = ACCEPT_PAUSE_S};

	log_warning("control: a connection cannot be accepted: %s", strerror(errno));
	evconnlistener_disable(listener);
	event_add(control->resume, &pause);
}

static void on_resume(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct control *control = ctx;

	evconnlistener_enable(control->listener);
}

int control_open(struct event_base *base, const char *path, const struct control_ops *ops,
                 struct control **ret_control)
{
	struct control *control = calloc(1, sizeof(*control));
	unsigned idle_ms = ops->idle_ms ? ops->idle_ms : CONTROL_IDLE_S * 1000;
	int fd = -1, err = E_NOMEM;

	if (!control)
		return E_NOMEM;
	control->base = base;
	control->ops = *ops;
	control->idle = (struct timeval){idle_ms / 1000, idle_ms % 1000 * 1000};

	char *copy = strdup(path);

	if (copy && (err = socket_listen(path, &fd, &control->made)) == E_OK) {
		control->path = copy;
		control->resume = evtimer_new(base, on_resume, control);
		control->free = evtimer_new(base, on_way_given, control);
		control->enough = evtimer_new(base, on_way_given, control);
		control->listener = evconnlistener_new(base, on_accept, control, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
		                                       0, fd);
		if (control->resume && control->free && control->enough && control->listener) {
			event_priority_set(control->free, event_base_get_npriorities(base) - 1);
			evconnlistener_set_error_cb(control->listener, on_accept_error);
			*ret_control = control;
			return E_OK;
		}
		if (!control->listener)
			close(fd);
		control_close(control);
		return E_NOMEM;
	}
	free(copy);
	free(control);
	return err;
}

struct control *control_close(struct control *control)
{
	if (!control)
		return NULL;
	while (control->first)
		connection_free(control->first);
	if (control->listener)
		evconnlistener_free(control->listener);
	if (control->resume)
		event_free(control->resume);
	if (control->free)
		event_free(control->free);
	if (control->enough)
		event_free(control->enough);
	socket_remove(control->path, &control->made);
	free(control->path);
	free(control);
	return NULL;
}
