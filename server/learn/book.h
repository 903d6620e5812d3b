// The book of learned prefixes: what is believed of each, since when, until when, on whose word. Owned and called by the
// learner (learner.h), which looks after the threads; nothing in here waits or reads a clock. Its times are the learner's, by
// clock_steady_s(): a wall clock that is set makes nothing older, and nothing fresh again.
//
// Prefixes have one length for each family, that of the samples. Neighbours that agree are merged when the overlay is made
// of them (view/learned.h), where an unsampled gap between them is a gap; what disagrees stays apart for the same reason.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "learn/opinion.h"

struct names;

enum {
	BOOK_LIFETIME_S = 3600,      // of what a service says without a lifetime
	BOOK_LIFETIME_MIN_S = 60,
	BOOK_LIFETIME_MAX_S = 86400,
	BOOK_MISS_S = 600,           // how long "not found" is remembered the first time; then twice as long each time
	BOOK_MISS_MAX_S = 86400,
	BOOK_NAMES_MAX = 16384,      // sites, carriers, classes and services together
	BOOK_INVENTED_MAX = 256,     // names of one service that the config has not
	BOOK_INVENTED_ALL = BOOK_NAMES_MAX / 2, // there are no more names than that when one of these is added: sites find room
	BOOK_MAX = 400000,           // entries: as `learned: max` has at most
	BOOK_TICK = 1 << 14,         // that are looked at in a tick
	BOOK_NEWS = 1 << 16,         // prefixes that are told one by one
};

struct book_rules {
	struct opinion_rules opinion;
	uint8_t len_v4, len_v6;      // of prefixes, bits
	uint32_t max;                // entries, 1..BOOK_MAX
	unsigned moves;              // from one answer to another, or to none, a minute
	int64_t max_stale_s;         // how long something serves past its lifetime
};

struct book_entry {
	struct prefix prefix;
	uint16_t source;             // name of the service that was heard last
	uint8_t misses;              // "not found" in a row
	bool is_changed : 1;         // since it was saved
	bool is_news : 1, has_moved : 1, was_fresh : 1; // see struct book_news; was_fresh: as told last
	struct opinion opinion;
	int64_t learned_s;           // when what is held came to be held, steady time, as all of these
	int64_t heard_s;             // the last sample
	int64_t fresh_until_s;       // no need to ask before
	int64_t held_until_s;        // as long as that, what is held was confirmed: `max_stale_s` counts from then
	int64_t noted_s;             // when there was traffic last
	uint32_t weight;             // how much, then
	uint32_t samples;
};

struct book_counts {
	uint64_t learned, moved, withdrawn, evicted, refused, expired; // refused: there was no room
	uint64_t held_back;          // moves that had to wait for `moves`
};

struct book;

// `rules` is copied. NULL when out of memory.
struct book *book_new(const struct book_rules *rules) MUST_USE;
// Takes NULL; returns NULL.
struct book *book_free(struct book *book);
// Other rules from now on; entries of other prefix lengths are dropped, and of the others the least busy that are over `max`.
void book_set_rules(struct book *book, const struct book_rules *rules, int64_t now_s);

// The number of a name, added when new; 0 for NULL and "". E_LIMIT, E_NOMEM.
int book_name(struct book *book, const char *text, uint16_t *ret_number) MUST_USE;
// The same of a name that a service has made up: *count, of those it has added, grows when it is new. E_LIMIT also when it has
// added BOOK_INVENTED_MAX, or there are BOOK_INVENTED_ALL of all kinds.
int book_name_invented(struct book *book, const char *text, unsigned *count, uint16_t *ret_number) MUST_USE;
// The number of a name that has one, as 0 has ""; -1: it has none.
int book_find_name(const struct book *book, const char *text);
// The name of a number; "" for 0. Owned by the book.
const char *book_text(const struct book *book, uint16_t number);

// The prefix that an address is learned by.
struct prefix book_prefix(const struct book *book, const struct addr *addr);

// A service has said something of a client at `addr`. `lifetime_s` 0: it does not say how long that holds. `weight` is how
// much its prefix is asked from. E_LIMIT: the book is full of busier prefixes; E_NOMEM. Otherwise what came of it.
struct book_sample {
	struct addr addr;
	struct finding finding;
	uint16_t source;
	uint32_t lifetime_s, weight;
	bool is_measured; // it knows what it contradicts: what is held stays until it moves
};
int book_hear(struct book *book, const struct book_sample *sample, int64_t now_s, enum opinion_outcome *ret_outcome)
	MUST_USE;
// The service does not know the clients of a prefix. E_LIMIT, E_NOMEM.
int book_miss(struct book *book, const struct book_sample *sample, int64_t now_s) MUST_USE;
// There is traffic from a prefix, which is in the book or not.
void book_note(struct book *book, const struct prefix *prefix, uint32_t weight, int64_t now_s);
// Time passes: moves what had to wait, the busiest first, and drops what is too old, looking at BOOK_TICK entries in each
// call.
void book_tick(struct book *book, int64_t now_s);

// Restores an entry that was saved, or imports one: what it holds is believed without samples. E_INVAL: of another prefix
// length; E_LIMIT, E_NOMEM.
int book_restore(struct book *book, const struct book_entry *entry) MUST_USE;
// Calls each() for up to `max` prefixes whose entry has changed since it was called for it last, in any order, with NULL where
// nothing is left to be saved. Returns whether there are more.
bool book_take_changes(struct book *book, size_t max,
                       void (*each)(void *ctx, const struct prefix *prefix, const struct book_entry *entry), void *ctx);
// Has entries saved again that have not changed: up to `max` of the first `end` ones, from the end. Returns how many of the
// first are left for the next call.
size_t book_save_again(struct book *book, size_t end, size_t max);

// What is to be told of a prefix to those who keep what follows from the book.
struct book_news {
	struct prefix prefix;
	const struct book_entry *entry; // NULL: gone
	bool has_moved;              // what is held may be another
	bool is_fresh;
};

// Calls each() for every prefix of which there is news since it was called for it last: once for what has changed, and at
// least once for what is gone. False, and nothing: there is too much, and all is to be read.
bool book_take_news(struct book *book, int64_t now_s, void (*each)(void *ctx, const struct book_news *news), void *ctx)
	MUST_USE;
// All has been read: only what changes from now on is news.
void book_drop_news(struct book *book, int64_t now_s);

// Forgets the entries within a prefix, and one that it lies in. Returns how many.
size_t book_forget(struct book *book, const struct prefix *prefix);
// Forgets all that was heard of a source last. Returns how many.
size_t book_forget_source(struct book *book, uint16_t source);
void book_forget_all(struct book *book);

// NULL: there is none.
const struct book_entry *book_find(const struct book *book, const struct prefix *prefix);
size_t book_count(const struct book *book);
// Entry `i` of them, in no order; the numbers change with every change of the book.
const struct book_entry *book_at(const struct book *book, size_t i);
const struct book_counts *book_counts_of(const struct book *book);
// Grows whenever what queries may see has changed.
uint64_t book_version(const struct book *book);
// How many wait for a move.
size_t book_waiting(const struct book *book);
// Memory used but for names, octets.
size_t book_bytes(const struct book *book);

// The entry with times that are later by so much.
static inline struct book_entry book_shifted(const struct book_entry *entry, int64_t by_s)
{
	struct book_entry shifted = *entry;

	shifted.learned_s += by_s;
	shifted.heard_s += by_s;
	shifted.fresh_until_s += by_s;
	shifted.held_until_s += by_s;
	shifted.noted_s += by_s;
	return shifted;
}

// No need to ask: what is held, or that the service does not know it, is fresh, and undisputed unless the dispute is
// decided and waits for its move. What was heard in the future was heard by a clock that has been set back since, and
// nobody knows when that was.
static inline bool book_is_fresh(const struct book_entry *entry, int64_t now_s)
{
	return now_s < entry->fresh_until_s && now_s >= entry->heard_s && !opinion_is_disputed(&entry->opinion);
}
