// What the control room asks of the daemon: read access to its parts, and the changes it makes for an operator.
#pragma once

#include <jansson.h>

struct config;
struct health;
struct report;
struct state;
struct view;

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
