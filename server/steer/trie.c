// A prefix table that changes a little at a time; see trie.h. graft.c writes its nodes.
#include "steer/trie.h"

#include <stdbool.h>

#include "base/err.h"
#include "steer/graft.h"
#include "steer/slots.h"
#include "steer/stride.h"
#include "steer/wordpool.h"

enum {
	PAGE_BITS = GRAFT_PAGE_BITS,
	PAGES_BITS = 2 * PAGE_BITS, // of both levels
	ROOM_MIN = 1 << 14,         // words of a pool
	BLOCK_WORDS = 24,           // that a block of a change takes, about
	SPARSE_WORDS = 1 << 18,     // from which on a pool that is mostly free is left for a smaller one
	SPARSE = 8,
};

// ---- versions -------------------------------------------------------------------------------------------------------

// Makes the version, or gives it up.
static int write_version(const struct trie *trie, const struct trie_change *change, struct wordpool_version *version,
                         bool is_whole, struct trie *ret_trie)
{
	uint32_t top;
	int err = graft_write(change, trie->words, (uint32_t)(trie->top - trie->words), version, is_whole, &top);

	if (err < 0) {
		wordpool_abandon(version);
		return err;
	}
	wordpool_end(version);
	*ret_trie = (struct trie){version->words, version->words + top, version};
	return E_OK;
}

// Whether most of its memory is of no use any more.
static bool is_sparse(const struct trie *trie)
{
	size_t touched = wordpool_touched(trie->version);

	return touched >= SPARSE_WORDS && wordpool_taken(trie->version) < touched / SPARSE;
}

int trie_change(const struct trie *trie, const struct trie_change *change, struct trie *ret_trie)
{
	size_t taken = wordpool_taken(trie->version), room = taken + taken / 2 + change->count * BLOCK_WORDS + ROOM_MIN;
	bool is_long = change->count * BLOCK_WORDS / 2 > wordpool_room(trie->version); // it would hardly find room
	struct wordpool_version *version = change->is_whole || is_long || is_sparse(trie) ? NULL : wordpool_succeed(trie->version);
	int err = version ? write_version(trie, change, version, false, ret_trie) : E_LIMIT;

	for (; err == E_LIMIT && room <= WORDPOOL_WORDS_MAX; room *= 2) {
		version = wordpool_begin(room);
		err = version ? write_version(trie, change, version, true, ret_trie) : E_NOMEM;
	}
	return err;
}

int trie_empty(struct trie *ret_trie)
{
	static const struct trie_change nothing;
	struct wordpool_version *version = wordpool_begin(ROOM_MIN);
	uint32_t none[WORDPOOL_PAGE];

	for (unsigned i = 0; i < WORDPOOL_PAGE; i++)
		none[i] = slots_leaf(0);
	return version ? write_version(&(struct trie){none, none, NULL}, &nothing, version, true, ret_trie) : E_NOMEM;
}

void trie_wipe(struct trie *trie)
{
	wordpool_leave(trie->version);
	*trie = (struct trie){0};
}

size_t trie_bytes(const struct trie *trie)
{
	return wordpool_bytes(trie->version);
}

// ---- all of it ------------------------------------------------------------------------------------------------------

// The subtree that begins at `depth`; what leaves a path is one value.
static void visit(const struct trie *trie, uint32_t ref, unsigned depth, void (*each)(void *ctx, uint32_t value), void *ctx)
{
	const uint32_t *node = stride_is_leaf(ref) ? NULL : trie->words + ref;
	size_t count, head = depth < PAGES_BITS ? 0 : STRIDE_HEAD;

	if (!node) {
		each(ctx, stride_value(ref));
		return;
	}
	if (head > 0 && !(stride_starts(node) & 1)) {
		struct stride_path path = stride_path(node);

		each(ctx, path.value);
		visit(trie, node[STRIDE_PATH_WORDS - 1], depth + path.count, each, ctx);
		return;
	}
	count = head > 0 ? (size_t)__builtin_popcountll(stride_starts(node)) : WORDPOOL_PAGE;
	for (size_t i = 0; i < count; i++)
		visit(trie, node[head + i], depth + (head > 0 ? STRIDE_BITS : PAGE_BITS), each, ctx);
}

void trie_each_value(const struct trie *trie, void (*each)(void *ctx, uint32_t value), void *ctx)
{
	visit(trie, (uint32_t)(trie->top - trie->words), 0, each, ctx);
}

// ---- the search -----------------------------------------------------------------------------------------------------

static ALWAYS_INLINE struct lpm_hit search(const struct trie *trie, struct addr_key key)
{
	const uint32_t *words = trie->words;
	uint32_t ref = trie->top[key.hi >> (64 - PAGE_BITS)];

	if (likely(!stride_is_leaf(ref)))
		ref = words[ref + (key.hi >> (64 - PAGES_BITS) & (WORDPOOL_PAGE - 1))];
	key = stride_skip(key, PAGES_BITS);
	while (!stride_is_leaf(ref))
		ref = stride_step(words, ref, &key);
	return (struct lpm_hit){stride_value(ref), stride_depth(ref)};
}

static ALWAYS_INLINE void search_all(const struct trie *v4, const struct trie *v6, const struct addr *const *addrs,
                                     unsigned count, struct lpm_hit *ret_hits)
{
	for (unsigned i = 0; i < count; i++) {
		struct addr_key key = addr_key(addrs[i]);

		// An IPv4 address's lower half is zero, and stays so without being shifted.
		ret_hits[i] = likely(addrs[i]->family == ADDR_V4) ? search(v4, (struct addr_key){key.hi, 0}) : search(v6, key);
	}
}

#ifdef STRIDE_POPCNT
// Not cloned: with the same arguments, trie_lookup() just jumps here.
STRIDE_POPCNT __attribute__((noclone)) static struct lpm_hit search_popcnt(const struct trie *trie, struct addr_key key)
{
	return search(trie, key);
}

STRIDE_POPCNT __attribute__((noclone)) static void search_all_popcnt(const struct trie *v4, const struct trie *v6,
                                                                     const struct addr *const *addrs, unsigned count,
                                                                     struct lpm_hit *ret_hits)
{
	search_all(v4, v6, addrs, count, ret_hits);
}
#else
#define search_popcnt search
#define search_all_popcnt search_all
#endif

// Not inline, as the registers that it needs would be saved for the other one too.
static NOINLINE void search_all_plain(const struct trie *v4, const struct trie *v6, const struct addr *const *addrs,
                                      unsigned count, struct lpm_hit *ret_hits)
{
	search_all(v4, v6, addrs, count, ret_hits);
}

struct lpm_hit trie_lookup(const struct trie *trie, struct addr_key key)
{
	return likely(stride_has_popcnt()) ? search_popcnt(trie, key) : search(trie, key);
}

void trie_lookup_all(const struct trie *v4, const struct trie *v6, const struct addr *const *addrs, unsigned count,
                     struct lpm_hit *ret_hits)
{
	if (likely(stride_has_popcnt()))
		search_all_popcnt(v4, v6, addrs, count, ret_hits);
	else
		search_all_plain(v4, v6, addrs, count, ret_hits);
}
