// Who is asked about; see crowd.h. Members are dense in an array, found by an index of open addressing of fixed size, with a
// seeded hash, as anybody chooses prefixes by ECS.
#include "learn/crowd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hash.h"
#include "base/must.h"

enum { SLOTS = 2 * CROWD_MAX, DRAWS = 16, MINUTE_MS = 60000, SENDER_PROBES = 8 };

// A sender's notes of this minute.
struct sender {
	uint64_t hash; // 0: empty
	uint32_t notes;
};

struct crowd {
	struct crowd_member *members;
	size_t count, cap;            // cap: at most CROWD_MAX
	uint32_t *index;              // SLOTS; member + 1; 0: empty
	struct sender *senders;       // CROWD_SENDERS
	uint64_t seed, draws;
	int64_t minute_ms;            // when this one began
	uint64_t minute_notes, last_notes; // of it, and of the one before
	struct crowd_counts counts;
};

_Static_assert(CROWD_MAX * sizeof(struct crowd_member) + SLOTS * sizeof(uint32_t) + CROWD_SENDERS * sizeof(struct sender) +
               sizeof(struct crowd) <= CROWD_BYTES_MAX, "the cap of its memory");

struct crowd *crowd_new(void)
{
	struct crowd *crowd = calloc(1, sizeof(*crowd));

	if (!crowd)
		return NULL;
	crowd->index = calloc(SLOTS, sizeof(*crowd->index));
	crowd->senders = calloc(CROWD_SENDERS, sizeof(*crowd->senders));
	if (!crowd->index || !crowd->senders ||
	    getrandom(&crowd->seed, sizeof(crowd->seed), GRND_NONBLOCK) != sizeof(crowd->seed))
		return crowd_free(crowd);
	return crowd;
}

struct crowd *crowd_free(struct crowd *crowd)
{
	if (!crowd)
		return NULL;
	free(crowd->members);
	free(crowd->index);
	free(crowd->senders);
	free(crowd);
	return NULL;
}

// ---- the table ------------------------------------------------------------------------------------------------------

static uint64_t hash_of(const struct crowd *crowd, const struct addr *addr)
{
	struct addr_key key = addr_key(addr);

	return hash_mix(crowd->seed ^ key.hi ^ hash_mix(key.lo + addr->family));
}

static size_t home(const struct crowd *crowd, const struct prefix *prefix)
{
	return hash_of(crowd, &prefix->addr) % SLOTS;
}

// Where a prefix is in the index, or the empty place where it would be.
static size_t place_of(const struct crowd *crowd, const struct prefix *prefix)
{
	size_t at = home(crowd, prefix);

	for (; crowd->index[at]; at = (at + 1) % SLOTS) {
		const struct prefix *there = &crowd->members[crowd->index[at] - 1].prefix;

		if (there->len == prefix->len && addr_equal(&there->addr, &prefix->addr))
			break;
	}
	return at;
}

struct crowd_member *crowd_find(struct crowd *crowd, const struct prefix *prefix)
{
	size_t at = place_of(crowd, prefix);

	return crowd->index[at] ? &crowd->members[crowd->index[at] - 1] : NULL;
}

// Closes the gap at `at`, so that no search stops early.
static void close_gap(struct crowd *crowd, size_t at)
{
	for (size_t next = (at + 1) % SLOTS; crowd->index[next]; next = (next + 1) % SLOTS) {
		size_t wanted = home(crowd, &crowd->members[crowd->index[next] - 1].prefix);

		if ((next + SLOTS - wanted) % SLOTS >= (next + SLOTS - at) % SLOTS) {
			crowd->index[at] = crowd->index[next];
			at = next;
		}
	}
	crowd->index[at] = 0;
}

// The last one takes its place.
void crowd_drop(struct crowd *crowd, struct crowd_member *member)
{
	size_t number = (size_t)(member - crowd->members), last = crowd->count - 1;

	must(number <= last);
	close_gap(crowd, place_of(crowd, &member->prefix));
	if (number != last) {
		crowd->index[place_of(crowd, &crowd->members[last].prefix)] = (uint32_t)number + 1;
		*member = crowd->members[last];
	}
	crowd->count--;
}

// The least of a few, which nothing is being asked about. NULL: there is none among them.
static struct crowd_member *draw_least(struct crowd *crowd)
{
	struct crowd_member *least = NULL;

	for (int i = 0; i < DRAWS; i++) {
		struct crowd_member *drawn = &crowd->members[hash_mix(crowd->seed ^ ++crowd->draws) % crowd->count];

		if (!drawn->is_asked && (!least || drawn->weight < least->weight))
			least = drawn;
	}
	return least;
}

static bool grow(struct crowd *crowd)
{
	size_t cap = crowd->cap ? crowd->cap * 2 : 1024;
	struct crowd_member *members = reallocarray(crowd->members, cap, sizeof(*members));

	if (!members)
		return false;
	crowd->members = members;
	crowd->cap = cap;
	return true;
}

// NULL: out of memory, or something is being asked about all who could go.
static struct crowd_member *add(struct crowd *crowd, const struct prefix *prefix)
{
	struct crowd_member *member;
	uint32_t weight = 0;

	if (crowd->count == CROWD_MAX) {
		member = draw_least(crowd);
		if (!member)
			return NULL;
		weight = member->weight;
		crowd->counts.replaced++;
		crowd_drop(crowd, member);
	}
	if (crowd->count == crowd->cap && !grow(crowd))
		return NULL;
	member = &crowd->members[crowd->count++];
	*member = (struct crowd_member){.prefix = *prefix, .weight = weight};
	crowd->index[place_of(crowd, prefix)] = (uint32_t)crowd->count;
	return member;
}

// ---- senders --------------------------------------------------------------------------------------------------------

// An IPv6 sender is its /48, as that is what one site or customer is given: whoever has a /48 has 256 of its /56, and with
// these many shares. When too many share a place in the table they share a count too.
static struct sender *sender_of(struct crowd *crowd, const struct addr *addr)
{
	struct addr cut = addr_cut(addr, addr->family == ADDR_V4 ? 32 : CROWD_SENDER_V6);
	uint64_t hash = hash_of(crowd, &cut) | 1;
	size_t at = (hash >> 1) % CROWD_SENDERS;

	for (int i = 1; i < SENDER_PROBES && crowd->senders[at].hash && crowd->senders[at].hash != hash; i++)
		at = (at + 1) % CROWD_SENDERS;
	if (!crowd->senders[at].hash)
		crowd->senders[at].hash = hash;
	return &crowd->senders[at];
}

// Whether the sender may make one more note in this minute: its share of as many as there were in the last one, or are
// in this.
static bool has_share(struct crowd *crowd, const struct addr *addr)
{
	uint64_t notes = crowd->minute_notes > crowd->last_notes ? crowd->minute_notes : crowd->last_notes;
	struct sender *sender = sender_of(crowd, addr);

	if (notes < CROWD_FLOOR)
		notes = CROWD_FLOOR;
	if (sender->notes >= notes / CROWD_SHARE)
		return false;
	sender->notes++;
	return true;
}

const struct crowd_member *crowd_note(struct crowd *crowd, const struct crowd_note *note, int64_t now_ms)
{
	struct crowd_member *member;

	must(note->services != 0);
	crowd_tick(crowd, now_ms);
	if (!note->is_trusted && !has_share(crowd, &note->sender)) {
		crowd->counts.limited++;
		return NULL;
	}
	crowd->minute_notes++;
	member = crowd_find(crowd, &note->prefix);
	if (!member)
		member = add(crowd, &note->prefix);
	if (!member)
		return NULL;
	crowd->counts.noted++;
	member->weight += member->weight < UINT32_MAX;
	member->services = note->services;
	member->app = note->app;
	member->generation = note->generation;
	if (!note->by_ecs) {
		member->direct = note->client;
		member->direct_port = note->sender_port;
		member->direct_ms = now_ms;
		if (member->is_unaskable && member->next_ms > now_ms + CROWD_UNASKED_MS)
			member->next_ms = now_ms + CROWD_UNASKED_MS;
	}
	return member;
}

void crowd_tick(struct crowd *crowd, int64_t now_ms)
{
	if (now_ms - crowd->minute_ms < MINUTE_MS)
		return;
	crowd->minute_ms = now_ms;
	crowd->last_notes = crowd->minute_notes;
	crowd->minute_notes = 0;
	memset(crowd->senders, 0, CROWD_SENDERS * sizeof(*crowd->senders));
	for (size_t i = 0; i < crowd->count; i++)
		crowd->members[i].weight /= 2;
	for (size_t i = crowd->count; i-- > 0;) // backwards, as the last one takes the place of one that is dropped
		if (crowd->members[i].weight == 0 && !crowd->members[i].is_asked)
			crowd_drop(crowd, &crowd->members[i]);
}

// ---- the busiest ----------------------------------------------------------------------------------------------------

size_t crowd_busiest(struct crowd *crowd, unsigned service, int64_t now_ms,
                     bool (*is_due)(void *ctx, const struct crowd_member *member), void *ctx,
                     struct crowd_member **ret_members, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < crowd->count && max > 0; i++) {
		struct crowd_member *member = &crowd->members[i];
		size_t at;

		if (count == max && member->weight <= ret_members[max - 1]->weight) // nearly all: first
			continue;
		if (member->is_asked || !(member->services & 1u << service) || now_ms < member->next_ms)
			continue;
		if (!is_due(ctx, member))
			continue;
		at = count < max ? count++ : max - 1;
		for (; at > 0 && ret_members[at - 1]->weight < member->weight; at--)
			ret_members[at] = ret_members[at - 1];
		ret_members[at] = member;
	}
	return count;
}

void crowd_continue(struct crowd *crowd, const struct crowd *before)
{
	crowd->counts = before->counts;
}

size_t crowd_count(const struct crowd *crowd)
{
	return crowd->count;
}

size_t crowd_bytes(const struct crowd *crowd)
{
	return sizeof(*crowd) + crowd->cap * sizeof(*crowd->members) + SLOTS * sizeof(*crowd->index) +
	       CROWD_SENDERS * sizeof(*crowd->senders);
}

const struct crowd_counts *crowd_counts_of(const struct crowd *crowd)
{
	return &crowd->counts;
}
