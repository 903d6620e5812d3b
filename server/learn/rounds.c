// What the learner does in a round: takes notes, collects answers, asks. See learner.h.
#include "learn/rounds.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/must.h"
#include "base/names.h"
#include "config/config.h"
#include "learn/saved.h"
#include "steer/place.h"
#include "view/index.h"
#include "view/live.h"
#include "view/notes.h"
#include "view/tables.h"
#include "view/view.h"

// What a round works with.
struct rounds {
	struct learner *learner;
	const struct view *view;
	int64_t now_ms, now_s;
};

static uint64_t draw(struct learner *learner)
{
	return hash_mix(++learner->random);
}

// ---- which services know which clients ------------------------------------------------------------------------------

static int make_masks(struct learner *learner, const struct view *view)
{
	const struct names *carriers = view->places->carriers;
	uint16_t *masks = calloc(names_count(carriers), sizeof(*masks));
	struct facts_regions regions;

	if (!masks)
		return E_NOMEM;
	for (size_t i = 0; i < learner->service_count; i++)
		for (size_t k = 0; k < learner->services[i]->carrier_count; k++) {
			const char *carrier = learner->services[i]->carriers[k];
			int number = names_find(carriers, carrier, strlen(carrier));

			if (number > 0)
				masks[number] |= (uint16_t)(1u << i);
		}
	if (facts_make_regions(view->tables, masks, &regions) < 0) {
		free(masks);
		return E_NOMEM;
	}
	facts_wipe_regions(&learner->regions);
	learner->regions = regions;
	free(learner->masks);
	learner->masks = masks;
	learner->masks_of = view->tables;
	learner->masks_plan = learner->plans;
	return E_OK;
}

// ---- notes ----------------------------------------------------------------------------------------------------------

static bool is_listed(const struct learner_rules *rules, const struct addr *sender)
{
	for (size_t i = 0; i < rules->notes_from_count; i++) {
		const struct prefix *prefix = &rules->notes_from[i];
		struct addr cut = addr_cut(sender, prefix->len);

		if (addr_equal(&cut, &prefix->addr))
			return true;
	}
	return false;
}

static void take_note(const struct rounds *r, const struct note *note)
{
	struct learner *learner = r->learner;
	uint8_t depth;
	const struct place *place = places_lookup(r->view->places, &note->client, &depth);
	const struct crowd_member *member;
	struct crowd_note more = {
		.client = note->client, .sender = note->sender, .sender_port = ntohs(note->sender_port_be16), .by_ecs = note->by_ecs,
		.is_trusted = is_listed(&learner->rules, &note->sender),
		.app = note->app, .generation = note->generation,
		.services = place->ecs_ignored ? 0 : learner->masks[place->carrier],
		.prefix = book_prefix(learner->book, &note->client),
	};

	if (more.services == 0) // it was noted by another view
		return;
	if (learner->rules.notes_from_count > 0 && !more.is_trusted) {
		learner->unbelieved++;
		return;
	}
	// The client is anywhere in it: to ask about a prefix of it tells nothing of that client, and the first one is no better.
	if (note->by_ecs && note->source_len < more.prefix.len) {
		learner->short_subnets++;
		return;
	}
	member = crowd_note(learner->crowd, &more, r->now_ms);
	if (member)
		book_note(learner->book, &member->prefix, member->weight, r->now_s);
}

// ---- answers --------------------------------------------------------------------------------------------------------

bool rounds_is_news(struct learner *learner, const char *source, const char *site, const char *why)
{
	uint64_t hash = hash_bytes(hash_bytes(hash_bytes(0, source, strlen(source)), site, strlen(site)), why, strlen(why));

	for (size_t i = 0; i < learner->told_count; i++)
		if (learner->told[i] == hash)
			return false;
	if (learner->told_count == TOLD_MAX)
		return false;
	learner->told[learner->told_count++] = hash;
	return true;
}

// The carrier whose sites the client reaches, as site_reached_by() takes it; see the truth table in view/learned.h.
static uint16_t reach_of(const struct view *view, const struct informant_answer *answer)
{
	uint8_t depth;
	const struct place *place = places_lookup(view->places, &answer->addr, &depth);
	bool is_edge = answer->class_[0] ? strcmp(answer->class_, PLACE_CLASS_EDGE) == 0 : place_is_edge(view->places, place);
	int carrier = answer->carrier[0] ? names_find(view->places->carriers, answer->carrier, strlen(answer->carrier))
	                                 : place->carrier;

	return !is_edge || carrier < 0 ? 0 : (uint16_t)carrier;
}

int rounds_name_site(struct learner *learner, const char *site, uint16_t *ret_number)
{
	int err = book_name(learner->book, site, ret_number);

	if (err == E_LIMIT && learner->unnamed++ == 0)
		log_error("learned: %s is one site too many, after %d names of sites, carriers and classes: nothing is learned of it, nor of "
		          "further ones, until the next start", site, BOOK_NAMES_MAX);
	return err;
}

// A carrier or a class, of the config's or made up. E_LIMIT, which is counted and told once; E_NOMEM.
static int name_of(const struct rounds *r, struct informant *service, const struct names *known, const char *text,
                   uint16_t *ret_number)
{
	struct book *book = r->learner->book;
	bool is_known = !*text || strcmp(text, PLACE_CLASS_EDGE) == 0 || names_find(known, text, strlen(text)) > 0;
	int err = is_known ? book_name(book, text, ret_number) : book_name_invented(book, text, &service->names, ret_number);

	if (err == E_LIMIT && service->totals.unnamed++ == 0)
		log_warning("discovery: %s: has made up %u names of carriers and classes: answers with further ones, as %s, are ignored",
		            service->label, service->names, text);
	return err;
}

// What of an answer can be used. E_NOTFOUND: nothing; E_LIMIT, E_NOMEM.
static int read_finding(const struct rounds *r, struct informant *service, const struct informant_answer *answer,
                        struct finding *ret_finding)
{
	struct learner *learner = r->learner;
	struct finding finding = {0};
	uint16_t carrier = reach_of(r->view, answer);
	unsigned used = 0;
	int err = name_of(r, service, r->view->places->carriers, answer->carrier, &finding.carrier);

	if (err == E_OK)
		err = name_of(r, service, r->view->places->classes, answer->class_, &finding.class_);
	for (unsigned i = 0; i < answer->site_count && err == E_OK; i++) {
		const char *name = answer->sites[i];
		int site = index_find_site(r->view, name);

		if (site < 0) {
			learner->unknown_sites++;
			if (rounds_is_news(learner, service->label, name, "unknown"))
				log_warning("discovery: %s: names the site %s, which the config has not: it is ignored", service->label, name);
		} else if (!site_reached_by(&r->view->sites[site], carrier)) {
			learner->out_of_reach++;
			if (rounds_is_news(learner, service->label, name, names_text(r->view->places->carriers, carrier)))
				log_warning("discovery: %s: names the site %s for a client of %s, which cannot reach it: it is ignored",
				            service->label, name, carrier ? names_text(r->view->places->carriers, carrier) : "no carrier's network");
		} else {
			err = rounds_name_site(learner, name, &finding.sites[used++]);
		}
	}
	*ret_finding = finding;
	return err < 0 ? err : used > 0 || finding.carrier || finding.class_ ? E_OK : E_NOTFOUND;
}

// The pause after so many answers that did not settle a prefix: none at first, as `agree` of them are needed anyway.
static int64_t unsettled_pause_ms(const struct learner *learner, unsigned asks)
{
	unsigned patience = 2 * learner->rules.book.opinion.agree, over = asks > patience ? asks - patience : 0;

	return over == 0 ? 0 : over >= 10 ? 600000 : INT64_C(1000) << over;
}

static void note_found(const struct rounds *r, const struct informant *service, const struct informant_answer *answer,
                       const struct finding *finding, struct crowd_member *member)
{
	struct book_sample sample = {.addr = answer->addr, .finding = *finding, .source = service->name,
	                             .lifetime_s = answer->lifetime_s, .weight = member ? member->weight : 1};
	enum opinion_outcome outcome = OPINION_WAITS;
	int err = book_hear(r->learner->book, &sample, r->now_s, &outcome);

	if (!member)
		return;
	member->tries = 0;
	if (err == E_OK && (outcome == OPINION_CONFIRMED || outcome == OPINION_READY))
		member->asks = 0;
	else
		member->asks += member->asks < UINT16_MAX;
	member->next_ms = r->now_ms + (err < 0 ? 60000 : unsettled_pause_ms(r->learner, member->asks));
}

static void note_missed(const struct rounds *r, const struct informant *service, const struct informant_answer *answer,
                        struct crowd_member *member)
{
	struct book_sample sample = {.addr = answer->addr, .source = service->name, .weight = member ? member->weight : 1};

	if (member && ++member->tries < r->learner->rules.tries)
		return; // another address
	if (member)
		member->tries = 0;
	if (book_miss(r->learner->book, &sample, r->now_s) < 0 && member)
		member->next_ms = r->now_ms + 60000;
}

// Nothing was sent. Most prefixes of which that is said have no client that can be asked about, so that the pause grows.
static void note_unasked(const struct rounds *r, struct informant *service, struct crowd_member *member)
{
	breaker_untried(&service->breaker);
	bucket_return(&service->bucket);
	if (!member)
		return;
	member->next_ms = r->now_ms + ((int64_t)CROWD_UNASKED_MS << (member->asks < 8 ? member->asks : 8));
	member->asks += member->asks < UINT16_MAX;
}

static void take_answer(const struct rounds *r, struct informant *service, const struct informant_answer *answer)
{
	struct prefix prefix = book_prefix(r->learner->book, &answer->addr);
	struct crowd_member *member = crowd_find(r->learner->crowd, &prefix);
	struct finding finding;
	int err;

	if (member)
		member->is_asked = false;
	if (member)
		member->is_unaskable = answer->outcome == EDGESTEER_UNASKED;
	if (answer->outcome == EDGESTEER_UNASKED) {
		note_unasked(r, service, member);
		return;
	}
	if (answer->outcome >= EDGESTEER_BUSY) {
		breaker_failure(&service->breaker, answer->retry_s, answer->outcome == EDGESTEER_DENIED, r->now_ms,
		                draw(r->learner));
		if (member)
			member->next_ms = r->now_ms + 1000;
		return;
	}
	breaker_success(&service->breaker);
	err = answer->outcome == EDGESTEER_FOUND ? read_finding(r, service, answer, &finding) : E_NOTFOUND;
	if (err == E_OK)
		note_found(r, service, answer, &finding, member);
	else if (err == E_NOTFOUND)
		note_missed(r, service, answer, member);
	else if (member)
		member->next_ms = r->now_ms + 60000;
}

// ---- questions ------------------------------------------------------------------------------------------------------

static bool is_due(void *ctx, const struct crowd_member *member)
{
	const struct rounds *r = ctx;
	const struct book_entry *entry = book_find(r->learner->book, &member->prefix);

	return !entry || !book_is_fresh(entry, r->now_s);
}

// Chooses an address of the prefix: of the client that has asked by itself, if it was not the last one, else a random one.
static void choose_address(const struct rounds *r, struct crowd_member *member, struct informant_question *question)
{
	struct addr addr = member->prefix.addr;
	uint64_t random[2] = {draw(r->learner), draw(r->learner)};
	const uint8_t *octets = (const uint8_t *)random;
	bool is_direct = member->direct.family != ADDR_NONE && !addr_equal(&member->direct, &member->asked);

	if (is_direct)
		addr = member->direct;
	for (unsigned bit = member->prefix.len; bit < addr_bits(addr.family) && !is_direct; bit++)
		addr.bytes[bit / 8] |= (uint8_t)((octets[bit / 8] & 0x80 >> bit % 8));
	member->asked = addr;
	question->addr = addr;
	question->is_direct = is_direct;
	question->port = is_direct && r->now_ms - member->direct_ms <= PORT_MAX_AGE_MS ? member->direct_port : 0;
}

static void ask(const struct rounds *r, struct informant *service, struct crowd_member *member)
{
	const struct view *view = r->view;
	struct informant_question question = {.prefix_len = member->prefix.len};

	choose_address(r, member, &question);
	if (member->generation == (uint32_t)view->generation && member->app < view->app_count &&
	    snprintf(question.app, sizeof(question.app), "%s", view->apps[member->app].name) >= INFORMANT_APP_LEN)
		question.app[0] = '\0'; // escaped, and too long: it is asked for no name
	member->is_asked = true;
	bucket_take(&service->bucket);
	informant_ask(service, &question, r->now_ms);
}

static void ask_service(struct rounds *r, unsigned number)
{
	struct informant *service = r->learner->services[number];
	struct crowd_member *members[1024];
	uint32_t room = informant_room(service), tokens = bucket_fill(&service->bucket, r->now_ms);
	size_t count;

	if (service->is_registering) // which keeps to the rate too
		return;
	if (room > tokens)
		room = tokens;
	room = breaker_allows(&service->breaker, room, r->now_ms);
	must(room <= ARRAY_LEN(members));
	if (room == 0)
		return;
	count = crowd_busiest(r->learner->crowd, number, r->now_ms, is_due, r, members, room);
	breaker_asked(&service->breaker, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		ask(r, service, members[i]);
}

// ---- a round --------------------------------------------------------------------------------------------------------

static void end_leaving(struct learner *learner)
{
	for (size_t i = 0; i < learner->leaving_count;) {
		struct informant *service = learner->leaving[i];

		if (!informant_has_ended(service)) {
			i++;
			continue;
		}
		if (service->chore.is_started)
			chore_join(&service->chore);
		informant_free(service);
		learner->leaving[i] = learner->leaving[--learner->leaving_count];
	}
}

void rounds_save(struct learner *learner, const struct prefix *prefix, const struct book_entry *entry)
{
	struct learner_change *change;
	char text[SAVED_TEXT_LEN] = "";

	if (entry && strcmp(book_text(learner->book, entry->source), EXPLORE_SOURCE) == 0)
		entry = NULL;
	if (entry)
		saved_format(learner->book, entry, clock_stepped_s(), text);
	change = malloc(sizeof(*change) + strlen(text) + 1);
	if (!change)
		return;
	prefix_format(prefix, change->prefix);
	change->is_gone = !entry;
	memcpy(change->text, text, strlen(text) + 1);
	change->next = learner->changes;
	learner->changes = change;
}

static void gather(void *ctx, const struct prefix *prefix, const struct book_entry *entry)
{
	rounds_save(ctx, prefix, entry);
}

bool rounds_gather_changes(struct learner *learner)
{
	return book_take_changes(learner->book, GATHER_MAX, gather, learner);
}

// Rows have times of the wall clock: when that was set, those of before are wrong for the next daemon.
static void follow_clock(struct learner *learner)
{
	int64_t stepped_s = clock_stepped_s(), by_s = stepped_s - learner->stepped_s;

	if (by_s > 1 || by_s < -1) {
		learner->stepped_s = stepped_s;
		learner->to_save_again = book_count(learner->book);
		log_notice("learned: the clock was set by %lld s: nothing that is learned is older for it", (long long)by_s);
	}
	learner->to_save_again = book_save_again(learner->book, learner->to_save_again, SAVE_AGAIN);
}

void rounds_turn(struct learner *learner, const struct live *live, int64_t now_ms, int64_t now_s)
{
	struct rounds r = {learner, live->view, now_ms, now_s};
	struct informant_answer answer;
	struct note note;

	if ((learner->masks_of != r.view->tables || learner->masks_plan != learner->plans) && make_masks(learner, r.view) < 0)
		return; // out of memory: in the next round
	for (unsigned i = 0; i < ROUND_NOTES && notes_take(learner->notes, &note); i++)
		take_note(&r, &note);
	for (size_t i = 0; i < learner->service_count; i++)
		while (informant_collect(learner->services[i], now_ms, &answer))
			take_answer(&r, learner->services[i], &answer);
	for (unsigned i = 0; i < learner->service_count; i++)
		ask_service(&r, i);
	end_leaving(learner);
	notes_keep_pace(learner->notes, &learner->pace, LOOKS_A_SECOND, now_ms);
	if (now_ms - learner->second_ms < 1000)
		return;
	learner->second_ms = now_ms;
	crowd_tick(learner->crowd, now_ms);
	book_tick(learner->book, now_s);
	follow_clock(learner);
	(void)rounds_gather_changes(learner); // what is left, in the next second
}

bool rounds_wants_overlay(const struct learner *learner, const struct view *view, int64_t now_ms)
{
	int64_t passed_ms = now_ms - learner->built_ms;

	if (learner->has_failed)
		return passed_ms >= RETRY_PAUSE_MS;
	if (learner->built_of != view->tables || learner->built_plan != learner->plans ||
	    learner->built_epoch != learner->observe.epoch)
		return true;
	return learner->built_version != book_version(learner->book) && passed_ms >= BUILD_PAUSE_MS;
}

bool rounds_has_settled(struct learner *learner, int64_t now_ms)
{
	uint64_t version = book_version(learner->book);
	bool is_calm = version - learner->looked_version < SETTLE_CHANGES;

	if (now_ms - learner->looked_ms < SETTLE_MS)
		return false;
	learner->looked_ms = now_ms;
	learner->looked_version = version;
	if (!is_calm || version - learner->settled_version < SETTLE_CHANGES)
		return false;
	learner->settled_version = version;
	return true;
}
