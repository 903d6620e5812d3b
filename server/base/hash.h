// A cheap, well-mixed 64-bit hash for tables of our own data. Unseeded, it is no good for keys that an attacker
// chooses.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Finaliser of splitmix64: every input bit reaches every output bit.
static inline uint64_t hash_mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9u;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebu;
	x ^= x >> 31;
	return x;
}

// Folds `len` bytes into `seed`. Can be chained: hash_bytes(hash_bytes(s, a), b) is well mixed, but not the hash of
// a|b.
static inline uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint64_t h = seed ^ (len * 0x9e3779b97f4a7c15u);

	for (; len >= 8; len -= 8, p += 8) {
		uint64_t word;

		memcpy(&word, p, 8);
		h = (h ^ word) * 0x9fb21c651e98df25u;
		h ^= h >> 32;
	}

	uint64_t tail = 0;
	uint32_t four;
	uint16_t two;

	if (len & 4) {
		memcpy(&four, p, 4);
		tail = four;
	}
	if (len & 2) {
		memcpy(&two, p + (len & 4), 2);
		tail |= (uint64_t)two << 8 * (len & 4);
	}
	if (len & 1)
		tail |= (uint64_t)p[len - 1] << 8 * (len - 1);
	h = (h ^ tail) * 0x9fb21c651e98df25u;
	return h ^ (h >> 29);
}
