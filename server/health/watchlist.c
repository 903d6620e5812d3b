// Copies checks and targets out of a config and matches them with those of the one before; see watchlist.h.
#include "health/watchlist.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "config/config.h"
#include "health/score.h"

enum { ROSTER_MAX_BYTES = 1 << 30 };

static int copy_check(struct arena *arena, const struct config_check *from, struct check *check)
{
	size_t pairs = from->expect_status_count;

	check->conf = *from;
	check->conf.path = arena_strdup(arena, from->path);
	check->conf.host = arena_strdup(arena, from->host);
	check->conf.sni = arena_strdup(arena, from->sni);
	check->conf.ca_file = arena_strdup(arena, from->ca_file);
	check->conf.expect_status = arena_copy(arena, from->expect_status, pairs * 2 * sizeof(*from->expect_status));
	if ((from->path && !check->conf.path) || (from->host && !check->conf.host) || (from->sni && !check->conf.sni) ||
	    (from->ca_file && !check->conf.ca_file) || !check->conf.expect_status)
		return E_NOMEM;

	int err = needle_make(arena, from->expect_body, &check->body);

	check->conf.expect_body = check->body.text;
	check->conf.name = NULL;
	return err;
}

static struct watch *watch_new(const struct config_target *target, const struct check *checks)
{
	const struct addr *addr = target->check_address.family != ADDR_NONE ? &target->check_address
	                          : target->address_count                   ? &target->addresses[0]
	                                                                    : NULL;
	bool checked = target->check >= 0 && addr;
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->probe.check = checked ? &checks[target->check] : NULL;
	if (addr)
		watch->probe.addr = *addr;
	watch->settled = !checked;
	watch->shown = (struct health_target){.checked = checked, .up = !checked, .layer = HEALTH_PENDING};
	strcpy(watch->shown.text, checked ? "not probed yet" : "no check");
	return watch;
}

static int fill(struct watchlist *watchlist, const struct config *config, const struct check *checks)
{
	const char **sites = arena_take_array(watchlist->arena, config->site_count, sizeof(*sites));

	for (size_t i = 0; sites && i < config->site_count; i++)
		if (!(sites[i] = arena_strdup(watchlist->arena, config->sites[i].name)))
			return E_NOMEM;
	for (size_t i = 0; sites && i < config->app_count; i++) {
		const struct config_app *app = &config->apps[i];
		const char *name = arena_strdup(watchlist->arena, app->name);

		for (size_t k = 0; k < app->target_count; k++) {
			struct watch *watch = watch_new(&app->targets[k], checks);

			if (!watch || !name) {
				free(watch);
				return E_NOMEM;
			}
			watch->probe.app = name;
			watch->site = sites[app->targets[k].site];
			watch->number = watchlist->count;
			watchlist->watches[watchlist->count++] = watch;
		}
	}
	return sites ? E_OK : E_NOMEM;
}

int watchlist_new(const struct config *config, struct watchlist **ret_roster)
{
	struct watchlist *watchlist = calloc(1, sizeof(*watchlist));
	size_t count = 0;
	int err = E_NOMEM;

	if (!watchlist)
		return E_NOMEM;
	for (size_t i = 0; i < config->app_count; i++)
		count += config->apps[i].target_count;
	watchlist->watches = calloc(count + 1, sizeof(*watchlist->watches));
	watchlist->arena = arena_new(ROSTER_MAX_BYTES);
	if (!watchlist->watches || !watchlist->arena)
		goto out;

	struct check *checks = arena_take_array(watchlist->arena, config->check_count, sizeof(*checks));

	if (!checks)
		goto out;
	err = E_OK;
	for (size_t i = 0; err == E_OK && i < config->check_count; i++)
		err = copy_check(watchlist->arena, &config->checks[i], &checks[i]);
	if (err == E_OK)
		err = fill(watchlist, config, checks);
out:
	if (err == E_OK)
		*ret_roster = watchlist;
	else
		watchlist_free(watchlist);
	return err;
}

struct watchlist *watchlist_free(struct watchlist *watchlist)
{
	if (!watchlist)
		return NULL;
	for (size_t i = 0; i < watchlist->count; i++)
		free(watchlist->watches[i]);
	free(watchlist->watches);
	arena_free(watchlist->arena);
	free(watchlist);
	return NULL;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

// Whether both ask the same and take the same for an answer.
static bool same_question(const struct check *old, const struct check *new)
{
	const struct config_check *a = &old->conf, *b = &new->conf;

	return a->type == b->type && a->port == b->port && same_text(a->path, b->path) && same_text(a->host, b->host) &&
	       same_text(a->sni, b->sni) && a->verify == b->verify && same_text(a->ca_file, b->ca_file) &&
	       a->expect_status_count == b->expect_status_count &&
	       memcmp(a->expect_status, b->expect_status, a->expect_status_count * 2 * sizeof(*a->expect_status)) == 0 &&
	       same_text(a->expect_body, b->expect_body);
}

static bool same_pace(const struct check *old, const struct check *new)
{
	const struct config_check *a = &old->conf, *b = &new->conf;

	return a->interval_ms == b->interval_ms && a->timeout_ms == b->timeout_ms && a->rise == b->rise &&
	       a->fall == b->fall;
}

static uint64_t hash_of(const struct watch *watch)
{
	return hash_bytes(hash_bytes(0, watch->probe.app, strlen(watch->probe.app)), watch->site, strlen(watch->site));
}

// Where the watch of the same app and site is, or would be, in a table of numbers + 1.
static size_t slot_of(const struct watchlist *watchlist, const size_t *slots, size_t mask, const struct watch *watch)
{
	size_t at = hash_of(watch) & mask;

	for (; slots[at]; at = (at + 1) & mask) {
		const struct watch *have = watchlist->watches[slots[at] - 1];

		if (have && strcmp(have->probe.app, watch->probe.app) == 0 && strcmp(have->site, watch->site) == 0)
			break;
	}
	return at;
}

// The old watch comes to stand in its successor's place.
static void succeed(struct watchlist *watchlist, size_t i, struct watchlist *old, size_t old_i)
{
	struct watch *fresh = watchlist->watches[i], *watch = old->watches[old_i];

	watch->probe.check = fresh->probe.check;
	watch->probe.app = fresh->probe.app;
	watch->site = fresh->site;
	watch->number = i;
	watchlist->watches[i] = watch;
	old->watches[old_i] = NULL;
	free(fresh);
}

// What an old watch at the same address is worth to its successor. First row that applies:
//
//   the new one      the old one                     the new one
//   is not checked   any                             begins by itself
//   checked          not checked                     shows it up until the first result, as it was answered until now
//   checked          asked the same, at this pace    is the old one
//   checked          asked the same, was decided     goes on from its state, as one that is beyond doubt
//   checked          asked something else            shows its state until the first result
static void match(struct watchlist *watchlist, size_t i, struct watchlist *old, size_t old_i)
{
	struct watch *fresh = watchlist->watches[i];
	const struct watch *watch = old->watches[old_i];
	const struct check *new_check = fresh->probe.check, *old_check = watch->probe.check;

	if (!new_check || !addr_equal(&fresh->probe.addr, &watch->probe.addr))
		return;
	if (old_check && same_question(old_check, new_check) && same_pace(old_check, new_check)) {
		succeed(watchlist, i, old, old_i);
		return;
	}
	fresh->shown.up = watch->shown.up;
	fresh->shown.since_s = watch->shown.since_s;
	if (old_check && same_question(old_check, new_check) && watch->decided) {
		fresh->score = score_sure(watch->shown.up, new_check->conf.rise, new_check->conf.fall);
		fresh->decided = fresh->settled = true;
	}
}

int watchlist_inherit(struct watchlist *watchlist, struct watchlist *old)
{
	size_t mask = 15;

	while (mask < old->count * 2)
		mask = mask * 2 + 1;

	size_t *slots = calloc(mask + 1, sizeof(*slots));

	if (!slots)
		return E_NOMEM;
	for (size_t i = 0; i < old->count; i++)
		slots[slot_of(old, slots, mask, old->watches[i])] = i + 1;
	for (size_t i = 0; i < watchlist->count; i++) {
		size_t found = slots[slot_of(old, slots, mask, watchlist->watches[i])];

		if (found)
			match(watchlist, i, old, found - 1);
	}
	free(slots);
	return E_OK;
}
