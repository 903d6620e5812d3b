// Ceilings, measured by the counters of hand-outs, or by figures that are pushed; see ceilings.h.
#include "daemon/ceilings.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
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
	bool of_load;         // by a figure that is pushed; else by what is answered
	double most;          // answers a second, or of the figure
	struct spill spill;
	uint64_t answers;     // at the last turn
	bool is_counted;      // there was one
	double figure;
	int64_t pushed_ms, until_ms; // the figure's; 0: there was none yet
	bool is_new;          // the figure has not been looked at
	int64_t settled_ms;   // what the last change of share has done is seen from then on
};

struct ceilings {
	struct ceiling *list; // those of sites first
	struct ceiling **by_name; // the same, for find()
	size_t count;
	int64_t turned_ms;    // 0: not yet
};

struct ceilings *ceilings_free(struct ceilings *ceilings)
{
	for (size_t i = 0; ceilings && i < ceilings->count; i++) {
		free(ceilings->list[i].app);
		free(ceilings->list[i].site);
	}
	if (ceilings) {
		free(ceilings->by_name);
		free(ceilings->list);
	}
	free(ceilings);
	return NULL;
}

// ---- a new generation -----------------------------------------------------------------------------------------------

static int compare(const void *a, const void *b)
{
	const struct ceiling *one = *(const struct ceiling *const *)a, *other = *(const struct ceiling *const *)b;
	int by_site = strcmp(one->site, other->site), by_app;

	if (by_site != 0)
		return by_site;
	by_app = strcmp(one->app ? one->app : "", other->app ? other->app : "");
	return by_app != 0 ? by_app : one->of_load - other->of_load;
}

static struct ceiling *find(const struct ceilings *ceilings, const char *app, const char *site, bool of_load)
{
	const struct ceiling wanted = {.app = (char *)app, .site = (char *)site, .of_load = of_load}, *key = &wanted;
	struct ceiling **found =
		ceilings->count ? bsearch(&key, ceilings->by_name, ceilings->count, sizeof(*found), compare) : NULL;

	return found ? *found : NULL;
}

static size_t count_all(const struct config *config)
{
	size_t count = 0;

	for (size_t i = 0; i < config->site_count; i++)
		count += (config->sites[i].ceiling > 0) + (config->sites[i].load_ceiling > 0);
	for (size_t i = 0; i < config->app_count; i++)
		for (size_t k = 0; k < config->apps[i].target_count; k++)
			count += (config->apps[i].targets[k].ceiling > 0) + (config->apps[i].targets[k].load_ceiling > 0);
	return count;
}

// E_NOMEM. What the view has not got is left out.
static int add(struct ceilings *ceilings, const char *app, const char *site, int number, bool of_load, uint32_t most)
{
	struct ceiling *ceiling = &ceilings->list[ceilings->count];

	if (!most || number < 0)
		return E_OK;
	*ceiling = (struct ceiling){.app = app ? strdup(app) : NULL, .site = strdup(site), .number = (uint32_t)number,
	                            .spill.share = SHARE_ALL, .of_load = of_load, .most = most};
	ceilings->count++;
	return ceiling->site && (ceiling->app || !app) ? E_OK : E_NOMEM;
}

// Both of a site or a target.
static int add_both(struct ceilings *ceilings, const char *app, const char *site, int number, uint32_t answers, uint32_t load)
{
	int err = add(ceilings, app, site, number, false, answers);

	return err == E_OK ? add(ceilings, app, site, number, true, load) : err;
}

static int add_all(struct ceilings *ceilings, const struct config *config, const struct view *view)
{
	int err = E_OK;

	for (size_t i = 0; err == E_OK && i < config->site_count; i++) {
		const struct config_site *site = &config->sites[i];

		if (site->ceiling || site->load_ceiling)
			err = add_both(ceilings, NULL, site->name, index_find_site(view, site->name), site->ceiling,
			               site->load_ceiling);
	}
	for (size_t i = 0; err == E_OK && i < config->app_count; i++)
		for (size_t k = 0; err == E_OK && k < config->apps[i].target_count; k++) {
			const struct config_app *app = &config->apps[i];
			const struct config_target *target = &app->targets[k];
			const char *site = config->sites[target->site].name;

			if (target->ceiling || target->load_ceiling)
				err = add_both(ceilings, app->name, site, index_find_target(view, app->name, site), target->ceiling,
				               target->load_ceiling);
		}
	return err;
}

static int sort(struct ceilings *ceilings)
{
	ceilings->by_name = calloc(ceilings->count + 1, sizeof(*ceilings->by_name));
	if (!ceilings->by_name)
		return E_NOMEM;
	for (size_t i = 0; i < ceilings->count; i++)
		ceilings->by_name[i] = &ceilings->list[i];
	qsort(ceilings->by_name, ceilings->count, sizeof(*ceilings->by_name), compare);
	return E_OK;
}

struct ceilings *ceilings_new(const struct config *config, const struct view *view)
{
	struct ceilings *ceilings = calloc(1, sizeof(*ceilings));

	if (ceilings && (ceilings->list = calloc(count_all(config) + 1, sizeof(*ceilings->list))) &&
	    add_all(ceilings, config, view) == E_OK && sort(ceilings) == E_OK)
		return ceilings;
	return ceilings_free(ceilings);
}

void ceilings_follow(struct ceilings *ceilings, struct ceilings *before)
{
	for (size_t i = 0; before && i < ceilings->count; i++) {
		struct ceiling *ceiling = &ceilings->list[i];
		const struct ceiling *found = find(before, ceiling->app, ceiling->site, ceiling->of_load);
		struct ceiling known;

		if (!found)
			continue;
		known = *found;
		known.app = ceiling->app;
		known.site = ceiling->site;
		known.number = ceiling->number;
		known.most = ceiling->most;
		*ceiling = known;
	}
	ceilings->turned_ms = before ? before->turned_ms : 0;
	ceilings_free(before);
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

static void turn_by_answers(struct ceiling *ceiling, const struct view *view, double seconds)
{
	uint64_t answers = answers_of(ceiling, view), more = answers - ceiling->answers;

	// Where a target came or went, the sum is of others.
	if (ceiling->is_counted && answers >= ceiling->answers && seconds > 0)
		spill_turn(&ceiling->spill, ceiling->most, (double)more / seconds);
	ceiling->answers = answers;
	ceiling->is_counted = true;
}

// For how long caches keep the load where it was.
static int64_t ttl_ms(const struct ceiling *ceiling, const struct view *view)
{
	uint32_t site = ceiling->app ? view->targets[ceiling->number].site : ceiling->number;

	return (int64_t)view->index->site_ttl_s[site] * 1000;
}

// figure      is looked at                  then
// counts      when it is new and the last   as spill_turn() says; who pushes it has smoothed it
//             change has settled
// does not    every second                  clients come back, a twentieth of all at a time
static void turn_by_load(struct ceiling *ceiling, const struct view *view, int64_t now_ms)
{
	uint32_t before = ceiling->spill.share;

	if (now_ms >= ceiling->until_ms) {
		if (ceiling->is_counted)
			log_notice("the load of %s%s%s is not pushed any more: it takes all its clients again, little by little",
			           ceiling->app ? ceiling->app : "", ceiling->app ? " at " : "", ceiling->site);
		ceiling->is_counted = ceiling->is_new = false;
		ceiling->spill.rate = 0;
		if (before < SHARE_ALL)
			spill_turn(&ceiling->spill, ceiling->most, 0);
		return;
	}
	if (!ceiling->is_new || now_ms < ceiling->settled_ms)
		return;
	ceiling->is_new = false;
	ceiling->spill.rate = ceiling->figure;
	spill_turn(&ceiling->spill, ceiling->most, ceiling->figure);
	if (ceiling->spill.share != before)
		ceiling->settled_ms = now_ms + ttl_ms(ceiling, view);
}

bool ceilings_turn(struct ceilings *ceilings, const struct view *view, int64_t now_ms)
{
	double seconds = (double)(now_ms - ceilings->turned_ms) / 1000;
	bool changed = false;

	for (size_t i = 0; i < ceilings->count; i++) {
		struct ceiling *ceiling = &ceilings->list[i];
		uint32_t before = ceiling->spill.share;

		if (ceiling->of_load)
			turn_by_load(ceiling, view, now_ms);
		else
			turn_by_answers(ceiling, view, seconds);
		changed = changed || ceiling->spill.share != before;
	}
	ceilings->turned_ms = now_ms;
	return changed;
}

int ceilings_load(struct ceilings *ceilings, const char *app, const char *site, double figure, int64_t lasts_ms, int64_t now_ms)
{
	struct ceiling *ceiling = find(ceilings, app, site, true);

	if (!ceiling)
		return E_NOTFOUND;
	ceiling->figure = figure;
	ceiling->pushed_ms = now_ms;
	ceiling->until_ms = now_ms + lasts_ms;
	ceiling->is_new = ceiling->is_counted = true;
	return E_OK;
}

// The smaller one of both of a site or a target.
static uint32_t share_of(const struct ceilings *ceilings, const struct ceiling *ceiling)
{
	const struct ceiling *other = find(ceilings, ceiling->app, ceiling->site, !ceiling->of_load);

	return other && other->spill.share < ceiling->spill.share ? other->spill.share : ceiling->spill.share;
}

void ceilings_apply(const struct ceilings *ceilings, const struct view *view, struct merge *merge)
{
	// A target's own counts beside its site's, which come first: begin anew.
	for (size_t i = 0; i < ceilings->count; i++)
		if (ceilings->list[i].app)
			(void)!merge_set_share(merge, ceilings->list[i].number, MERGE_SPILLING, SHARE_ALL);
	for (size_t i = 0; i < ceilings->count; i++) {
		const struct ceiling *ceiling = &ceilings->list[i];
		uint32_t count, own = share_of(ceilings, ceiling);
		const uint32_t *targets = targets_of(ceiling, view, &count);

		for (uint32_t k = 0; k < count; k++) {
			uint32_t now = ceiling->app ? merge_share(merge, targets[k], MERGE_SPILLING) : SHARE_ALL;
			uint32_t share = own < now ? own : now;

			(void)!merge_set_share(merge, targets[k], MERGE_SPILLING, share);
		}
	}
}

bool ceilings_of(const struct ceilings *ceilings, const char *app, const char *site, bool of_load, int64_t now_ms,
                 struct ceilings_shown *ret_shown)
{
	const struct ceiling *ceiling = find(ceilings, app, site, of_load);
	bool counts = ceiling && of_load && now_ms < ceiling->until_ms;

	if (ceiling)
		*ret_shown = (struct ceilings_shown){ceiling->most, of_load ? ceiling->figure : ceiling->spill.rate, ceiling->spill.share,
		                                     counts ? now_ms - ceiling->pushed_ms : -1};
	return ceiling != NULL;
}

_Static_assert((unsigned)CONTROL_CEILINGS_MAX == (unsigned)CONFIG_CEILINGS_MAX, "the list has room for all");

size_t ceilings_list(const struct ceilings *ceilings, struct control_ceiling *list)
{
	size_t count = 0;

	must(ceilings->count <= CONTROL_CEILINGS_MAX);
	for (size_t i = 0; i < ceilings->count; i++) {
		const struct ceiling *ceiling = &ceilings->list[i];

		if (!ceiling->of_load)
			list[count++] = (struct control_ceiling){ceiling->number, ceiling->app != NULL, ceiling->most};
	}
	return count;
}
