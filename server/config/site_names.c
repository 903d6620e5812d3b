// Names of sites in other places; see site_names.h.
#include "config/site_names.h"

#include <stdbool.h>
#include <string.h>

#include "base/nearest.h"
#include "base/report.h"
#include "config/catalogue.h"
#include "config/config.h"
#include "schema/reader.h"
#include "schema/value.h"

enum { SHOWN_MAX = 10 }; // of one mapping

static bool is_site(const struct config *config, const char *name)
{
	const struct catalogue catalogue = {(struct config_site *)config->known_sites, config->known_site_count};
	struct config_site site;

	for (size_t i = 0; i < config->site_count; i++)
		if (strcmp(config->sites[i].name, name) == 0)
			return true;
	return catalogue_find(&catalogue, name, &site);
}

static void warn(const struct config *config, const struct value *map, const struct value *entry, struct report *report)
{
	char meant[NEAREST_MEANT_MAX], key[READER_QUOTE_MAX], site[READER_QUOTE_MAX];
	struct nearest nearest = nearest_begin(entry->text);

	for (size_t i = 0; i < config->site_count; i++)
		nearest_offer(&nearest, config->sites[i].name);
	report_add(report, REPORT_WARNING, entry->file->name, entry->line, entry->column, "%s: %s: there is no site %s%s", map->key,
	           reader_quote(entry->key, key), reader_quote(entry->text, site), nearest_meant(&nearest, '`', meant));
}

void site_names_check(const struct config *config, const struct value *map, struct report *report)
{
	size_t shown = 0;

	value_foreach (entry, map) {
		if (!is_site(config, entry->text) && shown++ < SHOWN_MAX)
			warn(config, map, entry, report);
	}
	if (shown > SHOWN_MAX)
		report_add(report, REPORT_WARNING, map->file->name, map->line, map->column, "%s: %zu more names are of no site", map->key,
		           shown - SHOWN_MAX);
}
