// See rig.h.
#include "prober.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "responder.h"

static void on_changed(void *ctx, size_t target)
{
	struct rig *rig = ctx;

	rig->changes++;
	rig->last_changed = target;
}

static void on_settled(void *ctx)
{
	struct rig *rig = ctx;

	assert(health_settled(rig->health));
	rig->settles++;
}

static int on_saved(void *ctx, const char *app, const char *site, uint32_t probed)
{
	(void)app;
	(void)site;
	(void)probed;
	return ((struct rig *)ctx)->saved;
}

static char *name_of(const char *before, size_t i, const char *after)
{
	char *name = malloc(64);

	assert(name);
	snprintf(name, 64, "%s%zu%s", before, i, after);
	return name;
}

void rig_open(struct rig *rig, size_t apps, size_t targets)
{
	static uint16_t ok[] = {200, 299};
	const struct health_ops ops = {on_changed, on_settled, on_saved, rig};

	signal(SIGPIPE, SIG_IGN);
	log_set_level(LOG_LEVEL_ERROR);
	memset(rig, 0, sizeof(*rig));
	rig->saved = -1;
	rig->base = event_base_new();
	assert(rig->base && event_base_priority_init(rig->base, 3) == 0); // as the daemon's
	rig->health = health_new(rig->base, &ops);
	assert(rig->health);
	rig->checks[0] = (struct config_check){
		.name = "check", .type = CHECK_HTTP, .path = "/healthz", .verify = true, .expect_status = ok,
		.expect_status_count = 1, .interval_ms = 100, .timeout_ms = 100, .rise = 1, .fall = 1,
	};
	rig->checks[1] = rig->checks[0];
	rig->config.checks = rig->checks;
	rig->config.check_count = 2;
	rig->config.server.probes = 256;
	rig->config.site_count = targets;
	rig->config.sites = calloc(targets, sizeof(struct config_site));
	rig->config.app_count = apps;
	rig->config.apps = calloc(apps, sizeof(struct config_app));
	for (size_t i = 0; i < targets; i++)
		rig->config.sites[i].name = name_of("site-", i, "");
	for (size_t i = 0; i < apps; i++) {
		struct config_app *app = &rig->config.apps[i];

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

void rig_close(struct rig *rig)
{
	health_free(rig->health);
	event_base_free(rig->base);
	for (size_t i = 0; i < rig->config.app_count; i++) {
		struct config_app *app = &rig->config.apps[i];

		for (size_t k = 0; k < app->target_count; k++)
			free(app->targets[k].addresses);
		free(app->targets);
		free((char *)app->name);
	}
	for (size_t i = 0; i < rig->config.site_count; i++)
		free((char *)rig->config.sites[i].name);
	free(rig->config.apps);
	free(rig->config.sites);
}

void rig_open_with(struct rig *rig, struct responder *responder, size_t apps, size_t targets)
{
	rig_open(rig, apps, targets);
	responder_open(responder, rig->base, "127.0.0.1", 0);
	rig->checks[0].port = rig->checks[1].port = responder->port;
}

void rig_close_with(struct rig *rig, struct responder *responder)
{
	responder_close(responder);
	rig_close(rig);
}

void rig_configure(struct rig *rig)
{
	int err = health_configure(rig->health, &rig->config);

	assert(err == 0);
}

struct config_target *rig_target(struct rig *rig, size_t app, size_t target)
{
	return &rig->config.apps[app].targets[target];
}

const struct health_target *rig_health(struct rig *rig, size_t target)
{
	return health_target(rig->health, target);
}

static bool is_up(void *ctx)
{
	return rig_health(ctx, 0)->up;
}

static bool is_down(void *ctx)
{
	return !is_up(ctx);
}

static bool is_settled(void *ctx)
{
	return ((struct rig *)ctx)->settles > 0;
}

static bool is_busy(void *ctx)
{
	struct rig *rig = ctx;
	struct health_stats stats;

	health_stats(rig->health, &stats);
	return stats.under_way == rig->busy;
}

static bool never(void *ctx)
{
	(void)ctx;
	return false;
}

int64_t rig_until(struct rig *rig, bool up, unsigned limit_ms)
{
	return responder_run(rig->base, up ? is_up : is_down, rig, limit_ms);
}

int64_t rig_until_settled(struct rig *rig, unsigned limit_ms)
{
	return responder_run(rig->base, is_settled, rig, limit_ms);
}

bool rig_until_under_way(struct rig *rig, unsigned count)
{
	rig->busy = count;
	return responder_run(rig->base, is_busy, rig, 1000) >= 0;
}

void rig_run(struct rig *rig, unsigned ms)
{
	responder_run(rig->base, never, NULL, ms);
}
