// A history of changes; see history.h. The until_s of an override is the number of the change that gave it + 1.
#include "history.h"

#include <stdio.h>
#include <string.h>

#include "state/state.h"

enum { APPS = 4 };

// Never the same for two changes that follow each other.
static unsigned draw(unsigned seed, uint32_t number, unsigned salt)
{
	uint64_t x = (uint64_t)seed << 32 ^ (uint64_t)number * 2654435761u ^ (uint64_t)salt * 40503u;

	x = (x ^ x >> 31) * 0x9fb21c651e98df25u;
	return (unsigned)(x >> 33);
}

// Key k: site k / APPS, app k % APPS (the first: a drain of the site). Every third change is a removal, some of all
// overrides at a site.
static unsigned key_of(unsigned seed, uint32_t number)
{
	return draw(seed, number, 1) % HISTORY_KEYS;
}

static bool is_removal(unsigned seed, uint32_t number)
{
	return draw(seed, number, 2) % 3 == 0;
}

static bool is_of_every_app(unsigned seed, uint32_t number)
{
	return draw(seed, number, 3) % 4 == 0;
}

static void name_key(unsigned key, char site[static 16], char app[static 16])
{
	snprintf(site, 16, "site%u", key / APPS);
	snprintf(app, 16, "app%u", key % APPS);
}

void history_give(struct state *state, unsigned seed, uint32_t number,
                  void (*done)(void *ctx, const struct state_result *result), void *ctx)
{
	unsigned key = key_of(seed, number), reason_len = draw(seed, number, 4) % 200;
	char site[16], app[16], reason[256];

	name_key(key, site, app);
	memset(reason, 'r', sizeof(reason));
	reason[reason_len] = '\0';
	if (is_removal(seed, number)) {
		state_remove(state, &(struct override_match){OVERRIDE_DRAIN, site, key % APPS ? app : NULL,
		                                             is_of_every_app(seed, number)}, done, ctx);
		return;
	}
	state_put(state, &(struct override){.kind = OVERRIDE_DRAIN, .site = site, .app = key % APPS ? app : NULL,
	                                    .reason = reason, .who = (char *)"w", .since_s = 1, .until_s = number + 1},
	          done, ctx);
}

void history_apply(struct history *history, uint32_t number)
{
	unsigned key = key_of(history->seed, number);

	if (!is_removal(history->seed, number))
		history->given[key] = number + 1;
	else if (is_of_every_app(history->seed, number))
		memset(history->given + key / APPS * APPS, 0, APPS * sizeof(history->given[0]));
	else
		history->given[key] = 0;
}

static const struct override *held(const struct state *state, unsigned key)
{
	char site[16], app[16];

	name_key(key, site, app);
	return state_drain_given(state, key % APPS ? app : NULL, site);
}

bool history_is(const struct history *history, const struct state *state)
{
	size_t count = 0;

	for (unsigned key = 0; key < HISTORY_KEYS; key++) {
		const struct override *drain = held(state, key);

		if ((drain ? drain->until_s : 0) != history->given[key])
			return false;
		count += drain != NULL;
	}
	return count == state_override_count(state);
}

bool history_is_part(const struct history *history, const struct state *state, uint32_t end, size_t *ret_missing)
{
	size_t count = 0, missing = 0;

	for (unsigned key = 0; key < HISTORY_KEYS; key++) {
		const struct override *drain = held(state, key);

		missing += history->given[key] && (!drain || drain->until_s != history->given[key]);
		if (!drain)
			continue;
		count++;
		if (drain->until_s < 1 || drain->until_s > end || is_removal(history->seed, (uint32_t)drain->until_s - 1) ||
		    key_of(history->seed, (uint32_t)drain->until_s - 1) != key)
			return false;
	}
	*ret_missing = missing;
	return count == state_override_count(state);
}
