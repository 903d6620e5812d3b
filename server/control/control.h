// The control socket: one JSON object per line, both ways, for edgesteerctl and for programs. Owns the socket and its
// connections, on the main thread's event base. Changes go through struct control_ops, which the daemon provides; what
// it shows is read from the live view, health and state. Every change is logged with the peer's credentials.
#pragma once

#include "base/attr.h"

struct background;
struct control;
struct control_ops;
struct event_base;

// Line and reply sizes in bytes. A connection that sends no complete request, or does not read its reply, for
// CONTROL_IDLE_S seconds is closed.
enum { CONTROL_LINE_MAX = 65536, CONTROL_CONNECTIONS_MAX = 64, CONTROL_IDLE_S = 60, CONTROL_REPLY_MAX = 16 << 20 };

// Binds the socket (mode 0660) and serves it on `base`; its folder is made when missing. A stale socket is replaced,
// one that another process serves is not: E_EXISTS. E_INVAL: the path is too long; E_IO, E_NOMEM. All but E_NOMEM are
// logged. `ops` is copied. The process must ignore SIGPIPE: a peer may close its end while we write. Main thread.
int control_open(struct event_base *base, const char *path, const struct control_ops *ops,
                 struct control **ret_control) MUST_USE;
// Once the loop has ended: finishes what requests have begun on another thread, as it may change what is learned and the
// state. Before learner_stop() and state_close(). Takes NULL.
void control_settle(struct control *control);
// Its thread, for the daemon's own looks ahead; it ends with the socket. Takes NULL: NULL.
struct background *control_background(const struct control *control);
// Sends the replies that are there as far as the peers take them at once, closes all connections and removes the socket.
// Call it after state_close() and reload_stop(): they answer the requests that wait for them. Takes NULL; returns NULL.
struct control *control_close(struct control *control);
