// A hash table from network to holder, and for every count the list of those that hold so many: a connection more or less
// moves its holder to the next list, so the largest count is always known. See holders.h.
#include "net/holders.h"

#include <stdalign.h>

#include "base/hash.h"
#include "base/must.h"

enum { V4_LEN = 24, V6_LEN = 56 };

static uint32_t chain_count(uint32_t limit)
{
	uint32_t count = 1;

	while (count < limit)
		count *= 2;
	return count;
}

static size_t list_bytes(uint32_t limit)
{
	return ((size_t)limit + 1) * sizeof(struct holder_list);
}

size_t holders_size(uint32_t limit)
{
	return limit * sizeof(struct holder) + list_bytes(limit) + chain_count(limit) * sizeof(uint32_t);
}

void holders_init(struct holders *holders, void *memory, uint32_t limit, uint64_t seed)
{
	must(limit > 0 && (uintptr_t)memory % alignof(struct holder) == 0);
	*holders = (struct holders){.all = memory, .limit = limit, .mask = chain_count(limit) - 1, .seed = seed};
	holders->counts = (struct holder_list *)(holders->all + limit);
	holders->chains = (uint32_t *)(void *)((unsigned char *)holders->counts + list_bytes(limit));
}

static uint32_t *chain_of(const struct holders *holders, const struct addr *network)
{
	return &holders->chains[hash_mix(hash_bytes(holders->seed, network, sizeof(*network))) & holders->mask];
}

static void move_to(struct holders *holders, struct holder *holder, uint32_t count)
{
	must(count <= holders->limit);

	struct holder_list *list = &holders->counts[count];

	if (holder->count)
		TAILQ_REMOVE(&holders->counts[holder->count], holder, equals);
	if (!list->tqh_last)
		TAILQ_INIT(list);
	if (count)
		TAILQ_INSERT_TAIL(list, holder, equals);
	if (count > holders->most)
		holders->most = count;
	else if (holder->count == holders->most && TAILQ_EMPTY(&holders->counts[holder->count]))
		holders->most = count; // it was the only one with so many, and has one less now
	holder->count = count;
}

struct holder *holders_add(struct holders *holders, const struct addr *peer)
{
	struct addr network = addr_cut(peer, peer->family == ADDR_V4 ? V4_LEN : V6_LEN);
	uint32_t *chain = chain_of(holders, &network), number = *chain;
	struct holder *holder;

	while (number && !addr_equal(&holders->all[number - 1].network, &network))
		number = holders->all[number - 1].next;
	if (!number) {
		number = holders->unused ? holders->unused : ++holders->used;
		must(number <= holders->limit);
		holder = &holders->all[number - 1];
		if (holders->unused)
			holders->unused = holder->next;
		holder->network = network;
		holder->next = *chain;
		*chain = number;
		TAILQ_INIT(&holder->conns);
	}
	holder = &holders->all[number - 1];
	move_to(holders, holder, holder->count + 1);
	return holder;
}

void holders_remove(struct holders *holders, struct holder *holder)
{
	uint32_t *link = chain_of(holders, &holder->network), number = (uint32_t)(holder - holders->all) + 1;

	must(holder->count > 0);
	move_to(holders, holder, holder->count - 1);
	if (holder->count)
		return;
	while (*link != number) {
		must(*link);
		link = &holders->all[*link - 1].next;
	}
	*link = holder->next;
	holder->next = holders->unused;
	holders->unused = number;
}

struct holder *holders_most(const struct holders *holders)
{
	return holders->most ? TAILQ_FIRST(&holders->counts[holders->most]) : NULL;
}
