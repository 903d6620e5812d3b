// The objects of one provider, by key: what it has committed, and what has vanished but is still answered. Main thread.
//
// What a whole list or a change does to an object:
//
//   in the roll  given    dropped or    then
//                         not in a list
//   no           yes                    it is added
//   yes          same                   it stays, is confirmed, and is there again if it had vanished
//   yes          differs                it is replaced at once
//   yes                   yes           it has vanished, and stays for the grace time
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct batch;
struct object;

// Zero-initialised is a valid, empty one.
struct roll {
	struct object **objects; // by key; owned by whoever roll_ops.removed() is
	size_t count;
	size_t vanished, stale;  // of them
};

struct roll_ops {
	void *ctx;
	void (*added)(void *ctx, struct object *object);
	// It is in the roll no more; it is the callee's.
	void (*removed)(void *ctx, struct object *object);
	// `given`, of the same key, takes the place of `old`, which is the callee's.
	void (*replaced)(void *ctx, struct object *old, struct object *given);
	// It stays, and has vanished, or come back.
	void (*vanished)(void *ctx, struct object *object);
	void (*returned)(void *ctx, struct object *object);
};

// Applies a sealed batch, which is empty after it. E_NOMEM: nothing has changed.
int roll_apply(struct roll *roll, struct batch *batch, int64_t now_ms, const struct roll_ops *ops) MUST_USE;
// Removes what has vanished for `grace_ms`.
void roll_expire(struct roll *roll, int64_t now_ms, int64_t grace_ms, const struct roll_ops *ops);
// Nothing is confirmed any more: a new instance takes over.
void roll_mark_stale(struct roll *roll);
// Removes all.
void roll_clear(struct roll *roll, const struct roll_ops *ops);
