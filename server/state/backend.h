// Where the state is kept: a table of functions, so far with one implementation, backend_local (files on this machine).
// Used by one thread at a time: the main thread opens it, the writer's thread uses it, the main thread closes it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/aliasmap.h"
#include "state/change.h"
#include "state/folder.h"
#include "state/healthmap.h"
#include "state/loss.h"
#include "state/overrides.h"
#include "state/provided.h"

// What was found at the start.
struct backend_found {
	struct overrides overrides;
	uint64_t revision;
	struct healthmap health; // empty when what is saved is older than STATE_HEALTH_AGE_MAX_S
	struct aliasmap aliases; // however old
	struct provided_list provided; // likewise
	int64_t confirmed_s;     // when the health was last known to be so
	struct loss loss;        // of overrides
};

struct state_backend {
	const char *name;
	// The folder is locked, and stays open until close(). A folder that can be read but not written is no error, see
	// trouble(). `idle_ms`: without a change for so long, tend() does what would make one wait. E_IO (folder->why),
	// E_NOMEM, E_STATE (the store is of a newer version; no file has changed; logged).
	int (*open)(const struct folder *folder, unsigned idle_ms, struct backend_found *ret_found, void **ret_ctx);
	// Makes all changes durable in one transaction, in their order, and sets err and revision of each. E_NOTFOUND and
	// E_LIMIT concern one change; with E_IO and E_NOMEM all of them fail, and nothing has changed:
	// logged, and `ret_why`, of STATE_WHY_LEN octets, says why; else it is "".
	void (*commit)(void *ctx, struct change *const *changes, size_t count, char *ret_why);
	// After the changes of a commit have been acknowledged.
	void (*settle)(void *ctx, struct change *const *changes, size_t count);
	// Writes some rows of health, and that all of it is so now. E_IO, E_NOMEM: none is written.
	int (*health)(void *ctx, const struct healthmap_row *rows, size_t count);
	// Writes some rows of names' addresses. E_IO, E_NOMEM: none is written.
	int (*aliases)(void *ctx, const struct aliasmap_row *rows, size_t count);
	// Writes changes of what providers gave. E_IO, E_NOMEM: none is written.
	int (*provided)(void *ctx, struct provided_row *const *rows, size_t count);
	// Called while there is nothing to write: does what can wait. Returns milliseconds until it wants to be called
	// again, -1: not before something is written.
	int (*tend)(void *ctx);
	// Whether changes are refused now, since when by the wall clock, and why (STATE_WHY_LEN octets). By any thread.
	bool (*trouble)(void *ctx, int64_t *ret_since_s, char *why);
	// Everything that can be is durable when it returns.
	void (*close)(void *ctx);
};
