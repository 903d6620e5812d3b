// The inside of the book, for its files: book_entries.c has the entries and what is believed, book_news.c who is told of what changes,
// and what is forgotten.
#pragma once

#include "learn/book.h"
#include "learn/moves.h"

struct book_list {
	struct prefix *list;
	size_t count, cap;
};

struct book {
	struct book_rules rules;
	struct names *names;
	struct book_entry *entries;
	size_t count, cap;
	uint32_t *index;           // entry + 1; 0: empty
	size_t index_len;          // a power of two, at least twice `cap`
	size_t waiting;            // entries that are ready and held back
	struct book_list dirty;  // of entries that have changed, or gone, since that was taken
	struct book_list news;   // likewise, of what others keep of them
	bool has_too_much;         // news
	size_t ticked;             // the entry that the next tick begins with
	uint64_t seed, draws, version;
	struct moves moves;
	struct book_counts counts;
};

// NULL: there is none.
struct book_entry *book_entry_of(const struct book *book, const struct prefix *prefix);
// The last one takes its place.
void book_drop(struct book *book, struct book_entry *entry);
// There is news of an entry; `has_moved`: what is held may be another.
void book_tell(struct book *book, struct book_entry *entry, bool has_moved);
// It has changed, and is to be saved. Out of memory, a change is not saved: after a restart something older is known of the
// prefix, or nothing.
void book_mark(struct book *book, struct book_entry *entry);
