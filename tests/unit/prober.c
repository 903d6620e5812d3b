// See prober.h.
#include "prober.h"

#include "health/watchlist.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "responder.h"

static void on_changed(void *ctx, size_t target, const struct health_address *address)
{
	struct prober *prober = ctx;

	prober->changes++;
	prober->last_changed = target;
	prober->last_address = address->addr;
}

static void on_settled(void *ctx)
{
	struct prober *prober = ctx;

	assert(health_settled(prober->health));
	prober->settles++;
}

static int on_saved(void *ctx, const char *app, const char *site, uint32_t endpoint, int64_t *ret_since_s)
{
	const struct prober *prober = ctx;

	(void)app;
	(void)site;
	*ret_since_s = PROBER_SAVED_SINCE_S;
	if (prober->saved_endpoint && endpoint != prober->saved_endpoint)
		return !prober->saved;
	return prober->saved;
}

static void on_listed(void *ctx, const char *app, const char *site, const uint32_t *endpoints, size_t count)
{
	struct prober *prober = ctx;

	(void)app;
	(void)site;
	(void)endpoints;
	prober->listed = count;
}

static char *name_of(const char *before, size_t i, const char *after)
{
	char *name = malloc(64);

	assert(name);
	snprintf(name, 64, "%s%zu%s", before, i, after);
	return name;
}

void prober_open(struct prober *prober, size_t apps, size_t targets)
{
	static uint16_t ok[] = {200, 299};
	const struct health_ops ops = {on_changed, on_settled, on_saved, on_listed, prober};

	signal(SIGPIPE, SIG_IGN);
	log_set_level(LOG_LEVEL_ERROR);
	memset(prober, 0, sizeof(*prober));
	prober->saved = -1;
	prober->base = event_base_new();
	assert(prober->base && event_base_priority_init(prober->base, 3) == 0); // as the daemon's
	prober->health = health_new(prober->base, &ops);
	assert(prober->health);
	prober->checks[0] = (struct config_check){
		.name = "check", .type = CHECK_HTTP, .path = "/healthz", .verify = true, .expect_status = ok,
		.expect_status_count = 1, .interval_ms = 100, .timeout_ms = PROBER_PATIENT_MS, .rise = 1, .fall = 1,
	};
	prober->checks[1] = prober->checks[0];
	prober->config.checks = prober->checks;
	prober->config.check_count = 2;
	prober->config.server.probes = 256;
	prober->config.site_count = targets;
	prober->config.sites = calloc(targets, sizeof(struct config_site));
	prober->config.app_count = apps;
	prober->config.apps = calloc(apps, sizeof(struct config_app));
	for (size_t i = 0; i < targets; i++)
		prober->config.sites[i].name = name_of("site-", i, "");
	for (size_t i = 0; i < apps; i++) {
		struct config_app *app = &prober->config.apps[i];

		app->name = name_of("app", i, ".example.com");
		app->target_count = targets;
		app->targets = calloc(targets, sizeof(struct config_target));
		for (size_t k = 0; k < targets; k++) {
			struct addr *addr = malloc(sizeof(*addr));

			assert(addr && addr_parse("127.0.0.1", addr) == 0);
			app->targets[k] = (struct config_target){.site = (unsigned)k, .addresses = addr, .address_count = 1};
		}
	}
}

void prober_close(struct prober *prober)
{
	health_free(prober->health);
	event_base_free(prober->base);
	for (size_t i = 0; i < prober->config.app_count; i++) {
		struct config_app *app = &prober->config.apps[i];

		for (size_t k = 0; k < app->target_count; k++)
			free(app->targets[k].addresses);
		free(app->targets);
		free((char *)app->name);
	}
	for (size_t i = 0; i < prober->config.site_count; i++)
		free((char *)prober->config.sites[i].name);
	free(prober->config.apps);
	free(prober->config.sites);
}

void prober_open_with(struct prober *prober, struct responder *responder, size_t apps, size_t targets)
{
	prober_open(prober, apps, targets);
	responder_open(responder, prober->base, "127.0.0.1", 0);
	prober->checks[0].port = prober->checks[1].port = responder->port;
}

void prober_close_with(struct prober *prober, struct responder *responder)
{
	responder_close(responder);
	prober_close(prober);
}

void prober_configure(struct prober *prober)
{
	struct watchlist *list = NULL;
	int err = watchlist_new(&prober->config, health_list(prober->health), &list);

	assert(err == 0);
	health_configure(prober->health, list, prober->config.server.probes);
}

struct config_target *prober_target(struct prober *prober, size_t app, size_t target)
{
	return &prober->config.apps[app].targets[target];
}

const struct health_target *prober_health(struct prober *prober, size_t target)
{
	return health_target(prober->health, target);
}

static bool is_up(void *ctx)
{
	return prober_health(ctx, 0)->up;
}

static bool is_down(void *ctx)
{
	return !is_up(ctx);
}

static bool is_settled(void *ctx)
{
	return ((struct prober *)ctx)->settles > 0;
}

static bool is_busy(void *ctx)
{
	struct prober *prober = ctx;
	struct health_stats stats;

	health_stats(prober->health, &stats);
	return stats.under_way == prober->busy;
}

static bool never(void *ctx)
{
	(void)ctx;
	return false;
}

int64_t prober_until(struct prober *prober, bool up, unsigned limit_ms)
{
	return responder_run(prober->base, up ? is_up : is_down, prober, limit_ms);
}

int64_t prober_until_settled(struct prober *prober, unsigned limit_ms)
{
	return responder_run(prober->base, is_settled, prober, limit_ms);
}

bool prober_until_under_way(struct prober *prober, unsigned count)
{
	prober->busy = count;
	return responder_run(prober->base, is_busy, prober, 1000) >= 0;
}

static bool is_probed(void *ctx)
{
	struct prober *prober = ctx;
	struct health_stats stats;

	health_stats(prober->health, &stats);
	return stats.probes >= prober->busy;
}

bool prober_until_probed(struct prober *prober, unsigned count)
{
	struct health_stats stats;

	health_stats(prober->health, &stats);
	prober->busy = (unsigned)stats.probes + count;
	return responder_run(prober->base, is_probed, prober, PROBER_PATIENT_MS) >= 0;
}

void prober_run(struct prober *prober, unsigned ms)
{
	responder_run(prober->base, never, NULL, ms);
}
