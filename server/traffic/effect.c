// Decides samples twice; see effect.h.
#include "traffic/effect.h"

#include <math.h>
#include <stdlib.h>

#include "answer/locate.h"
#include "answer/pick.h"
#include "answer/share.h"
#include "base/err.h"
#include "base/hash.h"
#include "steer/cost.h"
#include "traffic/plain.h"
#include "traffic/samples.h"
#include "view/index.h"
#include "view/learned.h"
#include "view/live.h"
#include "view/view.h"

enum { UNKNOWN = -2 };
// In the place of a move's number + 1: for those who are lost, which no move's can be.
static const size_t LOST = SIZE_MAX - 1;

static const size_t beyond_reach = SIZE_MAX; // in the place of a move's number

// Which clients have been counted for which move (0: for all): a set of hashes, open addressing.
struct seen {
	uint64_t *hashes; // 0: empty
	size_t mask;
};

struct comparing {
	const struct live *before, *after;
	struct effect *effect;
	bool is_plain;                // after: plain records
	int *apps, *sites;            // by number before: the number after, -1: none, UNKNOWN: not looked up yet
	uint32_t *move_of;            // by from * (sites after + 1) + to, both from 0 for nowhere: number of the move + 1
	size_t move_cap;
	struct seen seen;
	struct cost_point *points[2]; // of the sites before and after
};

// What one client is answered with.
struct decision {
	int site;         // EFFECT_NOWHERE
	uint32_t target;  // number in the view; only with a site
	double us;        // NaN: no estimate
	uint64_t client;  // hash
	bool is_beyond;   // the client cannot reach it
};

static bool is_new(struct seen *seen, uint64_t client, size_t of)
{
	uint64_t hash = hash_mix(client + of * 0x9e3779b97f4a7c15u) | 1;
	size_t at = hash & seen->mask;

	while (seen->hashes[at] && seen->hashes[at] != hash)
		at = (at + 1) & seen->mask;
	if (seen->hashes[at])
		return false;
	seen->hashes[at] = hash;
	return true;
}

static double estimate_us(const struct view *view, const struct cost_point *points, const struct addr *client, int site)
{
	struct steer_input in = view_steer_input(view);
	uint8_t depth;
	const struct place *place = places_lookup(view->places, client, &depth);
	struct cost_point here = cost_point_at(place->latitude, place->longitude);
	struct cost cost = cost_estimate(&in, place, &here, &points[site], (uint16_t)site);

	return cost.us == INT64_MAX || cost.basis == COST_UNREACHABLE ? NAN : (double)cost.us;
}

static struct decision decide(const struct live *live, const struct cost_point *points, const struct sample *sample, int app)
{
	struct query_ecs ecs = {.present = sample->by_ecs, .source_len = addr_bits(sample->client.family),
	                        .addr = sample->client};
	struct decision decision = {.site = EFFECT_NOWHERE, .us = NAN};
	struct location where;
	struct pick pick;

	if (app < 0)
		return decision;
	where = locate_client(live, &live->view->apps[app], sample->by_ecs ? &ecs : NULL, &sample->sender);
	pick = pick_target(live, &live->view->apps[app], &where);
	decision.client = share_key(&where, locate_hash_len(&live->view->apps[app], &where));
	if (!pick.target)
		return decision;
	decision.site = pick.target->site;
	decision.target = pick.target_number;
	decision.us = estimate_us(live->view, points, where.client, decision.site);
	return decision;
}

static bool can_reach(const struct live *live, const struct location *where, const struct site *site)
{
	uint8_t depth;

	if (where->learned)
		return site_reached_by(site, where->learned->carrier);
	return cost_can_reach(live->view->places, site, places_lookup(live->view->places, where->client, &depth));
}

static struct decision decide_plainly(const struct live *live, const struct cost_point *points, const struct sample *sample)
{
	const struct view *view = live->view;
	const struct app *app = &view->apps[sample->app];
	struct query_ecs ecs = {.present = sample->by_ecs, .source_len = addr_bits(sample->client.family), .addr = sample->client};
	struct location where = locate_client(live, app, sample->by_ecs ? &ecs : NULL, &sample->sender);
	uint8_t len = locate_hash_len(app, &where);
	int slot = plain_record(live, app, share_draw(&where, len));
	struct decision decision = {.site = EFFECT_NOWHERE, .us = NAN, .client = share_key(&where, len)};

	if (slot < 0)
		return decision;
	decision.site = view->targets[app->first_target + (uint32_t)slot].site;
	decision.is_beyond = !can_reach(live, &where, &view->sites[decision.site]);
	if (!decision.is_beyond)
		decision.us = estimate_us(view, points, where.client, decision.site);
	return decision;
}

static void add(struct effect_part *part, const struct decision *decision, uint32_t weight, bool is_new_client)
{
	part->weight += weight;
	part->clients += is_new_client;
	if (isnan(decision->us))
		return;
	part->us_sum += decision->us * weight;
	part->us_weight += weight;
}

// NULL: out of memory.
static struct effect_move *find_move(struct comparing *c, int from, int to)
{
	struct effect *effect = c->effect;
	uint32_t *number = &c->move_of[(size_t)(from + 1) * (c->after->view->site_count + 1) + (size_t)(to + 1)];

	if (*number)
		return &effect->moves[*number - 1];
	if (effect->move_count == c->move_cap) {
		size_t cap = c->move_cap ? 2 * c->move_cap : 64;
		struct effect_move *moves = reallocarray(effect->moves, cap, sizeof(*moves));

		if (!moves)
			return NULL;
		effect->moves = moves;
		c->move_cap = cap;
	}
	*number = (uint32_t)++effect->move_count;
	effect->moves[*number - 1] = (struct effect_move){.from = from, .to = to};
	return &effect->moves[*number - 1];
}

static void note_lost_app(struct effect *effect, uint32_t app)
{
	for (size_t i = 0; i < effect->lost_app_count; i++)
		if (effect->lost_apps[i] == app)
			return;
	if (effect->lost_app_count < EFFECT_APPS_MAX)
		effect->lost_apps[effect->lost_app_count++] = app;
}

// The numbers in the view after of an app and of a site (EFFECT_NOWHERE: the same) of the one before.
static int next_app(struct comparing *c, uint32_t app)
{
	if (c->before->view == c->after->view)
		return (int)app;
	if (c->apps[app] == UNKNOWN)
		c->apps[app] = index_find_app(c->after->view, c->before->view->apps[app].name);
	return c->apps[app];
}

static int next_site(struct comparing *c, int site)
{
	if (c->before->view == c->after->view || site == EFFECT_NOWHERE)
		return site;
	if (c->sites[site] == UNKNOWN)
		c->sites[site] = index_find_site(c->after->view, c->before->view->sites[site].name);
	return c->sites[site];
}

static bool is_gone(struct comparing *c, int app, int site)
{
	return site != EFFECT_NOWHERE && (app < 0 || next_site(c, site) < 0 ||
	                                  index_target_at(c->after->view, (uint32_t)app, (uint32_t)next_site(c, site)) < 0);
}

static void count_at(uint64_t *sites, uint64_t *targets, const struct decision *decision, uint32_t weight)
{
	if (decision->site < 0)
		return;
	sites[decision->site] += weight;
	targets[decision->target] += weight;
}

static int compare(struct comparing *c, const struct sample *sample)
{
	struct effect *effect = c->effect;
	struct decision old = decide(c->before, c->points[0], sample, (int)sample->app);
	int app = next_app(c, sample->app);
	struct decision new = c->is_plain ? decide_plainly(c->after, c->points[1], sample)
	                                  : decide(c->after, c->points[1], sample, app);
	struct effect_move *move;
	bool is_new_client = is_new(&c->seen, old.client, 0);

	add(&effect->all, &old, sample->weight, is_new_client);
	add(&effect->then, &new, sample->weight, is_new_client);
	if (new.is_beyond) {
		effect->beyond += sample->weight;
		effect->beyond_clients += is_new(&c->seen, old.client, beyond_reach);
	}
	count_at(effect->before, effect->before_at, &old, sample->weight);
	count_at(effect->after, effect->after_at, &new, sample->weight);
	if (new.site == next_site(c, old.site) && !is_gone(c, app, old.site))
		return E_OK;
	move = find_move(c, old.site, new.site);
	if (!move)
		return E_NOMEM;
	is_new_client = is_new(&c->seen, old.client, (size_t)(move - effect->moves) + 1);
	add(&move->before, &old, sample->weight, is_new_client);
	add(&move->after, &new, sample->weight, is_new_client);
	if (is_new_client && move->example_count < EFFECT_EXAMPLES)
		move->examples[move->example_count++] = sample->client;
	effect->moved += sample->weight;
	effect->gone += is_gone(c, app, old.site) ? sample->weight : 0;
	effect->found += old.site < 0 ? sample->weight : 0;
	if (new.site >= 0)
		return E_OK;
	effect->lost += sample->weight;
	add(&effect->lost_part, &old, sample->weight, is_new(&c->seen, old.client, LOST));
	note_lost_app(effect, sample->app);
	return E_OK;
}

static struct cost_point *points_of(const struct view *view)
{
	struct cost_point *points = calloc((size_t)view->site_count + 1, sizeof(*points));

	for (uint32_t i = 0; points && i < view->site_count; i++)
		points[i] = cost_point_at(view->sites[i].latitude, view->sites[i].longitude);
	return points;
}

static int prepare(struct comparing *c, size_t samples)
{
	const struct view *before = c->before->view, *after = c->after->view;
	size_t cap = 64;

	while (cap < 5 * samples) // at most four entries for each
		cap *= 2;
	c->seen = (struct seen){calloc(cap, sizeof(*c->seen.hashes)), cap - 1};
	c->apps = calloc((size_t)before->app_count + 1, sizeof(*c->apps));
	c->sites = calloc((size_t)before->site_count + 1, sizeof(*c->sites));
	c->move_of = calloc((size_t)(before->site_count + 1) * (after->site_count + 1), sizeof(*c->move_of));
	c->points[0] = points_of(before);
	c->points[1] = points_of(after);
	c->effect->before = calloc((size_t)before->site_count + 1, sizeof(*c->effect->before));
	c->effect->after = calloc((size_t)after->site_count + 1, sizeof(*c->effect->after));
	c->effect->before_at = calloc((size_t)before->target_count + 1, sizeof(*c->effect->before_at));
	c->effect->after_at = calloc((size_t)after->target_count + 1, sizeof(*c->effect->after_at));
	if (!c->seen.hashes || !c->apps || !c->sites || !c->move_of || !c->points[0] || !c->points[1] || !c->effect->before ||
	    !c->effect->after || !c->effect->before_at || !c->effect->after_at)
		return E_NOMEM;
	for (uint32_t i = 0; i < before->app_count; i++)
		c->apps[i] = UNKNOWN;
	for (uint32_t i = 0; i < before->site_count; i++)
		c->sites[i] = UNKNOWN;
	return E_OK;
}

static int by_weight(const void *a, const void *b)
{
	const struct effect_move *one = a, *other = b;

	return (one->before.weight < other->before.weight) - (one->before.weight > other->before.weight);
}

static int compare_all(struct comparing *c, const struct sample_set *samples)
{
	struct effect *effect = c->effect;
	int err;

	*effect = (struct effect){0};
	err = prepare(c, samples->count);
	for (size_t i = 0; err == E_OK && i < samples->count; i++)
		err = compare(c, &samples->list[i]);
	free(c->seen.hashes);
	free(c->apps);
	free(c->sites);
	free(c->move_of);
	free(c->points[0]);
	free(c->points[1]);
	if (err < 0)
		effect_wipe(effect);
	else if (effect->move_count)
		qsort(effect->moves, effect->move_count, sizeof(*effect->moves), by_weight);
	return err;
}

int effect_of(const struct sample_set *samples, const struct live *before, const struct live *after,
              struct effect *ret_effect)
{
	return compare_all(&(struct comparing){.before = before, .after = after, .effect = ret_effect}, samples);
}

int effect_of_plain(const struct sample_set *samples, const struct live *live, struct effect *ret_effect)
{
	return compare_all(&(struct comparing){.before = live, .after = live, .effect = ret_effect, .is_plain = true}, samples);
}

void effect_wipe(struct effect *effect)
{
	free(effect->moves);
	free(effect->before);
	free(effect->after);
	free(effect->before_at);
	free(effect->after_at);
	*effect = (struct effect){0};
}

double effect_ms(const struct effect_part *part)
{
	return part->us_weight ? part->us_sum / (double)part->us_weight / 1000 : NAN;
}
