// Who is left with nothing, ceilings, and carriers' sites; see safety.h.
#include "control/safety.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/names.h"
#include "control/ops.h"
#include "control/reply_json.h"
#include "control/uncovered.h"
#include "traffic/effect.h"
#include "traffic/samples.h"
#include "view/live.h"
#include "view/view.h"

enum { LINE_LEN = 1024 };

static json_t *add_line(json_t *lines, const char *fmt, ...) PRINTF(2, 3);

static json_t *add_line(json_t *lines, const char *fmt, ...)
{
	char text[LINE_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return reply_append(lines, reply_text(text));
}

static double rounded(double value)
{
	return round(value * 1000) / 1000;
}

// ---- nothing --------------------------------------------------------------------------------------------------------

static json_t *judge_nothing(const struct safety_case *given, json_t *object, json_t **lines)
{
	const struct effect *effect = given->effect;
	char of_samples[128] = "", text[UNCOVERED_TEXT_MAX];
	struct uncovered *uncovered = uncovered_find(given->before, given->after);

	if (!uncovered) {
		json_decref(object);
		return NULL;
	}
	if (effect && effect->lost)
		snprintf(of_samples, sizeof(of_samples), "%.1f %% of the recent clients, with %.1f %% of the queries",
		         100.0 * (double)effect->lost_part.clients / (double)effect->all.clients,
		         100.0 * (double)effect->lost / (double)effect->all.weight);
	if (uncovered_count(uncovered) > 0)
		*lines = add_line(*lines, "leaves clients with nothing: %s%s%s", uncovered_text(uncovered, text),
		                  of_samples[0] ? "; " : "", of_samples);
	else if (of_samples[0])
		*lines = add_line(*lines, "leaves clients with nothing: %s", of_samples);
	object = uncovered_json(uncovered, object);
	uncovered_free(uncovered);
	return object;
}

// ---- ceilings -------------------------------------------------------------------------------------------------------

// Answers a second of so many queries of the samples.
static double rate_of(const struct safety_case *given, uint64_t queries)
{
	return given->samples->weight ? (double)queries / (double)given->samples->weight * given->samples->rate : 0;
}

// Lists are short, but all is judged: what is over comes first, and what there is no room for is counted.
struct listing {
	json_t *list, **lines;
	bool of_over;  // those are looked at that are over, else the others that change
	uint32_t more; // over, without a row
};

// Whether it is one of those that are looked at, and there is room for its row.
static bool has_row(struct listing *listing, bool is_over)
{
	bool is_full = json_array_size(listing->list) == SAFETY_SHOWN_MAX;

	if (is_over != listing->of_over)
		return false;
	listing->more += is_over && is_full;
	return !is_full;
}

static void add_ceiling(const struct safety_case *given, const struct control_ceiling *ceiling, struct listing *listing)
{
	const struct view *view = given->after->view;
	const struct effect *effect = given->effect;
	const struct target *target = ceiling->is_target ? &view->targets[ceiling->number] : NULL;
	const char *site = view->sites[target ? target->site : ceiling->number].name, *app = target ? target->app->name : NULL;
	double before = rate_of(given, (target ? effect->before_at : effect->before)[ceiling->number]);
	double after = rate_of(given, (target ? effect->after_at : effect->after)[ceiling->number]);
	bool is_over = after > before && after > ceiling->most;
	json_t *row;

	if ((after <= ceiling->most && fabs(after - before) < 0.001) || !has_row(listing, is_over))
		return;
	if (is_over)
		*listing->lines = add_line(*listing->lines, "takes %s%s%s over its ceiling: %.1f answers a second of %.0f, now %.1f",
		                           app ? app : "", app ? " at " : "", site, after, ceiling->most, before);
	row = reply_set(json_object(), "site", reply_text(site));
	row = reply_set(row, "app", reply_text(app));
	row = reply_set(row, "ceiling", json_real(ceiling->most));
	row = reply_set(row, "before", json_real(rounded(before)));
	row = reply_set(row, "after", json_real(rounded(after)));
	listing->list = reply_append(listing->list, reply_set(row, "over", json_boolean(is_over)));
}

static void list_ceilings(const struct safety_case *given, struct listing *listing)
{
	for (size_t i = 0; given->effect && i < given->ceiling_count; i++)
		add_ceiling(given, &given->ceilings[i], listing);
}

static json_t *judge_ceilings(const struct safety_case *given, json_t *object, json_t **lines)
{
	struct listing listing = {.list = json_array(), .lines = lines, .of_over = true};

	list_ceilings(given, &listing);
	if (listing.more)
		*lines = add_line(*lines, "takes %u more over their ceilings", listing.more);
	listing.of_over = false;
	list_ceilings(given, &listing);
	return reply_set(object, "ceilings", listing.list);
}

// ---- carriers' sites ------------------------------------------------------------------------------------------------

// Of a site, and of a carrier's sites.
struct tally {
	uint32_t all, before, after; // targets, then sites; of these drained ones
};

static bool is_drained(const struct live *live, uint32_t target)
{
	return live_state(live, target) & (TARGET_DRAINED | TARGET_LEAVING);
}

static void tally_sites(const struct safety_case *given, struct tally *sites)
{
	const struct view *view = given->after->view;

	for (uint32_t i = 0; i < view->target_count; i++) {
		struct tally *tally = &sites[view->targets[i].site];

		if (given->app && view->targets[i].app->name != given->app)
			continue;
		tally->all++;
		tally->before += is_drained(given->before, i);
		tally->after += is_drained(given->after, i);
	}
}

// A site counts as drained when all of its targets are.
static void tally_carriers(const struct view *view, const struct tally *sites, struct tally *carriers)
{
	for (uint32_t i = 0; i < view->site_count; i++)
		for (unsigned k = 0; sites[i].all > 0 && k < view->sites[i].carrier_count; k++) {
			struct tally *tally = &carriers[view->sites[i].carriers[k]];

			tally->all++;
			tally->before += sites[i].before == sites[i].all;
			tally->after += sites[i].after == sites[i].all;
		}
}

static void add_carrier(const struct safety_case *given, uint16_t carrier, const struct tally *tally, struct listing *listing)
{
	const char *name = names_text(given->after->view->places->carriers, carrier);
	bool is_over = given->max_drained && tally->after > tally->before &&
	               (uint64_t)tally->after * 100 > (uint64_t)tally->all * given->max_drained;
	json_t *row;

	if (tally->after == tally->before || !has_row(listing, is_over))
		return;
	if (is_over)
		*listing->lines = add_line(*listing->lines, "drains %u of %u sites of %s%s%s, and `max-drained` is %u %%", tally->after,
		                           tally->all, name, given->app ? " that have " : "", given->app ? given->app : "",
		                           given->max_drained);
	row = reply_set(json_object(), "carrier", reply_text(name));
	row = reply_set(row, "sites", json_integer(tally->all));
	row = reply_set(row, "before", json_integer(tally->before));
	row = reply_set(row, "after", json_integer(tally->after));
	row = reply_set(row, "most", given->max_drained ? json_integer(given->max_drained) : json_null());
	listing->list = reply_append(listing->list, reply_set(row, "over", json_boolean(is_over)));
}

static void list_carriers(const struct safety_case *given, const struct tally *carriers, size_t count, struct listing *listing)
{
	for (size_t i = 1; i < count; i++)
		add_carrier(given, (uint16_t)i, &carriers[i], listing);
}

static json_t *judge_carriers(const struct safety_case *given, json_t *object, json_t **lines)
{
	const struct view *view = given->after->view;
	size_t count = names_count(view->places->carriers);
	struct tally *sites = calloc((size_t)view->site_count + 1, sizeof(*sites));
	struct tally *carriers = calloc(count + 1, sizeof(*carriers));
	struct listing listing = {.list = sites && carriers ? json_array() : NULL, .lines = lines, .of_over = true};

	if (listing.list) {
		tally_sites(given, sites);
		tally_carriers(view, sites, carriers);
		list_carriers(given, carriers, count, &listing);
		if (listing.more)
			*lines = add_line(*lines, "drains more than `max-drained` of the sites of %u more carriers", listing.more);
		listing.of_over = false;
		list_carriers(given, carriers, count, &listing);
	}
	free(sites);
	free(carriers);
	return reply_set(object, "carriers", listing.list);
}

json_t *safety_judge(const struct safety_case *given, json_t *object)
{
	json_t *lines = json_array(), *warnings = json_array();

	must(given->before->view == given->after->view);
	if (!given->effect && given->ceiling_count > 0)
		warnings = reply_append(warnings, json_string("nothing has been counted yet: what this takes over a ceiling is not known"));
	object = judge_nothing(given, object, &lines);
	object = judge_ceilings(given, object, &lines);
	object = judge_carriers(given, object, &lines);
	object = reply_set(object, "refusals", lines);
	return reply_set(object, "warnings", warnings);
}
