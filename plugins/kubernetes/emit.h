// Tells the host of the targets: what has changed since the last time, in one commit.
#pragma once

#include <stdbool.h>

#include "claims.h"

struct emit {
	const struct edgesteer_host *host;
	void *by_key; // a tree of what was put (tsearch)
	struct emitted *first;
	uint64_t round;
	bool whole;         // the host has had a whole list
	size_t count, refused;
};

void emit_begin(struct emit *emit, const struct edgesteer_host *host);

// Puts what is new or different, drops what is gone, and commits if there was anything. `whole`: the claims are those
// of all clusters; the first such list is told as a whole, so that what the host has from before goes. `again`: puts
// what was refused once more. Returns 0, or negative: the host cannot go on, or out of memory.
int emit_claims(struct emit *emit, const struct claims *claims, bool whole, bool again, struct remarks *remarks);

void emit_free(struct emit *emit);
