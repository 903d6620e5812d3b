// Shares of apps; see adopts.h.
#include "daemon/adopts.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "config/config.h"
#include "daemon/merge.h"
#include "state/state.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

uint32_t adopts_written(const struct config_app *app)
{
	return (uint32_t)(((uint64_t)app->adopt * SHARE_ALL + CONFIG_ADOPT_ALL / 2) / CONFIG_ADOPT_ALL);
}

int adopts_apply(struct merge *merge, const struct state *state, const struct config *config)
{
	const struct view *view = merge_view(merge);
	int err = E_OK, result;

	for (uint32_t i = 0; i < view->app_count; i++) {
		uint32_t share = adopts_written(&config->apps[i]);

		if (share < SHARE_ALL && (result = merge_set_steered(merge, &view->apps[i], share)) < 0)
			err = result;
	}
	result = state ? adopts_step(merge, state) : E_OK;
	return result < 0 ? result : err;
}

int adopts_set(struct merge *merge, const struct config *config, const struct override *adoption, bool holds)
{
	const struct view *view = merge_view(merge);
	int app = index_find_spelled(view, adoption->app);

	must(adoption->kind == OVERRIDE_ADOPT);
	if (app < 0)
		return E_OK;
	return merge_set_steered(merge, &view->apps[app], holds ? adoption->share_now : adopts_written(&config->apps[app]));
}

int adopts_step(struct merge *merge, const struct state *state)
{
	const struct view *view = merge_view(merge);
	int any = 0, err = E_OK;

	for (size_t i = 0; i < state_override_count(state) && err == E_OK; i++) {
		const struct override *adoption = state_override_at(state, i);
		int app = adoption->kind == OVERRIDE_ADOPT ? index_find_spelled(view, adoption->app) : -1;
		uint32_t share = app >= 0 ? adoption->share_now : 0;

		if (app < 0 || view->apps[app].target_count == 0 || merge_steered(merge, &view->apps[app]) == share)
			continue;
		err = merge_set_steered(merge, &view->apps[app], share);
		any = 1;
	}
	return err < 0 ? err : any;
}

bool adopts_is_moving(const struct override *adoption)
{
	return adoption->kind == OVERRIDE_ADOPT && adoption->over_s && adoption->share_now != adoption->share;
}

// ---- for another thread ---------------------------------------------------------------------------------------------

struct said {
	char *app;
	uint32_t share;
};

struct adopts_said {
	size_t count;
	struct said list[]; // by app
};

static int by_app(const void *a, const void *b)
{
	const struct said *one = a, *other = b;

	return strcmp(one->app, other->app);
}

struct adopts_said *adopts_copy(const struct state *state)
{
	size_t all = state_override_count(state), wanted = 0;
	struct adopts_said *said;

	for (size_t i = 0; i < all; i++)
		wanted += state_override_at(state, i)->kind == OVERRIDE_ADOPT;
	said = calloc(1, sizeof(*said) + wanted * sizeof(said->list[0]));
	for (size_t i = 0; said && i < all; i++) {
		const struct override *adoption = state_override_at(state, i);

		if (adoption->kind != OVERRIDE_ADOPT)
			continue;
		said->list[said->count].share = adoption->share_now;
		said->list[said->count].app = strdup(adoption->app);
		if (!said->list[said->count++].app)
			said = adopts_free(said);
	}
	if (said)
		qsort(said->list, said->count, sizeof(said->list[0]), by_app);
	return said;
}

struct adopts_said *adopts_free(struct adopts_said *said)
{
	for (size_t i = 0; said && i < said->count; i++)
		free(said->list[i].app);
	free(said);
	return NULL;
}

uint32_t adopts_share(const struct adopts_said *said, const struct config_app *app)
{
	struct said wanted = {.app = (char *)app->name};
	const struct said *found = said ? bsearch(&wanted, said->list, said->count, sizeof(wanted), by_app) : NULL;

	return found ? found->share : adopts_written(app);
}
