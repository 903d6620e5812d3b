// The control socket: one JSON object per line, both ways, for edgesteerctl and for programs. Owns the socket and its
// connections, on the main thread's event base. What it changes goes through struct control_ops, which main provides;
// what it shows it reads from the live view, health and state. Every change is logged with the peer's credentials.
#pragma once

#include "base/attr.h"

struct control;
struct control_ops;
struct event_base;

// A connection that sends no whole request, or does not take its reply, for CONTROL_IDLE_S is closed.
enum { CONTROL_LINE_MAX = 65536, CONTROL_CONNECTIONS_MAX = 64, CONTROL_IDLE_S = 60, CONTROL_REPLY_MAX = 16 << 20 };

// The process must ignore SIGPIPE: a peer may go away while it is written to.
//
// Binds the socket (mode 0660, a stale one is replaced, a live one is not: E_EXISTS) and serves it. Its folder is made
// when it is missing. E_IO, E_NOMEM; what is wrong is logged. `ops` is copied.
int control_open(struct event_base *base, const char *path, const struct control_ops *ops,
                 struct control **ret_control) MUST_USE;
// Closes connections and removes the socket. Takes NULL; returns NULL.
struct control *control_close(struct control *control);
