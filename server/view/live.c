// Publishing the live part; see live.h.
#include "view/live.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "view/learned.h"
#include "view/view.h"
#include "view/wanted.h"

struct published live_published;

static uint64_t epochs; // main thread only

const char *live_state_text(uint8_t state)
{
	static const char *const texts[] = {
		[0] = "up",
		[TARGET_EASED] = "up in part",
		[TARGET_LEAVING] = "draining",
		[TARGET_LEAVING | TARGET_DOWN] = "draining, down",
		[TARGET_DOWN] = "down",
		[TARGET_DRAINED] = "drained",
		[TARGET_DRAINED | TARGET_DOWN] = "drained, down",
		[TARGET_EMPTY] = "no address",
		[TARGET_EMPTY | TARGET_DOWN] = "no address",
		[TARGET_EMPTY | TARGET_DRAINED] = "drained, no address",
		[TARGET_EMPTY | TARGET_DRAINED | TARGET_DOWN] = "drained, no address",
	};

	state &= TARGET_CLOSED | TARGET_PARTS;
	if (state & (TARGET_DRAINED | TARGET_EMPTY))
		state &= TARGET_CLOSED;
	else if (state & (TARGET_DOWN | TARGET_LEAVING))
		state &= (uint8_t)~TARGET_EASED;
	return texts[state];
}

// Retired parts kept for reuse: with very many targets a fresh array of states costs more in page faults than in
// copying. The reclaimer returns them after a grace period of some milliseconds, so a few are in flight.
enum { SPARES = 8 };

struct spares {
	_Atomic(void *) list[SPARES]; // NULL: an empty place
};

static struct spares spare_states, spare_shares, spare_lives;

// Any thread. Frees `retired` when there is no place for it.
static void spares_put(struct spares *spares, void *retired)
{
	void *none = NULL;

	for (int i = 0; i < SPARES; i++, none = NULL)
		if (atomic_compare_exchange_strong(&spares->list[i], &none, retired))
			return;
	free(retired);
}

// NULL: there is none.
static void *spares_take(struct spares *spares)
{
	void *spare = NULL;

	for (int i = 0; i < SPARES && !spare; i++)
		spare = atomic_exchange(&spares->list[i], NULL);
	return spare;
}

static void spares_free(struct spares *spares)
{
	for (int i = 0; i < SPARES; i++)
		free(atomic_exchange(&spares->list[i], NULL));
}

static void put_states(void *retired)
{
	spares_put(&spare_states, retired);
}

static void put_shares(void *retired)
{
	spares_put(&spare_shares, retired);
}

static void put_live(void *retired)
{
	spares_put(&spare_lives, retired);
}

struct target_states *live_states_new(uint32_t count)
{
	struct target_states *states;

	while ((states = spares_take(&spare_states)) && states->count != count)
		free(states); // of a view with more or fewer targets
	if (states) {
		memset(states->octets, 0, count);
		return states;
	}
	states = calloc(1, sizeof(*states) + count);
	if (states)
		states->count = count;
	return states;
}

struct target_shares *live_shares_new(uint32_t count)
{
	struct target_shares *shares;

	while ((shares = spares_take(&spare_shares)) && shares->count != count)
		free(shares); // of a view with more or fewer targets
	if (!shares && (shares = calloc(1, sizeof(*shares) + count * sizeof(shares->of[0]))))
		shares->count = count;
	return shares;
}

void live_shares_put(const struct target_shares *shares)
{
	if (shares)
		put_shares((void *)shares);
}

int live_reserve_shares(uint32_t count)
{
	struct target_shares *shares = live_shares_new(count);

	if (shares)
		put_shares(shares);
	return shares ? E_OK : E_NOMEM;
}

int live_reserve(uint32_t count)
{
	struct target_states *states = live_states_new(count);
	struct live *live = live_next();

	if (states)
		put_states(states);
	if (live)
		put_live(live);
	return states && live ? E_OK : E_NOMEM;
}

struct live *live_next(void)
{
	const struct live *now = live_current();
	struct live *live = spares_take(&spare_lives);

	if (!live)
		live = malloc(sizeof(*live));
	if (live)
		*live = now ? *now : (struct live){0};
	return live;
}

static void free_view(void *view)
{
	view_free(view);
}

static void free_learned(void *learned)
{
	learned_free(learned);
}

static void free_wanted(void *wanted)
{
	wanted_free(wanted);
}

// Publishes `live` (NULL: nothing). Each part that it no longer has is freed after a grace period.
static void replace(struct live *live)
{
	static const struct live none;
	const struct live *old = publish_swap(&live_published, live), *next = live ? live : &none;

	if (!old)
		return;
	must(old->view && old->states && old != live);
	if (next->view != old->view)
		publish_retire((void *)old->view, free_view);
	if (next->states != old->states)
		publish_retire((void *)old->states, live ? put_states : free);
	if (next->shares != old->shares && old->shares)
		publish_retire((void *)old->shares, live ? put_shares : free);
	if (next->learned != old->learned && old->learned)
		publish_retire((void *)old->learned, free_learned);
	if (next->wanted != old->wanted && old->wanted)
		publish_retire((void *)old->wanted, free_wanted);
	if (next->columns != old->columns && old->columns)
		publish_retire((void *)old->columns, free);
	publish_retire((void *)old, live ? put_live : free);
}

uint32_t live_share(const struct live *live, uint32_t target)
{
	uint8_t state = live_state(live, target);
	const struct target_share *share;
	uint32_t staying, eased;

	if (!(state & TARGET_PARTS))
		return SHARE_ALL;
	share = &live->shares->of[target];
	staying = state & TARGET_LEAVING ? share->staying : SHARE_ALL;
	eased = state & TARGET_EASED ? share->eased : SHARE_ALL;
	return staying < eased ? staying : eased;
}

void live_publish(struct live *live)
{
	must(live->view && live->states && live->states->count == live->view->target_count);
	must(!live->learned || live->learned->tables == live->view->tables);
	must(!live->shares || live->shares->count == live->view->target_count);
	live->epoch = ++epochs;
	replace(live);
}

const struct live *live_current(void)
{
	return live_read();
}

void live_withdraw(void)
{
	replace(NULL);
	spares_free(&spare_states);
	spares_free(&spare_shares);
	spares_free(&spare_lives);
}
