// Providers run once; see providers.h.
#include "online/providers.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/clock.h"
#include "base/err.h"
#include "config/config.h"
#include "provide/join.h"
#include "provide/provide.h"
#include "provide/provider.h"
#include "provide/snapshot.h"

enum { LOOK_MS = 50, CLEAN_LEN = 1024 };

// ---- Running them ----

struct running {
	struct event_base *base;
	struct provide *provide;
	int64_t deadline_ms;
};

static void on_changed(void *ctx)
{
	(void)ctx; // the snapshot at the end is enough
}

static bool have_all_committed(const struct provide *provide)
{
	for (size_t i = 0; i < provide_count(provide); i++) {
		struct provider_report report;
		struct provide_status status;

		provide_status(provide, i, &status, &report);
		if (report.committed_s == 0)
			return false;
	}
	return true;
}

// What was committed has come by then: it is in the loop's inbox before the report says so.
static void look(evutil_socket_t fd, short what, void *arg)
{
	struct running *running = arg;

	(void)fd, (void)what;
	if (have_all_committed(running->provide) || clock_mono_ms() >= running->deadline_ms) {
		const struct timeval soon = {.tv_usec = LOOK_MS * 1000};

		event_base_loopexit(running->base, &soon);
	}
}

static int run(struct running *running)
{
	const struct timeval often = {.tv_usec = LOOK_MS * 1000};
	struct event *timer = event_new(running->base, -1, EV_PERSIST, look, running);
	int err = timer && event_add(timer, &often) == 0 ? E_OK : E_NOMEM;

	running->deadline_ms = clock_mono_ms() + PROVIDERS_MS;
	if (err == E_OK && event_base_dispatch(running->base) < 0)
		err = E_IO;
	if (timer)
		event_free(timer);
	return err;
}

// ---- What they gave ----

// Of what comes from a source, some is no UTF-8, which is no JSON either. NULL for "".
static json_t *cleaned(const char *text)
{
	char shown[CLEAN_LEN];

	clean_copy(shown, sizeof(shown), text);
	return *shown ? json_string(shown) : NULL;
}

static json_t *addresses_of(const struct provided *target)
{
	json_t *list = json_array();
	char text[ADDR_TEXT_LEN];

	for (size_t i = 0; i < target->address_count; i++)
		if (json_array_append_new(list, json_string(addr_format(&target->addresses[i], text))) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *targets_of(const struct snapshot *snapshot, const char *label)
{
	json_t *list = json_array();
	int failed = list ? 0 : -1;

	for (size_t i = 0; i < snapshot->count && !failed; i++) {
		const struct provided *target = &snapshot->targets[i];

		if (strcmp(target->provider, label) == 0)
			failed = json_array_append_new(list, target->alias ? json_pack("{s:o*, s:o*, s:o*}", "app", cleaned(target->app),
			                                                               "site", cleaned(target->site), "alias",
			                                                               cleaned(target->alias))
			                                                   : json_pack("{s:o*, s:o*, s:o}", "app", cleaned(target->app),
			                                                               "site", cleaned(target->site), "addresses",
			                                                               addresses_of(target)));
	}
	if (failed)
		json_decref(list);
	return failed ? NULL : list;
}

static json_t *refused_of(const struct config *joined, const char *label)
{
	json_t *list = json_array();
	int failed = list ? 0 : -1;

	for (size_t i = 0; i < joined->refused_count && !failed; i++) {
		const struct config_refused *refused = &joined->refused[i];

		if (strcmp(refused->provider, label) == 0)
			failed = json_array_append_new(list, json_pack("{s:o*, s:o*, s:o*, s:s}", "app", cleaned(refused->app), "site",
			                                               cleaned(refused->site), "from", cleaned(refused->from), "text",
			                                               refused->why));
	}
	if (failed)
		json_decref(list);
	return failed ? NULL : list;
}

static json_t *parts_of(const struct provider_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->part_count; i++) {
		const struct provider_part *part = &report->parts[i];

		if (part->state != EDGESTEER_SOURCE_CURRENT)
			(void)json_array_append_new(list, json_pack("{s:o*, s:o*}", "name", cleaned(part->name), "text",
			                                             cleaned(part->text)));
	}
	return list;
}

static json_t *provider_json(const struct provide *provide, size_t number, const struct snapshot *snapshot,
                             const struct config *joined)
{
	struct provider_report report;
	struct provide_status status;

	provide_status(provide, number, &status, &report);
	return json_pack("{s:o*, s:s, s:b, s:o, s:o, s:I, s:o*, s:o}", "provider", cleaned(status.label), "plugin", status.plugin,
	                 "committed", report.committed_s != 0, "targets", targets_of(snapshot, status.label), "refused",
	                 refused_of(joined, status.label), "malformed", (json_int_t)report.refused, "error",
	                 cleaned(report.error), "parts", parts_of(&report));
}

static int read_all(const struct provide *provide, const struct snapshot *snapshot, const struct config *joined,
                    json_t *list)
{
	int failed = list ? 0 : -1;

	for (size_t i = 0; i < provide_count(provide) && !failed; i++)
		failed = json_array_append_new(list, provider_json(provide, i, snapshot, joined));
	return failed ? E_NOMEM : E_OK;
}

// Joins what they gave.
static int conclude(struct provide *provide, struct config *config, const struct zonedb *zones,
                    struct report *report, struct provided_result *result)
{
	struct snapshot *snapshot = provide_snapshot(provide);
	int err = snapshot ? join_config(snapshot, config, zones, report, &result->config) : E_NOMEM;

	if (err == E_OK)
		err = read_all(provide, snapshot, result->config, result->providers);
	snapshot_release(snapshot);
	return err;
}

int providers_check(struct config *config, const struct zonedb *zones, struct report *report,
                   struct provided_result *ret_result)
{
	const struct provide_ops ops = {.changed = on_changed};
	struct provided_result result = {.providers = json_array()};
	struct running running = {.base = event_base_new()};
	struct provide_plan *plan;
	int err = running.base ? provide_new(running.base, NULL, &ops, &running.provide) : E_NOMEM;

	if (err == E_OK) {
		err = provide_prepare(running.provide, config, report, &plan);
		if (err == E_OK)
			provide_take(running.provide, plan);
	}
	if (err == E_OK && config->provider_count > 0)
		err = run(&running);
	if (err == E_OK)
		err = conclude(running.provide, config, zones, report, &result);
	result.is_stuck = provide_free(running.provide) != NULL;
	if (running.base && !result.is_stuck)
		event_base_free(running.base);
	if (err < 0) {
		json_decref(result.providers);
		config_free(result.config);
		*ret_result = (struct provided_result){.is_stuck = result.is_stuck};
		return err;
	}
	*ret_result = result;
	return E_OK;
}
