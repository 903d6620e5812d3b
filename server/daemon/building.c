// Builds generations; see building.h.
#include "daemon/building.h"

#include "base/err.h"
#include "config/config.h"
#include "generation/generation.h"
#include "generation/reload.h"
#include "generation/shrink.h"
#include "view/view.h"

void building_discard(struct generation *generation)
{
	handover_free(generation->handover);
	view_free(generation->view);
	config_free(generation->config);
	*generation = (struct generation){0};
}

int building_build(const struct building *building, const struct reload_job *job, struct report *report,
                   struct generation *ret_generation)
{
	struct generation made = {0};
	int err = job->kind == RELOAD_JOIN
	              ? generation_join(building->config, building->previous.view, NULL, job->number, report, &made)
	              : generation_build(building->config_path, NULL, job->number, report, &made);

	if (err == E_OK && job->kind != RELOAD_JOIN && !job->force)
		err = shrink_check(building->config, building->previous.view, made.config, made.view, report);
	if (err == E_OK)
		err = handover_prepare(made.config, made.view, &building->previous, building->handouts, &made.handover);
	if (err == E_OK)
		*ret_generation = made;
	else
		building_discard(&made);
	return err;
}
