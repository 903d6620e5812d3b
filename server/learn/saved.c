// Entries of the book as text; see saved.h. What is read back has a sum in the store, but may be of another version.
#include "learn/saved.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/names.h"

enum { NAMES = FINDING_SITES_MAX + 3 }; // sites, carrier, class, source

const char *saved_format(const struct book *book, const struct book_entry *entry, int64_t stepped_s, char *buf)
{
	const struct finding *held = &entry->opinion.held;
	const struct book_entry wall = book_shifted(entry, stepped_s);
	size_t at = 0;

	for (unsigned i = 0; i < FINDING_SITES_MAX; i++)
		at += (size_t)snprintf(buf + at, SAVED_TEXT_LEN - at, "%s\t", book_text(book, held->sites[i]));
	snprintf(buf + at, SAVED_TEXT_LEN - at,
	         "%s\t%s\t%s\t%d\t%u\t%u\t%" PRIu32 "\t%" PRIu32 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64
	         "\t%" PRId64,
	         book_text(book, held->carrier), book_text(book, held->class_), book_text(book, entry->source),
	         entry->opinion.has_held, entry->opinion.confidence, entry->misses, entry->samples, entry->weight,
	         wall.learned_s, wall.heard_s, wall.fresh_until_s, wall.held_until_s, wall.noted_s);
	return buf;
}

static int take_names(struct book *book, const char **at, uint16_t *const *numbers)
{
	int err = E_OK;

	for (unsigned i = 0; i < NAMES && err == E_OK; i++) {
		size_t len = strcspn(*at, "\t");
		char name[NAME_MAX_LEN + 1];

		if (len > NAME_MAX_LEN || (*at)[len] != '\t')
			return E_INVAL;
		memcpy(name, *at, len);
		name[len] = '\0';
		*at += len + 1;
		err = book_name(book, name, numbers[i]);
	}
	return err;
}

int saved_parse(struct book *book, const char *prefix, const char *text, struct book_entry *ret_entry)
{
	struct book_entry entry = {.samples = 0};
	struct finding *held = &entry.opinion.held;
	uint16_t *const numbers[NAMES] = {&held->sites[0], &held->sites[1], &held->sites[2], &held->sites[3],
	                                  &held->carrier,  &held->class_,   &entry.source};
	unsigned has_held, confidence, misses;
	int end = 0, err = prefix_parse(prefix, &entry.prefix, NULL);

	if (err == E_OK)
		err = take_names(book, &text, numbers);
	if (err < 0)
		return err;
	if (sscanf(text, "%1u\t%3u\t%3u\t%10" SCNu32 "\t%10" SCNu32 "\t%19" SCNd64 "\t%19" SCNd64 "\t%19" SCNd64 "\t%19" SCNd64
	                 "\t%19" SCNd64 "%n",
	           &has_held, &confidence, &misses, &entry.samples, &entry.weight, &entry.learned_s, &entry.heard_s,
	           &entry.fresh_until_s, &entry.held_until_s, &entry.noted_s, &end) < 10 || text[end] != '\0' || has_held > 1 ||
	    confidence > 2 * OPINION_AGREE_MAX || misses > UINT8_MAX)
		return E_INVAL;
	entry.opinion.has_held = has_held;
	entry.opinion.confidence = (uint8_t)confidence;
	entry.misses = (uint8_t)misses;
	*ret_entry = entry;
	return E_OK;
}

static int64_t at_most(int64_t time_s, int64_t limit_s)
{
	return time_s < limit_s ? time_s : limit_s;
}

bool saved_settle(struct book_entry *entry, int64_t now_s, int64_t stepped_s)
{
	bool is_future;

	*entry = book_shifted(entry, -stepped_s);
	is_future = entry->heard_s > now_s;
	entry->learned_s = at_most(entry->learned_s, now_s);
	entry->heard_s = at_most(entry->heard_s, now_s);
	entry->noted_s = at_most(entry->noted_s, now_s);
	entry->fresh_until_s = at_most(entry->fresh_until_s, is_future ? now_s : now_s + BOOK_LIFETIME_MAX_S);
	entry->held_until_s = at_most(entry->held_until_s, is_future ? now_s : now_s + BOOK_LIFETIME_MAX_S);
	return is_future;
}

_Static_assert(FINDING_SITES_MAX == 4, "saved_parse() lists them");
