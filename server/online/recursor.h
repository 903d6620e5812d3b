// Questions to the recursive resolvers: those of the config, or the system's. Any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "online/ask.h"

enum { RECURSORS_MAX = 8 };

struct recursors {
	struct sockaddr_storage servers[RECURSORS_MAX]; // in the order in which they are asked
	size_t count;
};

// Reads "ADDRESS@PORT", or "ADDRESS" for port 53. E_INVAL; E_LIMIT: there are RECURSORS_MAX.
int recursors_add(struct recursors *recursors, const char *text) MUST_USE;
// Adds the system's, from /etc/resolv.conf or a file like it. E_IO: it cannot be read; E_NOTFOUND: it has none.
int recursors_add_system(struct recursors *recursors, const char *path) MUST_USE;

// Asks one after the other until one knows: NOERROR or NXDOMAIN. As ask().
int recursors_ask(const struct recursors *recursors, const struct wire_name *name, uint16_t type, int64_t deadline_ms,
                  struct message *ret_message, char why[static ASK_WHY_LEN]) MUST_USE;
// The addresses of a host, up to `max`, IPv4 first. Returns how many; 0: none, for the reason in `why`.
size_t recursors_addresses(const struct recursors *recursors, const struct wire_name *host, int64_t deadline_ms,
                           struct addr *list, size_t max, char why[static ASK_WHY_LEN]);
