// Shares of clients; see share.h.
#include "answer/share.h"

#include "answer/locate.h"
#include "base/hash.h"
#include "base/must.h"
#include "view/app.h"
#include "view/live.h"

static const uint64_t share_salt = 0x7368617265730000; // a client's share is not correlated with the sites' weights

// The first `len` bits of 64.
static uint64_t first_bits(uint64_t bits, unsigned len)
{
	return len == 0 ? 0 : len >= 64 ? bits : bits & ~(UINT64_MAX >> len);
}

uint64_t share_key(const struct app *app, const struct location *where)
{
	struct addr_key key = addr_key(where->client);
	unsigned len = locate_hash_len(app, where);
	uint64_t hi = first_bits(key.hi, len), lo = first_bits(key.lo, len > 64 ? len - 64 : 0);

	return hash_mix(hi ^ hash_mix(lo + where->client->family));
}

uint32_t share_of_client(const struct app *app, const struct location *where)
{
	return (uint32_t)(hash_mix(share_key(app, where) ^ share_salt) >> 48);
}

bool share_takes(const struct live *live, uint32_t client, uint32_t target, uint8_t bars)
{
	uint32_t at = live_share_find(live->shares, target);
	const struct target_share *share = &live->shares->list[at];

	must(at < live->shares->count && share->target == target);
	return (!(bars & TARGET_LEAVING) || client < share->staying) && (!(bars & TARGET_EASED) || client < share->eased);
}
