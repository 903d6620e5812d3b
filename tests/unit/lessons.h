// What may be learned, at random: of clients where smallworld.h's prefixes are. Each test that includes this has a seed of its own.
#pragma once

#include <stdint.h>
#include <string.h>

#include "base/hash.h"
#include "base/names.h"
#include "smallworld.h"
#include "view/learned.h"

static uint64_t seed;

static uint32_t below(uint32_t limit)
{
	return (uint32_t)(hash_mix(++seed) % limit);
}

// ---- what is learned, as text, and as a fact ------------------------------------------------------------------------

static const char *const carriers[] = {NULL, "verizon", "vodafone-de", "nowhere"};
static const char *const classes[] = {NULL, "edge", "roaming"};

struct lesson {
	struct prefix prefix;
	const char *carrier, *class_;
	int sites[LEARNED_SITES_MAX], site_count;
};

// Where clients come from, narrow enough for prefixes to nest and to meet the table's.
static struct addr random_address(void)
{
	struct addr addr = {.family = ADDR_V4, .bytes = {10, (uint8_t)below(11), (uint8_t)(below(4) << 6 | below(3)), (uint8_t)below(256)}};

	if (below(4) == 0)
		addr = (struct addr){.family = ADDR_V6, .bytes = {0x20, 1, 0x0d, 0xb8, 0, (uint8_t)below(3), (uint8_t)below(4)}};
	return addr;
}

static struct lesson random_lesson(void)
{
	static const uint8_t v4[] = {8, 12, 15, 16, 17, 20, 24, 24, 24, 28, 32}, v6[] = {32, 44, 47, 48, 48, 56, 64, 128};
	struct addr addr = random_address();
	uint8_t len = addr.family == ADDR_V4 ? v4[below(ARRAY_LEN(v4))] : v6[below(ARRAY_LEN(v6))];
	struct lesson lesson = {.prefix = {addr_cut(&addr, len), len}, .carrier = carriers[below(ARRAY_LEN(carriers))],
	                        .class_ = classes[below(ARRAY_LEN(classes))], .site_count = (int)below(LEARNED_SITES_MAX + 1)};

	for (int i = 0; i < lesson.site_count; i++)
		lesson.sites[i] = (int)below(WORLD_SITES);
	return lesson;
}

static struct learned_fact fact_of(const struct world *world, const struct lesson *lesson)
{
	struct learned_fact fact = {
		.prefix = lesson->prefix, .site_count = (uint8_t)lesson->site_count, .has_carrier = lesson->carrier,
		.has_class = lesson->class_, .is_edge = lesson->class_ && strcmp(lesson->class_, "edge") == 0,
	};
	int number = lesson->carrier ? names_find(world->view.places->carriers, lesson->carrier, strlen(lesson->carrier)) : 0;

	fact.carrier = number < 0 ? 0 : (uint16_t)number;
	for (int i = 0; i < lesson->site_count; i++)
		fact.sites[i] = (uint16_t)lesson->sites[i];
	return fact;
}
