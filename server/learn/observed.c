// Measured round trips by prefix and site; see observed.h. A prefix is one block of memory, found by an index of open
// addressing with a seeded hash, as addresses come from outside.
#include "learn/observed.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"

enum { DRAWS = 16, MINUTE_S = 60 };

// Times are minutes, as the low 16 bits: no sample gets older than 30 days, of 45.
struct vote {
	uint32_t host;
	uint8_t count, next; // samples; the oldest one, when all are in use
	uint16_t minutes[OBSERVED_SAMPLES];
	uint32_t us[OBSERVED_SAMPLES];
};

struct pair {
	uint16_t site;
	uint16_t minute;     // of the latest sample
	uint8_t vote_count;
	struct vote votes[OBSERVED_HOSTS];
};

struct track {
	struct prefix prefix;
	uint8_t count;
	uint32_t number;     // in observed->tracks
	int64_t heard_s;
	struct pair pairs[];
};

struct observed {
	struct observed_rules rules;
	struct track **tracks;   // dense
	struct track **index;    // NULL: empty
	size_t index_len;        // a power of two, at least twice `max`
	size_t track_count, pair_count, swept;
	uint64_t seed, draws, evicted;
};

_Static_assert(sizeof(struct pair) + sizeof(struct track) + 3 * sizeof(void *) + 16 <= OBSERVED_PAIR_BYTES,
               "a prefix with one site takes no more than is stated");

// ---- the index ------------------------------------------------------------------------------------------------------

static size_t home(const struct observed *observed, const struct prefix *prefix)
{
	struct addr_key key = addr_key(&prefix->addr);

	return hash_mix(observed->seed ^ key.hi ^ hash_mix(key.lo + prefix->addr.family)) & (observed->index_len - 1);
}

static size_t place_of(const struct observed *observed, const struct prefix *prefix)
{
	size_t at = home(observed, prefix);

	while (observed->index[at] && !addr_equal(&observed->index[at]->prefix.addr, &prefix->addr))
		at = (at + 1) & (observed->index_len - 1);
	return at;
}

// Closes the gap at `at`, so that no search stops early.
static void close_gap(struct observed *observed, size_t at)
{
	size_t mask = observed->index_len - 1;

	for (size_t next = (at + 1) & mask; observed->index[next]; next = (next + 1) & mask) {
		size_t wanted = home(observed, &observed->index[next]->prefix);

		if (((next - wanted) & mask) >= ((next - at) & mask)) {
			observed->index[at] = observed->index[next];
			at = next;
		}
	}
	observed->index[at] = NULL;
}

static void drop(struct observed *observed, struct track *track)
{
	struct track *last = observed->tracks[--observed->track_count];

	close_gap(observed, place_of(observed, &track->prefix));
	observed->pair_count -= track->count;
	observed->tracks[track->number] = last;
	last->number = track->number;
	free(track);
}

// The block with room for `count` pairs, in place of the one that there was (NULL: none). NULL: out of memory.
static struct track *resize(struct observed *observed, size_t at, unsigned count)
{
	struct track *track = realloc(observed->index[at], sizeof(*track) + count * sizeof(track->pairs[0]));

	if (!track)
		return NULL;
	if (!observed->index[at])
		*track = (struct track){.number = (uint32_t)observed->track_count++};
	observed->index[at] = track;
	observed->tracks[track->number] = track;
	return track;
}

// Drops the one of a few that was heard of least recently, but not `kept`.
static void make_room(struct observed *observed, const struct track *kept)
{
	struct track *least = NULL;

	for (int i = 0; i < DRAWS || !least; i++) {
		struct track *drawn = observed->tracks[hash_mix(observed->seed ^ ++observed->draws) % observed->track_count];

		if (drawn != kept && (!least || drawn->heard_s < least->heard_s))
			least = drawn;
	}
	observed->evicted++;
	drop(observed, least);
}

// ---- samples --------------------------------------------------------------------------------------------------------

static uint16_t minute_of(int64_t now_s)
{
	return (uint16_t)(now_s / MINUTE_S);
}

static bool is_old(const struct observed *observed, uint16_t minute, int64_t now_s)
{
	return (uint16_t)(minute_of(now_s) - minute) > observed->rules.window_s / MINUTE_S;
}

static uint16_t age(uint16_t minute, int64_t now_s)
{
	return (uint16_t)(minute_of(now_s) - minute);
}

static uint16_t latest(const struct vote *vote)
{
	return vote->minutes[(vote->next + vote->count - 1u) % OBSERVED_SAMPLES];
}

static void forget_old_samples(const struct observed *observed, struct pair *pair, int64_t now_s)
{
	for (unsigned i = 0; i < pair->vote_count;) {
		struct vote *vote = &pair->votes[i];

		while (vote->count > 0 && is_old(observed, vote->minutes[vote->next], now_s)) {
			vote->next = (uint8_t)((vote->next + 1) % OBSERVED_SAMPLES);
			vote->count--;
		}
		if (vote->count == 0)
			*vote = pair->votes[--pair->vote_count];
		else
			i++;
	}
}

static struct vote *vote_of(struct pair *pair, uint32_t host, int64_t now_s)
{
	struct vote *least = NULL;

	for (unsigned i = 0; i < pair->vote_count; i++) {
		struct vote *vote = &pair->votes[i];

		if (vote->host == host)
			return vote;
		if (!least || age(latest(vote), now_s) > age(latest(least), now_s))
			least = vote;
	}
	if (pair->vote_count < OBSERVED_HOSTS)
		least = &pair->votes[pair->vote_count++];
	*least = (struct vote){.host = host};
	return least;
}

static void add_sample(struct pair *pair, uint32_t host, uint32_t us, int64_t now_s)
{
	struct vote *vote = vote_of(pair, host, now_s);
	unsigned at = (vote->next + vote->count) % OBSERVED_SAMPLES;

	vote->us[at] = us;
	vote->minutes[at] = minute_of(now_s);
	pair->minute = minute_of(now_s);
	if (vote->count < OBSERVED_SAMPLES)
		vote->count++;
	else
		vote->next = (uint8_t)((vote->next + 1) % OBSERVED_SAMPLES);
}

// The pair of a site, of those there are. NULL: there is none.
static struct pair *find_pair(struct track *track, uint16_t site)
{
	for (unsigned i = 0; i < track->count; i++)
		if (track->pairs[i].site == site)
			return &track->pairs[i];
	return NULL;
}

static struct pair *stalest(struct track *track, int64_t now_s)
{
	struct pair *least = &track->pairs[0];

	for (unsigned i = 1; i < track->count; i++)
		if (age(track->pairs[i].minute, now_s) > age(least->minute, now_s))
			least = &track->pairs[i];
	return least;
}

// An empty pair for a site. NULL: out of memory.
static struct pair *add_pair(struct observed *observed, const struct prefix *prefix, uint16_t site, int64_t now_s)
{
	size_t at = place_of(observed, prefix);
	struct track *track = observed->index[at];
	struct pair *pair;

	if (track && track->count == OBSERVED_SITES) {
		pair = stalest(track, now_s);
	} else {
		// The one prefix that has all pairs there may be has OBSERVED_SITES of them, or there are fewer than these.
		if (observed->pair_count >= observed->rules.max && observed->track_count > (track != NULL))
			make_room(observed, track);
		at = place_of(observed, prefix);
		track = resize(observed, at, (track ? track->count : 0u) + 1);
		if (!track)
			return NULL;
		track->prefix = *prefix;
		pair = &track->pairs[track->count++];
		observed->pair_count++;
	}
	*pair = (struct pair){.site = site};
	return pair;
}

int observed_add(struct observed *observed, const struct prefix *prefix, uint16_t site, uint32_t host, uint32_t us,
                 int64_t now_s)
{
	struct track *track = observed->index[place_of(observed, prefix)];
	struct pair *pair = track ? find_pair(track, site) : NULL;

	if (!pair)
		pair = add_pair(observed, prefix, site, now_s);
	if (!pair)
		return E_NOMEM;
	forget_old_samples(observed, pair, now_s);
	add_sample(pair, host, us, now_s);
	observed->index[place_of(observed, prefix)]->heard_s = now_s;
	return E_OK;
}

// ---- what follows ---------------------------------------------------------------------------------------------------

// Sorts a few numbers.
static void sort(uint32_t *numbers, unsigned count)
{
	for (unsigned i = 1; i < count; i++)
		for (unsigned k = i; k > 0 && numbers[k] < numbers[k - 1]; k--) {
			uint32_t swapped = numbers[k];

			numbers[k] = numbers[k - 1];
			numbers[k - 1] = swapped;
		}
}

// Whether a sample of the prefix names its host.
static bool is_named(const struct observed *observed, const struct track *track, int64_t now_s)
{
	for (unsigned i = 0; i < track->count; i++)
		for (unsigned k = 0; k < track->pairs[i].vote_count; k++) {
			const struct vote *vote = &track->pairs[i].votes[k];

			if (vote->host && vote->count > 0 && !is_old(observed, latest(vote), now_s))
				return true;
		}
	return false;
}

// `named`: samples without a host count for nothing.
static struct measure measure_of(const struct observed *observed, const struct pair *pair, bool named, int64_t now_s)
{
	struct measure measure = {.site = pair->site};
	uint32_t votes[OBSERVED_HOSTS];

	for (unsigned i = 0; i < pair->vote_count; i++) {
		const struct vote *vote = &pair->votes[i];
		uint32_t samples[OBSERVED_SAMPLES];
		unsigned count = 0;

		if (named && !vote->host)
			continue;
		for (unsigned k = 0; k < vote->count; k++) {
			unsigned at = (vote->next + k) % OBSERVED_SAMPLES;

			if (!is_old(observed, vote->minutes[at], now_s))
				samples[count++] = vote->us[at];
		}
		if (count == 0)
			continue;
		sort(samples, count);
		votes[measure.hosts++] = samples[(count - 1) / 2];
		measure.samples = (uint16_t)(measure.samples + count);
	}
	sort(votes, measure.hosts);
	measure.us = measure.hosts ? votes[measure.hosts / 2] : 0;
	measure.is_enough = measure.samples >= observed->rules.samples && (!named || measure.hosts >= observed->rules.hosts);
	return measure;
}

unsigned observed_measures(const struct observed *observed, const struct prefix *prefix, int64_t now_s,
                           struct measure ret_measures[OBSERVED_SITES])
{
	const struct track *track = observed->index[place_of(observed, prefix)];
	bool named = track && is_named(observed, track, now_s);
	unsigned count = 0;

	for (unsigned i = 0; track && i < track->count; i++) {
		ret_measures[count] = measure_of(observed, &track->pairs[i], named, now_s);
		count += ret_measures[count].samples > 0;
	}
	return count;
}

// ---- time, and everything else --------------------------------------------------------------------------------------

static void sweep(struct observed *observed, struct track *track, int64_t now_s)
{
	for (unsigned i = 0; i < track->count;) {
		struct pair *pair = &track->pairs[i];

		forget_old_samples(observed, pair, now_s);
		if (pair->vote_count > 0) {
			i++;
			continue;
		}
		*pair = track->pairs[--track->count];
		observed->pair_count--;
	}
	if (track->count == 0)
		drop(observed, track);
}

void observed_tick(struct observed *observed, int64_t now_s)
{
	// From the last one to the first: another one comes into the place of one that is dropped.
	for (size_t i = 0; i < observed->rules.max / MINUTE_S + 1 && observed->track_count > 0; i++) {
		if (observed->swept == 0 || observed->swept > observed->track_count)
			observed->swept = observed->track_count;
		sweep(observed, observed->tracks[--observed->swept], now_s);
	}
}

struct observed *observed_new(const struct observed_rules *rules)
{
	struct observed *observed = calloc(1, sizeof(*observed));

	must(rules->max >= 1 && rules->max <= OBSERVED_MAX && rules->samples >= 1 && rules->samples <= OBSERVED_SAMPLES &&
	     rules->hosts >= 1 && rules->hosts <= OBSERVED_HOSTS);
	if (!observed)
		return NULL;
	observed->rules = *rules;
	observed->index_len = 64;
	while (observed->index_len < 2 * ((size_t)rules->max + 1))
		observed->index_len *= 2;
	observed->index = calloc(observed->index_len, sizeof(struct track *));
	observed->tracks = calloc((size_t)rules->max + 1, sizeof(struct track *));
	if (!observed->index || !observed->tracks ||
	    getrandom(&observed->seed, sizeof(observed->seed), GRND_NONBLOCK) != sizeof(observed->seed))
		return observed_free(observed);
	return observed;
}

struct observed *observed_free(struct observed *observed)
{
	if (!observed)
		return NULL;
	for (size_t i = 0; i < observed->track_count; i++)
		free(observed->tracks[i]);
	free(observed->tracks);
	free(observed->index);
	free(observed);
	return NULL;
}

size_t observed_prefixes(const struct observed *observed)
{
	return observed->track_count;
}

size_t observed_pairs(const struct observed *observed)
{
	return observed->pair_count;
}

uint64_t observed_evicted(const struct observed *observed)
{
	return observed->evicted;
}

size_t observed_bytes(const struct observed *observed)
{
	return sizeof(*observed) + (observed->index_len + observed->rules.max + 1) * sizeof(struct track *) +
	       observed->track_count * sizeof(struct track) + observed->pair_count * sizeof(struct pair);
}
