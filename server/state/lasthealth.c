// Timers over the map of health; see lasthealth.h. One batch at a time is with the writer.
#include "state/lasthealth.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "state/limits.h"
#include "state/writer.h"

// A batch is small enough for the main loop not to notice. Seconds between writes, and after one that failed.
enum { BATCH_MAX = 16384, ALIAS_BATCH_MAX = 1024, SAVE_S = 1, AGAIN_S = 10 };

struct lasthealth {
	struct healthmap map;
	struct aliasmap aliases;
	struct writer *writer;
	struct event *save, *confirm;
	struct healthmap_row *batch;
	size_t batch_count;
	struct aliasmap_row *alias_batch;
	size_t alias_count;
	bool is_under_way, is_stopped;
	int64_t failing_s;            // since when it cannot be written, wall clock; 0: it can
	bool is_full; // said in the log, once
};

static bool has_dirty(const struct lasthealth *health)
{
	return health->map.dirty_count > 0 || health->aliases.dirty_count > 0;
}

static void arm(struct lasthealth *health, int seconds)
{
	struct timeval wait = {seconds, 0};

	if (has_dirty(health) && !health->is_under_way && !health->is_stopped &&
	    !event_pending(health->save, EV_TIMEOUT, NULL))
		event_add(health->save, &wait);
}

static void submit(struct lasthealth *health)
{
	if (health->is_under_way || health->is_stopped)
		return;
	health->batch_count = healthmap_take(&health->map, health->batch, BATCH_MAX);
	health->alias_count = aliasmap_take(&health->aliases, health->alias_batch, ALIAS_BATCH_MAX);
	health->is_under_way = true;
	writer_submit_health(health->writer, health->batch, health->batch_count, health->alias_batch, health->alias_count);
}

static void on_save(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	submit(arg);
}

// Every write confirms, so one that is under way is enough.
static void on_confirm(evutil_socket_t fd, short what, void *arg)
{
	struct lasthealth *health = arg;

	(void)fd;
	(void)what;
	if (health->map.count > 0)
		submit(health);
}

void lasthealth_written(struct lasthealth *health, int err)
{
	size_t count = health->batch_count;

	must(health->is_under_way && count <= BATCH_MAX);
	health->failing_s = err == E_OK ? 0 : health->failing_s ? health->failing_s : clock_wall_s();
	bool is_full = count == BATCH_MAX || health->alias_count == ALIAS_BATCH_MAX;

	healthmap_written(&health->map, health->batch, count, err == E_OK);
	aliasmap_written(&health->aliases, health->alias_batch, health->alias_count, err == E_OK);
	health->is_under_way = false;
	health->batch_count = health->alias_count = 0;
	if (err == E_OK && is_full && has_dirty(health))
		submit(health);
	else
		arm(health, err == E_OK ? SAVE_S : AGAIN_S);
}

int64_t lasthealth_failing_s(const struct lasthealth *health)
{
	return health->failing_s;
}

int lasthealth_new(struct event_base *base, struct writer *writer, struct healthmap *map,
                   struct aliasmap *aliases, unsigned confirm_ms, struct lasthealth **ret_health)
{
	struct lasthealth *health = calloc(1, sizeof(*health));
	const struct timeval often = {confirm_ms / 1000, confirm_ms % 1000 * 1000};

	if (!health)
		return E_NOMEM;
	health->writer = writer;
	health->batch = calloc(BATCH_MAX, sizeof(*health->batch));
	health->alias_batch = calloc(ALIAS_BATCH_MAX, sizeof(*health->alias_batch));
	health->save = evtimer_new(base, on_save, health);
	health->confirm = event_new(base, -1, EV_PERSIST, on_confirm, health);
	if (!health->batch || !health->alias_batch || !health->save || !health->confirm || event_add(health->confirm, &often) < 0) {
		lasthealth_free(health);
		return E_NOMEM;
	}
	health->map = *map;
	*map = (struct healthmap){0};
	health->aliases = *aliases;
	*aliases = (struct aliasmap){0};
	*ret_health = health;
	return E_OK;
}

struct lasthealth *lasthealth_free(struct lasthealth *health)
{
	if (!health)
		return NULL;
	if (health->save)
		event_free(health->save);
	if (health->confirm)
		event_free(health->confirm);
	healthmap_done(&health->map);
	aliasmap_done(&health->aliases);
	free(health->batch);
	free(health->alias_batch);
	free(health);
	return NULL;
}

void lasthealth_stop(struct lasthealth *health)
{
	health->is_stopped = true;
}

static int finish_aliases(struct lasthealth *health, const struct state_backend *backend, void *backend_ctx)
{
	int err = E_OK;

	while (err == E_OK && health->aliases.dirty_count > 0) {
		size_t count = aliasmap_take(&health->aliases, health->alias_batch, ALIAS_BATCH_MAX);

		err = count ? backend->aliases(backend_ctx, health->alias_batch, count) : E_NOMEM;
		aliasmap_written(&health->aliases, health->alias_batch, count, err == E_OK);
	}
	return err;
}

int lasthealth_finish(struct lasthealth *health, const struct state_backend *backend, void *backend_ctx)
{
	int err = E_OK;

	must(health->is_stopped && !health->is_under_way);
	while (err == E_OK && health->map.dirty_count > 0) {
		size_t count = healthmap_take(&health->map, health->batch, BATCH_MAX);

		err = backend->health(backend_ctx, health->batch, count);
		healthmap_written(&health->map, health->batch, count, err == E_OK);
	}
	return err == E_OK ? finish_aliases(health, backend, backend_ctx) : err;
}

void lasthealth_set(struct lasthealth *health, const char *app, const char *site, uint32_t probed, bool up,
                    int64_t since_s)
{
	int err = healthmap_set(&health->map, app, site, probed << 1 | up, since_s);

	arm(health, SAVE_S);
	if (err < 0 && !health->is_full) {
		log_warning("the health of %s at %s will not survive a restart: %s", app, site, err_text(err));
		health->is_full = true;
	}
}

int lasthealth_get(const struct lasthealth *health, const char *app, const char *site, uint32_t probed,
                   int64_t *ret_since_s)
{
	return healthmap_get(&health->map, app, site, probed, ret_since_s);
}

void lasthealth_retain_addresses(struct lasthealth *health, const char *app, const char *site, const uint32_t *probed,
                                 size_t count)
{
	healthmap_retain(&health->map, app, site, probed, count);
	health->is_full = false;
	arm(health, SAVE_S);
}

struct retaining {
	struct lasthealth *health;
	bool (*is_kept)(void *ctx, const char *app, const char *site);
	void *ctx;
};

static int retain_row(void *ctx, const struct healthmap_row *row)
{
	const struct retaining *retaining = ctx;

	if (!retaining->is_kept(retaining->ctx, row->app, row->site))
		lasthealth_retain_addresses(retaining->health, row->app, row->site, NULL, 0);
	return E_OK;
}

void lasthealth_retain(struct lasthealth *health, bool (*is_kept)(void *ctx, const char *app, const char *site),
                       void *ctx)
{
	struct retaining retaining = {health, is_kept, ctx};

	(void)healthmap_each(&health->map, retain_row, &retaining);
}

void lasthealth_set_alias(struct lasthealth *health, const char *name, const char *addresses, uint32_t ttl_s,
                          int64_t since_s)
{
	int err = strlen(addresses) > STATE_ALIAS_TEXT_MAX || strlen(name) > STATE_ALIAS_NAME_MAX
	              ? E_LIMIT
	              : aliasmap_set(&health->aliases, name, addresses, ttl_s, since_s);

	arm(health, SAVE_S);
	if (err < 0 && !health->is_full) {
		log_warning("the addresses of %s will not survive a restart: %s", name, err_text(err));
		health->is_full = true;
	}
}

const char *lasthealth_alias(const struct lasthealth *health, const char *name, uint32_t *ret_ttl_s,
                             int64_t *ret_since_s)
{
	const struct aliasmap_row *row = aliasmap_get(&health->aliases, name);

	if (!row)
		return NULL;
	*ret_ttl_s = row->ttl_s;
	*ret_since_s = row->since_s;
	return row->addresses;
}

void lasthealth_retain_aliases(struct lasthealth *health, bool (*is_kept)(void *ctx, const char *name), void *ctx)
{
	aliasmap_retain(&health->aliases, is_kept, ctx);
	arm(health, SAVE_S);
}
