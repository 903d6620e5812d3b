// Whom workers leave notes of, for those who learn: clients whom a service could be asked about and of whom nothing fresh is
// known. A part of struct live; which prefixes are fresh changes in it, by one thread, while others read it. That is a hint: a
// few may be taken for not fresh.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/users.h"
#include "steer/lpm.h"

struct notes;
struct ptree;

enum { WANTED_BUCKET = CACHE_LINE / sizeof(uint32_t) };

// The prefixes that are fresh are hashes, seeded, as anybody chooses prefixes by ECS, in buckets of a cache line. One that
// finds its bucket full is not fresh.
struct wanted_bucket {
	CACHE_ALIGNED _Atomic uint32_t hashes[WANTED_BUCKET]; // 0: empty
};

struct wanted {
	struct users users;
	struct lpm_pair regions;   // address -> 1: a service could be asked about it
	struct wanted_bucket *fresh;
	size_t buckets;            // a power of two
	uint64_t seed;
	uint8_t len_v4, len_v6;    // of prefixes
	struct notes *notes;       // borrowed: where notes are left
};

struct wanted_rules {
	uint8_t len_v4, len_v6;
	uint32_t max;              // prefixes, about
};

// In `regions` (a tree by family, values 0 and 1), all of which are not fresh. The caller frees it with wanted_free().
// E_NOMEM.
int wanted_new(const struct ptree *regions_v4, const struct ptree *regions_v6, const struct wanted_rules *rules,
               struct notes *notes, struct wanted **ret_wanted) MUST_USE;
// One user more. Any thread that has one.
struct wanted *wanted_use(struct wanted *wanted);
// One user less; the last one frees it. Any thread. Takes NULL; returns NULL.
struct wanted *wanted_free(struct wanted *wanted);

// Whether the prefix, of the length that is learned by, is fresh from now on. One thread.
void wanted_set_fresh(struct wanted *wanted, const struct prefix *prefix, bool is_fresh);
// Whether a note is to be left of a client. Any thread.
bool wanted_has(const struct wanted *wanted, const struct addr *client);
// Memory used, in octets.
size_t wanted_bytes(const struct wanted *wanted) PURE;
