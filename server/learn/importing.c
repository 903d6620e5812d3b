// From an operator's file into the book; see importing.h. Reach is decided twice: here, so that it can be told, and when the
// overlay is made, which is what it depends on.
#include "learn/importing.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/nearest.h"
#include "learn/book.h"
#include "learn/rounds.h"
#include "steer/place.h"
#include "steer/ptree.h"
#include "view/index.h"
#include "view/tables.h"
#include "view/view.h"

static struct book_rules rules_of(struct learner *learner)
{
	struct book_rules rules;

	pthread_mutex_lock(&learner->mutex);
	rules = learner->rules.book;
	pthread_mutex_unlock(&learner->mutex);
	return rules;
}

// ---- what is wrong --------------------------------------------------------------------------------------------------

static bool fail(struct importing_fault *fault, const char *field, const char *fmt, ...) PRINTF(3, 4);

static bool fail(struct importing_fault *fault, const char *field, const char *fmt, ...)
{
	va_list ap;

	fault->field = field;
	va_start(ap, fmt);
	vsnprintf(fault->why, sizeof(fault->why), fmt, ap);
	va_end(ap);
	return false;
}

bool importing_fits(struct learner *learner, size_t total, struct importing_fault *ret_fault)
{
	struct book_rules rules = rules_of(learner);

	return total <= rules.max || fail(ret_fault, "", "there are %zu prefixes, and `learned: max` is %u", total, rules.max);
}

static bool fail_site(const struct view *view, const char *name, struct importing_fault *fault)
{
	struct nearest nearest = nearest_begin(name);
	char meant[NEAREST_MEANT_MAX];

	for (uint32_t i = 0; i < view->site_count; i++)
		nearest_offer(&nearest, view->sites[i].name);
	return fail(fault, "site", "the config has no site '%s'%s", name, nearest_meant(&nearest, '\'', meant));
}

static bool fail_carrier(const struct view *view, const char *name, struct importing_fault *fault)
{
	const struct names *carriers = view->places->carriers;
	struct nearest nearest = nearest_begin(name);
	char meant[NEAREST_MEANT_MAX];

	for (size_t i = 1; i < names_count(carriers); i++)
		nearest_offer(&nearest, names_text(carriers, (uint16_t)i));
	return fail(fault, "carrier", "no site and no source of prefixes names a carrier '%s'%s", name,
	            nearest_meant(&nearest, '\'', meant));
}

bool importing_check(struct learner *learner, const struct view *view, const struct importing_row *row,
                     struct importing_fault *ret_fault)
{
	struct book_rules rules = rules_of(learner);
	bool is_v4 = row->prefix.addr.family == ADDR_V4;
	uint8_t len = is_v4 ? rules.len_v4 : rules.len_v6;
	char text[ADDR_TEXT_LEN];

	if (row->prefix.len != len)
		return fail(ret_fault, "prefix", "%s: prefixes of %s are learned by /%u, as `learned: prefix` says",
		            prefix_format(&row->prefix, text), is_v4 ? "IPv4" : "IPv6", len);
	if (row->carrier[0] && names_find(view->places->carriers, row->carrier, strlen(row->carrier)) < 0)
		return fail_carrier(view, row->carrier, ret_fault);
	for (unsigned i = 0; i < FINDING_SITES_MAX && row->sites[i][0]; i++)
		if (index_find_site(view, row->sites[i]) < 0)
			return fail_site(view, row->sites[i], ret_fault);
	if (!row->sites[0][0] && !row->carrier[0] && !row->class_[0])
		return fail(ret_fault, "prefix", "nothing is said of it: neither a site, nor a carrier, nor a class");
	return true;
}

// ---- reach ----------------------------------------------------------------------------------------------------------

// Which of a row's sites some client of its prefix can reach, while it is found.
struct reach {
	const struct view *view;
	const struct importing_row *row;
	uint16_t carrier, seen;  // of the row; of the block before
	bool has_seen;
	int sites[FINDING_SITES_MAX];
	uint8_t reached;         // bit i: site i
};

// The truth table is that of view/learned.h.
static void reach_of_block(void *ctx, struct addr_key key, uint8_t depth, uint32_t number)
{
	struct reach *reach = ctx;
	const struct places *places = reach->view->places;
	const struct place *place = &places->table[number];
	const struct importing_row *row = reach->row;
	bool is_edge = row->class_[0] ? strcmp(row->class_, PLACE_CLASS_EDGE) == 0 : place_is_edge(places, place);
	uint16_t carrier = !is_edge ? 0 : row->carrier[0] ? reach->carrier : place->carrier;

	(void)key;
	(void)depth;
	if (reach->has_seen && carrier == reach->seen)
		return;
	reach->has_seen = true;
	reach->seen = carrier;
	for (unsigned i = 0; i < FINDING_SITES_MAX && row->sites[i][0]; i++)
		if (reach->sites[i] >= 0 && site_reached_by(&reach->view->sites[reach->sites[i]], carrier))
			reach->reached |= (uint8_t)(1u << i);
}

// A bit for each of the row's sites.
static uint8_t find_reach(const struct view *view, const struct importing_row *row)
{
	const struct places *places = view->places;
	int carrier = row->carrier[0] ? names_find(places->carriers, row->carrier, strlen(row->carrier)) : 0;
	struct reach reach = {.view = view, .row = row, .carrier = carrier < 0 ? 0 : (uint16_t)carrier};

	for (unsigned i = 0; i < FINDING_SITES_MAX && row->sites[i][0]; i++)
		reach.sites[i] = index_find_site(view, row->sites[i]);
	ptree_walk_block(row->prefix.addr.family == ADDR_V4 ? places->v4 : places->v6, addr_key(&row->prefix.addr), row->prefix.len,
	                 reach_of_block, &reach);
	return reach.reached;
}

// ---- into the book --------------------------------------------------------------------------------------------------

struct taking {
	struct learner *learner;
	const struct view *view;
	struct book_rules rules;
	uint16_t source;
	int64_t now_s, stepped_s; // by the book's clock; how far the wall clock, which rows go by, is ahead of it
	bool is_dry;
	struct importing_counts *counts;
};

static void tell_out_of_reach(const struct taking *t, const struct importing_row *row, const char *site)
{
	char text[ADDR_TEXT_LEN];

	t->counts->out_of_reach++;
	if (t->is_dry)
		return;
	t->learner->out_of_reach++;
	if (rounds_is_news(t->learner, IMPORTING_SOURCE, site, row->carrier))
		log_warning("learned import: names the site %s for %s, whose clients cannot reach it: it is ignored", site,
		            prefix_format(&row->prefix, text));
}

// Sites and carriers have been checked. Of other classes there are as many as a service may make up; a dry run adds none, so that
// whether there is room shows only when they are taken.
static int name_class(const struct taking *t, const char *class_, uint16_t *ret_number)
{
	struct learner *learner = t->learner;

	if (!*class_ || strcmp(class_, PLACE_CLASS_EDGE) == 0 || names_find(t->view->places->classes, class_, strlen(class_)) > 0)
		return book_name(learner->book, class_, ret_number);
	if (t->is_dry) {
		int found = book_find_name(learner->book, class_);

		*ret_number = found >= 0 ? (uint16_t)found : UINT16_MAX; // one that nothing in the book has
		return E_OK;
	}
	return book_name_invented(learner->book, class_, &learner->imported_names, ret_number);
}

// What of a row can be used, of whose sites those of `reached` can be reached. E_NOTFOUND: nothing; E_LIMIT, E_NOMEM.
static int finding_of(const struct taking *t, const struct importing_row *row, uint8_t reached, struct finding *ret_finding)
{
	struct book *book = t->learner->book;
	struct finding finding = {0};
	unsigned used = 0;
	int err = book_name(book, row->carrier, &finding.carrier);

	if (err == E_OK)
		err = name_class(t, row->class_, &finding.class_);
	for (unsigned i = 0; i < FINDING_SITES_MAX && row->sites[i][0] && err == E_OK; i++) {
		if (reached >> i & 1)
			err = book_name(book, row->sites[i], &finding.sites[used++]);
		else
			tell_out_of_reach(t, row, row->sites[i]);
	}
	*ret_finding = finding;
	return err < 0 ? err : used > 0 || finding.carrier || finding.class_ ? E_OK : E_NOTFOUND;
}

// A time of a row; 0: none.
static int64_t by_book(const struct taking *t, int64_t wall_s)
{
	return wall_s ? wall_s - t->stepped_s : 0;
}

// No later than what a service says now may hold; without a time for as long, from when it was heard, as what it says without one.
static int64_t until_of(const struct taking *t, int64_t stated_s, int64_t heard_s)
{
	int64_t most_s = t->now_s + BOOK_LIFETIME_MAX_S;

	return stated_s == 0 ? heard_s + BOOK_LIFETIME_S : stated_s < most_s ? stated_s : most_s;
}

static struct book_entry entry_of(const struct taking *t, const struct importing_row *row, const struct finding *finding)
{
	int64_t stated_s = by_book(t, row->heard_s), learned_s = by_book(t, row->learned_s);
	int64_t heard_s = stated_s && stated_s < t->now_s ? stated_s : t->now_s;
	unsigned agree = t->rules.opinion.agree;
	struct book_entry entry = {
		.prefix = row->prefix, .source = t->source, .heard_s = heard_s,
		.learned_s = learned_s && learned_s < heard_s ? learned_s : heard_s,
		.fresh_until_s = until_of(t, by_book(t, row->fresh_until_s), heard_s), .noted_s = t->now_s,
		.weight = row->weight ? row->weight : 1, .samples = row->samples,
		.opinion = {.held = *finding, .has_held = true,
		            .confidence = (uint8_t)(!row->confidence ? agree : row->confidence < 2 * agree ? row->confidence : 2 * agree)},
	};

	entry.held_until_s = row->held_until_s ? until_of(t, by_book(t, row->held_until_s), heard_s) : entry.fresh_until_s;
	return entry;
}

static bool is_same(const struct book_entry *there, const struct book_entry *entry)
{
	return opinion_same(&there->opinion.held, &entry->opinion.held) && there->heard_s == entry->heard_s &&
	       there->held_until_s == entry->held_until_s && there->fresh_until_s == entry->fresh_until_s;
}

// The first row that applies:
//
//   the row                                        counted as     the book
//   has held longer than `max-stale` allows        expired        stays as it is
//   is what the book holds, heard at that time     same           stays as it is
//   is older than what the book holds              newer          stays as it is
//   finds the book full of busier prefixes         refused        stays as it is
//   else                                           imported       holds it, without samples
static int take_row(const struct taking *t, const struct importing_row *row, const struct finding *finding)
{
	struct importing_counts *counts = t->counts;
	struct book_entry entry = entry_of(t, row, finding);
	const struct book_entry *there = book_find(t->learner->book, &row->prefix);
	int err;

	if (t->now_s - entry.held_until_s >= t->rules.max_stale_s) {
		counts->expired++;
		return E_OK;
	}
	if (there && there->opinion.has_held && (is_same(there, &entry) || there->heard_s > entry.heard_s)) {
		counts->same += is_same(there, &entry);
		counts->newer += !is_same(there, &entry);
		return E_OK;
	}
	err = t->is_dry ? E_OK : book_restore(t->learner->book, &entry);
	counts->imported += err == E_OK;
	counts->refused += err == E_LIMIT || err == E_INVAL; // the latter: a reload has changed the lengths since the check
	if (err == E_OK && !t->is_dry)
		rounds_save(t->learner, &row->prefix, book_find(t->learner->book, &row->prefix));
	return err == E_NOMEM ? err : E_OK;
}

int importing_take(struct learner *learner, const struct view *view, const struct importing_row *rows, size_t count,
                   bool is_dry, struct importing_counts *ret_counts)
{
	struct taking t = {.learner = learner, .view = view, .rules = rules_of(learner), .now_s = clock_steady_s(),
	                   .stepped_s = clock_stepped_s(), .is_dry = is_dry, .counts = ret_counts};
	uint8_t *reached = calloc(count + 1, sizeof(*reached));
	struct finding finding;
	int err;

	if (!reached)
		return E_NOMEM;
	for (size_t i = 0; i < count; i++)
		reached[i] = find_reach(view, &rows[i]); // before others have to wait: a prefix may have many blocks of the table
	pthread_mutex_lock(&learner->mutex);
	err = book_name(learner->book, IMPORTING_SOURCE, &t.source);
	for (size_t i = 0; i < count && err == E_OK; i++) {
		err = finding_of(&t, &rows[i], reached[i], &finding);
		if (err == E_OK)
			err = take_row(&t, &rows[i], &finding);
		ret_counts->ignored += err == E_NOTFOUND;
		ret_counts->refused += err == E_LIMIT; // more names than the book takes
		err = err == E_NOTFOUND || err == E_LIMIT ? E_OK : err;
	}
	pthread_mutex_unlock(&learner->mutex);
	free(reached);
	return err;
}
