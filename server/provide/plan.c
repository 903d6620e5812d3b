// Matching a config's providers with those that run; see plan.h.
#include "provide/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/report.h"
#include "provide/provider.h"

static struct provider *find_running(struct provider *const *running, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(running[i]->key, key) == 0)
			return running[i];
	return NULL;
}

static bool is_planned(const struct provide_plan *plan, const char *key)
{
	for (size_t i = 0; i < plan->count; i++)
		if (strcmp(plan->rows[i].provider->key, key) == 0)
			return true;
	return false;
}

// What an entry makes of a plan.
struct planning {
	struct provider *const *running;
	size_t running_count;
	struct inbox *inbox;
	const struct config *config;
	struct report *report;
	struct provide_plan *plan;
};

static int plan_entry(const struct planning *planning, const struct config_provider *entry)
{
	struct provide_plan *plan = planning->plan;
	struct provide_plan_row row = {NULL, false, entry->grace_s, entry->health, entry->mark};
	char *key = provider_key(entry);
	int err = key ? E_OK : E_NOMEM;

	if (err == E_OK && is_planned(plan, key)) {
		report_error(planning->report, entry->mark.file, entry->mark.line, entry->mark.column,
		             "providers: %s: is given twice with the same options, expected once", entry->plugin);
		err = E_INVAL;
	}
	if (err == E_OK)
		row.provider = find_running(planning->running, planning->running_count, key);
	if (err == E_OK && !row.provider) {
		err = provider_open(planning->config, entry, key, planning->inbox, planning->report, &row.provider);
		row.is_new = err == E_OK;
	}
	free(key);
	if (err == E_OK)
		plan->rows[plan->count++] = row;
	return err;
}

// Of two with the same label, the one that comes later gets a number.
static void number_label(const struct provide_plan *plan, size_t at)
{
	struct provider *provider = plan->rows[at].provider;
	size_t len = strlen(provider->label), same = 1;

	for (size_t i = 0; i < plan->count; i++) {
		const char *other = plan->rows[i].provider->label;
		bool is_same = strncmp(other, provider->label, len) == 0 && (!other[len] || strncmp(other + len, " #", 2) == 0);

		same += i != at && is_same && (i < at || !plan->rows[i].is_new);
	}
	if (same > 1)
		snprintf(provider->label + len, sizeof(provider->label) - len, " #%zu", same);
}

int plan_make(struct provider *const *running, size_t running_count, struct inbox *inbox, const struct config *config,
              struct report *report, struct provide_plan **ret_plan)
{
	size_t errors = report_count(report, REPORT_ERROR);
	struct provide_plan *plan = calloc(1, sizeof(*plan));
	const struct planning planning = {running, running_count, inbox, config, report, plan};
	int err = plan ? E_OK : E_NOMEM;

	for (size_t i = 0; i < config->provider_count && err != E_NOMEM; i++) {
		int entry_err = plan_entry(&planning, &config->providers[i]);

		err = entry_err < 0 ? entry_err : err;
	}
	if (err == E_OK && report_count(report, REPORT_ERROR) != errors)
		err = E_INVAL; // a plugin may report an error and still open
	for (size_t i = 0; err == E_OK && i < plan->count; i++)
		if (plan->rows[i].is_new)
			number_label(plan, i);
	if (err < 0)
		plan_discard(plan);
	else
		*ret_plan = plan;
	return err;
}

struct provide_plan *plan_discard(struct provide_plan *plan)
{
	if (!plan)
		return NULL;
	for (size_t i = 0; i < plan->count; i++)
		if (plan->rows[i].is_new)
			provider_free(plan->rows[i].provider);
	free(plan);
	return NULL;
}
