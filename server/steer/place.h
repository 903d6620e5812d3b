// Places: what is known of the clients in a prefix, and the prefix table that maps addresses to them. Filled from the
// `locate` sources in the order of the config: the first source that knows a field gives it. Within one source the
// longest prefix counts, whole. Built on the slow side; immutable once finished.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/names.h"

struct ptree;
struct report;

enum { PLACE_SOURCES_MAX = 32, PLACES_MAX = 0xffffff, PLACE_PREFIXES_MAX = 16 << 20 };

// The class of a client that a carrier's site serves; a place that names no class has it.
#define PLACE_CLASS_EDGE "edge"

// Hashed and compared as bytes, so it has no padding but the one written out, which is zero.
struct place {
	double latitude, longitude; // degrees; NaN: unknown
	float accuracy_km;          // 0: not stated
	uint32_t measured;          // row group of the latency table; 0: none
	uint16_t carrier;           // number in places->carriers; 0: unknown or none
	uint16_t class_;            // number in places->classes; 0: not said
	uint16_t hint;              // number in places->hints (a site's name); 0: none
	// Which source gave the field: 1 + its place in `locate:`; 0: nobody.
	uint8_t carrier_source, class_source, hint_source, coordinates_source;
	uint8_t ecs_ignored; // 1: as an ECS address it says nothing (RFC 7871 section 11.3), see struct order
	uint8_t zero[5];
};

struct places {
	struct ptree *v4, *v6;     // address -> number in `table`
	struct place *table;       // table[0] is the place nothing is known of
	size_t count;
	struct names *carriers, *classes, *hints;
	size_t sources;
	char *source_names[PLACE_SOURCES_MAX];
	size_t source_prefixes[PLACE_SOURCES_MAX]; // prefixes the source gave
};

// What one source says of one prefix, before it is interned. Texts need not end in zero and are not kept.
struct place_facts {
	const char *carrier, *class_, *hint; // NULL: unknown
	size_t carrier_len, class_len, hint_len;
	double latitude, longitude; // NaN: unknown
	double accuracy_km;         // 0 or NaN: not stated
	uint32_t measured;          // 0: none
	bool ecs_ignored;           // see struct place; what later sources say still counts for who asks from there
};

struct place_builder;

// Coordinates with an accuracy radius above `max_accuracy_km` are not taken.
struct place_builder *place_builder_new(double max_accuracy_km) MUST_USE;
struct place_builder *place_builder_free(struct place_builder *builder);

// Sources are added one after another, in the order of `locate:`: begin, add…, end.
// E_LIMIT, E_NOMEM.
int place_source_begin(struct place_builder *builder, const char *name) MUST_USE;
// E_INVAL for coordinates out of range or a prefix with bits past its length; E_LIMIT; E_NOMEM.
int place_source_add(struct place_builder *builder, const struct prefix *prefix,
                     const struct place_facts *facts) MUST_USE;
int place_source_end(struct place_builder *builder) MUST_USE;

// Hands over what was built; the builder can then only be freed. E_NOMEM.
int place_finish(struct place_builder *builder, struct places **ret_places) MUST_USE;
struct places *places_free(struct places *places);

// The place of an address and the depth of its leaf in the prefix table. Never NULL.
const struct place *places_lookup(const struct places *places, const struct addr *addr, uint8_t *ret_depth);

// True when the place's class lets carriers' sites serve it.
bool place_is_edge(const struct places *places, const struct place *place) PURE;
