// Asks resolvers, through c-ares, whose sockets are events of the main loop: no thread, no file (but the system's
// resolv.conf, once), no search domains. Called by resolve.c.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "base/attr.h"

struct asker;
struct event_base;

struct asker_config {
	const struct sockaddr_storage *servers; // with their ports
	size_t server_count;                    // 0: those of the system
	unsigned timeout_ms;                    // for the first attempt; for each further one twice that of the one before
	unsigned attempts;                      // with each server
};

// `err`: 0 with the reply, which is valid during the call; E_NOTFOUND: the name does not exist, or has no such record;
// E_STOPPED: the asker was freed; E_IO: anything else, as `why` says.
typedef void asker_done(void *ctx, enum addr_family family, int err, const uint8_t *reply, size_t len, const char *why);

// E_NOMEM; E_IO: c-ares cannot be set up, *ret_why says why.
int asker_new(struct event_base *base, const struct asker_config *config, struct asker **ret_asker,
              const char **ret_why) MUST_USE;
// Ends the queries under way with E_STOPPED. Not from inside done(). Takes NULL; returns NULL.
struct asker *asker_free(struct asker *asker);

// Asks for the A (ADDR_V4) or AAAA records of a host's name. done() is called exactly once, possibly before this
// returns.
void asker_ask(struct asker *asker, const char *name, enum addr_family family, asker_done *done, void *ctx);
