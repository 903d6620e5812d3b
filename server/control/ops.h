// What the control room needs from the daemon: read access to its parts, and the changes it makes for an operator. All
// are called on the main thread.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct background;
struct config;
struct files;
struct gate;
struct health;
struct judge;
struct learner;
struct live;
struct override;
struct override_match;
struct provide;
struct report;
struct resolve;
struct sample_set;
struct state;

enum { CONTROL_CEILINGS_MAX = 4096 };

enum control_reload {
	CONTROL_RELOAD,
	CONTROL_RELOAD_FORCE, // take sources that lost more than their `shrink-limit`, and what moves more than `guard`
	CONTROL_RELOAD_CHECK, // build it, look at what it would change, and take nothing
};

// A ceiling of answers, of a site or a target by its number in the view in use.
struct control_ceiling {
	uint32_t number;
	bool is_target;
	double most; // answers a second
};

// A change of overrides that is not made.
struct control_change {
	const struct override *given;       // a drain that has come to its end (of its ramp), or a force; NULL: none
	const struct override_match *taken; // those that are taken back; NULL: none
	int64_t at_s;                       // when, wall clock: with the drains that hold then; 0: now, with those that do
	// As if drains under way had come to their ends, and everything above its ceiling were answered all the same; else as
	// it is answered now.
	bool in_full;
};

// How a ceiling stands.
struct control_ceiling_state {
	double ceiling, rate; // answers a second, smoothed; or the load's last figure
	double share;         // of its clients that it takes, from 0 to 1
	int64_t age_ms;       // of the figure; -1: there is none that counts
};

struct control_ops {
	void *ctx;
	struct health *health;
	struct judge *judge;
	struct state *state;
	struct provide *provide;       // NULL: no providers
	struct learner *learner;       // NULL: nothing is learned
	const struct resolve *resolve; // NULL: no names of hosts are looked up
	struct background *background; // set by control_open(); NULL: work is done at once
	struct gate *gate;             // drains and plans, one after another
	// The config of the view in use. Valid until control returns to the event loop.
	const struct config *(*config)(void *ctx);
	// The published live part or, before the first round of health checks has finished, a preview in which every target
	// whose health is unknown is up. NULL: out of memory. Valid until control returns to the event loop.
	const struct live *(*live)(void *ctx);
	// What would be published after a change: of the view in use, without what is learned, and with states (recycle_put()), shares
	// (live_shares_put()) and columns (free()) that are the caller's. E_NOMEM, and nothing is to be freed.
	int (*what_if)(void *ctx, const struct control_change *change, struct live *ret_live);
	// Of who has asked lately, of the view in use; the caller's to free(). NULL: out of memory.
	struct sample_set *(*samples)(void *ctx);
	// Starts a reload; done(done_ctx, err, report) is called exactly once, later or at once: err 0, E_INVAL with the
	// errors in the report, E_HELD with what the guard says of it in the report, E_STATE when a reload is already in progress, E_STOPPED when the daemon stops meanwhile, or
	// E_NOMEM. `report` may be NULL, is read-only and valid during the call.
	void (*reload)(void *ctx, enum control_reload how, void (*done)(void *done_ctx, int err, const struct report *report),
	               void *done_ctx);
	// Builds what another config, at an absolute path, would be, for effect(), and takes nothing; done() as for reload(). `app` NULL:
	// for the traffic of all apps. Both are borrowed until done().
	void (*compare)(void *ctx, const char *path, const char *app,
	                void (*done)(void *done_ctx, int err, const struct report *report), void *done_ctx);
	// Takes what was served before the last reload into use again; done() as for reload(), if this returns 0. E_NOTFOUND: nothing is
	// kept. E_NOMEM. `by` and `reason` may be NULL.
	int (*rollback)(void *ctx, const char *who, const char *by, const char *reason,
	                void (*done)(void *done_ctx, int err, const struct report *report), void *done_ctx);
	// For how many seconds a cache may still hold an answer of an earlier generation, or of the process before, with a
	// target that the drain is of; 0: none can.
	int64_t (*cached_s)(void *ctx, const struct override *drain);
	// When a target of the view in use was last handed out, by the wall clock; 0: not since the start, as far as is known.
	int64_t (*last_answer_s)(void *ctx, uint32_t target);
	// What is known of each file of the generation in use; NULL: nobody watches any. Valid until control returns to the
	// event loop.
	const struct files *(*files)(void *ctx);
	// The ceiling of a site (`app` NULL) or a target, of answers or of the load that is pushed. False: it has none.
	bool (*ceiling)(void *ctx, const char *app, const char *site, bool of_load, struct control_ceiling_state *ret_ceiling);
	// Pushes the load of one that has such a ceiling. E_NOTFOUND: it has none.
	int (*load)(void *ctx, const char *app, const char *site, double figure, int64_t ttl_ms);
	// The ceilings of answers of all sites and targets of the view in use, up to CONTROL_CEILINGS_MAX of them, into a list with so much
	// room. How many there are.
	size_t (*ceilings)(void *ctx, struct control_ceiling *list);
	// What the last reload or check that was built changes for the recent traffic, see effect_json.h; borrowed until the loop
	// turns. NULL: it is not known.
	json_t *(*effect)(void *ctx);
	// Counters as a JSON object, owned by the caller. Its "queries" is the total over all workers.
	json_t *(*stats)(void *ctx);
	// Facts for `status` and `version` as a JSON object, owned by the caller: "version", "pid", "started", "serving",
	// "last_reload", "last_reload_ok", "last_reload_held" and "last_reload_errors" after the first one, with "last_reload_error" if it failed
	// (the first of its errors), "watch" (files that are watched), and the counts of what is served ("generation",
	// "epoch", "zones", "apps", …). show.c adds the targets' states, the sources, health and overrides.
	json_t *(*status)(void *ctx);
	unsigned idle_ms; // closes idle connections after this; 0: CONTROL_IDLE_S
};
