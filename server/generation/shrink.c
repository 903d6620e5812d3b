// Compares the sizes of sources; see shrink.h. The numbers are those that the two views keep for `sources` and metrics.
#include "generation/shrink.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "base/report.h"
#include "config/config.h"
#include "steer/place.h"
#include "view/view.h"

// `ecs-ignore` is a source of its own, before those of `locate`; see discovery.c.
static size_t prefixes_of(const struct config *config, const struct view *view, size_t locate)
{
	size_t source = locate + (config->server.ecs_ignore_count > 0);

	must(source < view->places->sources);
	return view->places->source_prefixes[source];
}

static bool is_same(const struct config_locate *a, const struct config_locate *b)
{
	return strcmp(a->plugin, b->plugin) == 0 && value_equal(a->options, b->options);
}

// The first source in use that is the same; its number, or -1.
static int find_same(const struct config *used, const struct config_locate *locate)
{
	for (size_t i = 0; i < used->locate_count; i++)
		if (is_same(&used->locates[i], locate))
			return (int)i;
	return -1;
}

static bool is_too_few(size_t before, size_t now, unsigned limit_percent)
{
	return now < before && (uint64_t)(before - now) * 100 > (uint64_t)before * limit_percent;
}

#define WAY_OUT "; if they are to go: edgesteerctl reload --force"

int shrink_check(const struct config *used, const struct view *used_view, const struct config *next,
                 const struct view *next_view, struct report *report)
{
	int err = E_OK;

	for (size_t i = 0; i < next->locate_count; i++) {
		const struct config_locate *locate = &next->locates[i];
		int same = find_same(used, locate);
		size_t now = prefixes_of(next, next_view, i), before = same < 0 ? 0 : prefixes_of(used, used_view, (size_t)same);

		if (!is_too_few(before, now, locate->shrink_limit))
			continue;
		report_error(report, locate->mark.file, locate->mark.line, locate->mark.column,
		             "locate: %s has %zu prefixes where %zu are in use, and may lose %u %% (shrink-limit)" WAY_OUT,
		             next_view->places->source_names[i + (next->server.ecs_ignore_count > 0)], now, before,
		             locate->shrink_limit);
		err = E_INVAL;
	}
	if (next->latency && used->latency && strcmp(next->latency, used->latency) == 0 &&
	    is_too_few(used_view->measured.count, next_view->measured.count, next->latency_shrink_limit)) {
		report_error(report, next->latency, 0, 0,
		             "has %zu usable rows where %zu are in use, and may lose %u %% (latency-shrink-limit)" WAY_OUT,
		             next_view->measured.count, used_view->measured.count, next->latency_shrink_limit);
		err = E_INVAL;
	}
	return err;
}
