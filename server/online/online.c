// Providers run, apps looked up, domains checked, several at a time, and what was found printed; see online.h.
#include "online/online.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/parallel.h"
#include "config/config.h"
#include "online/findings.h"
#include "online/providers.h"
#include "online/resolved.h"
#include "online/say.h"
#include "view/view.h"

struct batch {
	const struct asking *asking;
	struct checked *checked; // of up to ONLINE_TOGETHER
};

static int check_one(void *ctx, size_t i)
{
	struct batch *batch = ctx;
	struct checked *checked = &batch->checked[i];
	const int64_t deadline_ms = clock_mono_ms() + ONLINE_DOMAIN_MS;
	int err = parent_ask(batch->asking, &checked->ours.name, deadline_ms, &checked->parent);

	if (err == E_OK)
		err = lame_ask(batch->asking, &checked->ours, &checked->parent, deadline_ms, &checked->lame);
	return err;
}

static int print(const struct checked *checked, bool as_json, FILE *out, struct say_counts *counts)
{
	json_t *findings = findings_make(checked);
	int err = findings ? E_OK : E_NOMEM;

	if (err == E_OK) {
		say_count(findings, counts);
		err = as_json ? say_json(findings, out) : say_text(findings, out);
	}
	json_decref(findings);
	return err;
}

// Domains `first` to `first + count - 1`.
static int check_some(const struct view *view, struct batch *batch, size_t first, size_t count)
{
	for (size_t i = 0; i < count; i++)
		apex_read(view, zonedb_zone(view->zones, first + i), &batch->checked[i].ours);
	return parallel_run_on(ONLINE_TOGETHER, count, check_one, batch);
}

static int check_domains(const struct view *view, const struct asking *asking, bool as_json, FILE *out,
                         struct say_counts *counts)
{
	struct batch batch = {asking, calloc(ONLINE_TOGETHER, sizeof(*batch.checked))};
	const size_t domains = zonedb_zone_count(view->zones);
	int err = batch.checked ? E_OK : E_NOMEM;

	for (size_t first = 0; err == E_OK && first < domains; first += ONLINE_TOGETHER) {
		const size_t count = domains - first < ONLINE_TOGETHER ? domains - first : ONLINE_TOGETHER;

		err = check_some(view, &batch, first, count);
		for (size_t i = 0; err == E_OK && i < count; i++)
			err = print(&batch.checked[i], as_json, out, counts);
	}
	free(batch.checked);
	return err;
}

// *ret_joined is the config with what they give, for config_free().
static int check_providers(struct config *config, const struct view *view, bool as_json, FILE *out,
                           struct report *report, struct online_outcome *outcome, struct config **ret_joined)
{
	struct provided_result result;
	json_t *provider;
	size_t i;
	int err = providers_check(config, view->zones, report, &result);

	outcome->is_stuck = result.is_stuck;
	if (err < 0)
		return err;
	json_array_foreach(result.providers, i, provider)
		if (err == E_OK)
			err = as_json ? say_json(provider, out) : say_provider(provider, out);
	json_decref(result.providers);
	if (err < 0) {
		config_free(result.config);
		return err;
	}
	*ret_joined = result.config;
	return E_OK;
}

static int check_apps(const struct config *config, const struct recursors *recursors, bool as_json, FILE *out,
                      struct say_counts *counts)
{
	json_t *apps, *app;
	size_t i;
	int err = resolved_check(config, recursors, &apps);

	if (err < 0)
		return err;
	json_array_foreach(apps, i, app) {
		counts->apps++;
		counts->silent += json_is_true(json_object_get(app, "breaks"));
		if (err == E_OK)
			err = as_json ? say_json(app, out) : say_app(app, out);
	}
	json_decref(apps);
	return err;
}

// Those of the command line, else of the config, else of the system.
static int choose_recursors(const struct config *config, struct recursors *recursors)
{
	int err = E_OK;

	if (recursors->count > 0)
		return E_OK;
	for (size_t i = 0; err == E_OK && i < config->resolver.server_count; i++)
		err = recursors_add(recursors, config->resolver.servers[i]);
	return recursors->count > 0 || recursors_add_system(recursors, "/etc/resolv.conf") == E_OK ? err : E_NOTFOUND;
}

int online_check(struct config *config, const struct view *view, struct asking *asking, bool as_json, FILE *out,
                 struct report *report, struct online_outcome *ret_outcome)
{
	struct say_counts counts = {0};
	struct config *joined = NULL;

	*ret_outcome = (struct online_outcome){0};

	int err = choose_recursors(config, &asking->recursors);

	if (err == E_OK)
		err = check_providers(config, view, as_json, out, report, ret_outcome, &joined);
	log_set_level(LOG_LEVEL_ERROR); // what look-ups find is printed
	if (err == E_OK)
		err = check_apps(joined, &asking->recursors, as_json, out, &counts);
	if (err == E_OK)
		err = check_domains(view, asking, as_json, out, &counts);
	if (err == E_OK && !as_json)
		say_summary(&counts, out);
	if (err == E_OK && fflush(out) != 0)
		err = E_IO;
	config_free(joined);
	ret_outcome->breaks = counts.broken + counts.silent > 0;
	return err;
}
