// The slots of a trie's nodes; see slots.h.
#include "steer/slots.h"

#include <stddef.h>

#include "base/must.h"
#include "steer/trie_change.h"

struct addr_key slots_key(const struct slots_spot *spot, unsigned bits, uint64_t slot)
{
	struct addr_key key = spot->key;
	uint64_t left = slot << (64 - bits);

	if (spot->depth < 64)
		key.hi |= left >> spot->depth;
	if (spot->depth > 0 && spot->depth < 128)
		key.lo |= spot->depth < 64 ? left << (64 - spot->depth) : left >> (spot->depth - 64);
	return key;
}

void slots_set_leaf(const struct trie_change *change, uint32_t *slots, size_t count, const struct slots_spot *spot)
{
	uint32_t value = slots_plain(slots[0]);

	if (value && change->is_marked && change->is_marked(change->ctx, spot->key, (uint8_t)spot->depth))
		value |= SLOTS_MARK;
	must(spot->depth <= 128);
	for (size_t i = 0; i < count; i++)
		slots[i] = stride_leaf(value, spot->depth);
}

// In which of a node's slots something begins that is not the leaf of the slot before it.
struct shape {
	uint64_t begins[SLOTS_MAX / 64];
};

static struct shape shape_of(const uint32_t *slots, unsigned bits)
{
	struct shape shape = {{0}};

	for (unsigned i = 1; i < 1u << bits; i++)
		if (!stride_is_leaf(slots[i]) || !stride_is_leaf(slots[i - 1]) || slots_plain(slots[i]) != slots_plain(slots[i - 1]))
			shape.begins[i / 64] |= UINT64_C(1) << i % 64;
	return shape;
}

// Whether 1 << bits slots, from `first` on, are one leaf.
static bool is_one(const struct shape *shape, const uint32_t *slots, unsigned first, unsigned bits)
{
	uint64_t begins = shape->begins[first / 64];

	if (bits < 6)
		return stride_is_leaf(slots[first]) && !(begins >> first % 64 >> 1 & ((UINT64_C(1) << ((1u << bits) - 1)) - 1));
	begins &= ~UINT64_C(1);
	for (unsigned i = 1; i < 1u << (bits - 6); i++)
		begins |= shape->begins[first / 64 + i];
	return stride_is_leaf(slots[first]) && begins == 0;
}

// Gives leaves their depths in 1 << bits slots that are not all one.
static void settle_part(const struct trie_change *change, const struct shape *shape, uint32_t *slots, unsigned first, unsigned bits,
                        const struct slots_spot *spot)
{
	for (unsigned half = 0; half < 2 && bits > 0; half++) {
		struct slots_spot there = {slots_key(spot, 1, half), spot->depth + 1};
		unsigned at = first + (half << (bits - 1));

		if (is_one(shape, slots, at, bits - 1))
			slots_set_leaf(change, slots + at, (size_t)1 << (bits - 1), &there);
		else
			settle_part(change, shape, slots, at, bits - 1, &there);
	}
}

bool slots_settle(const struct trie_change *change, uint32_t *slots, unsigned bits, const struct slots_spot *spot)
{
	struct shape shape = shape_of(slots, bits);

	if (is_one(&shape, slots, 0, bits))
		return true;
	settle_part(change, &shape, slots, 0, bits, spot);
	return false;
}

int slots_lone(const uint32_t *slots)
{
	uint32_t others = stride_is_leaf(slots[0]) && stride_is_leaf(slots[1]) && slots_plain(slots[0]) == slots_plain(slots[1]) ? slots[0] : slots[2];
	int lone = -1;

	if (!stride_is_leaf(others))
		return -1;
	for (int i = 0; i < STRIDE_SLOTS; i++)
		if (!stride_is_leaf(slots[i]) || slots_plain(slots[i]) != slots_plain(others)) {
			if (lone >= 0)
				return -1;
			lone = i;
		}
	return lone;
}
