// Orders of candidates; see steer.h. steer_candidates() decides for one place and explain shows what it returns;
// steer_build() asks it once for every place there is and keeps the distinct answers.
#include "steer/steer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "steer/place.h"
#include "steer/ptree.h"

#define EARTH_KM 6371.0088 // mean radius, IUGG

static double radians(double degrees)
{
	return degrees * (M_PI / 180);
}

// A place on the unit sphere: made once, it spares the sines of every distance from there.
struct point {
	double x, y, z;
};

static struct point point_at(double latitude, double longitude)
{
	double lat = radians(latitude), lon = radians(longitude);

	return (struct point){cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat)};
}

// By the chord, which keeps its precision for near points, where order matters most.
static double distance_km(const struct point *a, const struct point *b)
{
	double x = a->x - b->x, y = a->y - b->y, z = a->z - b->z, half_chord = sqrt(x * x + y * y + z * z) / 2;

	return 2 * EARTH_KM * asin(half_chord < 1 ? half_chord : 1);
}

double steer_distance_km(double lat1, double lon1, double lat2, double lon2)
{
	struct point a = point_at(lat1, lon1), b = point_at(lat2, lon2);

	return distance_km(&a, &b);
}

bool steer_can_reach(const struct places *places, const struct site *site, const struct place *place)
{
	if (site->is_public)
		return true;
	if (place->carrier == 0 || !place_is_edge(places, place))
		return false;
	for (unsigned i = 0; i < site->carrier_count; i++)
		if (site->carriers[i] == place->carrier)
			return true;
	return false;
}

// The row for (group, carrier, site), or NULL.
static const struct measured *find_row(const struct measured_table *table, uint32_t group, uint16_t carrier,
                                       uint16_t site)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct measured *row = &table->rows[mid];

		if (row->group == group && row->carrier == carrier && row->site == site)
			return row;
		if (row->group < group || (row->group == group && row->carrier < carrier) ||
		    (row->group == group && row->carrier == carrier && row->site < site))
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static const struct measured *find_measured(const struct measured_table *table, const struct place *place,
                                            uint16_t site)
{
	const struct measured *row = place->measured ? find_row(table, place->measured, 0, site) : NULL;

	if (!row && place->carrier)
		row = find_row(table, 0, place->carrier, site);
	return row;
}

// DESIGN section 2.3, one candidate's estimated round trip; first row that applies:
//
//   the place hints at this site              first of all: basis COST_HINT, cost as below, or 0 when that is unknown
//   the latency table has (place, site)       the measured time
//   both have coordinates                     access(kind) + km * us_per_km
//   else                                      unknown
//
// and the site's bias is added to what is known.
static void estimate(const struct steer_input *in, const struct place *place, const struct point *here,
                     const struct point *there, uint16_t site_number, struct candidate *candidate)
{
	const struct site *site = &in->sites[site_number];
	const struct measured *row = find_measured(&in->measured, place, site_number);
	bool hinted = place->hint && strcmp(names_text(in->places->hints, place->hint), site->name) == 0;

	candidate->km = NAN;
	candidate->basis = COST_UNKNOWN;
	candidate->cost_us = INT64_MAX;
	if (!isnan(place->latitude) && !isnan(site->latitude)) {
		candidate->km = distance_km(here, there);
		candidate->basis = COST_DISTANCE;
		candidate->cost_us = llround(in->model->access_us[site->kind] + candidate->km * in->model->us_per_km);
	}
	if (row) {
		candidate->basis = COST_MEASURED;
		candidate->cost_us = row->us;
	}
	if (hinted) {
		candidate->cost_us = candidate->basis == COST_UNKNOWN ? 0 : candidate->cost_us;
		candidate->basis = COST_HINT;
	}
	if (candidate->basis != COST_UNKNOWN)
		candidate->cost_us += site->bias_us;
}

enum rank { HINTED, KNOWN, UNKNOWN_PUBLIC, UNKNOWN_CARRIER, STANDBY, UNREACHABLE = 2 * STANDBY };

static bool is_standby(const struct steer_spec *spec, const struct candidate *candidate)
{
	return spec->weights && spec->weights[candidate->slot] == 0;
}

// Rank before cost: the hinted site, then known costs, then unknown ones with public sites first; the same once more for
// standbys; last who cannot be reached at all.
static int rank(const struct steer_input *in, const struct steer_spec *spec, const struct candidate *candidate)
{
	int standby = is_standby(spec, candidate) ? STANDBY : 0;

	if (!candidate->reachable)
		return UNREACHABLE;
	if (candidate->basis == COST_HINT)
		return standby + HINTED;
	if (candidate->basis != COST_UNKNOWN)
		return standby + KNOWN;
	return standby + (in->sites[spec->sites[candidate->slot]].is_public ? UNKNOWN_PUBLIC : UNKNOWN_CARRIER);
}

static bool before(const struct steer_input *in, const struct steer_spec *spec, const struct candidate *a,
                   const struct candidate *b)
{
	int rank_a = rank(in, spec, a), rank_b = rank(in, spec, b);

	if (rank_a != rank_b)
		return rank_a < rank_b;
	if (rank_a % STANDBY <= KNOWN && a->cost_us != b->cost_us)
		return a->cost_us < b->cost_us;
	return a->slot < b->slot;
}

static void points_of_sites(const struct steer_input *in, const struct steer_spec *spec, struct point *ret_points)
{
	for (uint16_t slot = 0; slot < spec->count; slot++) {
		const struct site *site = &in->sites[spec->sites[slot]];

		ret_points[slot] = point_at(site->latitude, site->longitude);
	}
}

static unsigned order_candidates(const struct steer_input *in, const struct steer_spec *spec,
                                 const struct point *points, const struct place *place,
                                 struct candidate *ret_candidates)
{
	struct point here = point_at(place->latitude, place->longitude);
	unsigned reachable = 0;

	for (uint16_t slot = 0; slot < spec->count; slot++) {
		uint16_t site = spec->sites[slot];
		struct candidate candidate = {
			.slot = slot,
			.reachable = steer_can_reach(in->places, &in->sites[site], place),
			.basis = COST_UNKNOWN,
			.km = NAN,
			.cost_us = INT64_MAX,
		};

		if (candidate.reachable)
			estimate(in, place, &here, &points[slot], site, &candidate);
		reachable += candidate.reachable;

		unsigned at = slot;

		for (; at > 0 && before(in, spec, &candidate, &ret_candidates[at - 1]); at--)
			ret_candidates[at] = ret_candidates[at - 1];
		ret_candidates[at] = candidate;
	}
	return reachable;
}

unsigned steer_candidates(const struct steer_input *in, const struct steer_spec *spec, const struct place *place,
                          struct candidate *ret_candidates)
{
	struct point points[APP_TARGETS_MAX];

	points_of_sites(in, spec, points);
	return order_candidates(in, spec, points, place, ret_candidates);
}

bool steer_spec_equal(const struct steer_spec *a, const struct steer_spec *b)
{
	if (a->count != b->count || !a->weights != !b->weights)
		return false;
	if (memcmp(a->sites, b->sites, a->count * sizeof(*a->sites)) != 0)
		return false;
	return !a->weights || (memcmp(a->weights, b->weights, a->count * sizeof(*a->weights)) == 0 &&
	                       a->tie_us == b->tie_us && a->hash_v4 == b->hash_v4 && a->hash_v6 == b->hash_v6);
}

// All distinct orders in one piece of memory, and an index of them.
struct builder {
	const struct steer_input *in;
	struct steer *steer;
	struct point points[APP_TARGETS_MAX]; // of the spec's sites
	uint8_t *orders;
	size_t len, cap;      // octets, in whole units
	uint32_t *slots;      // number of the order's unit + 1; 0: empty
	size_t slot_count;    // a power of two
};

// The last of the group that begins at candidate i. What shares with it is known to be near enough; a hint stands alone,
// and so does each standby: nothing could decide between two but their order.
static unsigned group_end(const struct steer_spec *spec, const struct candidate *candidates, unsigned count, unsigned i)
{
	const struct candidate *best = &candidates[i], *next;
	unsigned end = i;

	if (!spec->weights || best->basis == COST_UNKNOWN || best->basis == COST_HINT)
		return i;
	for (; end + 1 < count; end++) {
		next = &candidates[end + 1];
		if (next->basis == COST_UNKNOWN || next->cost_us - best->cost_us > spec->tie_us || is_standby(spec, next))
			break;
	}
	return end;
}

static size_t order_len(const struct order *order)
{
	return sizeof(*order) + order->count * sizeof(order->steps[0]);
}

static size_t units(size_t len)
{
	return (len + ORDER_UNIT - 1) / ORDER_UNIT;
}

static const struct order *order_at(const struct builder *b, size_t unit)
{
	return (const void *)(b->orders + unit * ORDER_UNIT);
}

// The slot of an equal order, or the empty one where it would stand.
static size_t find_slot(const struct builder *b, const struct order *order)
{
	size_t len = order_len(order), at = hash_mix(hash_bytes(0, order, len)) & (b->slot_count - 1);

	for (; b->slots[at]; at = (at + 1) & (b->slot_count - 1)) {
		const struct order *there = order_at(b, b->slots[at] - 1);

		if (order_len(there) == len && memcmp(there, order, len) == 0)
			break;
	}
	return at;
}

// The index is kept half empty.
static int grow_index(struct builder *b)
{
	size_t count = b->slot_count ? b->slot_count * 2 : 512;
	uint32_t *slots = calloc(count, sizeof(*slots));

	if (!slots)
		return E_NOMEM;
	free(b->slots);
	b->slots = slots;
	b->slot_count = count;
	for (size_t unit = 0; unit * ORDER_UNIT < b->len; unit += units(order_len(order_at(b, unit))))
		b->slots[find_slot(b, order_at(b, unit))] = (uint32_t)unit + 1;
	return E_OK;
}

static int intern_order(struct builder *b, const struct order *order, uint32_t *ret_unit)
{
	size_t len = order_len(order), room = units(len) * ORDER_UNIT, unit = b->len / ORDER_UNIT;

	if (b->steer->order_count >= b->slot_count / 2 && grow_index(b) < 0)
		return E_NOMEM;

	size_t at = find_slot(b, order);

	if (b->slots[at]) {
		*ret_unit = b->slots[at] - 1;
		return E_OK;
	}
	if (unit > LPM_VALUE_MAX)
		return E_LIMIT;
	if (b->len + room > b->cap) {
		size_t cap = (b->len + room) * 2;
		uint8_t *orders = realloc(b->orders, cap);

		if (!orders)
			return E_NOMEM;
		b->orders = orders;
		b->cap = cap;
	}
	memcpy(b->orders + b->len, order, len);
	b->len += room;
	b->steer->order_count++;
	b->slots[at] = (uint32_t)unit + 1;
	*ret_unit = (uint32_t)unit;
	return E_OK;
}

static int order_of_place(struct builder *b, const struct place *place, uint32_t *ret_unit)
{
	const struct steer_spec *spec = &b->steer->spec;
	struct candidate candidates[APP_TARGETS_MAX];
	_Alignas(struct order) uint8_t room[sizeof(struct order) + APP_TARGETS_MAX * sizeof(struct order_step)];
	struct order *order = (void *)room;
	unsigned count = order_candidates(b->in, spec, b->points, place, candidates);

	*order = (struct order){.count = (uint16_t)count, .ecs_ignored = place->ecs_ignored};
	for (unsigned i = 0, end = 0; i < count; i++) {
		if (i == 0 || i > end)
			end = group_end(spec, candidates, count, i);
		order->steps[i] = (struct order_step){(uint8_t)candidates[i].slot, (uint8_t)end};
		order->hashed = order->hashed || end > i;
	}
	return intern_order(b, order, ret_unit);
}

static int freeze(const struct ptree *places, const uint32_t *map, struct lpm *ret_lpm)
{
	struct ptree *tree;
	int err = ptree_remap(places, map, &tree);

	if (err < 0)
		return err;
	err = lpm_freeze(tree, ret_lpm);
	ptree_free(tree);
	return err;
}

static int copy_spec(struct steer *steer, const struct steer_spec *spec)
{
	uint16_t *sites = calloc(spec->count ? spec->count : 1, sizeof(*sites));
	uint32_t *weights = spec->weights ? calloc(spec->count, sizeof(*weights)) : NULL;

	steer->spec = *spec;
	steer->spec.sites = sites;
	steer->spec.weights = weights;
	if (!sites || (spec->weights && !weights))
		return E_NOMEM;
	memcpy(sites, spec->sites, spec->count * sizeof(*sites));
	if (weights)
		memcpy(weights, spec->weights, spec->count * sizeof(*weights));
	return E_OK;
}

int steer_build(const struct steer_input *in, const struct steer_spec *spec, struct steer **ret_steer)
{
	struct builder b = {.in = in, .steer = calloc(1, sizeof(*b.steer))};
	uint32_t *map = calloc(in->places->count, sizeof(*map));
	int err = E_NOMEM;

	must(spec->count <= APP_TARGETS_MAX);
	if (!b.steer || !map || copy_spec(b.steer, spec) < 0)
		goto out;
	points_of_sites(in, spec, b.points);
	for (size_t i = 0; i < in->places->count; i++) {
		err = order_of_place(&b, &in->places->table[i], &map[i]);
		if (err < 0)
			goto out;
	}
	err = freeze(in->places->v4, map, &b.steer->v4);
	if (err == E_OK)
		err = freeze(in->places->v6, map, &b.steer->v6);
out:
	if (b.steer) {
		b.steer->orders = b.orders;
		b.steer->orders_len = b.len;
	}
	free(b.slots);
	free(map);
	if (err < 0)
		steer_free(b.steer);
	else
		*ret_steer = b.steer;
	return err;
}

struct steer *steer_free(struct steer *steer)
{
	if (!steer)
		return NULL;
	free((void *)steer->spec.sites);
	free((void *)steer->spec.weights);
	free((void *)steer->orders);
	lpm_wipe(&steer->v4);
	lpm_wipe(&steer->v6);
	free(steer);
	return NULL;
}

size_t steer_bytes(const struct steer *steer)
{
	return sizeof(*steer) + steer->orders_len + lpm_bytes(&steer->v4) + lpm_bytes(&steer->v6);
}
