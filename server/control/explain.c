// Explains answers; see explain.h. It calls the functions that answer queries (lookup_name, ranking_candidates,
// pick_target) and describes their results.
#include "control/explain.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "answer/locate.h"
#include "answer/lookup.h"
#include "answer/pick.h"
#include "base/clock.h"
#include "base/country.h"
#include "base/must.h"
#include "config/config.h"
#include "control/adopt.h"
#include "control/explain_order.h"
#include "control/find.h"
#include "control/measured.h"
#include "control/reply_json.h"
#include "control/target_json.h"
#include "control/cover.h"
#include "health/health.h"
#include "learn/shown.h"
#include "state/selector.h"
#include "state/state.h"
#include "view/answers.h"
#include "view/learned.h"
#include "view/live.h"
#include "view/view.h"
#include "wire/dns.h"
#include "wire/query.h"

enum { ZONES_NAMED_MAX = 3, ZONES_TEXT_LEN = ZONES_NAMED_MAX * (NAME_TEXT_MAX + 2) + 32 };
enum { RANK_LEN = 128, STATE_LEN = OVERRIDE_WHO_LEN + 2 * STATE_TEXT_MAX + 128, HINTS_LEN = PLACE_HINTS_MAX * (NAME_MAX_LEN + 3) };

struct explaining {
	const struct live *live;
	const struct state *state;
	const struct health *health; // NULL: not known
	struct judge *judge;         // NULL: not known
	struct learner *learner;     // NULL: nothing is learned
	int64_t now_s;
	const struct app *app; // the last one reached; NULL: none so far
	uint8_t scope;         // of its answer, in bits
	json_t *object, *steps;
	char end[ZONES_TEXT_LEN + 64]; // storage for the reason why there is no answer, when it is not a constant
};

static void step(struct explaining *e, const char *fmt, ...) PRINTF(2, 3);

static void step(struct explaining *e, const char *fmt, ...)
{
	char line[2 * NAME_TEXT_MAX + STATE_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	json_array_append_new(e->steps, json_string(line));
}

static json_t *milliseconds(int64_t us)
{
	return us == INT64_MAX ? json_null() : json_real((double)us / 1000);
}

static json_t *number(double value)
{
	return isnan(value) ? json_null() : json_real(value);
}

static const char *source_name(const struct places *places, uint8_t source)
{
	must(source <= places->sources);
	return source ? places->source_names[source - 1] : NULL;
}

static void set_text(json_t *object, const char *key, const char *text)
{
	json_object_set_new(object, key, text && *text ? json_string(text) : json_null());
}

// The sites that the place hints at, as a list; and as text into buf[HINTS_LEN].
static json_t *explain_hints(const struct places *places, const struct place *place, char *buf)
{
	json_t *list = json_array();
	size_t at = 0;

	*buf = '\0';
	for (unsigned i = 0; i < PLACE_HINTS_MAX && place->hints[i]; i++) {
		const char *name = names_text(places->hints, place->hints[i]);

		json_array_append_new(list, json_string(name));
		at += (size_t)snprintf(buf + at, HINTS_LEN - at, "%s%s", i ? ", " : "", name);
	}
	return list;
}

// Step 1: what is known of the client.
static void explain_place(struct explaining *e, const struct addr *client, const struct place *place, uint8_t depth)
{
	const struct places *places = e->live->view->places;
	const char *carrier = names_text(places->carriers, place->carrier);
	const char *class_ = names_text(places->classes, place->class_);
	char hints[HINTS_LEN];
	struct prefix block = {addr_cut(client, depth), depth};
	char text[ADDR_TEXT_LEN], country[COUNTRY_TEXT_LEN];
	json_t *object = json_object();

	set_text(object, "carrier", carrier);
	set_text(object, "carrier_source", source_name(places, place->carrier_source));
	set_text(object, "class", class_);
	set_text(object, "class_source", source_name(places, place->class_source));
	set_text(object, "country", country_text(place->country, country));
	set_text(object, "country_source", source_name(places, place->country_source));
	json_object_set_new(object, "hints", explain_hints(places, place, hints));
	set_text(object, "hint", names_text(places->hints, place->hints[0]));
	set_text(object, "hint_source", source_name(places, place->hint_source));
	json_object_set_new(object, "latitude", number(place->latitude));
	json_object_set_new(object, "longitude", number(place->longitude));
	json_object_set_new(object, "accuracy_km", place->accuracy_km > 0 ? json_real(place->accuracy_km) : json_null());
	set_text(object, "coordinates_source", source_name(places, place->coordinates_source));
	set_text(object, "block", prefix_format(&block, text));
	json_object_set_new(e->object, "place", object);

	step(e, "locate: %s lies in %s of the prefix table", addr_format(client, (char[ADDR_TEXT_LEN]){0}), text);
	if (*carrier)
		step(e, "locate: carrier %s, from %s", carrier, source_name(places, place->carrier_source));
	else
		step(e, "locate: no source names a carrier");
	if (*class_)
		step(e, "locate: class %s, from %s%s", class_, source_name(places, place->class_source),
		     place_is_edge(places, place) ? "" : ": carriers' sites cannot be reached");
	if (*country)
		step(e, "locate: country %s, from %s", country, source_name(places, place->country_source));
	if (isnan(place->latitude))
		step(e, "locate: no source gives coordinates");
	else
		step(e, "locate: coordinates %.4f, %.4f, from %s", place->latitude, place->longitude,
		     source_name(places, place->coordinates_source));
	if (*hints)
		step(e, "locate: site hint %s, from %s", hints, source_name(places, place->hint_source));
}

static const char *basis_text(enum cost_basis basis)
{
	static const char *const texts[] = {"hint", "measured", "distance", "expected", "unknown", "unreachable"};

	must((size_t)basis < ARRAY_LEN(texts));
	return texts[basis];
}

// What is behind the state besides its own health, where nothing is forced. Returns the length.
static int explain_judged(const json_t *object, char *buf, size_t size)
{
	json_int_t damped_s = json_integer_value(json_object_get(object, "damped_for_s"));
	const json_t *share = json_object_get(object, "slow_start");

	if (json_object_get(object, "held"))
		return snprintf(buf, size, " (held as it was by the brake)");
	if (json_object_get(object, "panic"))
		return snprintf(buf, size, " (its app is in panic: health is ignored)");
	if (damped_s)
		return snprintf(buf, size, " (it flaps: damped for %lld s)", (long long)damped_s);
	if (json_object_get(object, "unready"))
		return snprintf(buf, size, " (no server ready)");
	if (share)
		return snprintf(buf, size, " (slow start, %lld%%)", (long long)json_integer_value(share));
	return 0;
}

// What vantages elsewhere say of a candidate, a step each.
static void explain_vantages(struct explaining *e, const char *site, const json_t *vantages)
{
	const json_t *vantage;
	size_t i;

	json_array_foreach(vantages, i, vantage) {
		const char *carrier = json_string_value(json_object_get(vantage, "carrier"));

		step(e, "health: %s is %s as vantage %s sees it, for %s%s; %lld s ago, from %s", site,
		     json_is_true(json_object_get(vantage, "up")) ? "up" : "down",
		     json_string_value(json_object_get(vantage, "vantage")), carrier ? "clients of " : "everybody",
		     carrier ? carrier : "", (long long)json_integer_value(json_object_get(vantage, "age_s")),
		     json_string_value(json_object_get(vantage, "who")));
	}
}

// A target's state and what is behind it, in words into buf[STATE_LEN], which it returns; drains also in `object`, which has
// the rest (target_json_state).
static const char *explain_state(const struct explaining *e, json_t *object, uint32_t number, char *buf)
{
	const char *app = e->app->name, *site = e->live->view->sites[e->live->view->targets[number].site].name;
	const struct override *drain = cover_drained(e->state, e->live->view, app, e->live->view->targets[number].site, e->now_s);
	enum force_to forced = state_forced(e->state, app, site);
	char who[OVERRIDE_WHO_LEN];
	int len = snprintf(buf, STATE_LEN, "%s", live_state_text(live_state(e->live, number)));

	if (live_state_is_part(live_state(e->live, number)))
		len += snprintf(buf + len, STATE_LEN - (size_t)len, " (takes %.1f %% of its clients)",
		                100.0 * live_share(e->live, number) / SHARE_ALL);
	if (forced != FORCE_AUTO)
		len += snprintf(buf + len, STATE_LEN - (size_t)len, " (forced %s)", override_force_text(forced));
	else
		len += explain_judged(object, buf + len, STATE_LEN - (size_t)len);
	if (drain) {
		json_object_set_new(object, "drained", reply_drain(drain));
		snprintf(buf + len, STATE_LEN - (size_t)len, "; %s%s drain, by %s, reason: %s",
		         selector_is(drain->site) ? drain->site : drain->app ? "its own" : "the site's",
		         selector_is(drain->site) ? "'s" : "", override_who_text(drain, who), drain->reason ? drain->reason : "none given");
	}
	return buf;
}

// How a candidate has its place in the order: "12.300 ms (distance, 115.0 km)", into buf[RANK_LEN], which it returns.
static const char *rank_text(const struct explain_candidate *candidate, char *buf)
{
	const struct cost *cost = &candidate->by.cost;
	const char *learned = candidate->is_learned ? "learned; by the table " : "";

	if (cost->basis == COST_UNREACHABLE)
		snprintf(buf, RANK_LEN, "%sout of reach", learned);
	else if (cost->basis == COST_UNKNOWN)
		snprintf(buf, RANK_LEN, "%sdistance unknown", learned);
	else if (isnan(cost->km))
		snprintf(buf, RANK_LEN, "%s%.3f ms (%s)", learned, (double)cost->us / 1000, basis_text(cost->basis));
	else
		snprintf(buf, RANK_LEN, "%s%.3f ms (%s, %.1f km)", learned, (double)cost->us / 1000, basis_text(cost->basis), cost->km);
	return buf;
}

// Steps 2 and 3: reach and rank of one candidate.
static void explain_candidate(struct explaining *e, json_t *list, const struct explain_candidate *candidate, unsigned rank)
{
	const struct view *view = e->live->view;
	uint32_t target_number = e->app->first_target + candidate->by.slot;
	const struct target *target = &view->targets[target_number];
	const struct site *site = &view->sites[target->site];
	char state[STATE_LEN], how[RANK_LEN];
	json_t *object = json_object();

	must(candidate->by.slot < e->app->target_count);
	set_text(object, "site", site->name);
	set_text(object, "kind", site_kind_text(site->kind));
	set_text(object, "region", site->region);
	json_object_set_new(object, "reachable", json_boolean(candidate->is_reachable));
	object = target_json_state(object, e->live, e->state, e->judge, target_number);
	explain_state(e, object, target_number, state);
	set_text(object, "basis", candidate->is_learned     ? "learned"
	                          : candidate->is_reachable ? basis_text(candidate->by.cost.basis)
	                                                    : NULL);
	json_object_set_new(object, "km", number(candidate->by.cost.km));
	json_object_set_new(object, "ms", milliseconds(candidate->by.cost.us));
	if (e->app->steer->spec.weights)
		json_object_set_new(object, "weight", json_integer(target->weight));
	json_array_append_new(list, object);

	if (candidate->is_reachable)
		step(e, "order %u: %s (%s), %s, %s", rank, site->name, site_kind_text(site->kind), rank_text(candidate, how), state);
	else
		step(e, "reach: %s (%s) is not reachable from this client%s", site->name, site_kind_text(site->kind),
		     candidate->is_cut_off ? ", by what is learned" : "");
	if (candidate->is_reachable)
		explain_vantages(e, site->name, json_object_get(object, "vantages"));
}

// Which rule orders the candidates whose cost nothing tells. Where the place alone decides, no rule is named.
static void explain_metro(struct explaining *e, const struct steer_input *in, const struct place *place)
{
	const struct ranking_spec *spec = &e->app->steer->spec;
	struct metro metro = metro_of(in, spec->metro, spec->sites, spec->count, place);
	const char *why = explain_metro_text(metro.case_);
	json_t *object = json_object();

	set_text(object, "rule", metro_rule_text(spec->metro));
	set_text(object, "case", explain_metro_word(metro.case_));
	set_text(object, "why", why);
	json_object_set_new(e->object, "unknown_metro", object);
	if (why && metro.case_ >= METRO_CASE_REGION)
		step(e, "order: unknown-metro is `%s`: %s", metro_rule_text(spec->metro), why);
	else if (why)
		step(e, "order: %s", why);
}

static void explain_candidates(struct explaining *e, const struct location *where, const struct place *place)
{
	struct steer_input in = view_steer_input(e->live->view);
	struct explain_candidate candidates[APP_TARGETS_MAX];
	json_t *list = json_array();

	explain_metro(e, &in, place);
	explain_order(e->live, e->app, where, place, candidates);
	for (unsigned i = 0; i < e->app->steer->spec.count; i++)
		explain_candidate(e, list, &candidates[i], i + 1);
	json_object_set_new(e->object, "candidates", list);
}

static void append_addresses(json_t *list, const struct answers *answers)
{
	struct addr addresses[ANSWERS_ADDRESSES_MAX];
	size_t count = answers_addresses(answers, addresses);
	char text[ADDR_TEXT_LEN];

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(addr_format(&addresses[i], text)));
}

// Which of the target's addresses are up: those are in the answer, unless it stands or falls as a whole.
static void explain_addresses(struct explaining *e, uint32_t number, json_t *object)
{
	struct health_address probed[CONFIG_ADDRESSES_MAX];
	size_t count = e->health ? health_addresses(e->health, number, probed) : 0;
	bool is_whole = count > 0 && health_whole(e->health, number);
	char text[ADDR_TEXT_LEN];

	if (count > 0)
		json_object_set_new(object, "probed", target_json_probed(e->health, number));
	for (size_t i = 0; count > 1 && i < count; i++)
		step(e, "%s: %s is %s%s: %s", is_whole ? "check address" : "address", addr_format(&probed[i].addr, text),
		     probed[i].shown->up ? "up" : "down",
		     !probed[i].shown->up && health_partial(e->health, number) ? " and left out" : "", probed[i].shown->text);
}

// Between steps 1 and 2: what is learned of the client, on whose word, and what the table alone would have answered.
static void explain_learned(struct explaining *e, const struct location *where)
{
	const struct view *view = e->live->view;
	const struct learned_row *row = where->learned;
	struct live alone = *e->live;
	json_t *object = json_object(), *sites = json_array();
	char text[ADDR_TEXT_LEN], named[FINDING_SITES_MAX * (NAME_MAX_LEN + 3)] = "";
	const char *carrier = names_text(view->places->carriers, row->carrier);
	struct shown_entry shown;
	size_t at = 0;

	for (unsigned i = 0; i < row->site_count; i++) {
		const char *name = view->sites[row->sites[i]].name;

		json_array_append_new(sites, json_string(name));
		at += (size_t)snprintf(named + at, sizeof(named) - at, "%s%s", i ? ", " : "", name);
	}
	json_object_set_new(object, "sites", sites);
	set_text(object, "reach", carrier);
	step(e, "learned: %s, in reach of %s", *named ? named : "no site", *carrier ? carrier : "public sites alone");
	if (e->learner && shown_find(e->learner, where->client, &shown)) {
		int64_t age_s = e->now_s - shown.entry.heard_s;

		set_text(object, "prefix", prefix_format(&shown.entry.prefix, text));
		set_text(object, "source", shown.source);
		set_text(object, "carrier", shown.carrier);
		set_text(object, "class", shown.class_);
		json_object_set_new(object, "age_s", json_integer(age_s));
		json_object_set_new(object, "confidence", json_integer(shown.entry.opinion.confidence));
		step(e, "learned: of %s, from %s, %lld s ago; %u samples, confidence %u; carrier from %s, class from %s", text,
		     shown.source, (long long)age_s, shown.entry.samples, shown.entry.opinion.confidence,
		     shown.carrier[0] ? shown.source : "the table", shown.class_[0] ? shown.source : "the table");
	}
	alone.learned = NULL;

	struct location table = *where;

	table.hit = steer_lookup(e->app->steer, where->client);
	table.learned = NULL;

	struct pick pick = pick_target(&alone, e->app, &table);
	const char *without = pick.target ? view->sites[pick.target->site].name : NULL;

	set_text(object, "table", without);
	step(e, "learned: the table alone would answer %s (%s)", without ? without : "nothing", pick_outcome_text(pick.outcome));
	json_object_set_new(e->object, "learned", object);
}

// What the client gets is cached for.
static uint32_t ttl_of(const struct app *app, const struct pick *pick)
{
	const struct answers *answers = pick->target ? answers_of(pick->target) : NULL;

	return answers && answers->count > 0 ? answers->rrsets[0].ttl_s : app->ttl_s;
}

// Step 4: the answer.
static void explain_decision(struct explaining *e, const struct pick *pick, const struct location *where,
                             uint8_t table_scope)
{
	static const char *const blocks[STEER_FORMS] = {
		[STEER_OWN] = "widest block around the client with this order of candidates",
		[STEER_SHARED] = "widest block around the client with one order of all sites that share a table",
		[STEER_MAPPED] = "block of the prefix table around the client",
	};
	const struct view *view = e->live->view;
	json_t *object = json_object(), *addresses = json_array();
	char name[NAME_TEXT_MAX];

	set_text(object, "outcome", pick_outcome_text(pick->outcome));
	json_object_set_new(object, "hashed", json_boolean(pick->hashed));
	set_text(object, "site", pick->target ? view->sites[pick->target->site].name : NULL);
	if (pick->target) {
		const struct answers *answers = answers_of(pick->target);
		const struct rrset *cname = answers_cname(answers);

		append_addresses(addresses, answers);
		if (cname)
			name_to_text(cname->wire + DNS_RECORD_LEN, cname->wire_len - DNS_RECORD_LEN, name);
		set_text(object, "cname", cname ? name : NULL);
		step(e, "answer: %s (%s%s)", view->sites[pick->target->site].name, pick_outcome_text(pick->outcome),
		     pick->weighed ? ", by weight among all in reach" : pick->hashed ? e->app->steer->spec.weights ? ", by weight among equals" : ", by the client's hash" : "");
		explain_addresses(e, pick->target_number, object);
	} else if (e->app->last_resort == LAST_RESORT_ADDRESSES) {
		append_addresses(addresses, e->app->last);
		step(e, "answer: the last resort's addresses (%s)", pick_outcome_text(pick->outcome));
	} else {
		step(e, "answer: SERVFAIL (%s)", pick_outcome_text(pick->outcome));
	}
	json_object_set_new(object, "addresses", addresses);
	json_object_set_new(e->object, "decision", object);
	json_object_set_new(e->object, "ttl", json_integer(ttl_of(e->app, pick)));
	step(e, "scope: /%u, the %s%s%s%s", where->scope, blocks[e->app->steer->form],
	     e->live->learned ? " and one learned prefix, or none" : "",
	     table_scope > where->hit.depth ? ", lengthened to the hash prefix" : "",
	     where->scope > table_scope ? ", lengthened, as the state of a target differs within it" : "");
}

// Returns the CNAME that the app answers with; NULL: it answers with addresses, or SERVFAIL.
static const struct rrset *explain_app(struct explaining *e, const struct app *app, const struct prefix *client)
{
	const struct places *places = e->live->view->places;
	struct query_ecs ecs = {
		.present = true,
		.family = client->addr.family == ADDR_V4 ? 1 : 2,
		.source_len = client->len,
		.addr = client->addr,
	};
	struct location where = locate_client(e->live, app, &ecs, &client->addr);
	uint8_t table_scope = where.scope;
	struct pick pick = pick_target(e->live, app, &where);
	uint8_t depth;
	const struct place *place = places_lookup(places, where.client, &depth);

	e->app = app;
	e->scope = where.scope;
	set_text(e->object, "app", app->name);
	explain_place(e, where.client, place, depth);
	if (where.learned)
		explain_learned(e, &where);
	measured_explain(e->learner, where.client, e->object, e->steps);
	explain_candidates(e, &where, place);
	adopt_explain(e->live, e->state, app, &where, e->object, e->steps);
	explain_decision(e, &pick, &where, table_scope);
	return pick.target ? answers_cname(answers_of(pick.target)) : NULL;
}

// The first zones by name, and the number of the others. Into buf[ZONES_TEXT_LEN], which it returns.
static const char *zones_text(const struct zonedb *zones, char *buf)
{
	size_t count = zonedb_zone_count(zones), at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < count && i < ZONES_NAMED_MAX; i++) {
		const struct node *apex = zonedb_zone(zones, i)->apex;
		char name[NAME_TEXT_MAX];

		at += (size_t)snprintf(buf + at, ZONES_TEXT_LEN - at, "%s%s", i ? ", " : "",
		                       name_to_text(apex->name, apex->name_len, name));
	}
	if (count > ZONES_NAMED_MAX)
		snprintf(buf + at, ZONES_TEXT_LEN - at, " and %zu more", count - ZONES_NAMED_MAX);
	return buf;
}

// Why a name has no node of its own. `chain`: CNAMEs followed to get there.
static const char *absence_text(struct explaining *e, const struct name *name, enum lookup_result result,
                                unsigned chain)
{
	char zones[ZONES_TEXT_LEN], text[NAME_TEXT_MAX], meant[NEAREST_MEANT_MAX];

	if (result == LOOKUP_CUT)
		return "delegated away: a referral";
	if (result == LOOKUP_NXDOMAIN && chain)
		return "no such name: NXDOMAIN";
	if (result == LOOKUP_NXDOMAIN) {
		struct nearest near = find_near_app(e->live->view, name_to_text(name->wire, name->len, text));

		snprintf(e->end, sizeof(e->end), "no such name: NXDOMAIN%s", nearest_meant(&near, '\'', meant));
		return e->end;
	}
	if (chain)
		return "in none of our zones: the resolver has to ask elsewhere";
	snprintf(e->end, sizeof(e->end), "in none of our zones (%s): REFUSED",
	         zones_text(e->live->view->zones, zones));
	return e->end;
}

// Follows the name as a query for its address does. NULL: it leads to an app's answer; else why it does not, and *name
// is the last name reached.
static const char *explain_name(struct explaining *e, struct name *name, const struct prefix *client)
{
	char text[NAME_TEXT_MAX], target_text[NAME_TEXT_MAX];

	for (unsigned chain = 0; chain <= LOOKUP_CHAIN_MAX; chain++) {
		struct lookup found = lookup_name(e->live->view->zones, name, DNS_A);
		const struct rrset *cname;

		if (found.result != LOOKUP_NODE)
			return absence_text(e, name, found.result, chain);
		if (found.node->app != ZONE_APP_NONE) {
			cname = explain_app(e, &e->live->view->apps[found.node->app], client);
			if (!cname)
				return NULL;
		} else {
			cname = node_rrset(found.node, DNS_CNAME);
			if (!cname)
				return "a static name: the same answer for every client";
		}
		name_to_text(name->wire, name->len, text);
		if (lookup_target(cname, name) < 0)
			break;
		step(e, "alias: %s is a CNAME to %s", text, name_to_text(name->wire, name->len, target_text));
	}
	return "behind too many CNAMEs, or in a CNAME loop";
}

json_t *explain_query(const struct live *live, const struct state *state, const struct health *health, struct judge *judge,
                      struct learner *learner, const char *name, const struct prefix *client)
{
	bool is_known = health && health_count(health) == live->states->count;
	struct explaining e = {.live = live, .state = state, .health = is_known ? health : NULL, .judge = judge, .learner = learner, .now_s = clock_wall_s(),
	                       .object = json_object(), .steps = json_array()};
	char text[NAME_TEXT_MAX];
	uint8_t wire[NAME_WIRE_MAX];
	struct name asked;
	size_t len;

	if (!e.object || !e.steps) {
		json_decref(e.object);
		json_decref(e.steps);
		return NULL;
	}
	set_text(e.object, "name", name);
	set_text(e.object, "client", prefix_format(client, text));

	bool valid = name_from_text(name, wire, &len) == 0 && name_read(wire, len, &asked) == 0;
	const char *end = valid ? explain_name(&e, &asked, client) : "not a domain name";

	if (!e.app)
		set_text(e.object, "error", end);
	else if (end)
		step(&e, "end: %s is %s", name_to_text(asked.wire, asked.len, text), end);
	if (e.app)
		json_object_set_new(e.object, "scope", json_integer(e.scope));
	json_object_set_new(e.object, "steps", e.steps);
	return e.object;
}
