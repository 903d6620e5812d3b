// A plugin's work that goes on: a function of it that blocks on a thread of its own until it is told to return, and that is
// called again, after a growing pause, when it returns earlier. For provide() and look_up().
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/attr.h"

enum { CHORE_AGAIN_FIRST_S = 1, CHORE_AGAIN_MAX_S = 60 };

// All on the chore's thread.
struct chore_ops {
	void (*call)(void *ctx);              // the plugin's function
	void (*pausing)(void *ctx, int for_s); // it has returned by itself, and is called again
	void (*resuming)(void *ctx);
	void (*ended)(void *ctx);             // the last call
};

struct chore {
	const struct chore_ops *ops;
	void *ctx;
	pthread_t thread;
	int stop_fd;             // readable when the function is to return; -1: there is none
	_Atomic bool is_to_stop; // also when a plugin has taken what is in stop_fd
	bool is_started;         // the caller's
};

// E_IO (errno); the chore can be wiped all the same. `ops` and `ctx` must outlive the chore.
int chore_init(struct chore *chore, const struct chore_ops *ops, void *ctx) MUST_USE;
// Its thread was not started, or has been joined.
void chore_wipe(struct chore *chore);

// False: there is no thread for it. `name` has up to 15 letters.
bool chore_start(struct chore *chore, const char *name) MUST_USE;
// Tells a job that was started to end.
void chore_stop(struct chore *chore);
// Waits for one that was told to.
void chore_join(struct chore *chore);
