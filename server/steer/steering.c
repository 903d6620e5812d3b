// Collects sets of sites and builds their tables; see steering.h.
#include "steer/steering.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/intern.h"
#include "base/parallel.h"
#include "steer/place.h"

struct set {
	struct ranking_spec spec; // its arrays are owned
	uint32_t number, apps;
	enum steer_form form;
};

struct steering_plan {
	struct set *sets;
	uint32_t count, cap;
	struct intern index;
};

struct steering_plan *steering_plan_new(void)
{
	return calloc(1, sizeof(struct steering_plan));
}

struct steering_plan *steering_plan_free(struct steering_plan *plan)
{
	for (uint32_t i = 0; plan && i < plan->count; i++)
		ranking_spec_wipe(&plan->sets[i].spec);
	if (plan) {
		intern_wipe(&plan->index);
		free(plan->sets);
	}
	free(plan);
	return NULL;
}

static bool is_equal(const void *plan, uint32_t set, const void *spec)
{
	return ranking_spec_equal(&((const struct steering_plan *)plan)->sets[set].spec, spec);
}

static int grow(struct steering_plan *plan)
{
	uint32_t cap = plan->cap ? plan->cap * 2 : 16;
	struct set *sets = cap > plan->cap ? reallocarray(plan->sets, cap, sizeof(*sets)) : NULL;

	if (!sets)
		return E_NOMEM;
	plan->sets = sets;
	plan->cap = cap;
	return E_OK;
}

int steering_plan_add(struct steering_plan *plan, const struct ranking_spec *spec, uint32_t *ret_set)
{
	uint64_t hash = hash_mix(hash_bytes(0, spec->sites, spec->count * sizeof(*spec->sites)));
	int64_t found;
	int err;

	hash = hash_mix(hash ^ spec->metro);
	if (spec->weights)
		hash = hash_mix(hash_bytes(hash ^ spec->tie_us, spec->weights, spec->count * sizeof(*spec->weights)));
	found = intern_find(&plan->index, hash, is_equal, plan, spec);
	if (found >= 0) {
		plan->sets[found].apps++;
		*ret_set = (uint32_t)found;
		return E_OK;
	}
	if (plan->count == plan->cap && grow(plan) < 0)
		return E_NOMEM;

	struct set *set = &plan->sets[plan->count];

	*set = (struct set){.number = plan->count, .apps = 1};
	err = ranking_spec_copy(spec, &set->spec);
	if (err < 0)
		return err;
	plan->count++;
	*ret_set = set->number;
	return intern_add(&plan->index, hash, set->number);
}

static int compare_apps(const void *a, const void *b)
{
	const struct set *x = *(const struct set *const *)a, *y = *(const struct set *const *)b;

	if (x->apps != y->apps)
		return x->apps > y->apps ? -1 : 1;
	return x->number < y->number ? -1 : 1;
}

// The orders of a set with weights have groups, and `sole` counts the set's sites: no other set can share them.
static enum steer_form form_beyond_own(const struct ranking_spec *spec)
{
	return spec->weights || spec->metro == METRO_SOLE ? STEER_MAPPED : STEER_SHARED;
}

// Decides the form of each set.
static int choose_forms(struct steering_plan *plan, uint32_t own_max)
{
	struct set **sets = calloc(plan->count ? plan->count : 1, sizeof(struct set *));

	if (!sets)
		return E_NOMEM;
	for (uint32_t i = 0; i < plan->count; i++)
		sets[i] = &plan->sets[i];
	qsort(sets, plan->count, sizeof(struct set *), compare_apps);
	for (uint32_t i = 0; i < plan->count; i++)
		sets[i]->form = i < own_max ? STEER_OWN : form_beyond_own(&sets[i]->spec);
	free(sets);
	return E_OK;
}

struct building {
	const struct steering_plan *plan;
	const struct steer_input *in;
	struct steering *steering;
};

// The table that the sets of this form with one rule share, if there are any.
static int build_ranks(const struct building *b, enum metro_rule rule, size_t site_count)
{
	bool *is_wanted = calloc(site_count ? site_count : 1, sizeof(*is_wanted)), any = false;
	int err = is_wanted ? E_OK : E_NOMEM;

	for (uint32_t i = 0; i < b->plan->count && err == E_OK; i++) {
		const struct set *set = &b->plan->sets[i];

		if (set->form != STEER_SHARED || set->spec.metro != rule)
			continue;
		any = true;
		for (uint16_t slot = 0; slot < set->spec.count; slot++)
			is_wanted[set->spec.sites[slot]] = true;
	}
	if (err == E_OK && any)
		err = ranks_build(b->in, rule, site_count, is_wanted, &b->steering->ranks[rule]);
	free(is_wanted);
	return err;
}

// The table that the sets with an array by place share. Each of them has an array by place besides.
static int build_places(const struct building *b)
{
	const struct places *places = b->in->places;
	uint64_t bytes = (uint64_t)b->steering->form_counts[STEER_MAPPED] * places->count * sizeof(uint32_t);

	if (places->count > LPM_VALUE_MAX || bytes > STEERING_MAPS_BYTES_MAX)
		return E_LIMIT;
	return lpm_pair_freeze(places->v4, places->v6, NULL, &b->steering->places);
}

static int build_set(void *ctx, size_t number)
{
	const struct building *b = ctx;
	const struct set *set = &b->plan->sets[number];
	struct steer *steer = &b->steering->sets[number];

	switch (set->form) {
	case STEER_OWN:
		return steer_build_own(b->in, &set->spec, steer);
	case STEER_SHARED:
		return steer_build_shared(&b->steering->ranks[set->spec.metro], &set->spec, steer);
	case STEER_MAPPED:
		return steer_build_mapped(b->in, &b->steering->places, &set->spec, steer);
	case STEER_FORMS:
		break;
	}
	must(!"a form");
	return E_INVAL;
}

static void sum_bytes(struct steering *steering, size_t place_count)
{
	for (uint32_t i = 0; i < steering->count; i++)
		steering->form_bytes[steering->sets[i].form] += sizeof(struct steer) + steer_bytes(&steering->sets[i]);
	for (enum metro_rule rule = 0; rule < METRO_RULES; rule++)
		steering->form_bytes[STEER_SHARED] += ranks_bytes(&steering->ranks[rule]);
	steering->form_bytes[STEER_MAPPED] += lpm_pair_bytes(&steering->places);
	steering->form_bytes[STEER_MAPPED] += steering->form_counts[STEER_MAPPED] * place_count * sizeof(uint32_t);
}

int steering_build(struct steering_plan *plan, const struct steer_input *in, size_t site_count, uint32_t own_max,
                   struct steering **ret_steering)
{
	struct steering *steering = calloc(1, sizeof(*steering));
	struct building b = {plan, in, steering};
	int err = steering ? choose_forms(plan, own_max) : E_NOMEM;

	if (err == E_OK) {
		steering->sets = calloc(plan->count ? plan->count : 1, sizeof(*steering->sets));
		steering->count = plan->count;
		err = steering->sets ? E_OK : E_NOMEM;
	}
	for (uint32_t i = 0; i < plan->count && err == E_OK; i++)
		steering->form_counts[plan->sets[i].form]++;
	for (enum metro_rule rule = 0; rule < METRO_RULES && err == E_OK; rule++)
		err = build_ranks(&b, rule, site_count);
	if (err == E_OK && steering->form_counts[STEER_MAPPED])
		err = build_places(&b);
	if (err == E_OK)
		err = parallel_run(plan->count, build_set, &b);
	if (err < 0) {
		steering_free(steering);
		return err;
	}
	sum_bytes(steering, in->places->count);
	*ret_steering = steering;
	return E_OK;
}

struct steering *steering_free(struct steering *steering)
{
	if (!steering)
		return NULL;
	for (uint32_t i = 0; steering->sets && i < steering->count; i++)
		steer_wipe(&steering->sets[i]);
	free(steering->sets);
	lpm_pair_wipe(&steering->places);
	for (enum metro_rule rule = 0; rule < METRO_RULES; rule++)
		ranks_wipe(&steering->ranks[rule]);
	free(steering);
	return NULL;
}
