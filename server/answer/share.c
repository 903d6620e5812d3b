// Shares of clients; see share.h.
#include "answer/share.h"

#include "answer/locate.h"
#include "base/hash.h"
#include "base/must.h"
#include "view/app.h"
#include "view/live.h"

static const uint64_t share_salt = 0x7368617265730000; // a client's share is not correlated with the sites' weights

uint64_t share_key(const struct app *app, const struct location *where)
{
	struct addr cut = addr_cut(where->client, locate_hash_len(app, where));
	struct addr_key key = addr_key(&cut);

	return hash_mix(key.hi ^ hash_mix(key.lo + cut.family));
}

uint32_t share_of_client(const struct app *app, const struct location *where)
{
	return (uint32_t)(hash_mix(share_key(app, where) ^ share_salt) >> 48);
}

bool share_takes(const struct live *live, const struct app *app, const struct location *where, uint32_t target,
                 uint8_t bars)
{
	uint32_t at = live_share_find(live->shares, target), client = share_of_client(app, where);
	const struct target_share *share = &live->shares->list[at];

	must(at < live->shares->count && share->target == target);
	return (!(bars & TARGET_LEAVING) || client < share->staying) && (!(bars & TARGET_EASED) || client < share->eased);
}
