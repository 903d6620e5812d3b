// Ceilings, measured by the counters of hand-outs; see ceilings.h.
#include "daemon/ceilings.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "config/config.h"
#include "control/ops.h"
#include "daemon/merge.h"
#include "traffic/spill.h"
#include "view/handouts.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

struct ceiling {
	char *app, *site;     // `app` NULL: of the whole site
	uint32_t number;      // of the target or the site, in the view
	double most;          // answers a second
	struct spill spill;
	uint64_t answers;     // at the last turn
	bool is_counted;      // there was one
};

struct ceilings {
	struct ceiling *list; // those of sites first
	size_t count;
	int64_t turned_ms;    // 0: not yet
};

struct ceilings *ceilings_new(void)
{
	return calloc(1, sizeof(struct ceilings));
}

static void wipe(struct ceilings *ceilings)
{
	for (size_t i = 0; i < ceilings->count; i++) {
		free(ceilings->list[i].app);
		free(ceilings->list[i].site);
	}
	free(ceilings->list);
	*ceilings = (struct ceilings){.turned_ms = ceilings->turned_ms};
}

struct ceilings *ceilings_free(struct ceilings *ceilings)
{
	if (ceilings)
		wipe(ceilings);
	free(ceilings);
	return NULL;
}

// ---- a new generation -----------------------------------------------------------------------------------------------

static bool is_same(const struct ceiling *ceiling, const char *app, const char *site)
{
	return strcmp(ceiling->site, site) == 0 && (app ? ceiling->app && strcmp(ceiling->app, app) == 0 : !ceiling->app);
}

static const struct ceiling *find(const struct ceilings *ceilings, const char *app, const char *site)
{
	for (size_t i = 0; i < ceilings->count; i++)
		if (is_same(&ceilings->list[i], app, site))
			return &ceilings->list[i];
	return NULL;
}

static size_t count_all(const struct config *config)
{
	size_t count = 0;

	for (size_t i = 0; i < config->site_count; i++)
		count += config->sites[i].ceiling > 0;
	for (size_t i = 0; i < config->app_count; i++)
		for (size_t k = 0; k < config->apps[i].target_count; k++)
			count += config->apps[i].targets[k].ceiling > 0;
	return count;
}

// E_NOMEM. What the view has not got is left out.
static int add(struct ceilings *next, const struct ceilings *before, const char *app, const char *site, int number, uint32_t most)
{
	const struct ceiling *known = find(before, app, site);
	struct ceiling *ceiling = &next->list[next->count];

	if (!most || number < 0)
		return E_OK;
	*ceiling = known ? *known : (struct ceiling){.spill.share = SHARE_ALL};
	ceiling->app = app ? strdup(app) : NULL;
	ceiling->site = strdup(site);
	ceiling->number = (uint32_t)number;
	ceiling->most = most;
	next->count++;
	return ceiling->site && (ceiling->app || !app) ? E_OK : E_NOMEM;
}

int ceilings_take(struct ceilings *ceilings, const struct config *config, const struct view *view)
{
	struct ceilings next = {.list = calloc(count_all(config) + 1, sizeof(*next.list)), .turned_ms = ceilings->turned_ms};
	int err = next.list ? E_OK : E_NOMEM;

	for (size_t i = 0; err == E_OK && i < config->site_count; i++) {
		const struct config_site *site = &config->sites[i];

		err = add(&next, ceilings, NULL, site->name, index_find_site(view, site->name), site->ceiling);
	}
	for (size_t i = 0; err == E_OK && i < config->app_count; i++)
		for (size_t k = 0; err == E_OK && k < config->apps[i].target_count; k++) {
			const struct config_app *app = &config->apps[i];
			const char *site = config->sites[app->targets[k].site].name;

			if (app->targets[k].ceiling)
				err = add(&next, ceilings, app->name, site, index_find_target(view, app->name, site),
				          app->targets[k].ceiling);
		}
	if (err < 0)
		wipe(&next);
	wipe(ceilings);
	*ceilings = next;
	return err;
}

// ---- measuring ------------------------------------------------------------------------------------------------------

// The targets of a ceiling, *ret_count of them.
static const uint32_t *targets_of(const struct ceiling *ceiling, const struct view *view, uint32_t *ret_count)
{
	*ret_count = 1;
	return ceiling->app ? &ceiling->number : index_targets_of(view, ceiling->number, ret_count);
}

static uint64_t answers_of(const struct ceiling *ceiling, const struct view *view)
{
	uint64_t answers = 0;
	uint32_t count;
	const uint32_t *targets = targets_of(ceiling, view, &count);

	for (uint32_t i = 0; i < count; i++)
		answers += handouts_of(view->handouts, view->targets[targets[i]].handouts);
	return answers;
}

bool ceilings_turn(struct ceilings *ceilings, const struct view *view, int64_t now_ms)
{
	double seconds = (double)(now_ms - ceilings->turned_ms) / 1000;
	bool changed = false;

	for (size_t i = 0; i < ceilings->count; i++) {
		struct ceiling *ceiling = &ceilings->list[i];
		uint64_t answers = answers_of(ceiling, view), more = answers - ceiling->answers;
		uint32_t before = ceiling->spill.share;

		// Where a target came or went, the sum is of others.
		if (ceiling->is_counted && answers >= ceiling->answers && seconds > 0)
			spill_turn(&ceiling->spill, ceiling->most, (double)more / seconds);
		ceiling->answers = answers;
		ceiling->is_counted = true;
		changed = changed || ceiling->spill.share != before;
	}
	ceilings->turned_ms = now_ms;
	return changed;
}

void ceilings_apply(const struct ceilings *ceilings, const struct view *view, struct merge *merge)
{
	// A target's own counts beside its site's, which come first: begin anew.
	for (size_t i = 0; i < ceilings->count; i++)
		if (ceilings->list[i].app)
			(void)!merge_set_share(merge, ceilings->list[i].number, MERGE_SPILLING, SHARE_ALL);
	for (size_t i = 0; i < ceilings->count; i++) {
		const struct ceiling *ceiling = &ceilings->list[i];
		uint32_t count;
		const uint32_t *targets = targets_of(ceiling, view, &count);

		for (uint32_t k = 0; k < count; k++) {
			uint32_t now = ceiling->app ? merge_share(merge, targets[k], MERGE_SPILLING) : SHARE_ALL;
			uint32_t share = ceiling->spill.share < now ? ceiling->spill.share : now;

			(void)!merge_set_share(merge, targets[k], MERGE_SPILLING, share);
		}
	}
}

bool ceilings_of(const struct ceilings *ceilings, const char *app, const char *site, struct ceilings_shown *ret_shown)
{
	const struct ceiling *ceiling = find(ceilings, app, site);

	if (ceiling)
		*ret_shown = (struct ceilings_shown){ceiling->most, ceiling->spill.rate, ceiling->spill.share};
	return ceiling != NULL;
}

_Static_assert((unsigned)CONTROL_CEILINGS_MAX == (unsigned)CONFIG_CEILINGS_MAX, "the list has room for all");

size_t ceilings_list(const struct ceilings *ceilings, struct control_ceiling *list)
{
	must(ceilings->count <= CONTROL_CEILINGS_MAX);
	for (size_t i = 0; i < ceilings->count; i++)
		list[i] = (struct control_ceiling){ceilings->list[i].number, ceilings->list[i].app != NULL, ceilings->list[i].most};
	return ceilings->count;
}
