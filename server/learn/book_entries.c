// The book of learned prefixes; see book.h. Entries are dense in an array, found by an index of open addressing. Prefixes
// come from ECS, so that anybody chooses them: the hash is seeded.
#include "learn/book.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "base/names.h"
#include "learn/book_inner.h"

enum { DRAWS = 16, WEIGHT_HALF_S = 3600 };

// ---- the index ------------------------------------------------------------------------------------------------------

static size_t home(const struct book *book, const struct prefix *prefix)
{
	struct addr_key key = addr_key(&prefix->addr);

	return hash_mix(book->seed ^ key.hi ^ hash_mix(key.lo + prefix->addr.family)) & (book->index_len - 1);
}

// Where a prefix is in the index, or the empty place where it would be.
static size_t place_of(const struct book *book, const struct prefix *prefix)
{
	size_t at = home(book, prefix);

	while (book->index[at] && !addr_equal(&book->entries[book->index[at] - 1].prefix.addr, &prefix->addr))
		at = (at + 1) & (book->index_len - 1);
	return at;
}

// Closes the gap at `at`, so that no search stops early.
static void close_gap(struct book *book, size_t at)
{
	size_t mask = book->index_len - 1;

	for (size_t next = (at + 1) & mask; book->index[next]; next = (next + 1) & mask) {
		size_t wanted = home(book, &book->entries[book->index[next] - 1].prefix);

		if (((next - wanted) & mask) >= ((next - at) & mask)) {
			book->index[at] = book->index[next];
			at = next;
		}
	}
	book->index[at] = 0;
}

static int grow(struct book *book)
{
	size_t cap = book->cap ? book->cap * 2 : 64, index_len = 2;
	struct book_entry *entries;
	uint32_t *index;

	if (cap > book->rules.max)
		cap = book->rules.max;
	must(cap > book->cap);
	while (index_len < 2 * cap)
		index_len *= 2;
	entries = reallocarray(book->entries, cap, sizeof(*entries));
	if (!entries)
		return E_NOMEM;
	book->entries = entries;
	index = calloc(index_len, sizeof(*index));
	if (!index)
		return E_NOMEM;
	free(book->index);
	book->index = index;
	book->index_len = index_len;
	book->cap = cap;
	for (size_t i = 0; i < book->count; i++)
		book->index[place_of(book, &book->entries[i].prefix)] = (uint32_t)i + 1;
	return E_OK;
}

struct book_entry *book_entry_of(const struct book *book, const struct prefix *prefix)
{
	size_t at = book->count ? place_of(book, prefix) : 0;
	struct book_entry *entry = book->count && book->index[at] ? &book->entries[book->index[at] - 1] : NULL;

	return entry && entry->prefix.len == prefix->len ? entry : NULL;
}

void book_drop(struct book *book, struct book_entry *entry)
{
	book_mark(book, entry);

	size_t last = --book->count;
	size_t number = (size_t)(entry - book->entries);

	must(number <= last);
	book->version += entry->opinion.has_held;
	book->waiting -= entry->opinion.is_ready;
	close_gap(book, place_of(book, &entry->prefix));
	if (number == last)
		return;
	book->index[place_of(book, &book->entries[last].prefix)] = (uint32_t)number + 1;
	*entry = book->entries[last];
}

// ---- room -----------------------------------------------------------------------------------------------------------

// How busy an entry is: what its traffic was, halved for every hour since. While it is fresh nobody notes its traffic.
static uint32_t business(const struct book_entry *entry, int64_t now_s)
{
	int64_t since_s = entry->noted_s > entry->fresh_until_s ? entry->noted_s : entry->fresh_until_s;
	int64_t halves = now_s > since_s ? (now_s - since_s) / WEIGHT_HALF_S : 0;

	return halves > 31 ? 0 : entry->weight >> halves;
}

// How busy the least busy is of the `kept` busiest, of which there are as many at least: its octets one by one, each from a
// count of those that agree in the ones before it.
static uint32_t business_of_last(const struct book *book, size_t kept, int64_t now_s)
{
	uint32_t found = 0;

	for (int shift = 24; shift >= 0; shift -= 8) {
		size_t counts[256] = {0};
		unsigned octet = 255;

		for (size_t i = 0; i < book->count; i++) {
			uint32_t busy = business(&book->entries[i], now_s);

			if ((uint64_t)busy >> (shift + 8) == (uint64_t)found >> (shift + 8))
				counts[busy >> shift & 255]++;
		}
		for (; octet > 0 && counts[octet] < kept; octet--)
			kept -= counts[octet];
		found |= (uint32_t)octet << shift;
	}
	return found;
}

// Drops the least busy until `max` are left. Once for a change of the rules: it looks at all of them several times.
static void shrink(struct book *book, size_t max, int64_t now_s)
{
	uint32_t last = book->count > max ? business_of_last(book, max, now_s) : 0;
	size_t before = book->count;

	for (size_t i = book->count; i-- > 0 && book->count > max;) // from the last one, as that takes the place of one that is dropped
		if (business(&book->entries[i], now_s) < last)
			book_drop(book, &book->entries[i]);
	for (size_t i = book->count; i-- > 0 && book->count > max;)
		if (business(&book->entries[i], now_s) == last)
			book_drop(book, &book->entries[i]);
	must(book->count <= max);
	book->counts.evicted += before - book->count;
}

// Drops the least busy of a few, if it is less busy than `weight`: about the least busy of all, without a list of them in
// order.
static int make_room(struct book *book, uint32_t weight, int64_t now_s)
{
	struct book_entry *least = NULL;

	for (int i = 0; i < DRAWS; i++) {
		struct book_entry *drawn = &book->entries[hash_mix(book->seed ^ ++book->draws) % book->count];

		if (!least || business(drawn, now_s) < business(least, now_s))
			least = drawn;
	}
	if (business(least, now_s) >= weight) {
		book->counts.refused++;
		return E_LIMIT;
	}
	book->counts.evicted++;
	book_drop(book, least);
	return E_OK;
}

static int find_or_add(struct book *book, const struct prefix *prefix, uint32_t weight, int64_t now_s,
                       struct book_entry **ret_entry)
{
	struct book_entry *entry = book_entry_of(book, prefix);
	int err = E_OK;

	if (!entry && book->count >= book->rules.max)
		err = make_room(book, weight, now_s);
	if (!entry && err == E_OK && book->count == book->cap)
		err = grow(book);
	if (err < 0)
		return err;
	if (!entry) {
		size_t at = place_of(book, prefix);

		must(!book->index[at]);
		entry = &book->entries[book->count++];
		*entry = (struct book_entry){.prefix = *prefix, .weight = weight, .noted_s = now_s, .has_moved = true};
		book->index[at] = (uint32_t)book->count;
	}
	*ret_entry = entry;
	return E_OK;
}

// ---- what is heard --------------------------------------------------------------------------------------------------

static uint32_t voice_of(const struct book *book, const struct addr *addr)
{
	struct addr_key key = addr_key(addr);

	return (uint32_t)hash_mix(book->seed ^ key.lo ^ hash_mix(key.hi));
}

static int64_t lifetime_of(const struct book_sample *sample)
{
	uint32_t lifetime_s = sample->lifetime_s ? sample->lifetime_s : BOOK_LIFETIME_S;

	return lifetime_s < BOOK_LIFETIME_MIN_S ? BOOK_LIFETIME_MIN_S
	       : lifetime_s > BOOK_LIFETIME_MAX_S ? BOOK_LIFETIME_MAX_S : lifetime_s;
}

// Moves, if that is the first belief of the prefix or there is a move left.
static bool try_move(struct book *book, struct book_entry *entry, int64_t now_s)
{
	bool is_move = entry->opinion.has_held;

	if (is_move && moves_left(&book->moves, book->rules.moves, now_s) == 0)
		return false;
	if (is_move)
		moves_count(&book->moves);
	opinion_move(&entry->opinion, &book->rules.opinion);
	entry->learned_s = now_s;
	entry->held_until_s = entry->fresh_until_s;
	book_mark(book, entry);
	book_tell(book, entry, true);
	book->counts.moved += is_move;
	book->counts.learned += !is_move;
	book->version++;
	return true;
}

// Withdraws what is held, which is another answer too. Without a move left it stays, to be withdrawn by a later sample.
static void try_withdraw(struct book *book, struct book_entry *entry, int64_t now_s)
{
	if (moves_left(&book->moves, book->rules.moves, now_s) == 0)
		return;
	moves_count(&book->moves);
	opinion_withdraw(&entry->opinion);
	book_tell(book, entry, true);
	book->counts.withdrawn++;
	book->version++;
}

int book_hear(struct book *book, const struct book_sample *sample, int64_t now_s, enum opinion_outcome *ret_outcome)
{
	struct prefix prefix = book_prefix(book, &sample->addr);
	struct book_entry *entry;
	enum opinion_outcome outcome;
	int err = find_or_add(book, &prefix, sample->weight, now_s, &entry);
	bool was_ready;

	if (err < 0)
		return err;
	was_ready = entry->opinion.is_ready;
	outcome = opinion_hear(&entry->opinion, &sample->finding, voice_of(book, &sample->addr), now_s, &book->rules.opinion);
	entry->source = sample->source;
	entry->heard_s = now_s;
	entry->samples++;
	entry->misses = 0;
	book_mark(book, entry);
	if (outcome == OPINION_CONFIRMED || outcome == OPINION_READY)
		entry->fresh_until_s = now_s + lifetime_of(sample);
	if (outcome == OPINION_CONFIRMED)
		entry->held_until_s = entry->fresh_until_s;
	if (outcome == OPINION_DOUBTED && !sample->is_measured)
		try_withdraw(book, entry, now_s);
	if (outcome == OPINION_READY && !try_move(book, entry, now_s))
		book->counts.held_back += !was_ready;
	book->waiting += (size_t)entry->opinion.is_ready - was_ready;
	*ret_outcome = outcome;
	return E_OK;
}

int book_miss(struct book *book, const struct book_sample *sample, int64_t now_s)
{
	struct prefix prefix = book_prefix(book, &sample->addr);
	struct book_entry *entry;
	int err = find_or_add(book, &prefix, sample->weight, now_s, &entry);
	int64_t pause_s = BOOK_MISS_S;

	if (err < 0)
		return err;
	for (unsigned i = 0; i < entry->misses && pause_s < BOOK_MISS_MAX_S; i++)
		pause_s *= 2;
	entry->misses += entry->misses < UINT8_MAX;
	entry->source = sample->source;
	entry->heard_s = now_s;
	entry->fresh_until_s = now_s + (pause_s < BOOK_MISS_MAX_S ? pause_s : BOOK_MISS_MAX_S);
	book_mark(book, entry);
	book->waiting -= entry->opinion.is_ready;
	entry->opinion.voice_count = 0;
	entry->opinion.is_ready = false;
	return E_OK;
}

void book_note(struct book *book, const struct prefix *prefix, uint32_t weight, int64_t now_s)
{
	struct book_entry *entry = book_entry_of(book, prefix);

	if (!entry || weight < business(entry, now_s)) // the first notes since it was fresh: the others will follow
		return;
	entry->weight = weight;
	entry->noted_s = now_s;
}

// ---- time -----------------------------------------------------------------------------------------------------------

static int compare_weights(const void *a, const void *b)
{
	const struct book_entry *x = *(struct book_entry *const *)a, *y = *(struct book_entry *const *)b;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return x < y ? -1 : x > y;
}

// Out of memory, they wait for the next time.
static void move_waiting(struct book *book, int64_t now_s)
{
	struct book_entry **list = calloc(book->waiting, sizeof(*list));
	size_t count = 0;

	for (size_t i = 0; list && i < book->count; i++)
		if (book->entries[i].opinion.is_ready) {
			must(count < book->waiting);
			list[count++] = &book->entries[i];
		}
	if (list)
		qsort(list, count, sizeof(*list), compare_weights);
	for (size_t i = 0; i < count && try_move(book, list[i], now_s); i++)
		book->waiting--;
	free(list);
}

// That the service does not know the clients, or says something else of them, does not confirm what is held.
static bool is_too_old(const struct book *book, const struct book_entry *entry, int64_t now_s)
{
	int64_t last_s = entry->heard_s > entry->fresh_until_s ? entry->heard_s : entry->fresh_until_s;

	if (entry->opinion.has_held && !entry->opinion.is_ready)
		last_s = entry->held_until_s;
	return now_s - last_s >= book->rules.max_stale_s;
}

// Where the next one is, as another one takes the place of one that is dropped.
static size_t look_at(struct book *book, size_t i, int64_t now_s)
{
	struct book_entry *entry = &book->entries[i];

	if (is_too_old(book, entry, now_s)) {
		book->counts.expired++;
		book_drop(book, entry);
		return i;
	}
	if (entry->was_fresh && !book_is_fresh(entry, now_s))
		book_tell(book, entry, false);
	return i + 1;
}

void book_tick(struct book *book, int64_t now_s)
{
	size_t looks = book->count < BOOK_TICK ? book->count : BOOK_TICK;

	if (looks == book->count)
		book->ticked = 0; // all of them, each once
	for (; looks > 0 && book->count > 0; looks--) {
		if (book->ticked >= book->count)
			book->ticked = 0;
		book->ticked = look_at(book, book->ticked, now_s);
	}
	if (book->waiting > 0 && moves_left(&book->moves, book->rules.moves, now_s) > 0)
		move_waiting(book, now_s);
}

// ---- everything else ------------------------------------------------------------------------------------------------

struct book *book_new(const struct book_rules *rules)
{
	struct book *book = calloc(1, sizeof(*book));

	must(rules->max >= 1 && rules->max <= BOOK_MAX && rules->len_v4 <= 32 && rules->len_v6 <= 128);
	if (!book)
		return NULL;
	book->rules = *rules;
	book->names = names_new();
	if (!book->names || getrandom(&book->seed, sizeof(book->seed), GRND_NONBLOCK) != sizeof(book->seed))
		return book_free(book);
	return book;
}

struct book *book_free(struct book *book)
{
	if (!book)
		return NULL;
	names_free(book->names);
	free(book->entries);
	free(book->index);
	free(book->dirty.list);
	free(book->news.list);
	free(book);
	return NULL;
}

void book_set_rules(struct book *book, const struct book_rules *rules, int64_t now_s)
{
	must(rules->max >= 1 && rules->max <= BOOK_MAX && rules->len_v4 <= 32 && rules->len_v6 <= 128);
	book->rules = *rules;
	for (size_t i = book->count; i-- > 0;) {
		struct book_entry *entry = &book->entries[i];

		if (entry->prefix.len != (entry->prefix.addr.family == ADDR_V4 ? rules->len_v4 : rules->len_v6))
			book_drop(book, entry);
	}
	shrink(book, rules->max, now_s);
}

int book_name(struct book *book, const char *text, uint16_t *ret_number)
{
	int found = text ? names_find(book->names, text, strlen(text)) : 0;

	if (found >= 0) {
		*ret_number = (uint16_t)found;
		return E_OK;
	}
	return names_count(book->names) >= BOOK_NAMES_MAX ? E_LIMIT : names_add(book->names, text, strlen(text), ret_number);
}

int book_name_invented(struct book *book, const char *text, unsigned *count, uint16_t *ret_number)
{
	bool is_new = names_find(book->names, text, strlen(text)) < 0;
	int err;

	if (is_new && (*count >= BOOK_INVENTED_MAX || names_count(book->names) >= BOOK_INVENTED_ALL))
		return E_LIMIT;
	err = book_name(book, text, ret_number);
	*count += is_new && err == E_OK;
	return err;
}

int book_find_name(const struct book *book, const char *text)
{
	return names_find(book->names, text, strlen(text));
}

const char *book_text(const struct book *book, uint16_t number)
{
	return names_text(book->names, number);
}

struct prefix book_prefix(const struct book *book, const struct addr *addr)
{
	uint8_t len = addr->family == ADDR_V4 ? book->rules.len_v4 : book->rules.len_v6;

	return (struct prefix){addr_cut(addr, len), len};
}

int book_restore(struct book *book, const struct book_entry *saved)
{
	struct prefix prefix = book_prefix(book, &saved->prefix.addr);
	struct book_entry *entry;
	int err = prefix.len == saved->prefix.len ? E_OK : E_INVAL;

	if (err == E_OK)
		err = find_or_add(book, &prefix, saved->weight, saved->noted_s, &entry);
	if (err < 0)
		return err;
	book->waiting -= entry->opinion.is_ready;
	*entry = *saved;
	entry->prefix = prefix;
	entry->is_changed = entry->is_news = entry->was_fresh = false;
	entry->opinion.voice_count = 0;
	entry->opinion.is_ready = false;
	book_tell(book, entry, true);
	book->version++;
	return E_OK;
}

const struct book_entry *book_find(const struct book *book, const struct prefix *prefix)
{
	return book_entry_of(book, prefix);
}

size_t book_count(const struct book *book)
{
	return book->count;
}

const struct book_entry *book_at(const struct book *book, size_t i)
{
	must(i < book->count);
	return &book->entries[i];
}

const struct book_counts *book_counts_of(const struct book *book)
{
	return &book->counts;
}

uint64_t book_version(const struct book *book)
{
	return book->version;
}

size_t book_waiting(const struct book *book)
{
	return book->waiting;
}

size_t book_bytes(const struct book *book)
{
	return sizeof(*book) + book->cap * sizeof(*book->entries) + book->index_len * sizeof(*book->index) +
	       (book->dirty.cap + book->news.cap) * sizeof(struct prefix);
}
