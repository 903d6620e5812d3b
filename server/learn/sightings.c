// From observations to learned prefixes; see observe.h and sightings.h.
#include "learn/sightings.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/log.h"
#include "base/report.h"
#include "config/config.h"
#include "learn/merit.h"
#include "learn/observe.h"
#include "learn/rounds.h"
#include "steer/place.h"
#include "steer/site.h"
#include "view/index.h"
#include "view/learned.h"
#include "view/live.h"
#include "view/view.h"

// ---- rules ----------------------------------------------------------------------------------------------------------

static int read_group(const struct config *config, struct report *report, gid_t *ret_gid)
{
	char buf[16384];
	struct group entry, *found = NULL;

	if (getgrnam_r(config->observe.socket_group, &entry, buf, sizeof(buf), &found) != 0 || !found) {
		report_error(report, config->file, 0, 0, "observe.socket-group: there is no group %s", config->observe.socket_group);
		return E_INVAL;
	}
	*ret_gid = entry.gr_gid;
	return E_OK;
}

// One that is not there is waited for, and what is there may be replaced.
static void check_file(const struct config *config, struct report *report)
{
	const char *path = config->observe.file;
	struct stat status;

	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
		report_warning(report, config->file, 0, 0, "observe.file: %s cannot be read: not a regular file", path);
}

int sightings_read(const struct config *config, struct report *report, struct observe_rules *ret_rules)
{
	const struct config_observe *observe = &config->observe;
	struct inlet_place *inlet = &ret_rules->place.inlet;

	*ret_rules = (struct observe_rules){
		.is_on = observe->is_on,
		.observed = {observe->samples, observe->hosts, observe->window_s, observe->max},
		.margin = observe->margin, .explore = observe->explore,
		.len_v4 = (uint8_t)config->learned.prefix_v4, .len_v6 = (uint8_t)config->learned.prefix_v6,
		.place.inlet = {.mode = observe->socket_mode, .gid = (gid_t)-1},
	};
	if (observe->file)
		check_file(config, report);
	if (observe->file)
		snprintf(ret_rules->place.file, sizeof(ret_rules->place.file), "%s", observe->file);
	if (observe->socket)
		snprintf(inlet->path, sizeof(inlet->path), "%s", observe->socket);
	return observe->is_on && observe->socket_group ? read_group(config, report, &inlet->gid) : E_OK;
}

static bool same_aggregation(const struct observe_rules *a, const struct observe_rules *b)
{
	return a->is_on == b->is_on && a->observed.samples == b->observed.samples && a->observed.hosts == b->observed.hosts &&
	       a->observed.window_s == b->observed.window_s && a->observed.max == b->observed.max && a->len_v4 == b->len_v4 &&
	       a->len_v6 == b->len_v6;
}

void sightings_take(struct learner *learner, const struct observe_rules *rules)
{
	struct observe *observe = &learner->observe;

	if (!same_aggregation(&observe->rules, rules)) {
		observe->observed = observed_free(observe->observed);
		observe->merit = merit_free(observe->merit);
		if (rules->is_on) {
			observe->observed = observed_new(&rules->observed);
			observe->merit = merit_new();
		}
		if (rules->is_on && (!observe->observed || !observe->merit)) {
			log_error("observe: out of memory: nothing is learned by it until the next reload");
			observe->observed = observed_free(observe->observed);
		}
	}
	if (!rules->is_on || !observer_reads(observe->observer, &rules->place)) {
		observe->observer = observer_stop(observe->observer);
		if (rules->is_on && (rules->place.file[0] || rules->place.inlet.path[0]))
			observe->observer = observer_start(observe->hopper, learner->wake_fd, &rules->place);
	}
	observe->rules = *rules;
}

void sightings_stop(struct observe *observe)
{
	observe->observer = observer_stop(observe->observer);
}

// ---- observations ---------------------------------------------------------------------------------------------------

struct observing {
	struct learner *learner;
	const struct view *view;
	const struct observation *observation;
	struct prefix prefix;
	uint16_t carrier;          // whose sites the client reaches, as site_reached_by() takes it
	int64_t now_s;
};

// What is learned of it counts more than the prefix table, as in answers.
static uint16_t carrier_of(const struct live *live, const struct addr *client)
{
	const struct view *view = live->view;
	const struct learned_row *row =
		live->learned ? learned_row_of(live->learned, learned_lookup(live->learned, client)) : NULL;
	uint8_t depth;

	return row ? row->carrier : places_carrier(view->places, client, &depth);
}

enum sightings_use sightings_use(const struct live *live, const struct observation *observation)
{
	int site = index_find_site(live->view, observation->site);

	return site < 0 ? SIGHTINGS_NO_SITE
	       : site_reached_by(&live->view->sites[site], carrier_of(live, &observation->client)) ? SIGHTINGS_USABLE
	                                                                                            : SIGHTINGS_OUT_OF_REACH;
}

// The number of the observation's site; -1: it was counted and told why not.
static int usable_site(const struct observing *o)
{
	struct learner *learner = o->learner;
	const struct names *carriers = o->view->places->carriers;
	const char *name = o->observation->site, *carrier = o->carrier ? names_text(carriers, o->carrier) : "no carrier";
	int site = index_find_site(o->view, name);

	if (site < 0) {
		learner->observe.unknown_sites++;
		if (rounds_is_news(learner, OBSERVE_SOURCE, name, "unknown"))
			log_warning("observe: the site %s was measured, which the config has not: it is ignored", name);
		return -1;
	}
	if (!site_reached_by(&o->view->sites[site], o->carrier)) {
		learner->observe.out_of_reach++;
		if (rounds_is_news(learner, OBSERVE_SOURCE, name, carrier))
			log_warning("observe: the site %s was measured by a client of %s, which cannot reach it: it is ignored", name,
			            carrier);
		return -1;
	}
	return site;
}

// What is enough, by the view's numbers of the sites that the client can reach. Returns how many; *ret_weight: of how many
// samples all that is known of the prefix is.
static unsigned read_measures(const struct observing *o, struct measure *ret_measures, uint32_t *ret_weight)
{
	struct learner *learner = o->learner;
	unsigned count = observed_measures(learner->observe.observed, &o->prefix, o->now_s, ret_measures), used = 0;

	*ret_weight = 1;
	for (unsigned i = 0; i < count; i++) {
		int site = index_find_site(o->view, book_text(learner->book, ret_measures[i].site));

		*ret_weight += ret_measures[i].samples;
		if (!ret_measures[i].is_enough || site < 0 || !site_reached_by(&o->view->sites[site], o->carrier))
			continue;
		ret_measures[used] = ret_measures[i];
		ret_measures[used++].site = (uint16_t)site;
	}
	return used;
}

static struct merit_order order_held(const struct observing *o, const struct book_entry *entry)
{
	struct merit_order order = {.count = 0};

	for (unsigned i = 0; i < FINDING_SITES_MAX && entry && entry->opinion.has_held && entry->opinion.held.sites[i]; i++) {
		int site = index_find_site(o->view, book_text(o->learner->book, entry->opinion.held.sites[i]));

		if (site >= 0 && site_reached_by(&o->view->sites[site], o->carrier))
			order.sites[order.count++] = (uint16_t)site;
	}
	return order;
}

static bool has_same_first(const struct finding *a, const struct finding *b)
{
	return a->sites[0] == b->sites[0];
}

// The order as the book has it, with the carrier and the class that a service has said, if any. What decides is the first
// site: while the one of what is held, or of what samples say instead, stays, so do those behind it, for a time. E_LIMIT,
// E_NOMEM.
static int finding_of(const struct observing *o, const struct merit_order *order, const struct book_entry *entry,
                      struct finding *ret_finding)
{
	struct finding finding = {.carrier = 0};
	int err = E_OK;

	if (entry && entry->opinion.has_held) {
		finding.carrier = entry->opinion.held.carrier;
		finding.class_ = entry->opinion.held.class_;
	}
	for (unsigned i = 0; i < order->count && err == E_OK; i++)
		err = rounds_name_site(o->learner, o->view->sites[order->sites[i]].name, &finding.sites[i]);
	if (entry && entry->opinion.voice_count > 0 && has_same_first(&finding, &entry->opinion.next))
		finding = entry->opinion.next;
	else if (entry && entry->opinion.has_held && has_same_first(&finding, &entry->opinion.held) &&
	         o->now_s - entry->heard_s < OBSERVE_CONFIRM_S)
		finding = entry->opinion.held;
	*ret_finding = finding;
	return err;
}

static bool is_of(const struct observing *o, const struct book_entry *entry, const char *source)
{
	return entry && strcmp(book_text(o->learner->book, entry->source), source) == 0;
}

// By measuring, not a service's.
static bool is_own(const struct observing *o, const struct book_entry *entry)
{
	return is_of(o, entry, OBSERVE_SOURCE) || is_of(o, entry, EXPLORE_SOURCE);
}

// What follows, and the source by which it does:
//
//   measurements                                                         it is
//   say something else than the table, or than what is held of them      that, by observing
//   say what the table says, of a prefix of which no service spoke       the table's first two sites, to be explored (if anything is)
//   else                                                                 nothing
static struct merit_order follow(const struct observing *o, const struct measure *measures, unsigned count,
                                 const struct book_entry *entry, const char **ret_source)
{
	const struct observe *observe = &o->learner->observe;
	const struct merit_rivals *rivals = merit_rivals_of(observe->merit, o->view, &o->observation->client);
	struct merit_order held = order_held(o, entry), order, start = {.count = 0};

	if (is_of(o, entry, EXPLORE_SOURCE))
		held.count = 0; // it says nothing by itself
	order = merit_judge(o->view, rivals, measures, count, &held, observe->rules.margin);
	if (observe->rules.explore > 0 && (!entry || !entry->opinion.has_held || is_own(o, entry)))
		start = merit_start(rivals, measures, count);
	*ret_source = OBSERVE_SOURCE;
	if (start.count == 0 || (order.count > 0 && order.sites[0] != start.sites[0]))
		return order;
	*ret_source = EXPLORE_SOURCE;
	return start;
}

// Whether a finding is worth a sample of its prefix now:
//
//   what is held             the finding                              worth a sample
//   is a service's           begins with the same site                no: it is the service's to confirm
//   is by measuring          is the same, and nothing is in dispute   every OBSERVE_CONFIRM_S
//   any                      else                                     yes
static bool is_worth(const struct observing *o, const struct book_entry *entry, const struct finding *finding)
{
	const struct finding *held = entry && entry->opinion.has_held ? &entry->opinion.held : NULL;
	int64_t now_s = o->now_s;

	if (held && !is_own(o, entry) && has_same_first(held, finding))
		return false;
	if (held && opinion_same(held, finding) && entry->opinion.voice_count == 0)
		return now_s - entry->heard_s >= OBSERVE_CONFIRM_S || now_s < entry->heard_s;
	return true;
}

static void judge(const struct observing *o)
{
	struct learner *learner = o->learner;
	struct measure measures[OBSERVED_SITES];
	struct book_sample sample = {.addr = o->observation->client, .is_measured = true};
	unsigned count = read_measures(o, measures, &sample.weight);
	const struct book_entry *entry = book_find(learner->book, &o->prefix);
	struct merit_order order;
	enum opinion_outcome outcome;
	const char *source;

	if (count == 0)
		return;
	order = follow(o, measures, count, entry, &source);
	if (order.count == 0 || finding_of(o, &order, entry, &sample.finding) < 0 ||
	    book_name(learner->book, source, &sample.source) < 0 || !is_worth(o, entry, &sample.finding))
		return;
	if (is_own(o, entry))
		book_note(learner->book, &o->prefix, sample.weight, o->now_s);
	(void)!book_hear(learner->book, &sample, o->now_s, &outcome); // it may be full of busier prefixes, which it counts
}

static void take(const struct observing *o)
{
	struct observe *observe = &o->learner->observe;
	uint16_t name;

	if (usable_site(o) < 0 || rounds_name_site(o->learner, o->observation->site, &name) < 0 ||
	    observed_add(observe->observed, &o->prefix, name, o->observation->host, o->observation->us, o->now_s) < 0)
		return;
	observe->taken++;
	judge(o);
}

// Those that explore do so for as long as caches may hold an answer: the longest TTL of an app.
static uint64_t epoch_of(const struct view *view, int64_t now_ms)
{
	uint32_t ttl_s = 1;

	for (uint32_t i = 0; i < view->app_count; i++)
		if (view->apps[i].ttl_s > ttl_s)
			ttl_s = view->apps[i].ttl_s;
	return 1 + (uint64_t)(now_ms / (INT64_C(1000) * ttl_s));
}

// What is held to be explored is given up where the table may say something else, or nothing is explored any more.
static void forget_explored(struct learner *learner, const struct view *view)
{
	struct observe *observe = &learner->observe;
	const struct tables *tables = observe->rules.explore > 0 ? view->tables : NULL;
	int source = book_find_name(learner->book, EXPLORE_SOURCE);

	if (observe->explored_of == tables)
		return;
	observe->explored_of = tables;
	if (source > 0)
		(void)book_forget_source(learner->book, (uint16_t)source);
}

bool sightings_turn(struct learner *learner, const struct live *live, int64_t now_ms, int64_t now_s)
{
	struct observe *observe = &learner->observe;
	struct observation observation;
	unsigned count = 0;

	if (observe->ticked_s != now_s) {
		if (observe->observed)
			observed_tick(observe->observed, now_s);
		forget_explored(learner, live->view);
		observe->epoch = observe->rules.explore && book_count(learner->book) > 0 ? epoch_of(live->view, now_ms) : 0;
		observe->ticked_s = now_s;
	}
	while (count < OBSERVE_ROUND && hopper_take(observe->hopper, &observation)) {
		struct observing o = {learner, live->view, &observation, book_prefix(learner->book, &observation.client),
		                      carrier_of(live, &observation.client), now_s};

		count++;
		if (observe->observed)
			take(&o);
	}
	return count == OBSERVE_ROUND;
}
