// Copies checks and targets from a config and matches them with those of the list in use; see watchlist.h.
#include "health/watchlist.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "config/config.h"

static int make_checks(const struct config *config, struct watchlist *list)
{
	int err = E_OK;

	list->checks = calloc(config->check_count + 1, sizeof(struct check *));
	if (!list->checks)
		return E_NOMEM;
	for (size_t i = 0; i < config->check_count && err == E_OK; i++) {
		err = checks_new(&config->checks[i], &list->checks[i]);
		list->check_count += err == E_OK;
	}
	return err;
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

		if (strcmp(have->names, app) == 0 && strcmp(have->site, site) == 0)
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
		*place_of(names, list->watches[i]->names, list->watches[i]->site) = i + 1;
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
	const struct addr *addresses; // that the config gives
	size_t count;
	uint64_t written;             // their hash; 0: they come at run time
	struct check *check;          // NULL: it is not probed
	bool is_whole, is_dynamic;
};

static struct wanted wanted_of(const struct making *m, const struct config_app *app, const struct config_target *target)
{
	bool is_whole = target->check_address_count > 0 || target->check_name;
	struct wanted wanted = {
		.app = app->name,
		.site = m->config->sites[target->site].name,
		.addresses = is_whole ? target->check_addresses : target->addresses,
		.count = is_whole ? target->check_address_count : target->address_count,
		.is_whole = is_whole,
	};

	wanted.is_dynamic = wanted.count == 0 && (is_whole || !target->cname);
	if (!wanted.is_dynamic)
		wanted.written = hash_bytes(1, wanted.addresses, wanted.count * sizeof(*wanted.addresses)) | 1;
	if (target->check >= 0 && (wanted.count > 0 || wanted.is_dynamic))
		wanted.check = m->list->checks[target->check];
	return wanted;
}

static struct watch *make_watch(const struct wanted *wanted, uint32_t slot)
{
	struct watch *watch = watch_new(wanted->app, wanted->site, wanted->check, slot);
	struct endpoint **end = watch ? &watch->endpoints : NULL;

	if (!watch)
		return NULL;
	watch->written = wanted->written;
	watch->is_whole = wanted->is_whole;
	watch->is_dynamic = wanted->is_dynamic;
	for (size_t i = 0; wanted->check && i < wanted->count; i++) {
		*end = watch_endpoint_new(watch, &wanted->addresses[i]);
		if (!*end)
			return watch_discard(watch);
		end = &(*end)->next;
	}
	return watch;
}

// Whether the old watch stays as it is.
static bool is_same(const struct watch *old, const struct wanted *wanted)
{
	const struct check *a = old->check, *b = wanted->check;

	return old->written == wanted->written && old->is_whole == wanted->is_whole &&
	       old->is_dynamic == wanted->is_dynamic && (a && b ? checks_same(a, b) : a == b);
}

// Whether a new watch takes over what is known of the old one, see watch_inherit(). On a reload a target without any
// of its addresses is another one. Endpoints that come and go at run time are not looked at: they are the main thread's.
static bool inherits(struct watch *old, const struct wanted *wanted)
{
	if (!wanted->check || !old->check || old->is_dynamic || wanted->is_dynamic)
		return wanted->check && (old->written == wanted->written || old->is_dynamic || wanted->is_dynamic);
	for (size_t i = 0; i < wanted->count; i++)
		if (watch_find(old, &wanted->addresses[i]))
			return true;
	return false;
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
		watch = make_watch(&wanted, free_slot(m));
		if (!watch)
			return E_NOMEM;
		list->fresh[list->fresh_count++] = (struct watch_fresh){watch, old, old && inherits(old, &wanted), watch->slot,
		                                                        watch_marks(watch)};
		list->fresh_unsettled += watch_unsettled(watch);
	} else {
		m->kept[found - 1] = true;
	}
	list->unchecked += !wanted.check;
	if (wanted.check)
		list->at_worst[wanted.check->conf.type] +=
			(double)wanted.count * wanted.check->conf.timeout_ms / wanted.check->conf.interval_ms;
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
	list->marks = calloc(list->slot_count + 1, 1);
	list->gone = calloc(previous ? previous->count + 1 : 1, sizeof(struct watch *));
	if (!list->numbers || !list->marks || !list->gone)
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
		watch_discard(watchlist->fresh[i].watch);
	for (size_t i = 0; watchlist && i < watchlist->check_count; i++)
		checks_free(watchlist->checks[i]);
	return watchlist_free(watchlist);
}

struct watchlist *watchlist_free(struct watchlist *watchlist)
{
	if (!watchlist)
		return NULL;
	free(watchlist->watches);
	free(watchlist->slots);
	free(watchlist->numbers);
	free(watchlist->marks);
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
			checks_free(watchlist->checks[i]);
	watchlist->check_count = 0;
	watchlist->previous = NULL;
}
