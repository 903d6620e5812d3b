// What workers have of the book; see overlays.h.
#include "learn/overlays.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "learn/rounds.h"
#include "view/learned.h"
#include "view/live.h"
#include "view/tables.h"
#include "view/view.h"

static void tell_failure(int err)
{
	log_error("discovery: what is learned cannot be put into effect: %s", err_text(err));
}

// Under the mutex.
static struct explore explore_of(const struct learner *learner)
{
	const struct observe *observe = &learner->observe;

	return (struct explore){observe->epoch ? observe->rules.explore : 0, observe->epoch};
}

void overlays_wipe(struct overlays *overlays)
{
	learned_free(overlays->learned);
	wanted_free(overlays->wanted);
	tables_free(overlays->tables);
	*overlays = (struct overlays){0};
}

struct learned *overlays_for(struct learner *learner, struct tables *tables)
{
	struct learned *learned = NULL;
	struct explore explore;
	struct facts facts = {0};
	bool is_any;
	int err = E_OK;

	pthread_mutex_lock(&learner->mutex);
	explore = explore_of(learner);
	is_any = book_count(learner->book) > 0;
	if (is_any)
		err = facts_gather(learner->book, tables, clock_steady_s(), &facts);
	pthread_mutex_unlock(&learner->mutex);
	if (is_any && err == E_OK)
		err = learned_build(tables, facts.list, facts.count, explore, &learned);
	facts_wipe(&facts);
	if (err < 0)
		tell_failure(err);
	return learned;
}

// ---- a task ---------------------------------------------------------------------------------------------------------

// It could not be made as a whole, and is tried again after a pause.
static void fail(struct learner *learner, int err)
{
	if (!learner->has_failed)
		tell_failure(err);
	learner->has_failed = true;
}

// Nothing that queries may see has changed, but time passes.
static void freshen(struct learner *learner, const struct tables *tables, int64_t now_s)
{
	struct facts facts;

	if (facts_gather_news(learner->book, tables, now_s, learner->wanted, &facts) < 0)
		learner->built_of = NULL; // all of it anew
	facts_wipe(&facts);
}

bool overlays_begin(struct learner *learner, const struct live *live, int64_t now_ms, int64_t now_s,
                    struct overlays_task *ret_task)
{
	struct tables *tables = live->view->tables;
	const struct book_rules *rules = &learner->rules.book;
	bool is_new = learner->built_of != tables || learner->built_plan != learner->plans;
	struct overlays_task task = {.explore = explore_of(learner), .rules = {rules->len_v4, rules->len_v6, rules->max},
	                             .has_services = learner->service_count > 0};
	int err = E_LIMIT;

	if (learner->masks_of != tables || learner->masks_plan != learner->plans)
		return false; // there was no memory for the regions
	if (!rounds_wants_overlay(learner, live->view, now_ms)) {
		if (learner->built_version == book_version(learner->book))
			freshen(learner, tables, now_s);
		return false;
	}
	learner->built_of = tables;
	learner->built_plan = learner->plans;
	learner->built_epoch = learner->observe.epoch;
	learner->built_version = book_version(learner->book);
	learner->built_ms = now_ms;
	if (!is_new && learner->overlay)
		err = facts_gather_news(learner->book, tables, now_s, learner->wanted, &task.facts);
	if (err < 0) {
		task.is_whole = true;
		err = facts_gather(learner->book, tables, now_s, &task.facts);
		book_drop_news(learner->book, now_s);
	}
	if (err < 0) {
		fail(learner, err);
		learner->overlay = learned_free(learner->overlay);
		return false;
	}
	task.tables = tables_use(tables);
	*ret_task = task;
	return true;
}

static int make_whole(struct learner *learner, const struct overlays_task *task)
{
	const struct facts *facts = &task->facts;
	struct wanted *wanted = NULL;
	int err = E_OK;

	learner->overlay = learned_free(learner->overlay);
	if (task->has_services)
		err = wanted_new(learner->regions.v4, learner->regions.v6, &task->rules, learner->notes, &wanted);
	for (size_t i = 0; wanted && i < facts->fresh_count; i++)
		wanted_set_fresh(wanted, &facts->fresh[i], true);
	if (err == E_OK)
		err = learned_build(task->tables, facts->list, facts->count, task->explore, &learner->overlay);
	if (err < 0) {
		wanted_free(wanted);
		return err;
	}
	wanted_free(learner->wanted);
	learner->wanted = wanted;
	return E_OK;
}

// The next one in the place of the latest.
static int make_change(struct learner *learner, const struct overlays_task *task)
{
	const struct explore *now = &learner->overlay->explore, *next = &task->explore;
	bool is_same = now->share == next->share && now->seed == next->seed;
	struct learned *changed = NULL, *explored = NULL;
	int err = learned_change(learner->overlay, task->facts.list, task->facts.count, &changed);

	if (err == E_OK && !is_same)
		err = learned_explore(changed, *next, &explored);
	if (explored)
		learned_free(changed);
	learned_free(learner->overlay);
	learner->overlay = err < 0 ? learned_free(changed) : explored ? explored : changed;
	return err;
}

bool overlays_make(struct learner *learner, struct overlays_task *task)
{
	int err = task->is_whole ? make_whole(learner, task) : make_change(learner, task);

	facts_wipe(&task->facts);
	task->err = err;
	return err == E_OK;
}

void overlays_end(struct learner *learner, struct overlays_task *task, struct overlays *ret_old)
{
	*ret_old = (struct overlays){.tables = task->tables};
	if (task->err < 0 && task->is_whole)
		fail(learner, task->err);
	if (task->err < 0 && !task->is_whole) { // from nothing, at once
		learner->built_of = NULL;
		learner->wait_ms = 0;
	}
	if (task->err < 0)
		return;
	learner->has_failed = false;
	*ret_old = learner->ready;
	learner->ready = (struct overlays){
		.tables = task->tables,
		.learned = learned_is_empty(learner->overlay) ? NULL : learned_use(learner->overlay),
		.wanted = learner->wanted ? wanted_use(learner->wanted) : NULL,
	};
	learner->overlay_octets = learned_bytes(learner->overlay) + (learner->wanted ? wanted_bytes(learner->wanted) : 0);
}
