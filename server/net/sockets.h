// The sockets queries come in on: bound by the main thread before it drops its privileges, one per address, protocol and
// worker (SO_REUSEPORT), or handed over by systemd. Owns the descriptors.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct report;

struct socket {
	int fd;
	bool tcp;
	bool wildcard;   // bound to all addresses: a reply must name the address that was asked (RFC 2181 section 4)
	unsigned worker; // whose it is; with `shared`, everybody's
	bool shared;     // handed over by systemd: one socket, every worker reads it
};

struct sockets {
	struct socket *list;
	size_t count;
	bool activated;  // from systemd
};

enum { SOCKETS_LISTEN_MAX = 256, SOCKETS_WORKERS_MAX = 256 };

// Takes the sockets systemd passed (LISTEN_PID is ours), or binds every "ADDRESS@PORT" for every worker. What fails is
// reported, all of it; then E_IO. E_NOMEM.
int sockets_open(const char *const *listen, size_t listen_count, unsigned workers, struct report *report,
                 struct sockets **ret_sockets) MUST_USE;
// Closes them. Takes NULL; returns NULL.
struct sockets *sockets_close(struct sockets *sockets);
