// Builds generations; see building.h.
#include "daemon/building.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/report.h"
#include "base/writers.h"
#include "config/config.h"
#include "daemon/rollback.h"
#include "door/keys.h"
#include "generation/generation.h"
#include "generation/reload.h"
#include "generation/shrink.h"
#include "learn/learner.h"
#include "provide/join.h"
#include "provide/provide.h"
#include "provide/snapshot.h"
#include "view/view.h"

void building_discard(struct generation *generation)
{
	handover_free(generation->handover);
	keys_free(generation->keys);
	view_free(generation->view);
	config_free(generation->config);
	*generation = (struct generation){0};
}

void building_end(struct building *building)
{
	building->snapshot = snapshot_release(building->snapshot);
	building->plan = provide_discard(building->plan);
	building->learner_plan = learner_discard(building->learner_plan);
	guard_wipe(&building->guard);
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
	if (building->learner_plan)
		learner_take(building->learner, building->learner_plan);
	building->learner_plan = NULL;
	learner_look(building->learner);
	provide_joined(provide, config);
}

int building_read(const char *path, const struct generation_joiner *joiner, uint64_t number, struct report *report,
                  struct generation *ret_generation)
{
	struct generation made = {0};
	int err = generation_build(path, joiner, number, report, &made);

	if (err == E_OK)
		err = keys_read(&made.config->server, report, &made.keys);
	if (err == E_OK)
		*ret_generation = made;
	else
		building_discard(&made);
	return err;
}

// Another config, which whoever can reach the control socket may name: what it starts or loads has to be as trusted as the one in
// use. Its own tokens and certificates are not looked at.
static int read_another(const struct building *building, const struct generation_joiner *joiner, const struct reload_job *job,
                        struct report *report, struct generation *ret_generation)
{
	char why[WRITERS_WHY_LEN], *real;
	int err;

	if (writers_check(job->path, building->config_path, &real, why) < 0) {
		report_error(report, job->path, 0, 0, "%s", why);
		return E_INVAL;
	}
	err = generation_build(real, joiner, job->number, report, ret_generation);
	free(real);
	return err;
}

static int make(struct building *building, const struct reload_job *job, struct report *report,
                struct generation *ret_generation)
{
	const struct generation_joiner joiner = {join_config, building->snapshot};
	struct config *used = building->config;

	switch (job->kind) {
	case RELOAD_JOIN:
		return generation_join(used->base ? used->base : used, building->previous.view->tables, &joiner, job->number, report,
		                       ret_generation);
	case RELOAD_BACK: return rollback_build(building->rollback, &joiner, job->number, report, ret_generation);
	case RELOAD_COMPARE: return read_another(building, &joiner, job, report, ret_generation);
	default: return building_read(building->config_path, &joiner, job->number, report, ret_generation);
	}
}

int building_build(struct building *building, const struct reload_job *job, struct report *report,
                   struct generation *ret_generation)
{
	struct generation made = {0};
	bool is_load = job->kind != RELOAD_JOIN && job->kind != RELOAD_COMPARE;
	bool is_look = job->kind == RELOAD_COMPARE || job->kind == RELOAD_BACK; // nothing of it is held
	int err = make(building, job, report, &made);

	if (err == E_OK && is_load && !is_look && !job->force)
		err = shrink_check(building->config, building->previous.view, made.config, made.view, report);
	if (err == E_OK && is_load)
		err = provide_prepare(building->provide, made.config, report, &building->plan);
	if (err == E_OK && is_load)
		err = learner_prepare(building->learner, made.config, report, &building->learner_plan);
	if (err == E_OK)
		err = handover_prepare(made.config, made.view, &building->previous, building->handouts, &made.handover);
	if (err == E_OK && made.view->tables != building->previous.view->tables)
		made.handover->learned = learner_overlay(building->learner, made.view->tables);
	if (err == E_OK && job->kind != RELOAD_JOIN)
		err = guard_look(&building->guard, &made, job->force || is_look, report);
	if (err == E_OK)
		*ret_generation = made;
	else
		building_discard(&made);
	return err;
}
