// Longest-prefix match for a table that changes a little at a time while it is searched: a trie whose versions share what is
// the same. Read as a table it is what lpm.h is: every address has one value, and the depth of its leaf is the length of the
// widest aligned block around it that has that value, which is the exact scope. A change makes a new version by copying the
// nodes on the way to what changes; the old one stays as it is until its last user leaves it, and what only that one had is
// used again then (wordpool.h). So a change costs what it changes, not what is there.
//
// The lowest bit of a value is a mark, which does not count when blocks of one value are merged.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "steer/lpm.h"
#include "steer/trie_change.h"

struct wordpool_version;

// One version, for one address family. Read only by trie.c; it is here so that it can be embedded.
struct trie {
	const uint32_t *words, *top; // top: the references of the first bits
	struct wordpool_version *version; // owned
};

// A table in which all addresses have value 0. E_NOMEM.
int trie_empty(struct trie *ret_trie) MUST_USE;
// The version after `trie`, which stays as it is; the caller frees it with trie_wipe(). Of versions made one from another
// one thread at a time makes the next. It is made from the latest one; from an earlier one, as from one whose successor could
// not be made, all is copied. E_NOMEM, E_LIMIT: too much for a table.
int trie_change(const struct trie *trie, const struct trie_change *change, struct trie *ret_trie) MUST_USE;
// Leaves a version that nobody reads any more, and empties *trie. Any thread. An empty one is fine.
void trie_wipe(struct trie *trie);

// The leaf of an address.
struct lpm_hit trie_lookup(const struct trie *trie, struct addr_key key) HOT PURE NONNULL(1);
// The leaves of addresses of both families.
void trie_lookup_all(const struct trie *v4, const struct trie *v6, const struct addr *const *addrs, unsigned count,
                     struct lpm_hit *ret_hits) HOT;
// Calls each() for every value that some address has, marks among them, more than once for some. Costs a walk over all.
void trie_each_value(const struct trie *trie, void (*each)(void *ctx, uint32_t value), void *ctx);
// Memory used by all versions together that are made one from another, in octets. Any thread.
size_t trie_bytes(const struct trie *trie);
