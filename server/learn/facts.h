// From the book to the overlay of the view in use: what is gathered under the learner's lock, and what is made of it
// without.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

struct book;
struct learned;
struct learned_fact;
struct notes;
struct ptree;
struct tables;

// Where clients are that services could be asked about. Owned by who makes it.
struct facts_regions {
	struct ptree *v4, *v6; // address -> 1 there, 0 elsewhere
};

// What is known, in the numbers of a struct tables.
struct facts {
	struct learned_fact *list;
	struct prefix *fresh; // prefixes that nobody needs to ask about
	size_t count, fresh_count;
};

// `services` has a mask of services for each carrier's number (0: none); places that mean nothing as a client subnet are
// left out. The caller frees it with facts_wipe_regions(). E_NOMEM; *ret_regions is then empty.
int facts_make_regions(const struct tables *tables, const uint16_t *services, struct facts_regions *ret_regions) MUST_USE;
void facts_wipe_regions(struct facts_regions *regions);

// Copies what the book holds. The caller frees it with facts_wipe(). E_NOMEM; *ret_facts is then empty.
int facts_gather(const struct book *book, const struct tables *tables, int64_t now_s, struct facts *ret_facts) MUST_USE;
void facts_wipe(struct facts *facts);

// Makes the overlay. `notes` NULL: nobody leaves any. E_LIMIT, E_NOMEM.
int facts_build(const struct facts *facts, struct tables *tables, const struct facts_regions *regions,
                struct notes *notes, struct learned **ret_learned) MUST_USE;
