// What caches may still hold; see cached.h. A target that keeps its TTL, or gets a longer one, needs no entry: a cache
// has it from the old view no longer than from the new one.
#include "state/cached.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "view/view.h"

// The old view answers until the new one is published, and `now_s` has lost its fraction.
enum { SLACK_S = 2 };

static void free_all(struct table *table)
{
	for (size_t i = 0; table->slots && i <= table->mask; i++)
		free((char *)table->slots[i].app);
	table_done(table);
}

void cached_done(struct cached *cached)
{
	free_all(&cached->until);
}

static int keep(struct table *kept, const char *app, const char *site, uint32_t until_s)
{
	struct table_slot *slot = table_find(kept, app, site);

	if (slot) {
		slot->value = slot->value > until_s ? slot->value : until_s;
		return E_OK;
	}

	char *key = table_key(app, site);

	if (!key || table_add(kept, key, key + strlen(app) + 1, until_s) < 0) {
		free(key);
		return E_NOMEM;
	}
	return E_OK;
}

static int index_ttls(const struct view *view, struct table *ttls)
{
	for (uint32_t i = 0; i < view->target_count; i++) {
		const struct target *target = &view->targets[i];

		if (table_add(ttls, target->app->name, view->sites[target->site].name, target->app->ttl_s) == E_NOMEM)
			return E_NOMEM;
	}
	return E_OK;
}

int cached_reload(struct cached *cached, const struct view *old, const struct view *next, int64_t now_s)
{
	const struct table *before = &cached->until;
	struct table ttls = {0}, kept = {0};
	int err = index_ttls(next, &ttls);

	for (size_t i = 0; err == E_OK && before->slots && i <= before->mask; i++)
		if (before->slots[i].site && before->slots[i].value > now_s)
			err = keep(&kept, before->slots[i].app, before->slots[i].site, before->slots[i].value);
	for (uint32_t i = 0; err == E_OK && i < old->target_count; i++) {
		const char *app = old->targets[i].app->name, *site = old->sites[old->targets[i].site].name;
		uint32_t ttl_s = old->targets[i].app->ttl_s;
		const struct table_slot *now = table_find(&ttls, app, site);

		if (!now || now->value < ttl_s)
			err = keep(&kept, app, site, (uint32_t)now_s + ttl_s + SLACK_S);
	}
	table_done(&ttls);
	free_all(err == E_OK ? &cached->until : &kept);
	if (err == E_OK)
		cached->until = kept;
	return err;
}

int64_t cached_left_s(const struct cached *cached, const char *app, const char *site, int64_t now_s)
{
	const struct table *until = &cached->until;
	int64_t last_s = now_s;

	if (app) {
		const struct table_slot *slot = table_find(until, app, site);

		return slot && slot->value > now_s ? slot->value - now_s : 0;
	}
	for (size_t i = 0; until->slots && i <= until->mask; i++)
		if (until->slots[i].site && strcmp(until->slots[i].site, site) == 0 && until->slots[i].value > last_s)
			last_s = until->slots[i].value;
	return last_s - now_s;
}
