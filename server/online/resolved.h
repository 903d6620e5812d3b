// The names of hosts that targets have in the place of addresses, looked up once, as the daemon does, and what the sites
// have to say of the addresses. Called by online.c; single-threaded, with an event loop of its own.
#pragma once

#include <jansson.h>

#include "base/attr.h"

struct config;
struct recursors;

// For each app with such a name: {"app", "breaks", "targets": [{"site", "name", "probed", "ttl", "addresses": [...],
// "refused": [{"address", "text"}], "suspect": [{"address", "text"}], "error"}]}. "probed": it is the name to probe.
// "addresses" are those that are answered, "suspect" those of them that are not in the site's block. "breaks": no target
// of the app has an address. *ret_apps is the caller's. E_IO: there is no resolver (logged); E_NOMEM.
int resolved_check(const struct config *config, const struct recursors *recursors, json_t **ret_apps) MUST_USE;
