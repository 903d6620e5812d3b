// The control socket's connections; see control.h. A connection's requests are answered one at a time: the next one is
// read once the reply has been written. So a connection holds at most one line and one reply in memory.
#include "control/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "control/background.h"
#include "control/call.h"
#include "control/ops.h"
#include "control/reply_json.h"
#include "control/socket.h"
#include "control/verbs.h"

enum { ACCEPT_PAUSE_S = 1 };

// A reply that is not ready yet. Owned by the call that will produce it: a reload outlives the connection that asked
// for it.
struct waiting {
	struct connection *connection; // NULL: closed in the meantime
};

struct connection {
	struct control *control;
	struct connection *next, *prev;
	struct bufferevent *stream;
	struct event *deadline;
	struct waiting *waiting;
	bool at_eof;  // the peer has closed its sending side
	bool paused;  // enough input is waiting: none is read
	bool closing; // read nothing more, and close once the reply has been written
	char who[SOCKET_PEER_LEN];
};

struct control {
	struct event_base *base;
	struct control_ops ops;
	struct timeval idle;
	struct evconnlistener *listener;
	struct event *resume; // accepting again after a pause
	bool yielding;        // requests are held back, see yield_to_probes()
	int64_t busy_us;      // spent on requests since the last yield ended
	struct event *probes_idle, *yield_over; // whichever comes first ends the yield
	struct connection *first;
	unsigned count;
	char *path;
	struct stat made;
};

static void connection_free(struct connection *connection)
{
	struct control *control = connection->control;

	must(control->count > 0);
	must(connection->prev ? connection->prev->next == connection : control->first == connection);
	if (connection->waiting)
		connection->waiting->connection = NULL;
	if (connection->prev)
		connection->prev->next = connection->next;
	else
		control->first = connection->next;
	if (connection->next)
		connection->next->prev = connection->prev;
	control->count--;
	event_free(connection->deadline);
	bufferevent_free(connection->stream);
	free(connection);
}

// Gives the peer its time to read the reply and send the next request.
static void await_peer(struct connection *connection)
{
	if (event_add(connection->deadline, &connection->control->idle) < 0)
		connection->closing = true; // out of memory: after the reply
}

static void free_text(const void *text, size_t len UNUSED, void *ctx UNUSED)
{
	free((void *)text);
}

// Queues a text as one line, and takes it.
static int queue_line(struct connection *connection, char *text)
{
	struct evbuffer *out = bufferevent_get_output(connection->stream);

	if (evbuffer_add_reference(out, text, strlen(text), free_text, NULL) < 0) {
		free(text);
		return E_NOMEM;
	}
	// Enabled once more, as libevent forgets to write when it had no memory as the connection was made.
	return evbuffer_add_reference(out, "\n", 1, NULL, NULL) < 0 || bufferevent_enable(connection->stream, EV_WRITE) < 0
	               ? E_NOMEM : E_OK;
}

// Takes ownership of the reply (NULL: out of memory) and queues it as one line.
static void send_reply(struct connection *connection, json_t *reply)
{
	static const char no_memory[] =
		"{\"ok\": false, \"error\": \"out of memory: `status` shows whether it was done\", \"code\": 1}\n";
	struct evbuffer *out = bufferevent_get_output(connection->stream);
	char *text = reply ? json_dumps(reply, REPLY_FLAGS) : NULL;

	json_decref(reply);
	if (text && strlen(text) > CONTROL_REPLY_MAX) {
		free(text);
		reply = reply_error(REPLY_REFUSED, "the reply is larger than %d bytes", CONTROL_REPLY_MAX);
		text = reply ? json_dumps(reply, REPLY_FLAGS) : NULL;
		json_decref(reply);
	}
	await_peer(connection);
	if (text && queue_line(connection, text) == E_OK)
		return;
	if (evbuffer_get_length(out) == 0)
		(void)!send(bufferevent_getfd(connection->stream), no_memory, sizeof(no_memory) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	event_active(connection->deadline, EV_TIMEOUT, 0); // closes it: more could not be told from this reply
}

static void on_reply(void *ctx, json_t *reply)
{
	struct waiting *waiting = ctx;
	struct connection *connection = waiting->connection;

	free(waiting);
	if (!connection) {
		json_decref(reply);
		return;
	}
	must(connection->waiting == waiting);
	connection->waiting = NULL;
	send_reply(connection, reply);
}

// The socket has a higher priority than probes, so a single request is carried out at once, however many probes are
// ready. A stream of requests must not starve the probes, though: after each request, further ones are held back until
// no probe is ready, or until the probes have had as much time as the requests.
static void yield_to_probes(struct control *control, int64_t request_us)
{
	static const struct timeval now = {0};

	control->busy_us += request_us;
	event_base_update_cache_time(control->base); // or the time would count from before the request

	int idle = event_add(control->probes_idle, &now);
	int over = event_add(control->yield_over,
	                     &(struct timeval){control->busy_us / 1000000, control->busy_us % 1000000});

	control->yielding = idle == 0 || over == 0; // else, out of memory, nothing would end it
}

static void run_request(struct connection *connection, const char *line, size_t len)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));

	must(!connection->waiting && len <= CONTROL_LINE_MAX);
	if (!waiting) {
		send_reply(connection, NULL);
		return;
	}
	waiting->connection = connection;
	connection->waiting = waiting;
	event_del(connection->deadline); // the peer is not idle while it waits for us

	struct control *control = connection->control;
	int64_t began_ns = clock_mono_ns();
	struct call call = {.ops = control->ops, .who = connection->who, .reply = on_reply, .reply_ctx = waiting};

	verbs_run(&call, line, len);
	yield_to_probes(control, (clock_mono_ns() - began_ns) / 1000);
}

// For input that cannot be framed any more: sends the error, then closes.
static void fail_connection(struct connection *connection, json_t *reply)
{
	connection->closing = true;
	bufferevent_disable(connection->stream, EV_READ);
	send_reply(connection, reply);
}

static void resume_input(struct connection *connection)
{
	if (!connection->paused || evbuffer_get_length(bufferevent_get_input(connection->stream)) > CONTROL_LINE_MAX + 1)
		return;
	connection->paused = false;
	if (bufferevent_enable(connection->stream, EV_READ) < 0)
		connection->closing = true; // out of memory: after the reply
}

// Runs the next request if a complete one has arrived and none is in progress. The connection may be freed afterwards.
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
		fail_connection(connection,
		                reply_error(REPLY_USAGE, "the request is longer than %d bytes", CONTROL_LINE_MAX));
	} else if (end.pos >= 0) {
		char *line = evbuffer_readln(in, NULL, EVBUFFER_EOL_LF);

		resume_input(connection);
		if (line)
			run_request(connection, line, (size_t)end.pos);
		else
			fail_connection(connection, NULL);
		free(line);
	} else if (connection->at_eof && evbuffer_get_length(in) > 0) {
		fail_connection(connection,
		                reply_error(REPLY_USAGE, "the request is incomplete: a line feed is missing at its end"));
	} else if (connection->at_eof) {
		connection_free(connection);
	}
}

static void serve_unless_yielding(struct connection *connection)
{
	if (!connection->control->yielding)
		serve(connection);
}

// One request per connection; the first one that runs starts the next yield.
static void on_yield_over(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct control *control = ctx;

	event_del(control->probes_idle);
	event_del(control->yield_over);
	control->yielding = false;
	control->busy_us = 0;
	for (struct connection *at = control->first, *next; at; at = next) {
		next = at->next;
		serve(at);
	}
}

// Reads no more than it takes to detect a line that is too long. (libevent's own limit, the high watermark, crashes when
// there is no memory for it.)
static void on_input(struct bufferevent *stream, void *ctx)
{
	struct connection *connection = ctx;

	if (evbuffer_get_length(bufferevent_get_input(stream)) > CONTROL_LINE_MAX + 1) {
		connection->paused = true;
		bufferevent_disable(stream, EV_READ);
	}
	serve_unless_yielding(connection);
}

static void on_output_empty(struct bufferevent *stream UNUSED, void *ctx)
{
	struct connection *connection = ctx;

	if (!connection->waiting)
		await_peer(connection);
	serve_unless_yielding(connection);
}

static void on_event(struct bufferevent *stream UNUSED, short what, void *ctx)
{
	struct connection *connection = ctx;

	if (what & BEV_EVENT_EOF) {
		connection->at_eof = true;
		serve_unless_yielding(connection);
	} else if (what & BEV_EVENT_ERROR) {
		connection_free(connection);
	}
}

static void on_deadline(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct connection *connection = ctx;

	if (evbuffer_get_length(bufferevent_get_output(connection->stream)) > 0)
		log_notice("control: %s has not had its reply in time: connection closed", connection->who);
	connection_free(connection);
}

// The connection that has been idle longest, NULL when every one is waiting for its reply. A new peer takes precedence
// over one that keeps a connection open without using it.
static struct connection *longest_idle(const struct control *control)
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

// False: the limit is reached and no connection is idle.
static bool make_room(struct control *control)
{
	struct connection *idle;

	must(control->count <= CONTROL_CONNECTIONS_MAX);
	if (control->count < CONTROL_CONNECTIONS_MAX)
		return true;
	idle = longest_idle(control);
	if (!idle)
		return false;
	log_notice("control: idle connection of %s closed to make room: the limit is %d", idle->who,
	           CONTROL_CONNECTIONS_MAX);
	connection_free(idle);
	return true;
}

static void on_accept(struct evconnlistener *listener UNUSED, evutil_socket_t fd, struct sockaddr *name UNUSED,
                      int len UNUSED, void *ctx)
{
	struct control *control = ctx;

	if (!make_room(control)) {
		log_warning("control: connection refused: %u others are waiting for replies, the limit", control->count);
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
		control->first->prev = connection;
	control->first = connection;
	control->count++;
	socket_peer(fd, connection->who);
	bufferevent_setcb(stream, on_input, on_output_empty, on_event, connection);
	// Out of memory: it would not be read from, and nothing would end it.
	if (bufferevent_enable(stream, EV_READ | EV_WRITE) < 0 || event_add(deadline, &control->idle) < 0)
		connection_free(connection);
}

// Usually out of file descriptors. The pending connection would wake the loop again at once, so pause accepting.
static void on_accept_error(struct evconnlistener *listener, void *ctx)
{
	struct control *control = ctx;
	struct timeval pause = {.tv_sec = ACCEPT_PAUSE_S};

	log_warning("control: cannot accept a connection: %s; trying again in %d s", strerror(errno), ACCEPT_PAUSE_S);
	if (event_add(control->resume, &pause) == 0) // else, out of memory, nothing would end the pause
		evconnlistener_disable(listener);
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
		control->ops.background = background_new(base);
		control->resume = evtimer_new(base, on_resume, control);
		control->probes_idle = evtimer_new(base, on_yield_over, control);
		control->yield_over = evtimer_new(base, on_yield_over, control);
		control->listener = evconnlistener_new(base, on_accept, control, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
		                                       0, fd);
		// Enabled once more, as libevent does not tell when it had no memory for that.
		if (control->resume && control->probes_idle && control->yield_over && control->ops.background && control->listener &&
		    evconnlistener_enable(control->listener) == 0) {
			event_priority_set(control->probes_idle, event_base_get_npriorities(base) - 1); // that of the probes
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

struct background *control_background(const struct control *control)
{
	return control ? control->ops.background : NULL;
}

// What is still to be sent goes as far as the peer's buffer takes it: the loop does not run any more.
static void flush(struct connection *connection)
{
	struct evbuffer *out = bufferevent_get_output(connection->stream);

	evbuffer_unfreeze(out, 1); // a bufferevent's output is its own to drain
	while (evbuffer_get_length(out) > 0 && evbuffer_write(out, bufferevent_getfd(connection->stream)) > 0)
		;
}

void control_settle(struct control *control)
{
	if (control)
		background_settle(control->ops.background);
}

struct control *control_close(struct control *control)
{
	if (!control)
		return NULL;
	background_free(control->ops.background); // its jobs are answered
	while (control->first) {
		flush(control->first);
		connection_free(control->first);
	}
	must(control->count == 0);
	if (control->listener)
		evconnlistener_free(control->listener);
	if (control->resume)
		event_free(control->resume);
	if (control->probes_idle)
		event_free(control->probes_idle);
	if (control->yield_over)
		event_free(control->yield_over);
	socket_remove(control->path, &control->made);
	free(control->path);
	free(control);
	return NULL;
}
