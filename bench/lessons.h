// What is learned, for benchmarks: a book of so many prefixes, the overlay of it, and what it costs to change some.
#pragma once

#include <stddef.h>

#include "base/addr.h"

struct book;
struct learned;
struct tables;
struct wanted;

enum { LESSONS_REPEATS = 7, LESSONS_CHANGED = 100 };

struct lessons {
	struct book *book;
	struct learned *learned;
	struct wanted *wanted;
	double build_ms[LESSONS_REPEATS], update_ms[LESSONS_REPEATS]; // all anew; LESSONS_CHANGED prefixes, from samples to overlay
	size_t octets, resident; // that all takes, by itself and by the growth of the process, after the updates
};

// Learns a site for `count` prefixes: those of the addresses, then others all over the address space; then changes some, again
// and again. The caller wipes *ret_lessons. E_NOMEM, E_LIMIT.
int lessons_learn(struct tables *tables, const struct addr *addrs, size_t addr_count, size_t count,
                  struct lessons *ret_lessons);
// Empty ones are fine.
void lessons_wipe(struct lessons *lessons);
