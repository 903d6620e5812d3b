// Figures as JSON; see metrics.h.
#include "daemon/metrics.h"

#include <unistd.h>

#include "base/counters.h"
#include "health/health.h"
#include "net/worker.h"
#include "steer/ptree.h"
#include "view/live.h"
#include "view/view.h"

static void set(json_t *object, const char *name, uint64_t value)
{
	json_object_set_new(object, name, json_integer((json_int_t)value));
}

json_t *metrics_counters(const struct workers *workers, const struct health *health)
{
	struct counters sum = {0};
	struct health_stats probes;
	json_t *object = json_object();

	if (!object)
		return NULL;
	if (workers)
		workers_counters(workers, &sum);
	set(object, "queries", counter_read(&sum.queries_udp) + counter_read(&sum.queries_tcp));
#define SET(name, help) set(object, #name, counter_read(&sum.name));
	COUNTERS(SET)
#undef SET
	health_stats(health, &probes);
	set(object, "probes", probes.probes);
	set(object, "probe_failures", probes.failures);
	set(object, "probes_late", probes.late);
	set(object, "probes_under_way", probes.under_way);
	set(object, "probes_waiting", probes.waiting);
	return object;
}

static void set_view(json_t *object, const struct live *live)
{
	const struct view *view = live->view;
	size_t prefixes = 0, steer_octets = 0;

	for (size_t i = 0; i < view->places->sources; i++)
		prefixes += view->places->source_prefixes[i];
	for (uint32_t i = 0; i < view->steer_count; i++)
		steer_octets += steer_bytes(view->steers[i]);
	set(object, "generation", view->generation);
	set(object, "generation_built", (uint64_t)view->built_s);
	set(object, "epoch", live->epoch);
	set(object, "zones", zonedb_zone_count(view->zones));
	set(object, "names", zonedb_node_count(view->zones));
	set(object, "apps", view->app_count);
	set(object, "sites", view->site_count);
	set(object, "targets", view->target_count);
	set(object, "sources", view->places->sources);
	set(object, "prefixes", prefixes);
	set(object, "places", view->places->count - 1);
	set(object, "table_nodes", ptree_nodes(view->places->v4) + ptree_nodes(view->places->v6));
	set(object, "steering_tables", view->steer_count);
	set(object, "steering_octets", steer_octets);
}

json_t *metrics_status(const struct metrics_facts *facts, const struct live *live)
{
	json_t *object = json_object();

	if (!object)
		return NULL;
	json_object_set_new(object, "version", json_string(PACKAGE_VERSION));
	set(object, "pid", (uint64_t)getpid());
	set(object, "started", (uint64_t)facts->started_s);
	set(object, "workers", facts->workers);
	set(object, "generation_took_ms", (uint64_t)facts->generation_took_ms);
	json_object_set_new(object, "serving", json_boolean(live != NULL));
	if (facts->reload_began_s)
		set(object, "reload_began", (uint64_t)facts->reload_began_s);
	if (facts->last_reload_s) {
		set(object, "last_reload", (uint64_t)facts->last_reload_s);
		json_object_set_new(object, "last_reload_ok", json_boolean(facts->last_reload_ok));
	}
	if (live)
		set_view(object, live);
	return object;
}
