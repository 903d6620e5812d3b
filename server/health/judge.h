// From what vantages say to what is believed of each target: the columns of the matrix, flap damping, the brake, panic and slow
// start, in this order. Between health.c and whoever publishes; knows nothing about drains and forces. Targets are numbered as
// for health.c. Main thread only, but for frames.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "health/brake.h"
#include "health/column.h"
#include "health/matrix.h"

struct config;
struct event_base;
struct health;
struct judge;
struct judge_frame;

struct judge_ops {
	// What is believed of a target by most of its clients: all but those of judge_columns(). May be called with what was
	// said before. From inside of calls of this header, and from the event loop.
	void (*judged)(void *ctx, uint32_t target, bool up);
	// The share of its clients that it takes, of WARMUP_WHOLE.
	void (*eased)(void *ctx, uint32_t target, uint32_t share);
	// What the target's provider says of the servers behind it, asked only where the quorum is more than 1.
	enum word (*endpoints)(void *ctx, const char *app, const char *site);
	// Something has changed as time passed, and is to be published.
	void (*moved)(void *ctx);
	void *ctx;
};

// NULL when out of memory. `ops` is copied.
struct judge *judge_new(struct event_base *base, const struct judge_ops *ops) MUST_USE;
// Takes NULL; returns NULL.
struct judge *judge_free(struct judge *judge);

// The memory for the targets of a config, which must outlive it. On any thread. NULL when out of memory.
struct judge_frame *judge_frame_new(const struct config *config) MUST_USE;
// For one that was not taken. Takes NULL; returns NULL.
struct judge_frame *judge_frame_free(struct judge_frame *frame);
// A generation is in use, in which old_of_new[] has the targets' numbers so far, UINT32_MAX: it is new. Takes ownership of its frame
// and judges every target anew: a target that judged() is not called for is up. `health` has its list.
void judge_take(struct judge *judge, struct judge_frame *frame, const struct health *health, const uint32_t *old_of_new);
// From now on a target that nothing is known of is down.
void judge_start(struct judge *judge);

// The probes' result for a target has changed.
void judge_probed(struct judge *judge, uint32_t target);
// What its provider says, where that counts, has changed: `unready`, there has been no server behind it for too long.
void judge_told(struct judge *judge, uint32_t target, bool unready);
// Looks at what has fallen since the last call; before each publication.
void judge_settle(struct judge *judge);

// What a vantage says.
struct judge_report {
	const char *vantage; // a name of 1 to MATRIX_NAME_LEN - 1 characters, as in judge_is_name()
	const char *carrier; // the same; "": it speaks for everybody
	const char *who;     // the peer
	int64_t ttl_ms;      // JUDGE_TTL_MIN_MS to JUDGE_TTL_MAX_MS
	int64_t ahead_ms;    // when it was seen, after now by the wall clock; usually 0 or less
};

enum {
	JUDGE_TTL_MS = 30000, // by default
	JUDGE_TTL_MIN_MS = 1000,
	JUDGE_TTL_MAX_MS = 3600000,
	JUDGE_SKEW_MS = 5000, // a clock that is not further off counts as right
};

// Whether it can be a vantage's or a carrier's name: letters, digits, ".", "-", "_" and ":".
bool judge_is_name(const char *text) PURE;
// The vantage of a batch, with what it says about itself. A clock that is ahead is told, and what it saw counts as seen now.
// E_LIMIT: too many vantages have something to say. E_NOMEM.
int judge_open(struct judge *judge, const struct judge_report *report, unsigned *ret_vantage) MUST_USE;
// Its word about a target. E_STATE: it is older than its ttl, or than what is known; E_LIMIT: too many reports are held;
// E_NOMEM.
int judge_report(struct judge *judge, const struct judge_report *report, unsigned vantage, uint32_t target, bool up) MUST_USE;

// Releases what the brake holds, by an operator. Returns how many groups.
unsigned judge_release(struct judge *judge);

// ---- to be published, and to be shown

// Whether the columns have changed since the last call.
bool judge_columns_moved(struct judge *judge);
// Calls each() for every target and carrier (in small letters) of which health is not what was `judged`: `up`.
void judge_columns(struct judge *judge, void (*each)(void *ctx, uint32_t target, const char *carrier, bool up), void *ctx);

// How many targets it judges; 0 before the first judge_take().
uint32_t judge_count(const struct judge *judge);

// What is behind a target's state.
struct judge_shown {
	bool unready;          // its provider says so
	bool held;             // by the brake: it would be down
	bool panics;           // its app is in panic: it would be down
	bool damped;           // it flaps: it would be up
	double penalty;
	int64_t damped_for_ms;
	uint32_t share;        // of WARMUP_WHOLE
};
void judge_shown(const struct judge *judge, uint32_t target, struct judge_shown *ret_shown);
// The cells, for what vantages say.
struct matrix *judge_matrix(struct judge *judge);

struct judge_stats {
	uint64_t reports, stale;      // totals: taken, and not taken as too old
	uint64_t full;                // total: not taken, as there were too many
	uint64_t holds;               // total of groups that the brake has held
	uint64_t falls;               // total of targets' falls
	uint32_t vantages, cells;     // now
	uint32_t held, damped, panicking, warming; // targets now
};
void judge_stats(const struct judge *judge, struct judge_stats *ret_stats);
// The groups of the brake that hold targets: each(), with "the region us-east-1" or "vantage NAME" as `what`.
void judge_brakes(const struct judge *judge,
                  void (*each)(void *ctx, const char *what, const struct brake_group *group), void *ctx);
