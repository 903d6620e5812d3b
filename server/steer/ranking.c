// From places to rankings; see ranking.h. ranking_candidates() decides for one place; `explain` shows its result.
#include "steer/ranking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/intern.h"
#include "base/must.h"
#include "steer/lpm.h"
#include "steer/place.h"

_Static_assert(APP_TARGETS_MAX <= UINT8_MAX + 1, "a slot fits struct ranking_step");

static bool is_standby(const struct ranking_spec *spec, const struct candidate *candidate)
{
	return spec->weights && spec->weights[candidate->slot] == 0;
}

static bool is_reachable(const struct candidate *candidate)
{
	return candidate->order != COST_ORDER_UNREACHABLE;
}

static bool before(const struct ranking_spec *spec, const struct candidate *a, const struct candidate *b)
{
	bool standby_a = is_reachable(a) && is_standby(spec, a), standby_b = is_reachable(b) && is_standby(spec, b);

	if (is_reachable(a) != is_reachable(b))
		return is_reachable(a);
	if (standby_a != standby_b)
		return standby_b;
	return a->order != b->order ? a->order < b->order : a->slot < b->slot;
}

static void points_of_sites(const struct steer_input *in, const struct ranking_spec *spec, struct cost_point *ret_points)
{
	must(spec->count <= APP_TARGETS_MAX);
	for (uint16_t slot = 0; slot < spec->count; slot++) {
		const struct site *site = &in->sites[spec->sites[slot]];

		ret_points[slot] = cost_point_at(site->latitude, site->longitude);
	}
}

static unsigned sort_candidates(const struct steer_input *in, const struct ranking_spec *spec,
                                 const struct cost_point *points, const struct place *place,
                                 struct candidate *ret_candidates)
{
	struct cost_point here = cost_point_at(place->latitude, place->longitude);
	struct metro metro = metro_of(in, spec->metro, spec->sites, spec->count, place);
	unsigned reachable = 0;

	for (uint16_t slot = 0; slot < spec->count; slot++) {
		uint16_t site = spec->sites[slot];
		struct cost cost = cost_estimate(in, place, &here, &points[slot], site);
		int64_t order = metro_order(in, &metro, site, &cost);
		struct candidate candidate = {slot, cost, order};
		unsigned at = slot;

		for (; at > 0 && before(spec, &candidate, &ret_candidates[at - 1]); at--)
			ret_candidates[at] = ret_candidates[at - 1];
		ret_candidates[at] = candidate;
		reachable += is_reachable(&candidate);
	}
	return reachable;
}

unsigned ranking_candidates(const struct steer_input *in, const struct ranking_spec *spec, const struct place *place,
                          struct candidate *ret_candidates)
{
	struct cost_point points[APP_TARGETS_MAX];

	points_of_sites(in, spec, points);
	return sort_candidates(in, spec, points, place, ret_candidates);
}

bool ranking_spec_equal(const struct ranking_spec *a, const struct ranking_spec *b)
{
	if (a->count != b->count || a->metro != b->metro || !a->weights != !b->weights)
		return false;
	if (memcmp(a->sites, b->sites, a->count * sizeof(*a->sites)) != 0)
		return false;
	return !a->weights || (memcmp(a->weights, b->weights, a->count * sizeof(*a->weights)) == 0 &&
	                       a->tie_us == b->tie_us && a->hash_v4 == b->hash_v4 && a->hash_v6 == b->hash_v6);
}

int ranking_spec_copy(const struct ranking_spec *spec, struct ranking_spec *ret_copy)
{
	uint16_t *sites = calloc(spec->count ? spec->count : 1, sizeof(*sites));
	uint32_t *weights = spec->weights ? calloc(spec->count, sizeof(*weights)) : NULL;

	*ret_copy = *spec;
	ret_copy->sites = sites;
	ret_copy->weights = weights;
	if (!sites || (spec->weights && !weights)) {
		ranking_spec_wipe(ret_copy);
		return E_NOMEM;
	}
	memcpy(sites, spec->sites, spec->count * sizeof(*sites));
	if (weights)
		memcpy(weights, spec->weights, spec->count * sizeof(*weights));
	return E_OK;
}

void ranking_spec_wipe(struct ranking_spec *copy)
{
	free((void *)copy->sites);
	free((void *)copy->weights);
	*copy = (struct ranking_spec){0};
}

struct ranking_maker {
	const struct steer_input *in;
	const struct ranking_spec *spec;
	struct cost_point points[APP_TARGETS_MAX]; // of the spec's sites
	uint8_t *bytes;
	size_t len, cap;      // octets; `len` is a multiple of RANKING_UNIT
	uint32_t count;       // of rankings
	struct intern units;  // their positions
};

// The index of the last candidate of the group that starts at candidate i. Only known costs share a group; a hinted
// site is a group of its own, and so is each standby, as standbys have no weights to share by.
static unsigned group_end(const struct ranking_spec *spec, const struct candidate *candidates, unsigned count, unsigned i)
{
	const struct candidate *best = &candidates[i], *next;
	unsigned end = i;

	must(i < count);
	if (!spec->weights || best->cost.basis == COST_UNKNOWN || best->cost.basis == COST_HINT)
		return i;
	for (; end + 1 < count; end++) {
		next = &candidates[end + 1];
		if (next->cost.basis == COST_UNKNOWN || next->cost.us - best->cost.us > spec->tie_us || is_standby(spec, next))
			break;
	}
	return end;
}

static size_t ranking_len(const struct ranking *ranking)
{
	return sizeof(*ranking) + ranking->order.count * sizeof(ranking->steps[0]);
}

static size_t units(size_t len)
{
	return (len + RANKING_UNIT - 1) / RANKING_UNIT;
}

static struct ranking *ranking_at(const struct ranking_maker *m, size_t unit)
{
	must(unit * RANKING_UNIT < m->len);
	return (void *)(m->bytes + unit * RANKING_UNIT);
}

static bool is_equal(const void *maker, uint32_t unit, const void *key)
{
	const struct ranking *there = ranking_at(maker, unit), *ranking = key;
	size_t len = ranking_len(ranking);

	return ranking_len(there) == len && memcmp((const uint8_t *)there + ORDER_CARRIERS_LEN,
	                                           (const uint8_t *)ranking + ORDER_CARRIERS_LEN, len - ORDER_CARRIERS_LEN) == 0;
}

static int intern_ranking(struct ranking_maker *m, const struct ranking *ranking, uint32_t *ret_unit)
{
	size_t len = ranking_len(ranking), room = units(len) * RANKING_UNIT, unit = m->len / RANKING_UNIT;
	uint64_t hash = hash_mix(hash_bytes(0, (const uint8_t *)ranking + ORDER_CARRIERS_LEN, len - ORDER_CARRIERS_LEN));
	int64_t found = intern_find(&m->units, hash, is_equal, m, ranking);

	if (found >= 0) {
		ranking_at(m, (size_t)found)->order.carriers |= ranking->order.carriers;
		*ret_unit = (uint32_t)found;
		return E_OK;
	}
	if (unit > LPM_VALUE_MAX)
		return E_LIMIT;
	if (m->len + room > m->cap) {
		size_t cap = (m->len + room) * 2;
		uint8_t *bytes = realloc(m->bytes, cap);

		if (!bytes)
			return E_NOMEM;
		m->bytes = bytes;
		m->cap = cap;
	}
	must(m->len % RANKING_UNIT == 0);
	memcpy(m->bytes + m->len, ranking, len);
	m->len += room;
	m->count++;
	*ret_unit = (uint32_t)unit;
	return intern_add(&m->units, hash, (uint32_t)unit);
}

int ranking_of_place(struct ranking_maker *m, const struct place *place, uint32_t *ret_unit)
{
	const struct ranking_spec *spec = m->spec;
	struct candidate candidates[APP_TARGETS_MAX];
	_Alignas(struct ranking) uint8_t room[sizeof(struct ranking) + APP_TARGETS_MAX * sizeof(struct ranking_step)];
	struct ranking *ranking = (void *)room;
	unsigned count = sort_candidates(m->in, spec, m->points, place, candidates);

	must(count <= spec->count);
	*ranking = (struct ranking){.order = {.carriers = place_carrier_bit(place_carrier(m->in->places, place)),
	                                      .count = (uint16_t)count, .ecs_ignored = place->ecs_ignored}};
	for (unsigned i = 0, end = 0; i < count; i++) {
		if (i == 0 || i > end)
			end = group_end(spec, candidates, count, i);
		ranking->steps[i] = (struct ranking_step){(uint8_t)candidates[i].slot, (uint8_t)end};
		ranking->order.hashed = ranking->order.hashed || end > i;
	}
	return intern_ranking(m, ranking, ret_unit);
}

struct ranking_maker *ranking_maker_new(const struct steer_input *in, const struct ranking_spec *spec)
{
	struct ranking_maker *maker = calloc(1, sizeof(*maker));

	must(spec->count <= APP_TARGETS_MAX);
	if (!maker)
		return NULL;
	maker->in = in;
	maker->spec = spec;
	points_of_sites(in, spec, maker->points);
	return maker;
}

struct ranking_maker *ranking_maker_free(struct ranking_maker *maker)
{
	if (!maker)
		return NULL;
	free(maker->bytes);
	intern_wipe(&maker->units);
	free(maker);
	return NULL;
}

struct ranking_set ranking_maker_finish(struct ranking_maker *maker)
{
	struct ranking_set set = {maker->bytes, maker->len, maker->count};

	maker->bytes = NULL;
	maker->len = maker->cap = 0;
	return set;
}
