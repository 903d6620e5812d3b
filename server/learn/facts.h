// From the book to what is made of it for the view in use: what is gathered under the learner's lock, all or what has changed.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

struct book;
struct learned_fact;
struct ptree;
struct tables;
struct wanted;

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
// Copies what has moved since it was called last, with nothing where nothing is held any more, and sets in `wanted` (NULL:
// nowhere) what is fresh now, and what is not. E_LIMIT: it is too much, and all is to be gathered; E_NOMEM, likewise, and
// some of the news has been taken. *ret_facts is then empty.
int facts_gather_news(struct book *book, const struct tables *tables, int64_t now_s, struct wanted *wanted,
                      struct facts *ret_facts) MUST_USE;
void facts_wipe(struct facts *facts);
