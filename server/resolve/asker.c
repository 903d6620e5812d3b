// c-ares on libevent; see asker.h.
#include "resolve/asker.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/err.h"
#include "base/must.h"

// How often c-ares looks for queries that have timed out. EDNS: replies of this many octets pass without fragments.
enum { TICK_MS = 50, UDP_SIZE = 1232 };

struct asker_socket {
	int fd;
	struct event *event;
	LIST_ENTRY(asker_socket) link;
};

struct asker {
	struct event_base *base;
	ares_channel channel;
	struct event *tick;
	size_t under_way;
	LIST_HEAD(, asker_socket) sockets;
};

struct asked {
	struct asker *asker;
	enum addr_family family;
	asker_done *done;
	void *ctx;
};

// ---- sockets --------------------------------------------------------------------------------------------------------

static void on_socket(evutil_socket_t fd, short what, void *ctx)
{
	struct asker *asker = ctx;

	ares_process_fd(asker->channel, what & EV_READ ? fd : ARES_SOCKET_BAD, what & EV_WRITE ? fd : ARES_SOCKET_BAD);
}

static void forget_socket(struct asker_socket *found)
{
	LIST_REMOVE(found, link);
	if (found->event)
		event_free(found->event);
	free(found);
}

// Out of memory, nothing is heard of this socket, and its queries time out.
static void set_socket(void *ctx, ares_socket_t fd, int readable, int writable)
{
	struct asker *asker = ctx;
	struct asker_socket *found;
	short kinds = (short)(EV_PERSIST | (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));

	LIST_FOREACH(found, &asker->sockets, link)
		if (found->fd == fd)
			break;
	if (found)
		forget_socket(found);
	if (!readable && !writable)
		return;
	found = calloc(1, sizeof(*found));
	if (!found)
		return;
	found->fd = fd;
	found->event = event_new(asker->base, fd, kinds, on_socket, asker);
	if (found->event)
		event_add(found->event, NULL);
	LIST_INSERT_HEAD(&asker->sockets, found, link);
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct asker *asker = ctx;

	(void)fd;
	(void)what;
	ares_process_fd(asker->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	if (asker->under_way == 0)
		event_del(asker->tick);
}

// ---- queries --------------------------------------------------------------------------------------------------------

// c-ares has one status for servers that cannot be reached and for those that answer with an error.
static const char *why_of(int status)
{
	return status == ARES_ECONNREFUSED ? "no resolver can be reached, or each answers SERVFAIL, REFUSED or NOTIMP"
	                                   : ares_strerror(status);
}

static void on_reply(void *ctx, int status, int timeouts, unsigned char *reply, int len)
{
	struct asked *asked = ctx;
	int err = status == ARES_SUCCESS                                     ? E_OK
	          : status == ARES_ENOTFOUND || status == ARES_ENODATA          ? E_NOTFOUND
	          : status == ARES_EDESTRUCTION || status == ARES_ECANCELLED ? E_STOPPED
	                                                                     : E_IO;

	(void)timeouts;
	must(asked->asker->under_way > 0);
	asked->asker->under_way--;
	asked->done(asked->ctx, asked->family, err, reply, err == E_OK ? (size_t)len : 0, why_of(status));
	free(asked);
}

void asker_ask(struct asker *asker, const char *name, enum addr_family family, asker_done *done, void *ctx)
{
	static const struct timeval tick = {0, TICK_MS * 1000};
	struct asked *asked = malloc(sizeof(*asked));

	if (!asked) {
		done(ctx, family, E_IO, NULL, 0, ares_strerror(ARES_ENOMEM));
		return;
	}
	*asked = (struct asked){asker, family, done, ctx};
	asker->under_way++;
	if (!event_pending(asker->tick, EV_TIMEOUT, NULL))
		event_add(asker->tick, &tick);
	ares_query(asker->channel, name, ns_c_in, family == ADDR_V4 ? ns_t_a : ns_t_aaaa, on_reply, asked);
}

// ---- the channel ----------------------------------------------------------------------------------------------------

static int set_servers(ares_channel channel, const struct asker_config *config)
{
	struct ares_addr_port_node *nodes = calloc(config->server_count, sizeof(*nodes));
	int status;

	if (!nodes)
		return ARES_ENOMEM;
	for (size_t i = 0; i < config->server_count; i++) {
		const struct sockaddr_storage *server = &config->servers[i];
		struct addr addr = addr_of_sockaddr(server);
		int port = ntohs(server->ss_family == AF_INET ? ((const struct sockaddr_in *)server)->sin_port
		                                              : ((const struct sockaddr_in6 *)server)->sin6_port);

		nodes[i].next = i + 1 < config->server_count ? &nodes[i + 1] : NULL;
		nodes[i].family = addr.family == ADDR_V4 ? AF_INET : AF_INET6;
		memcpy(&nodes[i].addr, addr.bytes, addr.family == ADDR_V4 ? 4 : 16);
		nodes[i].udp_port = nodes[i].tcp_port = port; // in host order
	}
	status = ares_set_servers_ports(channel, nodes);
	free(nodes);
	return status;
}

// A resolv.conf that gives no server leaves 127.0.0.1.
static int open_channel(struct asker *asker, const struct asker_config *config)
{
	struct ares_options options = {
		.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS,
		.timeout = (int)config->timeout_ms,
		.tries = (int)config->attempts,
		.ndomains = 0,
		.lookups = (char *)"b",
		.ednspsz = UDP_SIZE,
		.sock_state_cb = set_socket,
		.sock_state_cb_data = asker,
		.resolvconf_path = config->server_count ? (char *)"/dev/null" : (char *)"/etc/resolv.conf",
	};
	int status = ares_init_options(&asker->channel, &options,
	                               ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS |
	                                   ARES_OPT_EDNSPSZ | ARES_OPT_SOCK_STATE_CB | ARES_OPT_RESOLVCONF);

	if (status == ARES_SUCCESS && config->server_count)
		status = set_servers(asker->channel, config);
	return status;
}

int asker_new(struct event_base *base, const struct asker_config *config, struct asker **ret_asker, const char **ret_why)
{
	struct asker *asker = calloc(1, sizeof(*asker));
	int status = ARES_ENOMEM;

	if (asker) {
		asker->base = base;
		LIST_INIT(&asker->sockets);
		asker->tick = event_new(base, -1, EV_PERSIST, on_tick, asker);
	}
	if (asker && asker->tick)
		status = open_channel(asker, config);
	if (status == ARES_SUCCESS) {
		*ret_asker = asker;
		return E_OK;
	}
	*ret_why = ares_strerror(status);
	asker_free(asker);
	return status == ARES_ENOMEM ? E_NOMEM : E_IO;
}

struct asker *asker_free(struct asker *asker)
{
	if (!asker)
		return NULL;
	if (asker->channel)
		ares_destroy(asker->channel);
	must(asker->under_way == 0);
	while (!LIST_EMPTY(&asker->sockets))
		forget_socket(LIST_FIRST(&asker->sockets));
	if (asker->tick)
		event_free(asker->tick);
	free(asker);
	return NULL;
}
