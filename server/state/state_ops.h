// What whoever opens the state is told of its changes; see state.h.
#pragma once

#include "state/override.h"

// Called for every change, whoever made it: what is to be published follows from these, not from done(). Both may be
// NULL. They may call what only reads, and state_put() and state_remove(), but not state_expire(). No callback may call
// state_close().
struct state_ops {
	void *ctx;
	// An override is durable and now holds (`next`), or no longer does (`next` NULL). `old` NULL: there was none for
	// the same thing. Both valid during the call.
	void (*changed)(void *ctx, const struct override *old, const struct override *next);
	// Every change of one commit has been given to changed(): publish.
	void (*committed)(void *ctx);
	unsigned confirm_ms; // how often what is saved of health is confirmed, changed or not; 0: STATE_CONFIRM_S
	unsigned idle_ms;    // without a change for so long, logs of writes are carried into the files; 0: STATE_IDLE_S
};
