// From a client's addresses to its ranking; see locate.h.
#include "answer/locate.h"

#include "base/must.h"
#include "steer/steer.h"
#include "view/app.h"

_Static_assert((int)LOCATE_MAX <= (int)LPM_SEARCHES_MAX, "all clients are looked up together");

static const struct addr *client_of(const struct query_ecs *ecs, const struct addr *source)
{
	return ecs && ecs->present && ecs->source_len > 0 ? &ecs->addr : source;
}

static void set_hit(struct location *location, const struct steer *steer, struct lpm_hit hit)
{
	struct steer_hit steered = steer_hit(steer, hit);

	location->ranking = steered.ranking;
	location->depth = steered.depth;
	dev_must(location->depth <= addr_bits(location->client->family));
}

uint8_t locate_hash_len(const struct app *app, const struct location *location)
{
	const struct ranking_spec *spec = &app->steer->spec;
	uint8_t len = location->client->family == ADDR_V4 ? spec->hash_v4 : spec->hash_v6;

	return len > location->depth ? len : location->depth;
}

// Decides the rest of the table in locate.h, once the client, its ranking and its depth are known.
static void settle(const struct locate_request *request)
{
	struct location *location = request->ret_location;
	const struct steer *steer = request->app->steer;

	location->by_ecs = location->client != request->source;
	location->scope = location->by_ecs ? location->depth : 0;
	if (unlikely(location->ranking->ecs_ignored) && location->by_ecs) {
		// No leaf is both inside and outside an ignored block, so the scope stays exact.
		location->by_ecs = false;
		location->client = request->source;
		set_hit(location, steer, lpm_lookup(steer_table(steer, request->source), addr_key(request->source)));
	}
	if (unlikely(location->ranking->hashed) && location->by_ecs)
		location->scope = locate_hash_len(request->app, location);
}

// `live` is for learned prefixes, which will be looked up first; today all that is known of clients is in the app's
// steer.
void locate_all(const struct live *live UNUSED, struct locate_request *requests, unsigned count)
{
	struct lpm_search searches[LOCATE_MAX];

	dev_must(count <= LOCATE_MAX);
	for (unsigned i = 0; i < count; i++) {
		const struct addr *client = client_of(requests[i].ecs, requests[i].source);

		requests[i].ret_location->client = client;
		searches[i] = (struct lpm_search){.lpm = steer_table(requests[i].app->steer, client), .key = addr_key(client)};
	}
	lpm_lookup_all(searches, count);
	for (unsigned i = 0; i < count; i++) {
		set_hit(requests[i].ret_location, requests[i].app->steer, searches[i].hit);
		__builtin_prefetch(requests[i].ret_location->ranking);
	}
	for (unsigned i = 0; i < count; i++)
		settle(&requests[i]);
}

struct location locate_client(const struct live *live, const struct app *app, const struct query_ecs *ecs,
                              const struct addr *source)
{
	struct location location;
	struct locate_request request = {app, ecs, source, &location};

	locate_all(live, &request, 1);
	return location;
}
