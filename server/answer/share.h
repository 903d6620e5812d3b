// Which part of its clients a target takes: the hash of clients that all shares and weights go by. A client is its address
// cut to the app's hash prefix, or to its block where that is longer. All of it is inline: pick.c does it for each query.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "answer/locate.h"
#include "base/addr.h"
#include "base/hash.h"
#include "base/must.h"
#include "view/live.h"

// The first `len` of the bits, below 64.
static inline uint64_t share_first_bits(uint64_t bits, unsigned len)
{
	return bits & ~(UINT64_MAX >> len);
}

// The client in 64 bits, not mixed yet, and with `salt` among them. `len`: locate_hash_len(), as for the next two.
static ALWAYS_INLINE uint64_t share_fold(const struct location *where, unsigned len, uint64_t salt)
{
	const struct addr *client = where->client;
	struct addr_key key = addr_key(client);

	// What is left of the key's low half is mixed in first; of most clients that is nothing, which the compiler knows.
	if (likely(client->family == ADDR_V4))
		return share_first_bits(key.hi, len) ^ (hash_mix(ADDR_V4) ^ salt);
	if (len < 64)
		return share_first_bits(key.hi, len) ^ (hash_mix(ADDR_V6) ^ salt);
	return key.hi ^ hash_mix((len < 128 ? share_first_bits(key.lo, len - 64) : key.lo) + ADDR_V6) ^ salt;
}

// The client's part of a rendezvous hash.
static inline uint64_t share_key(const struct location *where, unsigned len)
{
	return hash_mix(share_fold(where, len, 0));
}

// The client's number below SHARE_ALL; the same for all sites and targets.
static inline uint32_t share_of_client(const struct location *where, unsigned len)
{
	const uint64_t salt = 0x7368617265730000; // it is not correlated with the sites' weights

	return (uint32_t)(hash_mix(share_fold(where, len, salt)) >> 48);
}

// What decides whether an app steers the client, the same for all apps: its upper 16 bits are another such number, and the client
// is steered if that is below the app's share. With the first one, a drain that moves clients little by little would begin with
// those who are not steered. Those get a target by draws that are made from all of it.
static inline uint64_t share_draw(const struct location *where, unsigned len)
{
	const uint64_t salt = 0x61646f7074000000;

	return hash_mix(share_fold(where, len, salt));
}

static inline uint32_t share_number(uint64_t draw)
{
	return (uint32_t)(draw >> 48);
}

// Whether it is among those that an app, whose targets have TARGET_ADOPTED, steers. `first`: its first target.
static inline bool share_steers(const struct live *live, uint64_t draw, uint32_t first)
{
	dev_must(first < live->shares->count);
	return share_number(draw) < live->shares->of[first].steered;
}

// Whether the target takes the client with this number, by those of TARGET_PARTS that are in `bars` and that it has.
static inline bool share_takes(const struct live *live, uint32_t client, uint32_t target, uint32_t bars)
{
	const struct target_share *share = &live->shares->of[target];

	dev_must(target < live->shares->count);
	return (!(bars & TARGET_LEAVING) || client < share->staying) && (!(bars & TARGET_EASED) || client < share->eased);
}
