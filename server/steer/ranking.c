// From places to rankings; see ranking.h. ranking_candidates() decides for one place; `explain` shows its result.
#include "steer/ranking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "steer/lpm.h"
#include "steer/place.h"

_Static_assert(APP_TARGETS_MAX <= UINT8_MAX + 1, "a slot fits struct ranking_step");

enum rank { HINTED, KNOWN, UNKNOWN_PUBLIC, UNKNOWN_CARRIER, STANDBY, UNREACHABLE = 2 * STANDBY };

static bool is_standby(const struct ranking_spec *spec, const struct candidate *candidate)
{
	return spec->weights && spec->weights[candidate->slot] == 0;
}

// Rank comes before cost: the hinted site, then known costs, then unknown ones with public sites first; the same again
// for standbys; last those that cannot be reached.
static int rank(const struct steer_input *in, const struct ranking_spec *spec, const struct candidate *candidate)
{
	int standby = is_standby(spec, candidate) ? STANDBY : 0;

	if (!candidate->reachable)
		return UNREACHABLE;
	if (candidate->cost.basis == COST_HINT)
		return standby + HINTED;
	if (candidate->cost.basis != COST_UNKNOWN)
		return standby + KNOWN;
	return standby + (in->sites[spec->sites[candidate->slot]].is_public ? UNKNOWN_PUBLIC : UNKNOWN_CARRIER);
}

static bool before(const struct steer_input *in, const struct ranking_spec *spec, const struct candidate *a,
                   const struct candidate *b)
{
	int rank_a = rank(in, spec, a), rank_b = rank(in, spec, b);

	if (rank_a != rank_b)
		return rank_a < rank_b;
	if (rank_a % STANDBY <= KNOWN && a->cost.us != b->cost.us)
		return a->cost.us < b->cost.us;
	return a->slot < b->slot;
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
	unsigned reachable = 0;

	for (uint16_t slot = 0; slot < spec->count; slot++) {
		uint16_t site = spec->sites[slot];
		struct candidate candidate = {
			.slot = slot,
			.reachable = cost_can_reach(in->places, &in->sites[site], place),
			.cost = {.basis = COST_UNKNOWN, .km = NAN, .us = INT64_MAX},
		};

		if (candidate.reachable)
			candidate.cost = cost_estimate(in, place, &here, &points[slot], site);
		reachable += candidate.reachable;

		unsigned at = slot;

		for (; at > 0 && before(in, spec, &candidate, &ret_candidates[at - 1]); at--)
			ret_candidates[at] = ret_candidates[at - 1];
		ret_candidates[at] = candidate;
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
	if (a->count != b->count || !a->weights != !b->weights)
		return false;
	if (memcmp(a->sites, b->sites, a->count * sizeof(*a->sites)) != 0)
		return false;
	return !a->weights || (memcmp(a->weights, b->weights, a->count * sizeof(*a->weights)) == 0 &&
	                       a->tie_us == b->tie_us && a->hash_v4 == b->hash_v4 && a->hash_v6 == b->hash_v6);
}

struct ranking_maker {
	const struct steer_input *in;
	const struct ranking_spec *spec;
	struct cost_point points[APP_TARGETS_MAX]; // of the spec's sites
	uint8_t *bytes;
	size_t len, cap;      // octets; `len` is a multiple of RANKING_UNIT
	uint32_t count;       // of rankings
	uint32_t *slots;      // number of the ranking's unit + 1; 0: empty
	size_t slot_count;    // a power of two
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
	return sizeof(*ranking) + ranking->count * sizeof(ranking->steps[0]);
}

static size_t units(size_t len)
{
	return (len + RANKING_UNIT - 1) / RANKING_UNIT;
}

static const struct ranking *ranking_at(const struct ranking_maker *m, size_t unit)
{
	must(unit * RANKING_UNIT < m->len);
	return (const void *)(m->bytes + unit * RANKING_UNIT);
}

// The slot of an equal ranking, or the empty one where it belongs.
static size_t find_slot(const struct ranking_maker *m, const struct ranking *ranking)
{
	size_t len = ranking_len(ranking), at = hash_mix(hash_bytes(0, ranking, len)) & (m->slot_count - 1);

	for (; m->slots[at]; at = (at + 1) & (m->slot_count - 1)) {
		const struct ranking *there = ranking_at(m, m->slots[at] - 1);

		if (ranking_len(there) == len && memcmp(there, ranking, len) == 0)
			break;
	}
	return at;
}

// The index is kept at most half full.
static int grow_index(struct ranking_maker *m)
{
	size_t count = m->slot_count ? m->slot_count * 2 : 512;
	uint32_t *slots = calloc(count, sizeof(*slots));

	if (!slots)
		return E_NOMEM;
	free(m->slots);
	m->slots = slots;
	m->slot_count = count;
	for (size_t unit = 0; unit * RANKING_UNIT < m->len; unit += units(ranking_len(ranking_at(m, unit))))
		m->slots[find_slot(m, ranking_at(m, unit))] = (uint32_t)unit + 1;
	return E_OK;
}

static int intern_ranking(struct ranking_maker *m, const struct ranking *ranking, uint32_t *ret_unit)
{
	size_t len = ranking_len(ranking), room = units(len) * RANKING_UNIT, unit = m->len / RANKING_UNIT;

	if (m->count >= m->slot_count / 2 && grow_index(m) < 0)
		return E_NOMEM;

	size_t at = find_slot(m, ranking);

	if (m->slots[at]) {
		*ret_unit = m->slots[at] - 1;
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
	m->slots[at] = (uint32_t)unit + 1;
	*ret_unit = (uint32_t)unit;
	return E_OK;
}

int ranking_of_place(struct ranking_maker *m, const struct place *place, uint32_t *ret_unit)
{
	const struct ranking_spec *spec = m->spec;
	struct candidate candidates[APP_TARGETS_MAX];
	_Alignas(struct ranking) uint8_t room[sizeof(struct ranking) + APP_TARGETS_MAX * sizeof(struct ranking_step)];
	struct ranking *ranking = (void *)room;
	unsigned count = sort_candidates(m->in, spec, m->points, place, candidates);

	must(count <= spec->count);
	*ranking = (struct ranking){.count = (uint16_t)count, .ecs_ignored = place->ecs_ignored};
	for (unsigned i = 0, end = 0; i < count; i++) {
		if (i == 0 || i > end)
			end = group_end(spec, candidates, count, i);
		ranking->steps[i] = (struct ranking_step){(uint8_t)candidates[i].slot, (uint8_t)end};
		ranking->hashed = ranking->hashed || end > i;
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
	free(maker->slots);
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
