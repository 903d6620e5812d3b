// The sockets queries come in on: bound by the main thread before it drops its privileges, in sets of one per address and
// protocol (SO_REUSEPORT shares the queries out among the sets), or handed over by systemd. Owns the descriptors.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "wire/transport.h"

struct report;

struct socket {
	int fd;
	enum transport transport;
	bool wildcard;   // bound to all addresses: a reply must name the address that was asked (RFC 2181 section 4)
	unsigned set;
	bool shared;     // handed over by systemd: it stands in every set
};

struct sockets {
	struct socket *list;
	size_t count;
	unsigned sets;   // the setting `workers`
};

enum { SOCKETS_LISTEN_MAX = 256 };

// How many workers will serve, at most: for each set one per UDP socket and one for all of TCP. To be asked before
// sockets_open(), which takes what systemd left in the environment out of it.
size_t sockets_workers_max(size_t listen_count, unsigned sets);

// Takes the sockets systemd passed (LISTEN_PID is ours), or binds every "ADDRESS@PORT" for every set. What fails is
// reported, all of it; then E_IO. E_NOMEM.
int sockets_open(const char *const *listen, size_t listen_count, unsigned sets, struct report *report,
                 struct sockets **ret_sockets) MUST_USE;
// Closes them. Takes NULL; returns NULL.
struct sockets *sockets_close(struct sockets *sockets);
