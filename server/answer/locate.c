// From a client's addresses to its ranking; see locate.h.
#include "answer/locate.h"

#include "base/must.h"
#include "steer/steer.h"
#include "steer/trie.h"
#include "view/app.h"
#include "view/learned.h"

_Static_assert((int)LOCATE_MAX <= (int)LPM_SEARCHES_MAX, "all clients are looked up together");

static ALWAYS_INLINE const struct addr *client_of(const struct query_ecs *ecs, const struct addr *source)
{
	return ecs && ecs->present && ecs->source_len > 0 ? &ecs->addr : source;
}

// Adds what is learned, as a search for the client has found it.
static ALWAYS_INLINE void lay_over(const struct learned *learned, struct lpm_hit hit, struct location *location)
{
	if (hit.depth > location->hit.depth)
		location->hit.depth = hit.depth;
	location->learned = learned_row_of(learned, hit);
}

// Decides the rest of the table in locate.h, once the client, its ranking, what is learned of it (`learned` NULL: of
// nobody) and the depth are known.
static ALWAYS_INLINE void settle(const struct locate_request *request, const struct learned *learned)
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
	if (unlikely(location->hit.order->hashed) && location->by_ecs)
		location->scope = locate_hash_len(request->app, location);
}

static ALWAYS_INLINE void locate_by(const struct learned *learned, struct locate_request *requests, unsigned count)
{
	struct lpm_search searches[LOCATE_MAX];
	const struct addr *clients[LOCATE_MAX]; // only where something is learned, as the next
	struct lpm_hit over[LOCATE_MAX];

	dev_must(count >= 1 && count <= LOCATE_MAX);
	for (unsigned i = 0; i < count; i++) {
		const struct addr *client = client_of(requests[i].ecs, requests[i].source);

		requests[i].ret_location->client = client;
		searches[i] = (struct lpm_search){.lpm = steer_table(requests[i].app->steer, client), .key = addr_key(client)};
		clients[i] = client;
	}
	if (learned)
		trie_lookup_all(&learned->v4, &learned->v6, clients, count, over);
	lpm_lookup_all(searches, count);
	for (unsigned i = 0; i < count; i++) {
		struct location *location = requests[i].ret_location;

		location->hit = steer_hit(requests[i].app->steer, searches[i].hit);
		dev_must(location->hit.depth <= addr_bits(location->client->family));
		__builtin_prefetch(location->hit.order);
		if (learned)
			lay_over(learned, over[i], location);
		else
			location->learned = NULL;
	}
	for (unsigned i = 0; i < count; i++)
		settle(&requests[i], learned);
}

void locate_by_table(struct locate_request *requests, unsigned count)
{
	locate_by(NULL, requests, count);
}

void locate_by_both(const struct learned *learned, struct locate_request *requests, unsigned count)
{
	locate_by(learned, requests, count);
}

struct location locate_client(const struct live *live, const struct app *app, const struct query_ecs *ecs,
                              const struct addr *source)
{
	struct location location;
	struct locate_request request = {app, ecs, source, &location};

	locate_all(live, &request, 1);
	return location;
}
