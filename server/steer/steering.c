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

static uint64_t spec_hash(const struct ranking_spec *spec)
{
	uint64_t hash = hash_mix(hash_bytes(0, spec->sites, spec->count * sizeof(*spec->sites)));

	hash = hash_mix(hash ^ spec->metro);
	if (spec->weights)
		hash = hash_mix(hash_bytes(hash ^ spec->tie_us, spec->weights, spec->count * sizeof(*spec->weights)));
	return hash;
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
	uint64_t hash = spec_hash(spec);
	int64_t found = intern_find(&plan->index, hash, is_equal, plan, spec);
	int err;

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
	const struct steering *tables; // whose tables are shared: the steering that is built, or the one that it extends
	struct steering *steering;
	uint32_t *numbers;             // by own set of the steering: its number in the plan. Owned
};

// The table that the sets of this form with one rule share, if there are any or it is wanted for later.
static int build_ranks(const struct building *b, enum metro_rule rule, size_t site_count)
{
	bool any = b->steering->wants.shared[rule], *is_wanted = calloc(site_count ? site_count : 1, sizeof(*is_wanted));
	int err = is_wanted ? E_OK : E_NOMEM;

	for (size_t site = 0; any && site < site_count && err == E_OK; site++)
		is_wanted[site] = true;
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

static bool are_maps_too_large(const struct building *b)
{
	const struct places *places = b->in->places;
	uint64_t bytes = (uint64_t)b->steering->form_counts[STEER_MAPPED] * places->count * sizeof(uint32_t);

	return places->count > LPM_VALUE_MAX || bytes > STEERING_MAPS_BYTES_MAX;
}

// The table that the sets with an array by place share. Each of them has an array by place besides.
static int build_places(const struct building *b)
{
	if (!b->steering->form_counts[STEER_MAPPED] && !b->steering->wants.mapped)
		return E_OK;
	return are_maps_too_large(b) ? E_LIMIT
	                             : lpm_pair_freeze(b->in->places->v4, b->in->places->v6, NULL, &b->steering->places);
}

static int build_set(void *ctx, size_t i)
{
	const struct building *b = ctx;
	const struct set *set = &b->plan->sets[b->numbers[i]];
	struct steer *steer = &b->steering->sets[i];

	switch (set->form) {
	case STEER_OWN:
		return steer_build_own(b->in, &set->spec, steer);
	case STEER_SHARED:
		return steer_build_shared(&b->tables->ranks[set->spec.metro], &set->spec, steer);
	case STEER_MAPPED:
		return steer_build_mapped(b->in, &b->tables->places, &set->spec, steer);
	case STEER_FORMS:
		break;
	}
	must(!"a form");
	return E_INVAL;
}

static void sum_bytes(struct steering *steering, const struct building *b)
{
	for (uint32_t i = 0; i < steering->count; i++)
		steering->form_bytes[steering->of[i]->form] += sizeof(struct steer) + steer_bytes(steering->of[i]);
	for (enum metro_rule rule = 0; rule < METRO_RULES; rule++)
		steering->form_bytes[STEER_SHARED] += ranks_bytes(&b->tables->ranks[rule]);
	steering->form_bytes[STEER_MAPPED] += lpm_pair_bytes(&b->tables->places);
	steering->form_bytes[STEER_MAPPED] += steering->form_counts[STEER_MAPPED] * b->in->places->count * sizeof(uint32_t);
}

// An empty steering for `plan` with room for all of its sets.
static struct steering *steering_new(const struct steering_plan *plan)
{
	struct steering *steering = calloc(1, sizeof(*steering));

	if (!steering)
		return NULL;
	steering->count = plan->count;
	steering->of = calloc(plan->count ? plan->count : 1, sizeof(const struct steer *));
	steering->sets = calloc(plan->count ? plan->count : 1, sizeof(*steering->sets));
	return steering->of && steering->sets ? steering : steering_free(steering);
}

// Builds the steering's own sets, whose forms are decided.
static int build_sets(const struct building *b)
{
	struct steering *steering = b->steering;
	int err = parallel_run(steering->set_count, build_set, (void *)b);

	for (uint32_t i = 0; i < steering->set_count && err == E_OK; i++) {
		steering->of[b->numbers[i]] = &steering->sets[i];
		err = intern_add(&steering->index, spec_hash(&steering->sets[i].spec), i);
	}
	if (err == E_OK)
		sum_bytes(steering, b);
	return err;
}

// Builds what is left if there was no error; frees what was made if there was one.
static int finish(const struct building *b, int err, struct steering **ret_steering)
{
	if (err == E_OK)
		err = build_sets(b);
	free(b->numbers);
	if (err == E_OK)
		*ret_steering = b->steering;
	else
		steering_free(b->steering);
	return err;
}

int steering_build(struct steering_plan *plan, const struct steer_input *in, size_t site_count,
                   const struct steering_wants *wants, struct steering **ret_steering)
{
	struct steering *steering = steering_new(plan);
	uint32_t *numbers = calloc(plan->count ? plan->count : 1, sizeof(*numbers));
	struct building b = {plan, in, steering, steering, numbers};
	int err = steering && numbers ? choose_forms(plan, wants->own_max) : E_NOMEM;

	for (uint32_t i = 0; i < plan->count && err == E_OK; i++) {
		numbers[i] = i;
		steering->form_counts[plan->sets[i].form]++;
	}
	if (err == E_OK) {
		steering->wants = *wants;
		steering->set_count = plan->count;
		err = build_places(&b);
	}
	for (enum metro_rule rule = 0; rule < METRO_RULES && err == E_OK; rule++)
		err = build_ranks(&b, rule, site_count);
	return finish(&b, err, ret_steering);
}

// ---- extending ------------------------------------------------------------------------------------------------------

static bool is_equal_steer(const void *steering, uint32_t set, const void *spec)
{
	return ranking_spec_equal(&((const struct steering *)steering)->sets[set].spec, spec);
}

// The set of `base` itself with that spec; NULL: it has none.
static const struct steer *find_steer(const struct steering *base, const struct ranking_spec *spec)
{
	int64_t found = intern_find(&base->index, spec_hash(spec), is_equal_steer, base, spec);

	return found < 0 ? NULL : &base->sets[found];
}

// Takes the sets of the plan that `base` has; the others become the steering's own, with their numbers in `numbers`.
static int divide_sets(struct steering_plan *plan, const struct steering *base, struct steering *steering,
                       uint32_t *numbers)
{
	for (uint32_t i = 0; i < plan->count; i++) {
		struct set *set = &plan->sets[i];

		steering->of[i] = find_steer(base, &set->spec);
		set->form = steering->of[i] ? steering->of[i]->form : form_beyond_own(&set->spec);
		steering->form_counts[set->form]++;
		if (steering->of[i])
			continue;
		if (set->form == STEER_SHARED ? !base->wants.shared[set->spec.metro] : !base->wants.mapped)
			return E_NOTFOUND;
		numbers[steering->set_count++] = i;
	}
	return E_OK;
}

int steering_extend(struct steering_plan *plan, const struct steer_input *in, const struct steering *base,
                    struct steering **ret_steering)
{
	struct steering *steering = steering_new(plan);
	uint32_t *numbers = calloc(plan->count ? plan->count : 1, sizeof(*numbers));
	struct building b = {plan, in, base, steering, numbers};
	int err = steering && numbers ? divide_sets(plan, base, steering, numbers) : E_NOMEM;

	if (err == E_OK && steering->form_counts[STEER_MAPPED] && are_maps_too_large(&b))
		err = E_LIMIT;
	return finish(&b, err, ret_steering);
}

struct steering *steering_free(struct steering *steering)
{
	if (!steering)
		return NULL;
	for (uint32_t i = 0; steering->sets && i < steering->set_count; i++)
		steer_wipe(&steering->sets[i]);
	free(steering->sets);
	free((void *)steering->of);
	intern_wipe(&steering->index);
	lpm_pair_wipe(&steering->places);
	for (enum metro_rule rule = 0; rule < METRO_RULES; rule++)
		ranks_wipe(&steering->ranks[rule]);
	free(steering);
	return NULL;
}
