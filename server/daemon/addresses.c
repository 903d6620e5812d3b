// Composing answers; see addresses.h.
#include "daemon/addresses.h"

#include <stdbool.h>

#include "base/err.h"
#include "base/must.h"
#include "config/config.h"
#include "daemon/merge.h"
#include "health/health.h"
#include "view/answers.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

_Static_assert((int)ANSWERS_ADDRESSES_MAX == (int)CONFIG_ADDRESSES_MAX, "all of a target's addresses fit into an answer");

// Replaces the answer, unless it would be the same one. E_NOMEM.
static int replace(const struct target *target, const struct addr *list, size_t count, uint32_t ttl_s)
{
	struct answers *answers = answers_new(list, count, ttl_s);
	uint32_t cap_s = answers_of(target)->cap_s;

	if (answers && cap_s) {
		struct answers *capped = answers_capped(answers, cap_s);

		answers_free(answers);
		answers = capped;
	}
	if (!answers)
		return E_NOMEM;
	if (answers_equal(answers_of(target), answers))
		answers_free(answers);
	else
		answers_set(target, answers);
	return E_OK;
}

static int compose(const struct target *target, const struct health *health, uint32_t number, uint32_t ttl_s)
{
	struct health_address probed[CONFIG_ADDRESSES_MAX];
	struct addr list[CONFIG_ADDRESSES_MAX];
	size_t all = health_addresses(health, number, probed), count = 0;

	for (size_t i = 0; i < all; i++)
		if (probed[i].shown->up || !health_up(health, number))
			list[count++] = probed[i].addr;
	return replace(target, list, count, ttl_s);
}

int addresses_compose(const struct view *view, const struct health *health, uint32_t number)
{
	struct health_address probed[CONFIG_ADDRESSES_MAX];
	const struct target *target;

	must(number < view->target_count && view->target_count == health_count(health));
	target = &view->targets[number];
	if (health_whole(health, number) || health_addresses(health, number, probed) < 2) // health takes none away
		return E_OK;
	return compose(target, health, number, answers_of(target)->ttl_s);
}

int addresses_compose_all(const struct view *view, const struct health *health)
{
	int err = E_OK;

	for (uint32_t i = 0; i < view->target_count && err == E_OK; i++)
		if (health_partial(health, i) || !answers_of(&view->targets[i])->in_arena)
			err = addresses_compose(view, health, i);
	return err;
}

int addresses_cap(const struct view *view, uint32_t number, uint32_t cap_s)
{
	const struct target *target = &view->targets[number];
	struct answers *answers;

	must(number < view->target_count);
	if (answers_of(target)->cap_s == cap_s)
		return E_OK;
	answers = answers_capped(answers_of(target), cap_s);
	if (!answers)
		return E_NOMEM;
	answers_set(target, answers);
	return E_OK;
}

int addresses_set(const struct view *view, struct merge *merge, struct health *health, uint32_t number,
                  const struct addr *list, size_t count, uint32_t ttl_s)
{
	const struct target *target;
	int err = E_OK;

	must(number < view->target_count && view->target_count == health_count(health));
	target = &view->targets[number];
	if (!health_whole(health, number))
		err = health_set_addresses(health, number, list, count);
	// Without any, what it had stays, and is not answered. With some, they are there before the state says so.
	if (err == E_OK && count > 0)
		err = health_whole(health, number) ? replace(target, list, count, ttl_s) : compose(target, health, number, ttl_s);
	if (err < 0)
		return err;
	merge_set_empty(merge, number, count == 0);
	return E_OK;
}

// The answer of the target in the previous view, if it has one.
static int carry(const struct target *target, const struct view *view, const struct view *previous,
                 const struct merge *previous_merge)
{
	struct addr list[ANSWERS_ADDRESSES_MAX];
	int old = index_find_target(previous, target->app->name, view->sites[target->site].name);
	const struct answers *answers = old < 0 ? NULL : answers_of(&previous->targets[old]);
	size_t count = 0;

	if (answers && !(merge_state_of(previous_merge, (uint32_t)old) & TARGET_EMPTY))
		count = answers_addresses(answers, list);
	return count > 0 ? replace(target, list, count, answers->ttl_s) : E_OK;
}

int addresses_carry(const struct view *view, const struct view *previous, const struct merge *previous_merge)
{
	int err = E_OK;

	for (uint32_t i = 0; i < view->target_count && err == E_OK; i++)
		if (answers_of(&view->targets[i])->count == 0) // the config gives none
			err = carry(&view->targets[i], view, previous, previous_merge);
	return err;
}

int addresses_prepare(const struct view *view, struct merge *merge, const struct health *health)
{
	int err = E_OK;

	must(view->target_count == health_count(health));
	for (uint32_t i = 0; i < view->target_count; i++) {
		if (answers_of(&view->targets[i])->count == 0)
			merge_set_empty(merge, i, true);
		else if (err == E_OK && health_partial(health, i))
			err = addresses_compose(view, health, i);
	}
	return err;
}
