// Writes the nodes of a trie's next version (trie.h) into its memory: those on the way to what changes, or all.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct trie_change;
struct wordpool_version;

enum { GRAFT_PAGE_BITS = 9 }; // that index the page at the top, and those that its references lead to

// Makes the change in the version that has its top page at from[top], and writes what is new into `version`, the successor of
// that; `is_whole`: all of it, as `version` is in another memory. *ret_top: where its top page is. E_LIMIT: there was no room,
// and the version is of no use.
int graft_write(const struct trie_change *change, const uint32_t *from, uint32_t top, struct wordpool_version *version,
                bool is_whole, uint32_t *ret_top) MUST_USE;
