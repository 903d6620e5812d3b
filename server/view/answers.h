// What a target is answered with: its RRsets, ready to copy. A target's addresses may change while its view is served,
// so a view's targets point to their answers, which are immutable and replaced as a whole. Those that a view was made
// with are in its arena, later ones on the heap.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/attr.h"
#include "view/app.h"
#include "wire/dns.h"
#include "zone/zone.h"

enum { ANSWERS_ADDRESSES_MAX = 32 };

struct answers {
	uint32_t ttl_s;
	uint32_t cap_s;        // the records' TTL is at most this; 0: it is ttl_s
	uint8_t count;         // of RRsets; 0: no address
	bool in_arena;         // the view's own
	struct rrset rrsets[]; // A, AAAA, those that there are; or a CNAME; or one of no type. Their records follow
};

// Answers with `count` (up to ANSWERS_ADDRESSES_MAX) addresses, in this order within a family. On the heap; NULL when
// out of memory.
struct answers *answers_new(const struct addr *addresses, size_t count, uint32_t ttl_s) MUST_USE;
// The same in an arena.
struct answers *answers_make(struct arena *arena, const struct addr *addresses, size_t count, uint32_t ttl_s) MUST_USE;
// The answer with a CNAME to a name in wire form.
struct answers *answers_make_cname(struct arena *arena, const uint8_t *name, size_t name_len, uint32_t ttl_s) MUST_USE;
// The same records, with a TTL of at most cap_s (0: as it was); on the heap. NULL: out of memory.
struct answers *answers_capped(const struct answers *from, uint32_t cap_s) MUST_USE;
// Takes NULL; returns NULL. Does nothing to those in an arena.
struct answers *answers_free(struct answers *answers);

// Replaces the answers of a target; takes ownership of `answers`, which answers_new() made. What was there is freed after
// a grace period. Main thread only, as it alone may retire the target's view, which frees the last ones.
void answers_set(const struct target *target, struct answers *answers);

// Whether both have the same records in the same order.
bool answers_equal(const struct answers *a, const struct answers *b) PURE;
// Appends the addresses, A before AAAA, to list[ANSWERS_ADDRESSES_MAX]. Returns how many. For the slow side.
size_t answers_addresses(const struct answers *answers, struct addr *list);

// For readers, which must be online, and for the main thread. NULL only in tests.
static inline const struct answers *answers_of(const struct target *target)
{
	return atomic_load_explicit(&target->answers, memory_order_acquire);
}

// The RRset for a query of type `type`, which may be a CNAME; NULL: NODATA.
static inline const struct rrset *answers_rrset(const struct answers *answers, uint16_t type)
{
	const struct rrset *rrsets = answers->rrsets;

	if (rrsets[0].type == type || rrsets[0].type == DNS_CNAME)
		return &rrsets[0];
	return answers->count > 1 && rrsets[1].type == type ? &rrsets[1] : NULL;
}

// The CNAME; NULL: the target has addresses.
static inline const struct rrset *answers_cname(const struct answers *answers)
{
	return answers_rrset(answers, DNS_CNAME);
}
