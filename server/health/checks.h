// Checks as the prober keeps them: copies of the config's, each shared by all that is probed by it, and what is derived from it
// once.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "config/config.h"
#include "health/needle.h"

struct arena;
struct pattern;

struct check {
	struct arena *arena;  // owns this struct and its texts
	size_t users;         // watches and endpoints that refer to it
	struct config_check conf;
	struct needle body;
	struct pattern *pattern; // of conf.body; NULL: none
	uint64_t tls_hash;    // of the texts in PEM; 0 without any
};

// A copy without users. E_NOMEM; E_LIMIT: its `expect-body` is too long.
int checks_new(const struct config_check *from, struct check **ret_check) MUST_USE;
// Whatever its users. Takes NULL; returns NULL.
struct check *checks_free(struct check *check);
// One user less; the last one frees it. Takes NULL.
void checks_release(const struct check *check);

// Whether both send the same request and accept the same responses.
bool checks_same_question(const struct check *one, const struct check *other) PURE;
// The same, at the same pace and with the same rise and fall.
bool checks_same(const struct check *one, const struct check *other) PURE;
