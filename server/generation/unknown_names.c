// Compares the names in sources and config; see unknown_names.h.
#include "generation/unknown_names.h"

#include <inttypes.h>
#include <string.h>

#include "base/addr.h"
#include "base/must.h"
#include "base/names.h"
#include "base/nearest.h"
#include "base/report.h"
#include "config/config.h"
#include "discovery/latency.h"
#include "schema/reader.h"
#include "steer/place.h"

enum {
	CARRIERS_SHOWN_MAX = 10, // one by one
	PAIRS_MAX = 1 << 20,     // of names that are compared, which takes about a second
};

// A carrier in the reach of a site that no source names.
struct missing {
	const char *carrier;
	const struct config_site *site; // the first one
};

static const char *near_name(const struct names *names, const char *wanted, char *buf)
{
	struct nearest nearest = nearest_begin(wanted);

	for (size_t i = 1; i < names_count(names); i++)
		nearest_offer(&nearest, names_text(names, (uint16_t)i));
	return nearest_meant(&nearest, '`', buf);
}

// ---- names in sites and the latency table ---------------------------------------------------------------------------

// Whether the name is new in `seen`, to which it is added.
static bool is_new(struct names *seen, const char *name)
{
	size_t before = names_count(seen);
	uint16_t number;

	return names_add(seen, name, strlen(name), &number) == 0 && names_count(seen) > before;
}

static void warn_sites(const struct config *config, const struct places *places, struct names *seen,
                       struct report *report)
{
	struct missing missing[CARRIERS_SHOWN_MAX];
	char meant[NEAREST_MEANT_MAX];
	size_t count = 0;

	for (size_t i = 0; i < config->site_count; i++) {
		const struct config_site *site = &config->sites[i];

		for (size_t j = 0; j < site->carrier_count; j++) {
			const char *carrier = site->carriers[j];

			if (names_find(places->carriers, carrier, strlen(carrier)) >= 0 || !is_new(seen, carrier))
				continue;
			if (count < CARRIERS_SHOWN_MAX)
				missing[count] = (struct missing){carrier, site};
			count++;
		}
	}
	if (count > CARRIERS_SHOWN_MAX)
		report_warning(report, missing[0].site->mark.file, missing[0].site->mark.line, missing[0].site->mark.column,
		               "sites: no source in `locate` has clients of the carriers `%s`, `%s`, `%s` and %zu more, so "
		               "none is sent to their sites", missing[0].carrier, missing[1].carrier, missing[2].carrier,
		               count - 3);
	for (size_t i = 0; i < count && count <= CARRIERS_SHOWN_MAX; i++)
		report_warning(report, missing[i].site->mark.file, missing[i].site->mark.line, missing[i].site->mark.column,
		               "sites.%s: no source in `locate` has clients of carrier `%s`, so none is sent here%s",
		               missing[i].site->name, missing[i].carrier,
		               near_name(places->carriers, missing[i].carrier, meant));
}

// `seen`: the carriers that warn_sites() has reported.
static void warn_latency(const struct config *config, const struct places *places, const struct measured_row *rows,
                         size_t row_count, struct names *seen, struct report *report)
{
	const char *first = NULL;
	char meant[NEAREST_MEANT_MAX], quote[READER_QUOTE_MAX];
	size_t count = 0;

	for (size_t i = 0; i < row_count; i++) {
		const char *carrier = rows[i].group ? NULL : rows[i].carrier;

		if (!carrier || names_find(places->carriers, carrier, strlen(carrier)) >= 0 || !is_new(seen, carrier))
			continue;
		if (count++ == 0)
			first = carrier;
	}
	if (count > 0)
		report_warning(report, config->latency, 0, 0,
		               "has %zu carrier%s that no source in `locate` and no site has, such as %s%s", count,
		               count == 1 ? "" : "s", reader_quote(first, quote), near_name(places->carriers, first, meant));
}

// As warn_sites(): what a carrier's clients are is for sources to say, so that nobody is asked about.
static void warn_services(const struct config *config, const struct places *places, struct names *seen,
                          struct report *report)
{
	char meant[NEAREST_MEANT_MAX];

	for (size_t i = 0; i < config->discovery_count; i++) {
		const struct config_discovery *service = &config->discoveries[i];

		for (size_t j = 0; j < service->carrier_count; j++) {
			const char *carrier = service->carriers[j];

			if (names_find(places->carriers, carrier, strlen(carrier)) < 0 && is_new(seen, carrier))
				report_warning(report, service->mark.file, service->mark.line, service->mark.column,
				               "discovery: %s: no source in `locate` has clients of carrier `%s`, so it is asked about none of "
				               "them%s", service->plugin, carrier, near_name(places->carriers, carrier, meant));
		}
	}
}

// ---- names in sources -----------------------------------------------------------------------------------------------

// Where a source has a name first, for a message: "FILE:LINE:COLUMN: locate: SOURCE: …", and a prefix.
struct spot {
	struct mark mark;
	const char *source;
	char prefix[ADDR_TEXT_LEN];
};

static struct spot spot_of(const struct config *config, const struct places *places, const struct place_use *use)
{
	// The ignored client subnets are a source before those of `locate`; they and the latency table name nothing.
	size_t i = (size_t)use->source - 1, ignored = config->server.ecs_ignore_count > 0;
	struct spot spot;

	must(use->source > 0 && i >= ignored && i - ignored < config->locate_count);
	spot = (struct spot){.mark = config->locates[i - ignored].mark, .source = places->source_names[i]};
	prefix_format(&use->first, spot.prefix);
	return spot;
}

#define warn_spot(report, spot, fmt, ...) \
	report_warning(report, (spot).mark.file, (spot).mark.line, (spot).mark.column, "locate: %s: " fmt, (spot).source, \
	               __VA_ARGS__)

// Whether the catalogue has the carrier.
static bool is_known(const struct config *config, const char *carrier)
{
	for (size_t i = 0; i < config->known_site_count; i++)
		for (size_t j = 0; j < config->known_sites[i].carrier_count; j++)
			if (strcmp(config->known_sites[i].carriers[j], carrier) == 0)
				return true;
	return false;
}

// The name in `used` that was probably meant. Two carriers of the catalogue are two, however near their names are.
static const char *near_used(const struct config *config, const struct names *used, const char *carrier, char *buf)
{
	struct nearest nearest = nearest_begin(carrier);
	bool known = is_known(config, carrier);

	for (size_t i = 1; i < names_count(used); i++)
		if (!known || !is_known(config, names_text(used, (uint16_t)i)))
			nearest_offer(&nearest, names_text(used, (uint16_t)i));
	return nearest_meant(&nearest, '`', buf);
}

// Tables may have carriers that no site is for, which is worth a note; a name that is nearly another one is a warning.
// Of very many carriers only the first are compared. `used`: the carriers that sites are reached by, and those of the
// latency table.
static void warn_carriers(const struct config *config, const struct places *places, const struct names *used,
                          struct report *report)
{
	char meant[NEAREST_MEANT_MAX], quote[READER_QUOTE_MAX];
	size_t others = 0, others_prefixes = 0, shown = 0, pairs = 0;
	const char *other = NULL;

	for (size_t i = 1; i < names_count(places->carriers); i++) {
		const char *carrier = names_text(places->carriers, (uint16_t)i);
		const struct place_use use = places_use(&places->carrier_uses, (uint16_t)i);

		if (use.prefixes == 0 || names_find(used, carrier, strlen(carrier)) >= 0)
			continue;
		pairs += names_count(used);
		if (shown < CARRIERS_SHOWN_MAX && pairs <= PAIRS_MAX && *near_used(config, used, carrier, meant)) {
			const struct spot spot = spot_of(config, places, &use);

			shown++;
			warn_spot(report, spot, "carrier %s of %" PRIu32 " prefix%s (first: %s) has no site of its own%s",
			          reader_quote(carrier, quote), use.prefixes, use.prefixes == 1 ? "" : "es", spot.prefix, meant);
		} else {
			other = other ? other : carrier;
			others++;
			others_prefixes += use.prefixes;
		}
	}
	if (others > 0)
		report_add(report, REPORT_NOTE, config->file, 0, 0,
		           "locate: %zu prefix%s of %zu carrier%s without a site, such as %s", others_prefixes,
		           others_prefixes == 1 ? " is" : "es are", others, others == 1 ? "" : "s", reader_quote(other, quote));
}

// At most one edit away, ignoring case. Sources choose the names of classes: with more edits, valid ones would match.
static bool is_nearly_edge(const char *class_)
{
	char lower[NAME_MAX_LEN + 1];

	names_lower(lower, class_, strlen(class_));

	struct nearest nearest = nearest_begin(lower);

	nearest_offer(&nearest, PLACE_CLASS_EDGE);
	return nearest.word && nearest.distance <= 1 && strcmp(class_, PLACE_CLASS_EDGE) != 0;
}

// All classes but one have the same effect, so only misspellings of that one matter.
static void warn_classes(const struct config *config, const struct places *places, struct report *report)
{
	for (size_t i = 1; i < names_count(places->classes); i++) {
		const char *class_ = names_text(places->classes, (uint16_t)i);
		const struct place_use use = places_use(&places->class_uses, (uint16_t)i);
		char quote[READER_QUOTE_MAX];

		if (use.prefixes > 0 && is_nearly_edge(class_)) {
			const struct spot spot = spot_of(config, places, &use);

			warn_spot(report, spot, "clients of class %s (first: %s) cannot reach carriers' sites, did you mean `%s`?",
			          reader_quote(class_, quote), spot.prefix, PLACE_CLASS_EDGE);
		}
	}
}

static void warn_hints(const struct config *config, const struct places *places, struct names *sites,
                       struct report *report)
{
	char quote[READER_QUOTE_MAX], meant[NEAREST_MEANT_MAX];
	uint16_t first = 0;
	size_t count = 0;

	for (size_t i = 0; i < config->site_count; i++)
		(void)is_new(sites, config->sites[i].name);
	for (size_t i = 1; i < names_count(places->hints); i++) {
		const char *hint = names_text(places->hints, (uint16_t)i);

		if (places_use(&places->hint_uses, (uint16_t)i).prefixes > 0 && names_find(sites, hint, strlen(hint)) < 0 &&
		    count++ == 0)
			first = (uint16_t)i;
	}
	if (count == 0)
		return;

	const struct place_use use = places_use(&places->hint_uses, first);
	const struct spot spot = spot_of(config, places, &use);
	const char *hint = names_text(places->hints, first);

	warn_spot(report, spot, "hints at %zu site%s not in the config, such as %s (first: %s)%s", count, count == 1 ? "" : "s",
	          reader_quote(hint, quote), spot.prefix, near_name(sites, hint, meant));
}

void unknown_names_warn(const struct config *config, const struct places *places, const struct measured_row *rows,
                        size_t row_count, struct report *report)
{
	struct names *seen = names_new(), *sites = names_new(), *used = names_new();

	if (seen && sites && used) { // else the build fails elsewhere, out of memory
		warn_sites(config, places, seen, report);
		warn_services(config, places, seen, report);
		warn_latency(config, places, rows, row_count, seen, report);
		for (size_t i = 0; i < config->site_count; i++)
			for (size_t j = 0; j < config->sites[i].carrier_count; j++)
				(void)is_new(used, config->sites[i].carriers[j]);

		bool any = names_count(used) > 1; // else the config has no use for carriers

		for (size_t i = 0; i < row_count; i++)
			if (!rows[i].group)
				(void)is_new(used, rows[i].carrier);
		if (any)
			warn_carriers(config, places, used, report);
		warn_classes(config, places, report);
		warn_hints(config, places, sites, report);
	}
	names_free(seen);
	names_free(sites);
	names_free(used);
}
