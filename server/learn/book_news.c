// What of the book has changed, for those who save it or keep what follows from it; and what is forgotten. See book.h.
#include <stdlib.h>

#include "base/must.h"
#include "learn/book_inner.h"

static bool add_prefix(struct book_list *list, const struct prefix *prefix)
{
	if (list->count == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 64;
		struct prefix *longer = reallocarray(list->list, cap, sizeof(*longer));

		if (!longer)
			return false;
		list->list = longer;
		list->cap = cap;
	}
	list->list[list->count++] = *prefix;
	return true;
}

// Few prefixes change at a time, but all of them may.
static void empty_list(struct book_list *list)
{
	enum { KEPT = 1024 };

	list->count = 0;
	if (list->cap <= KEPT)
		return;
	free(list->list);
	*list = (struct book_list){0};
}

void book_tell(struct book *book, struct book_entry *entry, bool has_moved)
{
	entry->has_moved |= has_moved;
	if (entry->is_news || book->has_too_much)
		return;
	entry->is_news = book->news.count < BOOK_NEWS && add_prefix(&book->news, &entry->prefix);
	book->has_too_much = !entry->is_news;
}

static void mark_to_save(struct book *book, struct book_entry *entry)
{
	if (!entry->is_changed)
		entry->is_changed = add_prefix(&book->dirty, &entry->prefix);
}

void book_mark(struct book *book, struct book_entry *entry)
{
	book_tell(book, entry, false);
	mark_to_save(book, entry);
}

bool book_take_changes(struct book *book, size_t max,
                       void (*each)(void *ctx, const struct prefix *prefix, const struct book_entry *entry), void *ctx)
{
	for (; book->dirty.count > 0 && max > 0; max--) {
		const struct prefix *prefix = &book->dirty.list[--book->dirty.count];
		struct book_entry *entry = book_entry_of(book, prefix);

		if (entry)
			entry->is_changed = false;
		each(ctx, prefix, entry && (entry->opinion.has_held || entry->misses) ? entry : NULL);
	}
	if (book->dirty.count > 0)
		return true;
	empty_list(&book->dirty);
	return false;
}

size_t book_save_again(struct book *book, size_t end, size_t max)
{
	if (end > book->count)
		end = book->count;
	for (; end > 0 && max > 0; max--) {
		struct book_entry *entry = &book->entries[--end];

		if (entry->opinion.has_held || entry->misses)
			mark_to_save(book, entry);
	}
	return end;
}

// It is known what there is to say of the entry.
static bool end_news(struct book_entry *entry, int64_t now_s)
{
	bool has_moved = entry->has_moved;

	entry->is_news = entry->has_moved = false;
	entry->was_fresh = book_is_fresh(entry, now_s);
	return has_moved;
}

bool book_take_news(struct book *book, int64_t now_s, void (*each)(void *ctx, const struct book_news *news), void *ctx)
{
	if (book->has_too_much)
		return false;
	for (size_t i = 0; i < book->news.count; i++) {
		struct book_entry *entry = book_entry_of(book, &book->news.list[i]);
		bool has_moved = !entry || end_news(entry, now_s);
		struct book_news news = {book->news.list[i], entry, has_moved, entry && entry->was_fresh};

		each(ctx, &news);
	}
	empty_list(&book->news);
	return true;
}

void book_drop_news(struct book *book, int64_t now_s)
{
	for (size_t i = 0; i < book->count; i++)
		(void)end_news(&book->entries[i], now_s);
	empty_list(&book->news);
	book->has_too_much = false;
}

// The entries whose prefixes have the length `len` and lie in `prefix`, one by one.
static void forget_each(struct book *book, const struct prefix *prefix, uint8_t len)
{
	struct prefix one = {prefix->addr, len};

	for (uint64_t left = UINT64_C(1) << (len - prefix->len); left > 0; left--) {
		struct book_entry *entry = book_entry_of(book, &one);

		if (entry)
			book_drop(book, entry);
		for (unsigned bit = len; bit > prefix->len; bit--) { // the next one
			one.addr.bytes[(bit - 1) / 8] ^= (uint8_t)(0x80 >> (bit - 1) % 8);
			if (one.addr.bytes[(bit - 1) / 8] & 0x80 >> (bit - 1) % 8)
				break;
		}
	}
}

size_t book_forget(struct book *book, const struct prefix *prefix)
{
	uint8_t wanted = prefix->addr.family == ADDR_V4 ? book->rules.len_v4 : book->rules.len_v6;
	struct prefix around = book_prefix(book, &prefix->addr);
	size_t before = book->count;
	unsigned below = prefix->len < wanted ? wanted - prefix->len : 0; // so many bits: as many prefixes, or more than entries

	if (below < 32 && book->count >> below > 0) {
		forget_each(book, below > 0 ? prefix : &around, wanted);
		return before - book->count;
	}
	for (size_t i = book->count; i-- > 0;) // from the last one, as that takes the place of one that is dropped
		if (prefix_overlaps(&book->entries[i].prefix, prefix))
			book_drop(book, &book->entries[i]);
	return before - book->count;
}

size_t book_forget_source(struct book *book, uint16_t source)
{
	size_t before = book->count;

	for (size_t i = book->count; i-- > 0;)
		if (book->entries[i].source == source)
			book_drop(book, &book->entries[i]);
	return before - book->count;
}

void book_forget_all(struct book *book)
{
	while (book->count > 0)
		book_drop(book, &book->entries[book->count - 1]);
}
