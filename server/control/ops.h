// What the control room asks of the daemon: read access to its parts, and the changes it makes for an operator.
#pragma once

#include <jansson.h>

struct config;
struct health;
struct live;
struct report;
struct state;

struct control_ops {
	void *ctx;
	struct health *health;
	struct state *state;
	// The config behind the view that is served. Valid until the loop turns.
	const struct config *(*config)(void *ctx);
	// What is published or, before the first round of checks is over, what would be if every target whose health is not
	// known yet were up. NULL without memory. Valid until the loop turns.
	const struct live *(*live)(void *ctx);
	// Begins a reload; done(done_ctx, err, report) is called exactly once, later or at once: err 0, or E_INVAL with
	// the errors in the report, or E_STATE when one is under way, or E_NOMEM. The report is the caller's of done to read only.
	void (*reload)(void *ctx, void (*done)(void *done_ctx, int err, const struct report *report), void *done_ctx);
	// How long a cache may still have an answer of an earlier generation with a target at the site (`app` NULL: of any
	// app), in seconds; 0: not at all.
	int64_t (*cached_s)(void *ctx, const char *app, const char *site);
	// Counters as a JSON object; the caller owns it. Its "queries" is the total over all workers.
	json_t *(*stats)(void *ctx);
	// Facts for `status` and `version` as a JSON object; the caller owns it: "version", "pid", "started", "serving",
	// "last_reload" and "last_reload_ok" after the first one, and the counts of what is served ("generation", "epoch",
	// "zones", "apps", …). The targets' states, the sources, health and overrides are added here.
	json_t *(*status)(void *ctx);
	unsigned idle_ms; // instead of CONTROL_IDLE_S; 0: that
};
