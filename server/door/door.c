// The HTTP door's sockets, its limits and its keys; see door.h.
#include "door/door.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "base/report.h"
#include "config/config.h"
#include "control/background.h"
#include "door/inner.h"

enum { BACKLOG = 64, ACCEPT_PAUSE_S = 1, NETWORK_BITS = 64 };

// ---- accepting ------------------------------------------------------------------------------------------------------

static unsigned count_peer(const struct door *door, const struct addr *peer)
{
	unsigned count = 0;

	for (const struct session *at = door->first; at; at = at->next)
		count += addr_equal(&at->peer, peer);
	return count;
}

// The connection whose request has been awaited for the longest; NULL: all are being answered.
static struct session *longest_awaited(const struct door *door)
{
	struct session *found = NULL;
	struct timeval earliest, due;

	for (struct session *at = door->first; at; at = at->next) {
		if (at->phase != SESSION_READS && at->phase != SESSION_SHAKES && at->phase != SESSION_LEAVES)
			continue;
		if (event_pending(at->deadline, EV_TIMEOUT, &due) && (!found || evutil_timercmp(&due, &earliest, <))) {
			found = at;
			earliest = due;
		}
	}
	return found;
}

static bool make_room(struct door *door)
{
	struct session *idle;

	if (door->count < DOOR_CONNECTIONS_MAX)
		return true;
	idle = longest_awaited(door);
	if (!idle)
		return false;
	door->stats.dropped_room++;
	session_free(idle);
	return true;
}

// An address that has its share is refused first: it cannot take the place of others.
static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *name, int len, void *ctx)
{
	const struct entry *entry = ctx;
	struct door *door = entry->door;
	struct sockaddr_storage storage = {0};
	char text[ADDR_TEXT_LEN];
	struct addr addr, peer;

	(void)listener;
	memcpy(&storage, name, (size_t)len < sizeof(storage) ? (size_t)len : sizeof(storage));
	addr = addr_of_sockaddr(&storage);
	peer = addr.family == ADDR_V6 ? addr_cut(&addr, NETWORK_BITS) : addr;
	if (count_peer(door, &peer) >= DOOR_PER_ADDRESS_MAX || !make_room(door)) {
		door->stats.dropped_limit++;
		close(fd);
		return;
	}
	session_open(entry, fd, &peer, addr_format(&addr, text));
}

// Usually out of file descriptors. The pending connection would wake the loop again at once, so pause accepting.
static void on_accept_error(struct evconnlistener *listener, void *ctx)
{
	struct entry *entry = ctx;
	struct timeval pause = {.tv_sec = ACCEPT_PAUSE_S};

	log_warning("http %s: cannot accept a connection: %s; trying again in %d s", entry->listen, strerror(errno),
	            ACCEPT_PAUSE_S);
	if (event_add(entry->resume, &pause) == 0) // else, out of memory, nothing would end the pause
		evconnlistener_disable(listener);
}

static void on_resume(evutil_socket_t fd, short what, void *ctx)
{
	struct entry *entry = ctx;

	(void)fd;
	(void)what;
	evconnlistener_enable(entry->listener);
}

// ---- opening and closing --------------------------------------------------------------------------------------------

static int bind_one(const char *listen_at, struct report *report)
{
	struct sockaddr_storage name;
	socklen_t len;
	int on = 1;

	must(addr_parse_endpoint(listen_at, 0, &name, &len) == E_OK); // checked

	int fd = socket(name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd >= 0 && name.ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)); // "0.0.0.0" and "::" are two sockets
	if (fd >= 0 && bind(fd, (const struct sockaddr *)&name, len) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	report_error(report, NULL, 0, 0, "server.http: %s: %s", listen_at, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

int door_open(const struct config_server *server, struct report *report, struct door **ret_door)
{
	struct door *door;
	int err = E_OK;

	*ret_door = NULL;
	if (server->http_count == 0)
		return E_OK;
	door = calloc(1, sizeof(*door));
	if (door)
		door->entries = calloc(server->http_count, sizeof(*door->entries));
	if (!door || !door->entries) {
		free(door);
		return E_NOMEM;
	}
	for (size_t i = 0; i < server->http_count && err == E_OK; i++) {
		struct entry *entry = &door->entries[i];

		*entry = (struct entry){.door = door, .listen = strdup(server->http[i].listen), .fd = -1};
		door->entry_count++;
		if (entry->listen)
			entry->fd = bind_one(entry->listen, report);
		err = !entry->listen ? E_NOMEM : entry->fd < 0 ? E_IO : E_OK;
	}
	if (err < 0)
		door_close(door);
	else
		*ret_door = door;
	return err;
}

static int serve_one(struct entry *entry)
{
	struct event_base *base = entry->door->base;

	entry->resume = evtimer_new(base, on_resume, entry);
	entry->listener = evconnlistener_new(base, on_accept, entry, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0,
	                                     entry->fd);
	if (!entry->listener)
		return E_NOMEM;
	entry->fd = -1;
	evconnlistener_set_error_cb(entry->listener, on_accept_error);
	// Enabled once more, as libevent does not tell when it had no memory for that.
	return entry->resume && evconnlistener_enable(entry->listener) == 0 ? E_OK : E_NOMEM;
}

int door_serve(struct door *door, struct event_base *base, const struct door_ops *ops, struct keys *keys)
{
	int err = E_OK;

	if (!door) {
		keys_free(keys);
		return E_OK;
	}
	door->base = base;
	door->ops = *ops;
	door_take(door, keys);
	door->ops.control.background = background_new(base);
	if (!door->ops.control.background)
		return E_NOMEM;
	for (size_t i = 0; i < door->entry_count && err == E_OK; i++)
		err = serve_one(&door->entries[i]);
	return err;
}

void door_take(struct door *door, struct keys *keys)
{
	for (size_t i = 0; door && keys && i < door->entry_count; i++)
		(void)keys_swap(keys, door->entries[i].listen, &door->entries[i].key); // else a restart is needed to close it
	keys_free(keys);
}

void door_stats(const struct door *door, struct door_stats *ret_stats)
{
	*ret_stats = door ? door->stats : (struct door_stats){0};
	ret_stats->connections = door ? door->count : 0;
}

void door_settle(struct door *door)
{
	if (door)
		background_settle(door->ops.control.background);
}

struct door *door_close(struct door *door)
{
	if (!door)
		return NULL;
	background_free(door->ops.control.background); // its jobs are answered
	while (door->first)
		session_free(door->first);
	for (size_t i = 0; i < door->entry_count; i++) {
		struct entry *entry = &door->entries[i];

		if (entry->listener)
			evconnlistener_free(entry->listener);
		if (entry->resume)
			event_free(entry->resume);
		if (entry->fd >= 0)
			close(entry->fd);
		keys_wipe(&entry->key);
		free(entry->listen);
	}
	free(door->entries);
	free(door);
	return NULL;
}
