// Names and times; see ledger.h.
#include "state/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { PRUNE_FIRST = 1024 };

void ledger_done(struct ledger *ledger)
{
	for (size_t i = 0; ledger->until.slots && i <= ledger->until.mask; i++)
		free((char *)ledger->until.slots[i].app);
	table_done(&ledger->until);
	ledger->kept = 0;
}

void ledger_prune(struct ledger *ledger, int64_t now_s)
{
	struct table *until = &ledger->until;

	for (size_t i = 0; until->slots && i <= until->mask;) {
		char *key = (char *)until->slots[i].app;

		if (!until->slots[i].site || (int64_t)until->slots[i].value > now_s) {
			i++;
			continue;
		}
		table_remove(until, &until->slots[i]); // another one may have moved here
		free(key);
	}
	ledger->kept = until->count;
}

int ledger_add(struct ledger *ledger, const char *app, const char *site, int64_t until_s, int64_t now_s)
{
	struct table_slot *slot = table_find(&ledger->until, app, site);

	if (slot) {
		if ((int64_t)slot->value < until_s)
			slot->value = (uint64_t)until_s;
		return E_OK;
	}
	if (until_s <= now_s)
		return E_OK;
	if (ledger->until.count >= 2 * ledger->kept + PRUNE_FIRST || ledger->until.count >= LEDGER_MAX)
		ledger_prune(ledger, now_s);
	if (ledger->until.count >= LEDGER_MAX)
		return E_LIMIT;

	char *key = table_key(app, site);

	if (!key || table_add(&ledger->until, key, key + strlen(app) + 1, (uint64_t)until_s) < 0) {
		free(key);
		return E_NOMEM;
	}
	return E_OK;
}

int ledger_add_all(struct ledger *ledger, const struct ledger *from, int64_t shift_s, int64_t now_s)
{
	const struct table *until = &from->until;
	int err = E_OK;

	for (size_t i = 0; err == E_OK && until->slots && i <= until->mask; i++)
		if (until->slots[i].site)
			err = ledger_add(ledger, until->slots[i].app, until->slots[i].site, (int64_t)until->slots[i].value + shift_s,
			                 now_s);
	return err;
}

int64_t ledger_left_s(const struct ledger *ledger, const char *app, const char *site, int64_t now_s)
{
	const struct table *until = &ledger->until;
	int64_t last_s = now_s;

	if (app) {
		const struct table_slot *slot = table_find(until, app, site);

		return slot && (int64_t)slot->value > now_s ? (int64_t)slot->value - now_s : 0;
	}
	for (size_t i = 0; until->slots && i <= until->mask; i++)
		if (until->slots[i].site && strcmp(until->slots[i].site, site) == 0 && (int64_t)until->slots[i].value > last_s)
			last_s = (int64_t)until->slots[i].value;
	return last_s - now_s;
}

int64_t ledger_left_of(const struct ledger *ledger, bool (*is_wanted)(const void *ctx, const char *app, const char *site),
                       const void *ctx, int64_t now_s)
{
	const struct table *until = &ledger->until;
	int64_t last_s = now_s;

	for (size_t i = 0; until->slots && i <= until->mask; i++)
		if (until->slots[i].site && (int64_t)until->slots[i].value > last_s &&
		    is_wanted(ctx, until->slots[i].app, until->slots[i].site))
			last_s = (int64_t)until->slots[i].value;
	return last_s - now_s;
}
