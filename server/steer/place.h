// Places: what is known of the clients in a prefix, and the prefix table that maps addresses to places. Filled from the
// `locate` sources in the order of the config: a field comes from the first source that knows it. Within one source the
// longest prefix gives all fields. Built on the slow side; immutable once finished.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/names.h"
#include "steer/lpm.h"

struct ptree;

enum { PLACE_SOURCES_MAX = 32, PLACES_MAX = 0xffffff, PLACE_PREFIXES_MAX = 16 << 20, PLACE_HINTS_MAX = 4 };

// The class of client that a carrier's site serves; a place without a class has this one.
#define PLACE_CLASS_EDGE "edge"

// Hashed and compared as bytes, so its padding is explicit and zero.
struct place {
	double latitude, longitude; // degrees; NaN: unknown
	float accuracy_km;          // 0: not stated
	uint32_t measured;          // row group of the latency table; 0: none
	uint16_t carrier;           // number in places->carriers; 0: unknown or none
	uint16_t class_;            // number in places->classes; 0: not stated
	uint16_t country;           // see base/country.h
	uint16_t hints[PLACE_HINTS_MAX]; // numbers in places->hints (names of sites), best first; 0: no more
	// The source of the field: 1 + its index in `locate:`; 0: none.
	uint8_t carrier_source, class_source, hint_source, coordinates_source, country_source;
	uint8_t ecs_ignored; // 1: means nothing as an ECS address (RFC 7871 section 11.3), see struct ranking
	uint8_t zero[4];
};

// Where a source names a carrier, class or site.
struct place_use {
	uint32_t prefixes;   // how many it was named for, by all sources; 0: by none
	uint8_t source;      // as in struct place, of the first
	struct prefix first;
};

struct place_uses {
	struct place_use *list; // by number of the name
	size_t count;
};

struct places {
	struct ptree *v4, *v6;     // address -> number in `table`
	struct lpm_pair edge;      // address -> place_carrier(), for queries
	struct place *table;       // table[0] is the place of which nothing is known
	size_t count;
	struct names *carriers, *classes, *hints;
	struct place_uses carrier_uses, class_uses, hint_uses;
	size_t sources;
	char *source_names[PLACE_SOURCES_MAX];
	size_t source_prefixes[PLACE_SOURCES_MAX]; // how many prefixes the source gave
};

// What one source states about one prefix, before it is interned. Strings need no final zero and are copied.
struct place_facts {
	const char *carrier, *class_;         // NULL: unknown
	size_t carrier_len, class_len;
	const char *hints[PLACE_HINTS_MAX];   // best first; the first of no length ends them
	size_t hint_lens[PLACE_HINTS_MAX];
	uint16_t country;                     // see base/country.h
	double latitude, longitude; // NaN: unknown
	double accuracy_km;         // 0 or NaN: not stated
	uint32_t measured;          // 0: none
	bool ecs_ignored;           // see struct place; later sources still count for clients that query from there
};

struct place_builder;

// Coordinates with an accuracy radius above `max_accuracy_km` are ignored. NULL when out of memory.
struct place_builder *place_builder_new(double max_accuracy_km) MUST_USE;
// Takes NULL; returns NULL.
struct place_builder *place_builder_free(struct place_builder *builder);

// Sources are added one after another, in the order of `locate:`: begin, add, add, ..., end. After an error the builder
// can only be freed. `name` is copied. E_LIMIT past PLACE_SOURCES_MAX; E_NOMEM.
int place_source_begin(struct place_builder *builder, const char *name) MUST_USE;
// Adds what the current source states about a prefix, whose length suits its family. E_INVAL for coordinates out of
// range or a prefix with bits past its length; E_LIMIT past PLACE_PREFIXES_MAX or PLACES_MAX, or for a name too long;
// E_NOMEM.
int place_source_add(struct place_builder *builder, const struct prefix *prefix,
                     const struct place_facts *facts) MUST_USE;
// Ends the current source and overlays it. E_LIMIT past PLACES_MAX, as sources combine into new places; E_NOMEM.
int place_source_end(struct place_builder *builder) MUST_USE;

// Passes what was built to the caller; the builder can then only be freed. E_NOMEM.
int place_finish(struct place_builder *builder, struct places **ret_places) MUST_USE;
// Takes NULL; returns NULL.
struct places *places_free(struct places *places);

// The place of an address and, in *ret_depth, the depth of its leaf in the prefix table (bits). Never NULL; owned by
// `places`.
const struct place *places_lookup(const struct places *places, const struct addr *addr, uint8_t *ret_depth);

// Calls `leaf` for each leaf of the prefix table, in the order of their addresses, IPv4 first.
void places_each(const struct places *places, void (*leaf)(void *ctx, const struct prefix *prefix, const struct place *place),
                 void *ctx);
// The use of a carrier, class or hint by its number.
struct place_use places_use(const struct place_uses *uses, uint16_t number) PURE;

// True when carriers' sites serve clients of the place's class.
bool place_is_edge(const struct places *places, const struct place *place) PURE;
// The carrier whose sites serve the place's clients; 0: none's.
uint16_t place_carrier(const struct places *places, const struct place *place) PURE;

// Stands for a carrier in a set of them that is 32 bits: others than it may have the same. 0 for none.
static inline uint32_t place_carrier_bit(uint16_t carrier)
{
	return carrier ? UINT32_C(1) << carrier % 32 : 0;
}

// The same for the place of an address and, in *ret_depth, the length in bits of the block that has this carrier. As fast as
// a query needs it.
static inline uint16_t places_carrier(const struct places *places, const struct addr *addr, uint8_t *ret_depth)
{
	struct lpm_hit hit = lpm_lookup(lpm_of(&places->edge, addr->family), addr_key(addr));

	*ret_depth = hit.depth;
	return (uint16_t)hit.value;
}
