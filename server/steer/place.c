// Builds the prefix table from the sources; see place.h. Each source becomes a tree of its own, in which the longest
// prefix wins; the trees are then overlaid field by field, the first source on top. Equal places are interned, so that
// neighbours merge.
#include "steer/place.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/intern.h"
#include "base/must.h"
#include "steer/ptree.h"

struct entries {
	struct ptree_entry *list;
	size_t count, cap;
};

struct place_builder {
	double max_accuracy_km;
	struct places *places; // built so far
	size_t table_cap;
	struct intern index;   // of the table
	int overlay_err;       // why combine() gave up
	struct entries v4, v6; // of the source being read
	bool in_source;
};

_Static_assert(sizeof(struct place) == 2 * sizeof(double) + sizeof(float) + sizeof(uint32_t) +
                                       (3 + PLACE_HINTS_MAX) * sizeof(uint16_t) + 10,
               "a place is hashed and compared as bytes, so it has no hidden padding");

static int table_grow(struct place_builder *builder)
{
	size_t cap = builder->table_cap ? builder->table_cap * 2 : 1024;
	struct place *table = reallocarray(builder->places->table, cap, sizeof(*table));

	if (!table)
		return E_NOMEM;
	builder->places->table = table;
	builder->table_cap = cap;
	return E_OK;
}

static bool is_equal(const void *table, uint32_t number, const void *place)
{
	return memcmp((const struct place *)table + number, place, sizeof(struct place)) == 0;
}

// The number of a place equal to `place`, which is not in the table itself; added when new. E_LIMIT past PLACES_MAX;
// E_NOMEM.
static int intern_place(struct place_builder *builder, const struct place *place, uint32_t *ret_number)
{
	struct places *places = builder->places;
	uint64_t hash = hash_mix(hash_bytes(0, place, sizeof(*place)));
	int64_t found = intern_find(&builder->index, hash, is_equal, places->table, place);

	if (found >= 0) {
		*ret_number = (uint32_t)found;
		return E_OK;
	}
	if (places->count > PLACES_MAX)
		return E_LIMIT;
	if (places->count == builder->table_cap && table_grow(builder) < 0)
		return E_NOMEM;
	must(places->count < builder->table_cap);
	places->table[places->count] = *place;
	*ret_number = (uint32_t)places->count;
	return intern_add(&builder->index, hash, (uint32_t)places->count++);
}

static const struct place nowhere = {.latitude = NAN, .longitude = NAN};

static struct places *places_new(void)
{
	struct places *places = calloc(1, sizeof(*places));

	if (!places)
		return NULL;
	places->carriers = names_new();
	places->classes = names_new();
	places->hints = names_new();
	if (places->carriers && places->classes && places->hints && ptree_build(NULL, 0, &places->v4) == E_OK &&
	    ptree_build(NULL, 0, &places->v6) == E_OK)
		return places;
	return places_free(places);
}

struct places *places_free(struct places *places)
{
	if (!places)
		return NULL;
	ptree_free(places->v4);
	ptree_free(places->v6);
	lpm_pair_wipe(&places->edge);
	free(places->table);
	free(places->carrier_uses.list);
	free(places->class_uses.list);
	free(places->hint_uses.list);
	names_free(places->carriers);
	names_free(places->classes);
	names_free(places->hints);
	for (size_t i = 0; i < places->sources; i++)
		free(places->source_names[i]);
	free(places);
	return NULL;
}

struct place_builder *place_builder_new(double max_accuracy_km)
{
	struct place_builder *builder = calloc(1, sizeof(*builder));

	if (!builder)
		return NULL;
	builder->max_accuracy_km = max_accuracy_km;
	builder->places = places_new();
	if (!builder->places || table_grow(builder) < 0)
		return place_builder_free(builder);
	builder->places->table[0] = nowhere; // not in the index: no place that states something equals it
	builder->places->count = 1;
	return builder;
}

struct place_builder *place_builder_free(struct place_builder *builder)
{
	if (!builder)
		return NULL;
	places_free(builder->places);
	intern_wipe(&builder->index);
	free(builder->v4.list);
	free(builder->v6.list);
	free(builder);
	return NULL;
}

int place_source_begin(struct place_builder *builder, const char *name)
{
	struct places *places = builder->places;

	must(!builder->in_source);
	if (places->sources == PLACE_SOURCES_MAX)
		return E_LIMIT;

	char *copy = strdup(name);

	if (!copy)
		return E_NOMEM;
	places->source_names[places->sources] = copy;
	places->source_prefixes[places->sources++] = 0;
	builder->in_source = true;
	builder->v4.count = builder->v6.count = 0;
	return E_OK;
}

// Only fields that are known carry the source's number, so that a place does not depend on sources that say nothing.
static int place_of_facts(struct place_builder *builder, const struct place_facts *facts, struct place *ret_place)
{
	struct place place = nowhere;
	uint8_t source = (uint8_t)builder->places->sources;
	int err = names_add(builder->places->carriers, facts->carrier ? facts->carrier : "", facts->carrier_len,
	                    &place.carrier);

	if (err == E_OK)
		err = names_add(builder->places->classes, facts->class_ ? facts->class_ : "", facts->class_len,
		                &place.class_);
	for (unsigned i = 0; i < PLACE_HINTS_MAX && facts->hint_lens[i] > 0 && err == E_OK; i++)
		err = names_add(builder->places->hints, facts->hints[i], facts->hint_lens[i], &place.hints[i]);
	if (err < 0)
		return err;

	bool precise = !(facts->accuracy_km > builder->max_accuracy_km); // NaN: not stated

	if (!isnan(facts->latitude) && precise) {
		if (!(fabs(facts->latitude) <= 90 && fabs(facts->longitude) <= 180))
			return E_INVAL;
		place.latitude = facts->latitude + 0.0; // -0.0 and 0.0 are one place
		place.longitude = facts->longitude + 0.0;
		place.accuracy_km = facts->accuracy_km > 0 ? (float)facts->accuracy_km : 0;
		place.coordinates_source = source;
	}
	place.carrier_source = place.carrier ? source : 0;
	place.class_source = place.class_ ? source : 0;
	place.hint_source = place.hints[0] ? source : 0;
	place.country = facts->country;
	place.country_source = place.country ? source : 0;
	place.measured = facts->measured;
	place.ecs_ignored = facts->ecs_ignored;
	must(source >= 1 && source <= PLACE_SOURCES_MAX);
	*ret_place = place;
	return E_OK;
}

// Counts a prefix of the name (0: none), one of those in `names`. E_NOMEM.
static int count_use(struct place_uses *uses, const struct names *names, uint16_t number, uint8_t source,
                     const struct prefix *prefix)
{
	if (number >= uses->count) {
		size_t count = 2 * names_count(names);
		struct place_use *list = reallocarray(uses->list, count, sizeof(*list));

		if (!list)
			return E_NOMEM;
		memset(list + uses->count, 0, (count - uses->count) * sizeof(*list));
		*uses = (struct place_uses){list, count};
	}
	if (number > 0 && uses->list[number].prefixes++ == 0) {
		uses->list[number].source = source;
		uses->list[number].first = *prefix;
	}
	return E_OK;
}

static int count_uses(struct places *places, const struct place *place, const struct prefix *prefix)
{
	const uint8_t source = (uint8_t)places->sources;
	int err = count_use(&places->carrier_uses, places->carriers, place->carrier, source, prefix);

	if (err == E_OK)
		err = count_use(&places->class_uses, places->classes, place->class_, source, prefix);
	for (unsigned i = 0; i < PLACE_HINTS_MAX && place->hints[i] && err == E_OK; i++)
		err = count_use(&places->hint_uses, places->hints, place->hints[i], source, prefix);
	return err;
}

struct place_use places_use(const struct place_uses *uses, uint16_t number)
{
	return number < uses->count ? uses->list[number] : (struct place_use){0};
}

int place_source_add(struct place_builder *builder, const struct prefix *prefix, const struct place_facts *facts)
{
	struct entries *entries = prefix->addr.family == ADDR_V4 ? &builder->v4 : &builder->v6;
	struct addr cut = addr_cut(&prefix->addr, prefix->len);
	struct place place;
	int err = addr_equal(&cut, &prefix->addr) ? place_of_facts(builder, facts, &place) : E_INVAL;

	must(builder->in_source && prefix->len <= addr_bits(prefix->addr.family));
	if (err < 0)
		return err;
	if (entries->count == PLACE_PREFIXES_MAX)
		return E_LIMIT;
	if (entries->count == entries->cap) {
		size_t cap = entries->cap ? entries->cap + entries->cap / 2 : 1024;
		struct ptree_entry *list = reallocarray(entries->list, cap, sizeof(*list));

		if (!list)
			return E_NOMEM;
		entries->list = list;
		entries->cap = cap;
	}

	struct addr_key key = addr_key(&prefix->addr);
	uint32_t value;

	err = intern_place(builder, &place, &value);
	if (err == E_OK)
		err = count_uses(builder->places, &place, prefix);
	if (err < 0)
		return err;
	entries->list[entries->count++] = (struct ptree_entry){key.hi, key.lo, value, prefix->len};
	builder->places->source_prefixes[builder->places->sources - 1]++;
	return E_OK;
}

static uint32_t combine(void *ctx, uint32_t upper, uint32_t lower)
{
	struct place_builder *builder = ctx;

	must(upper < builder->places->count && lower < builder->places->count);
	if (upper == 0 || lower == 0 || upper == lower)
		return upper ? upper : lower;

	struct place place = builder->places->table[upper];
	const struct place *below = &builder->places->table[lower];

	if (!place.carrier_source)
		place.carrier = below->carrier, place.carrier_source = below->carrier_source;
	if (!place.class_source)
		place.class_ = below->class_, place.class_source = below->class_source;
	if (!place.hint_source) {
		memcpy(place.hints, below->hints, sizeof(place.hints));
		place.hint_source = below->hint_source;
	}
	if (!place.coordinates_source) {
		place.latitude = below->latitude;
		place.longitude = below->longitude;
		place.accuracy_km = below->accuracy_km;
		place.coordinates_source = below->coordinates_source;
	}
	if (!place.country_source)
		place.country = below->country, place.country_source = below->country_source;
	if (!place.measured)
		place.measured = below->measured;

	uint32_t number;

	builder->overlay_err = intern_place(builder, &place, &number);
	return builder->overlay_err < 0 ? PTREE_VALUE_MAX + 1u : number;
}

// Lays the finished source below those before it: it only fills in what they leave unknown.
static int lay_below(struct place_builder *builder, struct entries *entries, struct ptree **tree)
{
	struct ptree *own, *both;
	int err = ptree_build(entries->list, entries->count, &own);

	free(entries->list);
	*entries = (struct entries){0};
	if (err < 0)
		return err;
	if (builder->places->sources == 1) { // nothing above it
		ptree_free(*tree);
		*tree = own;
		return E_OK;
	}
	err = ptree_overlay(*tree, own, combine, builder, &both);
	ptree_free(own);
	if (err < 0)
		return builder->overlay_err < 0 ? builder->overlay_err : err;
	ptree_free(*tree);
	*tree = both;
	return E_OK;
}

int place_source_end(struct place_builder *builder)
{
	must(builder->in_source);
	builder->in_source = false;

	int err = lay_below(builder, &builder->v4, &builder->places->v4);

	return err < 0 ? err : lay_below(builder, &builder->v6, &builder->places->v6);
}

static void mark_used(void *ctx, struct addr_key key, uint8_t depth, uint32_t value)
{
	uint32_t *used = ctx;

	(void)key;
	(void)depth;
	used[value] = 1;
}

// Drops places that no leaf refers to any more, such as those that an overlay combined into others.
static int compact(struct places *places)
{
	uint32_t *map = calloc(places->count, sizeof(*map));
	struct ptree *v4 = NULL, *v6 = NULL;
	uint32_t kept = 1;
	int err = E_NOMEM;

	if (!map)
		return E_NOMEM;
	ptree_walk(places->v4, mark_used, map);
	ptree_walk(places->v6, mark_used, map);
	map[0] = 0;
	for (uint32_t i = 1; i < places->count; i++)
		if (map[i]) {
			places->table[kept] = places->table[i];
			map[i] = kept++;
		}
	if (ptree_remap(places->v4, map, &v4) < 0 || ptree_remap(places->v6, map, &v6) < 0)
		goto out;
	ptree_free(places->v4);
	ptree_free(places->v6);
	places->v4 = v4;
	places->v6 = v6;
	v4 = v6 = NULL;
	places->count = kept;

	must(kept >= 1); // place 0 is always there

	struct place *table = realloc(places->table, kept * sizeof(*table));

	places->table = table ? table : places->table;
	err = E_OK;
out:
	ptree_free(v4);
	ptree_free(v6);
	free(map);
	return err;
}

// Wide for IPv4, unless it is empty: most searches then end after one step.
static int make_edge(struct places *places)
{
	uint32_t *carriers = calloc(places->count, sizeof(*carriers));
	struct ptree *v4 = NULL, *v6 = NULL;
	int err = carriers ? E_OK : E_NOMEM;

	for (size_t i = 0; err == E_OK && i < places->count; i++)
		carriers[i] = place_carrier(places, &places->table[i]);
	if (err == E_OK)
		err = ptree_remap(places->v4, carriers, &v4);
	if (err == E_OK)
		err = ptree_remap(places->v6, carriers, &v6);
	if (err == E_OK)
		err = ptree_nodes(v4) > 1 ? lpm_freeze_wide(v4, &places->edge.v4) : lpm_freeze(v4, &places->edge.v4);
	if (err == E_OK)
		err = lpm_freeze(v6, &places->edge.v6);
	ptree_free(v4);
	ptree_free(v6);
	free(carriers);
	return err;
}

int place_finish(struct place_builder *builder, struct places **ret_places)
{
	must(!builder->in_source && builder->places);

	int err = compact(builder->places);

	if (err == E_OK)
		err = make_edge(builder->places);
	if (err < 0)
		return err;
	*ret_places = builder->places;
	builder->places = NULL;
	return E_OK;
}

const struct place *places_lookup(const struct places *places, const struct addr *addr, uint8_t *ret_depth)
{
	const struct ptree *tree = addr->family == ADDR_V4 ? places->v4 : places->v6;

	uint32_t number = ptree_lookup(tree, addr_key(addr), ret_depth);

	must(number < places->count);
	return &places->table[number];
}

struct walking {
	const struct places *places;
	uint8_t family;
	void (*leaf)(void *ctx, const struct prefix *prefix, const struct place *place);
	void *ctx;
};

static void walk_leaf(void *ctx, struct addr_key key, uint8_t depth, uint32_t number)
{
	const struct walking *walking = ctx;
	struct prefix prefix = {{.family = walking->family}, depth};
	uint64_t octets[] = {htobe64(key.hi), htobe64(key.lo)};

	_Static_assert(sizeof(octets) == sizeof(prefix.addr.bytes), "an address and its key have the same octets");
	memcpy(prefix.addr.bytes, octets, addr_bits(walking->family) / 8);
	walking->leaf(walking->ctx, &prefix, &walking->places->table[number]);
}

void places_each(const struct places *places, void (*leaf)(void *ctx, const struct prefix *prefix, const struct place *place),
                 void *ctx)
{
	struct walking walking = {places, ADDR_V4, leaf, ctx};

	ptree_walk(places->v4, walk_leaf, &walking);
	walking.family = ADDR_V6;
	ptree_walk(places->v6, walk_leaf, &walking);
}

bool place_is_edge(const struct places *places, const struct place *place)
{
	return place->class_ == 0 || strcmp(names_text(places->classes, place->class_), PLACE_CLASS_EDGE) == 0;
}

uint16_t place_carrier(const struct places *places, const struct place *place)
{
	return place_is_edge(places, place) ? place->carrier : 0;
}
