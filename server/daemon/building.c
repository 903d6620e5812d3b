// Builds generations; see building.h.
#include "daemon/building.h"

#include "base/err.h"
#include "base/log.h"
#include "base/report.h"
#include "config/config.h"
#include "generation/generation.h"
#include "generation/reload.h"
#include "generation/shrink.h"
#include "provide/join.h"
#include "provide/provide.h"
#include "provide/snapshot.h"
#include "view/view.h"

void building_discard(struct generation *generation)
{
	handover_free(generation->handover);
	view_free(generation->view);
	config_free(generation->config);
	*generation = (struct generation){0};
}

void building_end(struct building *building)
{
	building->snapshot = snapshot_release(building->snapshot);
	building->plan = provide_discard(building->plan);
}

int building_first(struct provide *provide, const struct config *config, struct report *report, bool *ret_has_saved)
{
	struct provide_plan *plan;
	int err = provide_prepare(provide, config, report, &plan);

	if (err == E_OK) {
		provide_take(provide, plan);
		*ret_has_saved = provide_has_targets(provide);
	}
	return err;
}

void building_start(struct building *building, struct provide *provide)
{
	building_end(building);
	building->provide = provide;
	building->snapshot = provide_snapshot(provide);
}

void building_taken(struct building *building, struct provide *provide, const struct config *config)
{
	if (building->plan)
		provide_take(provide, building->plan);
	building->plan = NULL;
	provide_joined(provide, config);
}

int building_build(struct building *building, const struct reload_job *job, struct report *report,
                   struct generation *ret_generation)
{
	struct generation made = {0};
	const struct generation_joiner joiner = {join_config, building->snapshot};
	int err = job->kind == RELOAD_JOIN
	              ? generation_join(building->config, building->previous.view, &joiner, job->number, report, &made)
	              : generation_build(building->config_path, &joiner, job->number, report, &made);

	if (err == E_OK && job->kind != RELOAD_JOIN && !job->force)
		err = shrink_check(building->config, building->previous.view, made.config, made.view, report);
	if (err == E_OK && job->kind != RELOAD_JOIN)
		err = provide_prepare(building->provide, made.config, report, &building->plan);
	if (err == E_OK)
		err = handover_prepare(made.config, made.view, &building->previous, building->handouts, &made.handover);
	if (err == E_OK)
		*ret_generation = made;
	else
		building_discard(&made);
	return err;
}

static void log_report_line(void *ctx, enum report_level level, const char *text)
{
	(void)ctx;
	log_line(level == REPORT_ERROR ? LOG_LEVEL_ERROR : level == REPORT_WARNING ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE,
	         "%s", text);
}

void building_log(const struct report *report)
{
	report_each(report, log_report_line, NULL);
}

void building_joined(int err, const struct report *report)
{
	if (report)
		building_log(report);
	if (err < 0)
		log_error("the targets that providers give now cannot be taken into use (%s): the previous ones stay in service",
		          err_text(err));
}
