// From a client's addresses to its ranking; see locate.h.
#include "answer/locate.h"

#include "base/must.h"
#include "steer/steer.h"
#include "view/app.h"
#include "view/learned.h"

_Static_assert((int)LOCATE_MAX <= (int)LPM_SEARCHES_MAX, "all clients are looked up together");

static ALWAYS_INLINE const struct addr *client_of(const struct query_ecs *ecs, const struct addr *source)
{
	return ecs && ecs->present && ecs->source_len > 0 ? &ecs->addr : source;
}

uint8_t locate_hash_len(const struct app *app, const struct location *location)
{
	const struct ranking_spec *spec = &app->steer->spec;
	uint8_t len = location->client->family == ADDR_V4 ? spec->hash_v4 : spec->hash_v6;

	return len > location->hit.depth ? len : location->hit.depth;
}

// Adds what is learned, as a search for the client has found it.
static ALWAYS_INLINE void lay_over(const struct learned *learned, struct lpm_hit hit, struct location *location)
{
	if (hit.depth > location->hit.depth)
		location->hit.depth = hit.depth;
	location->learned = learned_row_of(learned, hit);
}

// Where something is learned of the clients: not more of them than all.
static bool is_in_reach(const struct app *app, const struct location *where, unsigned slot)
{
	const struct order *order = where->hit.order;

	if (where->learned)
		return true;
	if (app->steer->form == STEER_SHARED)
		return steer_ranks(app->steer, order)->of[app->steer->columns[slot]] != RANK_UNREACHABLE;

	const struct ranking *ranking = steer_ranking(app->steer, order);

	for (unsigned i = 0; i < ranking->count; i++)
		if (ranking->steps[i].slot == slot)
			return true;
	return false;
}

// Whether a target within the client's reach takes only a part of its clients: then a hash may decide. The same for all
// clients of a block, whatever health is.
static NOINLINE bool share_may_decide(const struct live *live, const struct app *app, const struct location *where)
{
	const struct target_shares *shares = live->shares;
	uint32_t end = app->first_target + app->target_count;

	for (uint32_t at = live_share_find(shares, app->first_target); at < shares->count && shares->list[at].target < end; at++)
		if (is_in_reach(app, where, shares->list[at].target - app->first_target))
			return true;
	return false;
}

// Decides the rest of the table in locate.h, once the client, its ranking, what is learned of it (`learned` NULL: of
// nobody) and the depth are known. `sharing` NULL: no target takes a part of its clients only.
static ALWAYS_INLINE void settle(const struct locate_request *request, const struct learned *learned,
                                 const struct live *sharing)
{
	struct location *location = request->ret_location;

	location->by_ecs = location->client != request->source;
	location->scope = location->by_ecs ? location->hit.depth : 0;
	if (unlikely(location->hit.order->ecs_ignored) && location->by_ecs) {
		// No leaf is both inside and outside an ignored block, so the scope stays exact.
		location->by_ecs = false;
		location->client = request->source;
		location->hit = steer_lookup(request->app->steer, request->source);
		if (learned)
			lay_over(learned, learned_lookup(learned, request->source), location);
	}
	if (unlikely(location->hit.order->hashed ||
	             (sharing && share_may_decide(sharing, request->app, location))) && location->by_ecs)
		location->scope = locate_hash_len(request->app, location);
}

static ALWAYS_INLINE void locate_by(const struct learned *learned, const struct live *sharing,
                                    struct locate_request *requests, unsigned count)
{
	struct lpm_search searches[LOCATE_MAX];
	struct lpm_hit over[LOCATE_MAX]; // only where something is learned

	dev_must(count <= LOCATE_MAX);
	for (unsigned i = 0; i < count; i++) {
		const struct addr *client = client_of(requests[i].ecs, requests[i].source);
		struct addr_key key = addr_key(client);

		requests[i].ret_location->client = client;
		searches[i] = (struct lpm_search){.lpm = steer_table(requests[i].app->steer, client), .key = key};
		if (learned)
			over[i] = lpm_lookup(lpm_of(&learned->table, client->family), key);
	}
	lpm_lookup_all(searches, count);
	for (unsigned i = 0; i < count; i++) {
		struct location *location = requests[i].ret_location;

		location->hit = steer_hit(requests[i].app->steer, searches[i].hit);
		dev_must(location->hit.depth <= addr_bits(location->client->family));
		__builtin_prefetch(location->hit.order);
		location->learned = NULL;
		if (learned)
			lay_over(learned, over[i], location);
	}
	for (unsigned i = 0; i < count; i++)
		settle(&requests[i], learned, sharing);
}

void locate_by_table(struct locate_request *requests, unsigned count)
{
	locate_by(NULL, NULL, requests, count);
}

void locate_by_more(const struct live *live, struct locate_request *requests, unsigned count)
{
	if (live->shares)
		locate_by(live->learned, live, requests, count);
	else
		locate_by(live->learned, NULL, requests, count);
}

struct location locate_client(const struct live *live, const struct app *app, const struct query_ecs *ecs,
                              const struct addr *source)
{
	struct location location;
	struct locate_request request = {app, ecs, source, &location};

	locate_all(live, &request, 1);
	return location;
}
