// A change of the overrides with the callback for its result; what state.c hands to the writer and gets back.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/change.h"

struct state_result;

// The writer's between writer_submit() and the callback, else state.c's.
struct job {
	enum change_type type;        // of the change, which is gone when the job is back
	struct change *change;        // owned; the writer's for good
	struct override *entry;       // a put: what holds once it is committed, a copy of change->put; owned
	struct override_match remove; // a removal: what no longer holds then; owns its texts
	void (*done)(void *ctx, const struct state_result *result);
	void *done_ctx;
	// Set by the commit.
	int err;
	uint64_t revision;            // of the change; 0: there was none
	bool is_saving;               // a put: what holds already, in memory only, is to be saved
	bool is_volatile;             // it could not be written, and holds in memory only
	const char *why;              // of E_IO; NULL: not known. The writer's, valid until the callback returns
	struct override **before;     // for state.c: what was replaced or removed
	size_t before_count;
	struct job *next;
};

// Preallocated jobs, to report E_NOMEM with. Zero-initialised is valid, and empty.
struct job_spares {
	struct job *first;
	size_t count;
};

// E_NOMEM: they are fewer than there should be.
int job_spares_fill(struct job_spares *spares);
void job_spares_done(struct job_spares *spares);

// Never NULL. Its err is E_NOMEM when it is one of the spares.
struct job *job_new(struct job_spares *spares, void (*done)(void *ctx, const struct state_result *result), void *ctx);
void job_free(struct job *job);
