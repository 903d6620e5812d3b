// The sockets that receive queries: bound by the main thread before it drops its privileges, in sets of one per address
// and protocol (with SO_REUSEPORT the kernel distributes queries among the sets), or passed by systemd. Owns the
// descriptors.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "wire/transport.h"

struct report;

struct socket {
	int fd;
	enum transport transport;
	bool wildcard;   // bound to all addresses: a reply must come from the address queried (RFC 2181 section 4)
	unsigned set;
	bool shared;     // passed by systemd: in every set
};

struct sockets {
	struct socket *list;
	size_t count;
	unsigned sets;   // the setting `workers`
};

enum { SOCKETS_LISTEN_MAX = 256 };

// The largest possible number of workers: for each set one per UDP socket, and one for all TCP sockets. To be called
// before sockets_open(), which removes systemd's variables from the environment.
size_t sockets_workers_max(size_t listen_count, unsigned sets);

// Takes the sockets passed by systemd (if LISTEN_PID is ours), or binds every "ADDRESS@PORT" for every set; `sets` is
// at least 1. E_IO when any fails, with all failures in the report; E_NOMEM.
int sockets_open(const char *const *listen, size_t listen_count, unsigned sets, struct report *report,
                 struct sockets **ret_sockets) MUST_USE;
// Closes them. Takes NULL; returns NULL.
struct sockets *sockets_close(struct sockets *sockets);
