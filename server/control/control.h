// The control socket: one JSON object per line, both ways, for edgesteerctl and for programs. Owns the socket and its
// connections, on the main thread's event base. What it changes goes through struct control_ops, which main provides;
// what it shows it reads from the live view, health and state. Every change is logged with the peer's credentials.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

#include "base/attr.h"

struct config;
struct control;
struct event_base;
struct health;
struct report;
struct state;
struct view;

// A connection that sends no whole request, or does not take its reply, for CONTROL_IDLE_S is closed.
enum { CONTROL_LINE_MAX = 65536, CONTROL_CONNECTIONS_MAX = 64, CONTROL_IDLE_S = 60, CONTROL_REPLY_MAX = 16 << 20 };

struct control_ops {
	void *ctx;
	struct health *health;
	struct state *state;
	// The config behind the view that is served. Valid until the loop turns.
	const struct config *(*config)(void *ctx);
	// The view that is served or, before the first round of checks is over, will be. Valid until the loop turns.
	const struct view *(*view)(void *ctx);
	// Begins a reload; done(done_ctx, err, report) is called exactly once, later or at once: err 0, or E_INVAL with
	// the errors in the report, or E_STATE when one is under way, or E_NOMEM. The report is the caller's of done to read only.
	void (*reload)(void *ctx, void (*done)(void *done_ctx, int err, const struct report *report), void *done_ctx);
	// Drains, forces or their expiry changed: recompute and publish the live part before returning, if one is
	// published yet.
	void (*orders_changed)(void *ctx);
	// Counters as a JSON object; the caller owns it. Its "queries" is the total over all workers.
	json_t *(*stats)(void *ctx);
	// Facts for `status` and `version` as a JSON object; the caller owns it: "version", "pid", "started", "serving",
	// "last_reload" and "last_reload_ok" after the first one, and the counts of what is served ("generation", "epoch",
	// "zones", "apps", …). The targets' states, the sources, health and orders are added here.
	json_t *(*status)(void *ctx);
	unsigned idle_ms; // instead of CONTROL_IDLE_S; 0: that
};

// The process must ignore SIGPIPE: a peer may go away while it is written to.
//
// Binds the socket (mode 0660, a stale one is replaced, a live one is not: E_EXISTS) and serves it. Its folder is made
// when it is missing. E_IO, E_NOMEM; what is wrong is logged. `ops` is copied.
int control_open(struct event_base *base, const char *path, const struct control_ops *ops,
                 struct control **ret_control) MUST_USE;
// Closes connections and removes the socket. Takes NULL; returns NULL.
struct control *control_close(struct control *control);
