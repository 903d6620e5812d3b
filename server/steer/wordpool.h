// The memory of a trie's versions (trie.h): blocks of words, which a version shares with those before and after it as far as
// they are the same. What a version gives up when its successor is made is used again once nobody has that version, nor an
// earlier one. One thread makes versions, any thread leaves them.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum {
	WORDPOOL_BLOCK_MAX = 66,      // words of a block,
	WORDPOOL_PAGE = 512,          // or this many
	WORDPOOL_WORDS_MAX = 1 << 28,
};

struct wordpool;

// A version, which keeps its pool. Read only by wordpool.c, but for `words`.
struct wordpool_version {
	struct wordpool *pool;
	uint32_t *words;             // of the pool
	struct wordpool_version *next, *earlier; // earlier: only while it is being made
	struct wordpool_block *given_up; // by its successor; NULL: it has none, or that gave up nothing
	uint32_t count, cap;         // of that list
	uint32_t left;               // 1: nobody has it any more
};

// The first version of a new pool of so many words, which is being made. NULL: out of memory, or too many.
struct wordpool_version *wordpool_begin(size_t words) MUST_USE;
// The successor of a version, which is being made: until wordpool_end() nobody else may leave, nor make, a version of the
// pool. NULL: out of memory, or it has had a successor.
struct wordpool_version *wordpool_succeed(struct wordpool_version *version) MUST_USE;
// The version is made and does not change any more.
void wordpool_end(struct wordpool_version *version);
// It could not be made: nor can another one from its predecessor, which stays as it is. What was taken for it stays taken.
void wordpool_abandon(struct wordpool_version *version);

// A block of `count` words, at most WORDPOOL_BLOCK_MAX or WORDPOOL_PAGE, for the version that is being made: its index. 0:
// there is no room.
uint32_t wordpool_take(struct wordpool_version *version, size_t count);
// Such a block of its predecessor is none of the version that is being made. In a first version, or out of memory: nothing.
void wordpool_give_up(struct wordpool_version *version, uint32_t at, size_t count);

// Nobody uses the version any more. Any thread. Takes NULL.
void wordpool_leave(struct wordpool_version *version);

// Words taken, whether for this version or for others; those that are not; those that were at any time. Any thread.
size_t wordpool_taken(const struct wordpool_version *version);
size_t wordpool_room(const struct wordpool_version *version);
size_t wordpool_touched(const struct wordpool_version *version);
// Memory used by all versions, octets. Any thread.
size_t wordpool_bytes(const struct wordpool_version *version);
