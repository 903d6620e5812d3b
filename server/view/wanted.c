// Whom workers leave notes of; see wanted.h.
#include "view/wanted.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"

enum { FILLED = WANTED_BUCKET / 2 }; // prefixes in a bucket, on average, when there are as many as there may be

int wanted_new(const struct ptree *regions_v4, const struct ptree *regions_v6, const struct wanted_rules *rules,
               struct notes *notes, struct wanted **ret_wanted)
{
	struct wanted *wanted = calloc(1, sizeof(*wanted));
	int err;

	must(rules->len_v4 <= 32 && rules->len_v6 <= 128);
	if (!wanted)
		return E_NOMEM;
	users_start(&wanted->users);
	wanted->len_v4 = rules->len_v4;
	wanted->len_v6 = rules->len_v6;
	wanted->notes = notes;
	for (wanted->buckets = 1; wanted->buckets * FILLED < rules->max;)
		wanted->buckets *= 2;
	wanted->fresh = aligned_alloc(CACHE_LINE, wanted->buckets * sizeof(*wanted->fresh));
	err = wanted->fresh && getrandom(&wanted->seed, sizeof(wanted->seed), GRND_NONBLOCK) == sizeof(wanted->seed) ? E_OK : E_NOMEM;
	if (err == E_OK) {
		memset(wanted->fresh, 0, wanted->buckets * sizeof(*wanted->fresh));
		err = lpm_pair_freeze(regions_v4, regions_v6, NULL, &wanted->regions);
	}
	if (err == E_OK)
		*ret_wanted = wanted;
	else
		wanted_free(wanted);
	return err;
}

struct wanted *wanted_use(struct wanted *wanted)
{
	users_add(&wanted->users);
	return wanted;
}

struct wanted *wanted_free(struct wanted *wanted)
{
	if (!wanted || !users_leave(&wanted->users))
		return NULL;
	lpm_pair_wipe(&wanted->regions);
	free(wanted->fresh);
	free(wanted);
	return NULL;
}

// The hash of a prefix, not 0, and its bucket.
static struct wanted_bucket *bucket_of(const struct wanted *wanted, const struct addr *addr, uint32_t *ret_hash)
{
	struct addr_key key = addr_key(addr);
	uint64_t hash = hash_mix(wanted->seed ^ key.hi ^ hash_mix(key.lo + addr->family));

	*ret_hash = (uint32_t)hash | 1;
	return &wanted->fresh[hash >> 32 & (wanted->buckets - 1)];
}

static int find(const struct wanted_bucket *bucket, uint32_t hash)
{
	for (int i = 0; i < WANTED_BUCKET; i++)
		if (atomic_load_explicit(&bucket->hashes[i], memory_order_relaxed) == hash)
			return i;
	return -1;
}

void wanted_set_fresh(struct wanted *wanted, const struct prefix *prefix, bool is_fresh)
{
	uint32_t hash;
	struct wanted_bucket *bucket = bucket_of(wanted, &prefix->addr, &hash);
	int at = find(bucket, hash);

	if ((at >= 0) == is_fresh)
		return;
	if (is_fresh)
		at = find(bucket, 0);
	if (at >= 0)
		atomic_store_explicit(&bucket->hashes[at], is_fresh ? hash : 0, memory_order_relaxed);
}

bool wanted_has(const struct wanted *wanted, const struct addr *client)
{
	struct addr prefix;
	uint32_t hash;
	const struct wanted_bucket *bucket;

	if (!lpm_lookup(lpm_of(&wanted->regions, client->family), addr_key(client)).value)
		return false;
	prefix = addr_cut(client, client->family == ADDR_V4 ? wanted->len_v4 : wanted->len_v6);
	bucket = bucket_of(wanted, &prefix, &hash);
	return find(bucket, hash) < 0;
}

size_t wanted_bytes(const struct wanted *wanted)
{
	return sizeof(*wanted) + wanted->buckets * sizeof(*wanted->fresh) + lpm_pair_bytes(&wanted->regions);
}
