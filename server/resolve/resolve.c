// Which names are looked up, and by which servers; see resolve.h.
#include "resolve/resolve.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/dict.h"
#include "base/err.h"
#include "base/must.h"
#include "resolve/schedule.h"
#include "wire/name.h"

// ---- configuration --------------------------------------------------------------------------------------------------

static void take_saved(struct scheduled *entry)
{
	const struct resolve_ops *ops = &entry->resolve->ops;
	struct resolve_addresses saved;

	if (!ops->saved || !ops->saved(ops->ctx, entry->name, &saved) || saved.count == 0)
		return;
	must(saved.count <= RESOLVE_ADDRESSES_MAX);
	saved.count = received_sort(saved.list, saved.count);
	for (size_t i = 0; i < saved.count; i++) {
		struct received *family = &entry->last_good[saved.list[i].family == ADDR_V6];

		family->addresses[family->count++] = saved.list[i];
		family->ttl_s = saved.ttl_s;
	}
	entry->shown.is_known = true;
	entry->saved_s = saved.good_s;
	entry->shown.is_stale = true;
	entry->shown.is_expired = clock_wall_s() - saved.good_s >= (int64_t)entry->resolve->max_age_s;
	entry->shown.last_good.good_s = saved.good_s;
	schedule_merge(entry, &entry->shown.last_good);
}

static struct scheduled *entry_new(struct resolve *resolve, const char *name)
{
	size_t size = strlen(name) + 1;
	struct scheduled *entry = calloc(1, sizeof(*entry) + size);

	if (!entry)
		return NULL;
	memcpy(entry->name, name, size);
	entry->resolve = resolve;
	entry->shown.name = entry->name;
	event_assign(&entry->timer, resolve->base, -1, 0, schedule_on_timer, entry);
	return entry;
}

// Entries of names that the list in use does not have. They are not scheduled yet.
static void discard(const struct resolve *resolve, struct dict *index)
{
	size_t count = 0;
	const struct dict_entry *rows = index ? dict_entries(index, &count) : NULL;

	for (size_t i = 0; i < count; i++)
		if (!resolve->index || !dict_find(resolve->index, rows[i].key))
			free((struct scheduled *)rows[i].value);
	dict_free(index);
}

// The index of the names wanted, which shares the entries that are in use already.
static int make_index(struct resolve *resolve, const struct resolve_config *config, struct dict **ret_index)
{
	struct dict *index = dict_new();
	size_t count = 0;
	int err = index ? E_OK : E_NOMEM;

	for (size_t i = 0; err == E_OK && i < config->name_count; i++) {
		const struct dict_entry *old = resolve->index ? dict_find(resolve->index, config->names[i]) : NULL;
		struct scheduled *entry;

		if (dict_find(index, config->names[i]))
			continue;
		entry = old ? (struct scheduled *)old->value : entry_new(resolve, config->names[i]);
		err = !entry ? E_NOMEM : ++count > RESOLVE_NAMES_MAX ? E_LIMIT : E_OK;
		if (err == E_OK)
			err = dict_add(index, entry->name, (uintptr_t)entry);
		if (err < 0 && !old)
			free(entry);
	}
	if (err < 0)
		discard(resolve, index);
	else
		*ret_index = index;
	return err;
}

static void zones_done(struct received_zones *zones)
{
	free(zones->names);
	*zones = (struct received_zones){0};
}

static int make_zones(const struct resolve_config *config, struct received_zones *zones)
{
	*zones = (struct received_zones){calloc(config->zone_count + 1, sizeof(*zones->names)), 0};
	if (!zones->names)
		return E_NOMEM;
	for (size_t i = 0; i < config->zone_count; i++) {
		struct wire_name *name = &zones->names[zones->count];

		if (name_from_text(config->zones[i], name->wire, &name->len) < 0)
			continue; // the config has been checked
		name_fold(name->wire, name->len);
		zones->count++;
	}
	return E_OK;
}

// Whether the asker in use will do. The system's servers may have changed.
static bool has_asker(const struct resolve *resolve, const struct asker_config *next)
{
	const struct asker_config *used = &resolve->asker_config;

	return next->server_count > 0 && next->server_count == used->server_count && next->timeout_ms == used->timeout_ms &&
	       next->attempts == used->attempts &&
	       memcmp(next->servers, used->servers, next->server_count * sizeof(*next->servers)) == 0;
}

// A new asker when the servers or the patience are others than those in use; NULL: they are the same. Without names none is
// needed.
static int make_asker(const struct resolve *resolve, const struct resolve_config *config, struct asker **ret_asker)
{
	const struct asker_config next = {config->servers, config->server_count, config->timeout_ms, config->attempts};
	const char *why = "";
	int err;

	*ret_asker = NULL;
	if (config->name_count == 0 || (resolve->asker && (config->keeps_servers || has_asker(resolve, &next))))
		return E_OK;
	err = asker_new(resolve->base, &next, ret_asker, &why);
	if (err < 0)
		resolve_log_no_resolver(why);
	return err;
}

static void take_asker(struct resolve *resolve, const struct resolve_config *config, struct asker *asker)
{
	struct asker *old = resolve->asker;

	resolve->asker = asker;
	if (config->server_count)
		memcpy(resolve->servers, config->servers, config->server_count * sizeof(*config->servers));
	resolve->asker_config =
		(struct asker_config){resolve->servers, config->server_count, config->timeout_ms, config->attempts};
	asker_free(old); // what it has not answered is queued again
}

static void forget(struct scheduled *entry)
{
	struct resolve *resolve = entry->resolve;

	if (!entry->shown.is_known)
		resolve->unknown--;
	if (entry->is_queued)
		TAILQ_REMOVE(&resolve->queue, entry, queued);
	entry->is_queued = false;
	entry->is_gone = true;
	event_del(&entry->timer);
	if (entry->asking == 0)
		schedule_drop(entry);
}

// Takes an index into use: names that are gone are forgotten, new ones are looked up.
static void take_index(struct resolve *resolve, struct dict *index)
{
	struct dict *old = resolve->index;
	size_t count = 0;
	const struct dict_entry *rows = old ? dict_entries(old, &count) : NULL;

	resolve->index = index;
	for (size_t i = 0; i < count; i++)
		if (!dict_find(index, rows[i].key))
			forget((struct scheduled *)rows[i].value);
	rows = dict_entries(index, &count);
	for (size_t i = 0; i < count; i++) {
		struct scheduled *entry = (struct scheduled *)rows[i].value;

		if (old && dict_find(old, rows[i].key))
			continue;
		take_saved(entry);
		resolve->unknown += !entry->shown.is_known;
		schedule_queue_up(entry);
	}
	dict_free(old);
}

int resolve_configure(struct resolve *resolve, const struct resolve_config *config)
{
	struct received_zones zones = {0};
	struct dict *index = NULL;
	struct asker *asker = NULL;
	bool is_first = !resolve->index;
	int err = config->server_count > RESOLVE_SERVERS_MAX ? E_LIMIT : make_zones(config, &zones);

	if (err == E_OK)
		err = make_index(resolve, config, &index);
	if (err == E_OK) {
		err = make_asker(resolve, config, &asker);
		if (err < 0)
			discard(resolve, index);
	}
	if (err < 0) {
		zones_done(&zones);
		return err;
	}
	zones_done(&resolve->zones);
	resolve->zones = zones;
	resolve->max_age_s = config->max_age_s;
	if (asker)
		take_asker(resolve, config, asker);
	take_index(resolve, index);
	if (is_first)
		schedule_set_timer(resolve->settle, resolve->unknown ? resolve->ops.pace.first_ms : 0);
	return E_OK;
}

// ---- the whole ------------------------------------------------------------------------------------------------------

static void set_default(unsigned *field, unsigned value)
{
	if (!*field)
		*field = value;
}

static void on_settle(evutil_socket_t fd, short what, void *arg)
{
	struct resolve *resolve = arg;

	(void)fd;
	(void)what;
	event_free(resolve->settle);
	resolve->settle = NULL;
	resolve_log_first_round(resolve->unknown);
	resolve->ops.settled(resolve->ops.ctx);
}

struct resolve *resolve_new(struct event_base *base, const struct resolve_ops *ops)
{
	struct resolve *resolve = calloc(1, sizeof(*resolve));

	if (!resolve)
		return NULL;
	resolve->base = base;
	resolve->ops = *ops;
	set_default(&resolve->ops.pace.floor_ms, 5000);
	set_default(&resolve->ops.pace.cap_ms, 3600000);
	set_default(&resolve->ops.pace.retry_ms, 5000);
	set_default(&resolve->ops.pace.retry_for_ms, 60000);
	set_default(&resolve->ops.pace.retry_max_ms, 300000);
	set_default(&resolve->ops.pace.gather_ms, 50);
	set_default(&resolve->ops.pace.first_ms, 5000);
	resolve->draws = (uint64_t)clock_mono_ns();
	TAILQ_INIT(&resolve->queue);
	resolve->start = event_new(base, -1, 0, schedule_on_start, resolve);
	resolve->settle = event_new(base, -1, 0, on_settle, resolve);
	return resolve->start && resolve->settle ? resolve : resolve_free(resolve);
}

struct resolve *resolve_free(struct resolve *resolve)
{
	struct dict *index = resolve ? resolve->index : NULL;
	size_t count = 0;
	const struct dict_entry *rows = index ? dict_entries(index, &count) : NULL;

	if (!resolve)
		return NULL;
	for (size_t i = 0; i < count; i++)
		forget((struct scheduled *)rows[i].value);
	dict_free(index);
	asker_free(resolve->asker);
	must(resolve->under_way == 0);
	zones_done(&resolve->zones);
	if (resolve->start)
		event_free(resolve->start);
	if (resolve->settle)
		event_free(resolve->settle);
	free(resolve);
	return NULL;
}

const struct resolve_name *resolve_get(const struct resolve *resolve, const char *name)
{
	const struct dict_entry *found = resolve->index ? dict_find(resolve->index, name) : NULL;

	return found ? &((const struct scheduled *)found->value)->shown : NULL;
}

void resolve_stats(const struct resolve *resolve, struct resolve_stats *ret_stats)
{
	struct resolve_stats stats = {.lookups = resolve->lookups, .failures = resolve->failures};
	size_t count = 0;
	const struct dict_entry *rows = resolve->index ? dict_entries(resolve->index, &count) : NULL;
	int64_t now_s = clock_wall_s();

	stats.names = count;
	for (size_t i = 0; i < count; i++) {
		const struct resolve_name *shown = &((const struct scheduled *)rows[i].value)->shown;
		int64_t age_s = now_s - shown->last_good.good_s;

		stats.empty += shown->last_good.count == 0;
		stats.stale += shown->is_stale;
		if (shown->is_stale && shown->last_good.good_s && age_s > (int64_t)stats.oldest_s)
			stats.oldest_s = (uint64_t)age_s;
	}
	*ret_stats = stats;
}
