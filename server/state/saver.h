// Writes JSON into the state folder: orders at once, health in a thread of its own, so that neither a large fleet nor a
// slow disk keeps the main loop waiting. For state.c; all of it is called by the main thread.
#pragma once

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/attr.h"
#include "state/memory.h"

// At once. Takes `root`; NULL: E_NOMEM. E_IO. Logged.
int saver_write(int dir, const char *name, json_t *root) MUST_USE;

// One write of health. Zero-initialised is one that has not begun.
struct saver {
	pthread_t thread;
	bool begun;           // and not ended
	atomic_bool written;  // set by the thread, last of all
	int dir;
	const char *name;
	struct memory copy;   // borrows the memory's names: none of them may be freed before the end
	int err;
};

// Begins to write what `memory` holds now. Not while one is begun. E_NOMEM.
int saver_begin(struct saver *saver, const struct memory *memory, int dir, const char *name) MUST_USE;
// One is begun, and ending it would wait.
bool saver_busy(const struct saver *saver);
// Waits for the write, if one is begun. E_IO, E_NOMEM when it failed (logged by then).
int saver_end(struct saver *saver) MUST_USE;
