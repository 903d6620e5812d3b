// The nodes of tables for longest-prefix match, as lpm.c and trie.c have them in memory, and the step from one to the next.
// Below the index of its first bits a table has nodes of six bits, each a bitmap and its references. A path past which all
// is one value, such as that to a lone /128, is one node.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/addr.h"
#include "base/attr.h"

enum {
	STRIDE_BITS = 6,
	STRIDE_SLOTS = 1 << STRIDE_BITS,
	STRIDE_HEAD = 2,           // words of `starts`
	STRIDE_DEPTH_SHIFT = 23,
	STRIDE_VALUE_MAX = (1 << STRIDE_DEPTH_SHIFT) - 1,
	STRIDE_PATH_BITS = 60,     // of a path, at most
	STRIDE_PATH_WORDS = 5,
	STRIDE_PATH_LEN_SHIFT = 1,
	STRIDE_PATH_DEPTH_SHIFT = 8,
	STRIDE_PATH_VALUE_SHIFT = 32,
};

// A node: STRIDE_HEAD words of `starts`, which has a bit for every slot where a run of equal references starts, then a
// reference for each bit set. A reference is either a node's index in `words`, or, with this bit set, a leaf: its depth,
// shifted, and its value.
//
// A path is a node whose `starts` has bit 0 clear; all others have it set. In its place are the number of bits of the
// path, the depth where it begins and the value of all that leaves it; then come the bits, left-aligned in 64, and a
// reference to where it leads.
#define STRIDE_LEAF 0x80000000u

static inline uint32_t stride_leaf(uint32_t value, unsigned depth)
{
	return STRIDE_LEAF | value | (uint32_t)depth << STRIDE_DEPTH_SHIFT;
}

static ALWAYS_INLINE bool stride_is_leaf(uint32_t ref)
{
	return ref & STRIDE_LEAF;
}

static inline uint32_t stride_value(uint32_t leaf)
{
	return leaf & STRIDE_VALUE_MAX;
}

static inline uint8_t stride_depth(uint32_t leaf)
{
	return (uint8_t)(leaf >> STRIDE_DEPTH_SHIFT);
}

static inline uint64_t stride_starts(const uint32_t *node)
{
	uint64_t starts;

	memcpy(&starts, node, sizeof(starts));
	return starts;
}

// What a path is, beside the reference at its end, which is its last word.
struct stride_path {
	uint64_t bits;
	unsigned count, depth;
	uint32_t value; // of all that leaves it
};

static inline void stride_put_path(uint32_t *node, const struct stride_path *path)
{
	uint64_t head = (uint64_t)path->value << STRIDE_PATH_VALUE_SHIFT | (uint64_t)path->depth << STRIDE_PATH_DEPTH_SHIFT |
	                (uint64_t)path->count << STRIDE_PATH_LEN_SHIFT;

	memcpy(node, &head, sizeof(head));
	memcpy(node + STRIDE_HEAD, &path->bits, sizeof(path->bits));
}

static inline struct stride_path stride_path(const uint32_t *node)
{
	uint64_t head = stride_starts(node);
	struct stride_path path = {.count = head >> STRIDE_PATH_LEN_SHIFT & 0x7f, .depth = head >> STRIDE_PATH_DEPTH_SHIFT & 0xff,
	                           .value = (uint32_t)(head >> STRIDE_PATH_VALUE_SHIFT)};

	memcpy(&path.bits, node + STRIDE_HEAD, sizeof(path.bits));
	return path;
}

// The key without its first `bits`, 1 to 63.
static ALWAYS_INLINE struct addr_key stride_skip(struct addr_key key, unsigned bits)
{
	return (struct addr_key){key.hi << bits | key.lo >> (64 - bits), key.lo << bits};
}

// The reference at the end of the path, or the leaf beside it that the key turns off to.
static ALWAYS_INLINE uint32_t stride_follow(const uint32_t *node, uint64_t head, struct addr_key *key)
{
	unsigned count = head >> STRIDE_PATH_LEN_SHIFT & 0x7f, depth = head >> STRIDE_PATH_DEPTH_SHIFT & 0xff;
	uint64_t bits, apart;

	memcpy(&bits, node + STRIDE_HEAD, sizeof(bits));
	apart = (bits ^ key->hi) >> (64 - count);
	if (apart) {
		unsigned shared = count - (64 - (unsigned)__builtin_clzll(apart));

		return stride_leaf((uint32_t)(head >> STRIDE_PATH_VALUE_SHIFT), depth + shared + 1);
	}
	*key = stride_skip(*key, count);
	return node[STRIDE_PATH_WORDS - 1];
}

// One step down: the reference that the first bits of the key select in the node at `ref`, and the key without them.
static ALWAYS_INLINE uint32_t stride_step(const uint32_t *words, uint32_t ref, struct addr_key *key)
{
	const uint32_t *node = words + ref;
	uint64_t starts = stride_starts(node);

	if (unlikely(!(starts & 1)))
		return stride_follow(node, starts, key);
	// The slot's run is the last one that starts at or before it; slot 0 always starts one.
	starts <<= STRIDE_SLOTS - 1 - (key->hi >> (64 - STRIDE_BITS));
	*key = stride_skip(*key, STRIDE_BITS);
	return node[STRIDE_HEAD - 1 + __builtin_popcountll(starts)];
}

// The search is compiled twice on x86-64: POPCNT is in every processor of the last fifteen years, but not in the baseline
// that the compiler must assume.
#if defined(__x86_64__) && !defined(__POPCNT__)
#define STRIDE_POPCNT __attribute__((target("popcnt")))
#endif

static inline bool stride_has_popcnt(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("popcnt");
#else
	return true;
#endif
}
