// From the config to the prefix table; see discovery.h.
#include "discovery/discovery.h"

#include <math.h>
#include <stdio.h>

#include "base/err.h"
#include "base/inputs.h"
#include "base/must.h"
#include "base/report.h"
#include "config/config.h"
#include "discovery/host.h"
#include "discovery/latency.h"
#include "plugin/plugin.h"
#include "steer/place.h"

// RFC 7871 section 11.3: ignored client subnets are a source of their own, above all others, so that their blocks are
// leaves of the table and not covered by the scope of any other answer.
static int load_ignored(const struct config *config, struct place_builder *builder)
{
	const struct place_facts nothing = {.latitude = NAN, .longitude = NAN, .ecs_ignored = true};
	int err = config->server.ecs_ignore_count ? place_source_begin(builder, "ecs-ignore") : E_OK;

	for (size_t i = 0; err == E_OK && i < config->server.ecs_ignore_count; i++)
		err = place_source_add(builder, &config->server.ecs_ignore[i], &nothing);
	return err == E_OK && config->server.ecs_ignore_count ? place_source_end(builder) : err;
}

// A source has failed if it reports an error, even if its plugin returns success, and even if only when it is closed.
static int load_source(const struct config *config, const struct config_locate *locate, struct place_builder *builder,
                       struct report *report)
{
	size_t errors = report_count(report, REPORT_ERROR);
	struct host *host;
	int err = host_open(config, locate, report, &host);

	if (err < 0)
		return err;
	err = host_enumerate(host, builder, report);
	host_close(host, report);
	return err == E_OK && report_count(report, REPORT_ERROR) != errors ? E_INVAL : err;
}

// Continues after a failed source, so that the errors of all sources are reported.
static int load(const struct config *config, struct place_builder *builder, struct arena *arena,
                struct report *report, struct measured_row **ret_rows, size_t *ret_row_count)
{
	int err = load_ignored(config, builder);

	if (err < 0)
		return err;
	for (size_t i = 0; i < config->locate_count; i++) {
		inputs_section(report_inputs(report), INPUT_FEED, config->locates[i].watch);

		int source_err = load_source(config, &config->locates[i], builder, report);

		if (source_err == E_NOMEM)
			return E_NOMEM;
		if (source_err < 0)
			err = source_err;
	}

	inputs_section(report_inputs(report), INPUT_FEED, config->server.watch != CONFIG_WATCH_OFF);

	int latency_err = latency_load(config, builder, arena, report, ret_rows, ret_row_count);

	return latency_err < 0 ? latency_err : err;
}

int discovery_load(const struct config *config, struct arena *arena, struct report *report,
                   struct places **ret_places, struct measured_row **ret_rows, size_t *ret_row_count)
{
	struct place_builder *builder = place_builder_new(config->steering.max_accuracy_km);
	struct measured_row *rows = NULL;
	struct places *places = NULL;
	size_t row_count = 0;

	if (!builder)
		return E_NOMEM;

	int err = load(config, builder, arena, report, &rows, &row_count);

	if (err == E_OK)
		err = place_finish(builder, &places);
	place_builder_free(builder);
	if (err < 0)
		return err;
	*ret_places = places;
	*ret_rows = rows;
	*ret_row_count = row_count;
	return E_OK;
}

void discovery_print_plugins(void)
{
	static const char *const types[] = {
		[EDGESTEER_TEXT] = "text",
		[EDGESTEER_FILE] = "path",
		[EDGESTEER_MAP] = "mapping",
		[EDGESTEER_JSON] = "any",
		[EDGESTEER_SITES] = "mapping",
	};

	for (size_t i = 0; i < plugin_built_in_count; i++) {
		const struct edgesteer_plugin *plugin = plugin_built_in[i];

		printf("%s: %s\n", plugin->name, plugin->summary);
		for (const struct edgesteer_option *option = plugin->options; option && option->name; option++) {
			must((size_t)option->type < ARRAY_LEN(types));
			printf("  %-14s %-8s %s%s\n", option->name, types[option->type], option->required ? "Required. " : "",
			       option->help);
		}
	}
}
