// The HTTP door: /livez, /readyz, /metrics, and the verbs of the control socket as GET and POST /v1/VERB, for those whose
// token or certificate has the scope. Owns its sockets and connections, on the main thread's event base, where they have the
// lowest priority. (http/ is the client.)
#pragma once

#include "base/attr.h"
#include "door/limits.h"
#include "door/status.h"

struct config_server;
struct door;
struct event_base;
struct keys;
struct report;

// Binds the addresses of the config; nobody is let in yet. *ret_door is NULL when there are none. E_IO (reported), E_NOMEM.
int door_open(const struct config_server *server, struct report *report, struct door **ret_door) MUST_USE;
// Lets in. `ops` is copied, `keys` is owned in every case. The process must ignore SIGPIPE. E_NOMEM. Takes a NULL door.
int door_serve(struct door *door, struct event_base *base, const struct door_ops *ops, struct keys *keys) MUST_USE;
// What opens the door from now on; owned. An address that the keys do not have keeps its own. Takes a NULL door.
void door_take(struct door *door, struct keys *keys);
// NULL: all zero.
void door_stats(const struct door *door, struct door_stats *ret_stats);
// As control_settle().
void door_settle(struct door *door);
// Closes all connections. After state_close() and reload_stop(), which answer the requests that wait for them, and after what
// renders. Takes NULL; returns NULL.
struct door *door_close(struct door *door);
