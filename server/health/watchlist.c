// Copies checks and targets from a config and matches them with those of the list in use; see watchlist.h.
#include "health/watchlist.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "config/config.h"
#include "health/score.h"

enum { CHECK_BYTES_MAX = (1 << 20) + CONFIG_CA_BYTES_MAX };

// ---- checks ---------------------------------------------------------------------------------------------------------

static int copy_check(const struct config_check *from, struct check *check)
{
	struct arena *arena = check->arena;
	size_t pairs = from->expect_status_count;

	check->conf = *from;
	check->conf.path = arena_strdup(arena, from->path);
	check->conf.host = arena_strdup(arena, from->host);
	check->conf.sni = arena_strdup(arena, from->sni);
	check->conf.ca_file = arena_strdup(arena, from->ca_file);
	check->conf.ca_pem = arena_strdup(arena, from->ca_pem);
	check->ca_hash = from->ca_pem ? hash_bytes(0, from->ca_pem, strlen(from->ca_pem)) : 0;
	check->conf.expect_status = arena_copy(arena, from->expect_status, pairs * 2 * sizeof(*from->expect_status));
	if ((from->path && !check->conf.path) || (from->host && !check->conf.host) || (from->sni && !check->conf.sni) ||
	    (from->ca_file && !check->conf.ca_file) || (from->ca_pem && !check->conf.ca_pem) || !check->conf.expect_status)
		return E_NOMEM;

	int err = needle_make(arena, from->expect_body, &check->body);

	check->conf.expect_body = check->body.text;
	check->conf.name = NULL;
	return err;
}

static void free_check(struct check *check)
{
	if (check)
		arena_free(check->arena); // contains the check itself
}

static int make_checks(const struct config *config, struct watchlist *list)
{
	list->checks = calloc(config->check_count + 1, sizeof(struct check *));
	if (!list->checks)
		return E_NOMEM;
	for (size_t i = 0; i < config->check_count; i++) {
		struct arena *arena = arena_new(CHECK_BYTES_MAX);
		struct check *check = arena ? arena_take(arena, sizeof(*check)) : NULL;

		if (!check) {
			arena_free(arena);
			return E_NOMEM;
		}
		check->arena = arena;
		list->checks[list->check_count++] = check;

		int err = copy_check(&config->checks[i], check);

		if (err < 0)
			return err;
	}
	return E_OK;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

// Whether both send the same request and accept the same responses.
static bool same_question(const struct check *old, const struct check *new)
{
	const struct config_check *a = &old->conf, *b = &new->conf;

	return a->type == b->type && a->port == b->port && same_text(a->path, b->path) && same_text(a->host, b->host) &&
	       same_text(a->sni, b->sni) && a->verify == b->verify && same_text(a->ca_pem, b->ca_pem) &&
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

// ---- the list in use, by name ---------------------------------------------------------------------------------------

// A hash table from app and site to the previous list's target number + 1; 0 is a free slot.
struct by_name {
	const struct watchlist *list;
	uint32_t *at;
	size_t mask; // the table's size - 1; at most half of it is used
};

static uint64_t hash_of(const char *app, const char *site)
{
	return hash_bytes(hash_bytes(0, app, strlen(app)), site, strlen(site));
}

static uint32_t *place_of(const struct by_name *names, const char *app, const char *site)
{
	size_t at = hash_of(app, site) & names->mask;

	for (; names->at[at]; at = (at + 1) & names->mask) {
		const struct watch *have = names->list->watches[names->at[at] - 1];

		if (strcmp(have->probe.app, app) == 0 && strcmp(have->site, site) == 0)
			break;
	}
	return &names->at[at];
}

static int index_names(const struct watchlist *list, struct by_name *names)
{
	size_t mask = 15;

	while (list && mask < (size_t)list->count * 2)
		mask = mask * 2 + 1;
	*names = (struct by_name){list, calloc(mask + 1, sizeof(uint32_t)), mask};
	if (!names->at)
		return E_NOMEM;
	for (uint32_t i = 0; list && i < list->count; i++)
		*place_of(names, list->watches[i]->probe.app, list->watches[i]->site) = i + 1;
	return E_OK;
}

// ---- the new list ---------------------------------------------------------------------------------------------------

struct making {
	const struct config *config;
	struct watchlist *list;
	struct by_name names;
	bool *kept;             // by the previous list's target numbers
	uint32_t next_slot;     // where to look for the next free one
};

// How a target is to be probed.
struct wanted {
	const char *app, *site;
	const struct addr *addr;   // NULL: the target has none
	struct check *check;       // NULL: it is not probed
};

static struct wanted wanted_of(const struct making *m, const struct config_app *app, const struct config_target *target)
{
	const struct addr *addr = target->check_address.family != ADDR_NONE ? &target->check_address
	                          : target->address_count                   ? &target->addresses[0]
	                                                                    : NULL;

	return (struct wanted){app->name, m->config->sites[target->site].name, addr,
	                       target->check >= 0 && addr ? m->list->checks[target->check] : NULL};
}

static struct watch *watch_new(const struct wanted *wanted, uint32_t slot)
{
	size_t app_len = strlen(wanted->app) + 1, site_len = strlen(wanted->site) + 1;
	struct watch *watch = calloc(1, sizeof(*watch) + app_len + site_len);
	bool checked = wanted->check != NULL;

	if (!watch)
		return NULL;
	memcpy(watch->names, wanted->app, app_len);
	memcpy(watch->names + app_len, wanted->site, site_len);
	watch->probe.app = watch->names;
	watch->site = watch->names + app_len;
	watch->probe.check = wanted->check;
	if (wanted->check)
		wanted->check->users++;
	if (wanted->addr)
		watch->probe.addr = *wanted->addr;
	watch->slot = slot;
	watch->settled = !checked;
	watch->shown = (struct health_target){.checked = checked, .up = !checked, .layer = HEALTH_PENDING};
	strcpy(watch->shown.text, checked ? "not probed yet" : "no check");
	return watch;
}

// What a new watch takes over from an old one at the same address (is_same(), watchlist_inherit()). First row that
// applies:
//
//   new watch     old watch                       result
//   not checked   not checked                     the old watch is kept
//   not checked   checked                         a new watch, nothing taken over
//   checked       not checked                     up until the first result, as it has been answered so far
//   checked       same request and same pace      the old watch is kept
//   checked       same request, has a result      a new watch with the old state as if just confirmed
//   checked       other request, or no result     a new watch with the old state until the first result
static bool is_same_address(const struct watch *old, const struct wanted *wanted)
{
	static const struct addr none = {.family = ADDR_NONE};

	return addr_equal(&old->probe.addr, wanted->addr ? wanted->addr : &none);
}

static bool is_same(const struct watch *old, const struct wanted *wanted)
{
	const struct check *a = old->probe.check, *b = wanted->check;

	if (!is_same_address(old, wanted) || !a || !b)
		return is_same_address(old, wanted) && a == b;
	return same_question(a, b) && same_pace(a, b);
}

void watchlist_inherit(const struct watch_fresh *fresh)
{
	const struct watch *before = fresh->before;
	struct watch *watch = fresh->watch;
	const struct check *check = watch->probe.check;

	if (!before || !check)
		return;
	watch->shown.up = before->shown.up;
	watch->shown.since_s = before->shown.since_s;
	if (before->probe.check && same_question(before->probe.check, check) && before->decided) {
		watch->score = score_sure(before->shown.up, check->conf.rise, check->conf.fall);
		watch->decided = watch->settled = true;
	}
	if (before->probe.check) {
		watch->shown.probes = before->shown.probes;
		watch->shown.failures = before->shown.failures;
	}
}

// A slot unused in the previous list. Those of watches that are removed now are not reused: they may still report a
// result.
static uint32_t free_slot(struct making *m)
{
	const struct watchlist *previous = m->list->previous;

	while (previous && m->next_slot < previous->slot_count && previous->numbers[m->next_slot] != WATCHLIST_NONE)
		m->next_slot++;
	return m->next_slot++;
}

static int add(struct making *m, const struct config_app *app, const struct config_target *target)
{
	struct watchlist *list = m->list;
	struct wanted wanted = wanted_of(m, app, target);
	uint32_t found = list->previous ? *place_of(&m->names, wanted.app, wanted.site) : 0;
	struct watch *old = found ? list->previous->watches[found - 1] : NULL, *watch = old;

	if (!old || !is_same(old, &wanted)) {
		bool inherits = old && wanted.check && is_same_address(old, &wanted);

		watch = watch_new(&wanted, free_slot(m));
		if (!watch)
			return E_NOMEM;
		list->fresh[list->fresh_count++] = (struct watch_fresh){watch, inherits ? old : NULL, watch->slot, watch->shown.up};
		list->fresh_unsettled += !watch->settled;
	} else {
		m->kept[found - 1] = true;
	}
	list->unchecked += !wanted.check;
	if (wanted.check)
		list->probes_at_worst += (double)wanted.check->conf.timeout_ms / wanted.check->conf.interval_ms;
	must(!m->list->previous || watch != old || watch->slot < list->previous->slot_count);
	list->slots[list->count] = watch->slot;
	list->watches[list->count++] = watch;
	return E_OK;
}

static int number_slots(struct making *m)
{
	struct watchlist *list = m->list;
	const struct watchlist *previous = list->previous;

	list->slot_count = m->next_slot;
	if (previous && previous->slot_count > list->slot_count)
		list->slot_count = previous->slot_count;
	list->numbers = malloc((list->slot_count + 1) * sizeof(*list->numbers));
	list->up = calloc(list->slot_count + 1, 1);
	list->gone = calloc(previous ? previous->count + 1 : 1, sizeof(struct watch *));
	if (!list->numbers || !list->up || !list->gone)
		return E_NOMEM;
	for (uint32_t i = 0; i < list->slot_count; i++)
		list->numbers[i] = WATCHLIST_NONE;
	for (uint32_t i = 0; i < list->count; i++) {
		must(list->slots[i] < list->slot_count && list->numbers[list->slots[i]] == WATCHLIST_NONE);
		list->numbers[list->slots[i]] = i;
	}
	for (uint32_t i = 0; previous && i < previous->count; i++)
		if (!m->kept[i])
			list->gone[list->gone_count++] = previous->watches[i];
	return E_OK;
}

static int fill(struct making *m)
{
	const struct config *config = m->config;
	struct watchlist *list = m->list;
	size_t count = 0;
	int err = make_checks(config, list);

	for (size_t i = 0; i < config->app_count; i++)
		count += config->apps[i].target_count;
	list->watches = calloc(count + 1, sizeof(struct watch *));
	list->slots = calloc(count + 1, sizeof(*list->slots));
	list->fresh = calloc(count + 1, sizeof(*list->fresh));
	m->kept = calloc(list->previous ? list->previous->count + 1 : 1, sizeof(bool));
	if (!list->watches || !list->slots || !list->fresh || !m->kept)
		return E_NOMEM;
	for (size_t i = 0; i < config->app_count && err == E_OK; i++)
		for (size_t k = 0; k < config->apps[i].target_count && err == E_OK; k++)
			err = add(m, &config->apps[i], &config->apps[i].targets[k]);
	must(err != E_OK || list->count == count);
	return err == E_OK ? number_slots(m) : err;
}

int watchlist_new(const struct config *config, const struct watchlist *previous, struct watchlist **ret_watchlist)
{
	struct watchlist *list = calloc(1, sizeof(*list));
	struct making m = {.config = config, .list = list};
	int err = list ? index_names(previous, &m.names) : E_NOMEM;

	if (err == E_OK) {
		list->previous = previous;
		err = fill(&m);
	}
	free(m.names.at);
	free(m.kept);
	if (err < 0)
		watchlist_discard(list);
	else
		*ret_watchlist = list;
	return err;
}

struct watchlist *watchlist_discard(struct watchlist *watchlist)
{
	for (size_t i = 0; watchlist && i < watchlist->fresh_count; i++)
		free(watchlist->fresh[i].watch);
	for (size_t i = 0; watchlist && i < watchlist->check_count; i++)
		free_check(watchlist->checks[i]);
	return watchlist_free(watchlist);
}

struct watchlist *watchlist_free(struct watchlist *watchlist)
{
	if (!watchlist)
		return NULL;
	free(watchlist->watches);
	free(watchlist->slots);
	free(watchlist->numbers);
	free(watchlist->up);
	free(watchlist->checks);
	free(watchlist->fresh);
	free(watchlist->gone);
	free(watchlist);
	return NULL;
}

void watchlist_adopt(struct watchlist *watchlist)
{
	for (size_t i = 0; i < watchlist->check_count; i++)
		if (watchlist->checks[i]->users == 0)
			free_check(watchlist->checks[i]);
	watchlist->check_count = 0;
	watchlist->previous = NULL;
}

void watchlist_free_watch(struct watch *watch)
{
	struct check *check = (struct check *)watch->probe.check;

	must(!watch->probe.run && !watch->due);
	must(!check || check->users > 0);
	if (check && --check->users == 0)
		free_check(check);
	free(watch);
}
