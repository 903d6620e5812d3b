// What changes from one version of a trie to the next; see trie.h.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct ptree_entry;

struct trie_change {
	const struct ptree_entry *blocks; // get these values, their lowest bit 0, at most LPM_VALUE_MAX; in ascending order, none
	size_t count;                     // within another
	bool is_whole;                    // all that is there is written anew, and marked anew; else only what changes is
	// Whether a leaf, by its first address, gets the mark; NULL: none does. The same for equal arguments. Those of value 0
	// never do, nor those beside a long way to a single block.
	bool (*is_marked)(const void *ctx, struct addr_key key, uint8_t depth);
	const void *ctx;
};
