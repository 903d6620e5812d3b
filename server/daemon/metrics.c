// The table of metrics, and its JSON printer; see metrics.h.
#include "daemon/metrics.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/err.h"
#include "base/must.h"
#include "base/report.h"
#include "daemon/process.h"
#include "door/status.h"
#include "health/health.h"
#include "health/judge.h"
#include "learn/shown.h"
#include "net/worker.h"
#include "resolve/resolve.h"
#include "state/state.h"
#include "steer/ptree.h"
#include "view/live.h"
#include "view/view.h"
#include "wire/transport.h"

// One row adds a metric: ROW(name, kind, unit, help, value), or of several in a family
// FULL(name, family, label, its value, kind, verb, unit, help, is_sum, value). The value is an expression over the variables
// of the function that visits the rows: each_probe(), each_name(), each_learned(), each_fact(), each_of_view(), ….
#define FAILURES_HELP "Of the health probes, those that failed, by the layer at which they did."
#define FAILURE(FULL, name, layer) \
	FULL(probe_failures_##name, "probe_failures", "layer", #name, COUNTER, STATS, "", FAILURES_HELP, false, probes.at[layer])

#define FAILURE_ROWS(FULL) \
	FULL(probe_failures, "probe_failures", "", "", COUNTER, STATS, "", FAILURES_HELP, true, probes.failures) \
	FAILURE(FULL, connect, HEALTH_CONNECT) \
	FAILURE(FULL, timeout, HEALTH_TIMEOUT) \
	FAILURE(FULL, tls, HEALTH_TLS) \
	FAILURE(FULL, http, HEALTH_HTTP) \
	FAILURE(FULL, status, HEALTH_STATUS) \
	FAILURE(FULL, body, HEALTH_BODY) \
	FAILURE(FULL, local, HEALTH_LOCAL)

#define DURATION(FULL, name, label, which, value) \
	FULL(probe_duration_##name, "probe_duration", label, which, HISTOGRAM, NONE, "microseconds", \
	     "How long health probes took, those that failed too.", false, value)

#define PROBE_ROWS(ROW) \
	ROW(probes, COUNTER, "", "Health probes that finished.", probes.probes) \
	ROW(checks_failing, GAUGE, "", "Addresses whose last check failed, without being down for it yet.", probes.failing) \
	ROW(addresses_probed, GAUGE, "", "Addresses of targets that are probed.", probes.addresses) \
	ROW(addresses_down, GAUGE, "", "Of these addresses, those that are not up.", probes.down) \
	ROW(probes_late, COUNTER, "", "Health probes that started an interval or more after they were due.", probes.late) \
	ROW(probes_under_way, GAUGE, "", "Health probes in progress.", probes.under_way) \
	ROW(probes_waiting, GAUGE, "", "Health probes that are due and have not started yet.", probes.waiting)

#define JUDGE_ROWS(ROW) \
	ROW(reports, COUNTER, "", "Reports of vantages that were taken.", judged.reports) \
	ROW(reports_stale, COUNTER, "", "Reports not taken: older than their ttl, or than what was known.", judged.stale) \
	ROW(reports_full, COUNTER, "", "Reports not taken: there were too many, or too many vantages.", judged.full) \
	ROW(reports_held, GAUGE, "", "Reports that are held: one of each vantage and target.", judged.cells) \
	ROW(vantages, GAUGE, "", "Vantages that say something of some target.", judged.vantages) \
	ROW(target_falls, COUNTER, "", "Times that a target went down, as vantages and probes say.", judged.falls) \
	ROW(brake_holds, COUNTER, "", "Times that the brake held what had failed all at once.", judged.holds) \
	ROW(targets_held, GAUGE, "", "Targets that the brake holds in their last good state.", judged.held) \
	ROW(targets_damped, GAUGE, "", "Targets that stay down as they flap.", judged.damped) \
	ROW(targets_panicking, GAUGE, "", "Targets of apps of which too few are up, so that health is ignored.", \
	    judged.panicking) \
	ROW(targets_warming, GAUGE, "", "Targets in slow start.", judged.warming)

#define RELOADS_HELP "Reloads that finished, by whether the new generation was taken."

#define RELOADS_ROWS(FULL) \
	FULL(reloads_ok, "reloads", "result", "ok", COUNTER, NONE, "", RELOADS_HELP, false, facts->reloads_ok) \
	FULL(reloads_failed, "reloads", "result", "failed", COUNTER, NONE, "", RELOADS_HELP, false, facts->reloads_failed)

#define OVERRIDE_ROWS(FULL) \
	FULL(overrides, "overrides", "", "", GAUGE, NONE, "", "Drains, forces and adoptions.", false, state_override_count(source->state)) \
	FULL(overrides_unsaved, "overrides_unsaved", "", "", FLAG, NONE, "", \
	     "Whether overrides are refused, as the state cannot be saved.", false, state_trouble(source->state, &trouble)) \
	FULL(state_unsaved, "state_unsaved", "", "", FLAG, NONE, "", \
	     "Whether health, what is learned and provided, and when drains are safe cannot be saved.", false, \
	     state_failing_s(source->state) != 0) \
	FULL(overrides_volatile, "overrides_volatile", "", "", GAUGE, NONE, "", \
	     "Drains given or taken back in memory only, until that can be saved.", false, state_volatile_count(source->state))

#define RESPONSES_HELP "Responses of the HTTP door, by status."
#define RESPONSE(number, reason) \
	FULL_ROW(http_responses_##number, "http_responses", "code", #number, COUNTER, NONE, "", RESPONSES_HELP, false, \
	         source->door->status_##number)
#define DENIAL(name) \
	FULL_ROW(http_denied_##name, "http_denied", "reason", #name, COUNTER, NONE, "", \
	         "Requests at the HTTP door without the right to what they ask for.", false, source->door->denied_##name)
#define DROP(name) \
	FULL_ROW(http_dropped_##name, "http_dropped", "reason", #name, COUNTER, NONE, "", \
	         "Connections that the HTTP door closed before their time.", false, source->door->dropped_##name)

#define PROCESS_ROWS(FULL) \
	FULL(process_cpu, "process_cpu", "", "", COUNTER, NONE, "milliseconds", "CPU time used, of user and system.", false, \
	     process->cpu_ms) \
	FULL(process_resident_memory, "process_resident_memory", "", "", GAUGE, NONE, "octets", "Memory that is resident.", \
	     false, process->resident) \
	FULL(process_virtual_memory, "process_virtual_memory", "", "", GAUGE, NONE, "octets", "Memory that is mapped.", false, \
	     process->mapped) \
	FULL(process_start_time, "process_start_time", "", "", GAUGE, NONE, "seconds", "When it was started, in Unix time.", \
	     false, facts->started_s) \
	FULL(process_open_fds, "process_open_fds", "", "", GAUGE, NONE, "", "Open file descriptors.", false, process->open_fds) \
	FULL(process_max_fds, "process_max_fds", "", "", GAUGE, NONE, "", "The most that may be open.", false, process->max_fds) \
	FULL(process_threads, "process_threads", "", "", GAUGE, NONE, "", "Threads of this process.", false, process->threads)

#define WITHIN(ms, text) DURATION(FULL_ROW, ms, "le", text, probes.within_##ms##_ms)
#define DURATION_ENDS(FULL) \
	DURATION(FULL, inf, "le", "+Inf", probes.probes) \
	DURATION(FULL, sum, "sum", "sum", probes.took_us) \
	DURATION(FULL, count, "count", "count", probes.probes)

#define NAME_ROWS(ROW) \
	ROW(aliases, GAUGE, "", "Names of hosts that are looked up.", names.names) \
	ROW(aliases_stale, GAUGE, "", "Of these, those whose addresses the last look-up did not confirm.", names.stale) \
	ROW(aliases_empty, GAUGE, "", "Of these, those without any address.", names.empty) \
	ROW(alias_age, GAUGE, "seconds", "The age of the oldest addresses that are not confirmed.", names.oldest_s) \
	ROW(alias_lookups, COUNTER, "", "Look-ups of names that began.", names.lookups) \
	ROW(alias_failures, COUNTER, "", "Of the look-ups, those that failed.", names.failures)

#define LEARN_ROWS(ROW) \
	ROW(learned_prefixes, GAUGE, "", "Prefixes of which something is known from services, or was asked.", learn.entries) \
	ROW(learned_octets, GAUGE, "octets", "Memory used by what is known of them, and of who is asked about.", learn.octets) \
	ROW(learned, COUNTER, "", "Prefixes that were learned.", learn.book_counts.learned) \
	ROW(learned_moved, COUNTER, "", "Learned prefixes that moved to another answer.", learn.book_counts.moved) \
	ROW(learned_held_back, COUNTER, "", "Moves that had to wait.", learn.book_counts.held_back) \
	ROW(learned_withdrawn, COUNTER, "", "Learned prefixes given up as answers disagreed.", learn.book_counts.withdrawn) \
	ROW(learned_waiting, GAUGE, "", "Learned prefixes whose move waits.", learn.waiting) \
	ROW(learned_expired, COUNTER, "", "Prefixes forgotten, as nobody confirmed for too long what was known of them.", \
	    learn.book_counts.expired) \
	ROW(learned_evicted, COUNTER, "", "Prefixes forgotten, as there was no room.", learn.book_counts.evicted) \
	ROW(learned_out_of_reach, COUNTER, "", "Sites ignored as the client's carrier cannot reach them.", \
	    learn.out_of_reach) \
	ROW(observed, COUNTER, "", "Measured round trips that were taken.", learn.observe.taken) \
	ROW(observed_bad, COUNTER, "", "Lines that were none.", learn.observe.hopper.bad) \
	ROW(observed_dropped, COUNTER, "octets", "Of lines that nobody had time to read.", learn.observe.hopper.dropped) \
	ROW(observed_out_of_reach, COUNTER, "", "Measured round trips to sites that the client's carrier cannot reach.", \
	    learn.observe.out_of_reach) \
	ROW(observed_unknown_sites, COUNTER, "", "Measured round trips to sites that the config has not.", \
	    learn.observe.unknown_sites) \
	ROW(observed_prefixes, GAUGE, "", "Prefixes that round trips are known of.", learn.observe.prefixes) \
	ROW(observed_pairs, GAUGE, "", "Pairs of a prefix and a site that round trips are known of.", learn.observe.pairs) \
	ROW(observed_octets, GAUGE, "octets", "Memory used by what is known of them.", learn.observe.octets) \
	ROW(discovery_noted, COUNTER, "", "Queries that were noted for services.", learn.crowd_counts.noted) \
	ROW(discovery_dropped, COUNTER, "", "Notes that were dropped.", learn.dropped) \
	ROW(discovery_limited, COUNTER, "", "Notes over their sender's share.", learn.crowd_counts.limited) \
	ROW(discovery_not_believed, COUNTER, "", "Notes of senders that are not in learned.notes-from.", learn.unbelieved) \
	ROW(discovery_short_subnets, COUNTER, "", "Notes of client subnets that are shorter than learned.prefix.", \
	    learn.short_subnets) \
	ROW(discovery_waiting, GAUGE, "", "Prefixes that services could be asked about.", learn.crowd) \
	ROW(discovery_unknown_sites, COUNTER, "", "Sites ignored as the config has not got them.", learn.unknown_sites) \
	ROW(discovery_too_many_names, COUNTER, "", "Answers ignored as there were too many names.", learn.unnamed) \
	ROW(discovery_asked, COUNTER, "", "Questions to services.", learn.totals.asked) \
	ROW(discovery_found, COUNTER, "", "Of the questions, those that were answered.", learn.totals.outcomes[EDGESTEER_FOUND]) \
	ROW(discovery_not_found, COUNTER, "", "Of the questions, those about clients that the service does not know.", \
	    learn.totals.outcomes[EDGESTEER_NOT_FOUND]) \
	ROW(discovery_busy, COUNTER, "", "Of the questions, those that the service had no time for.", \
	    learn.totals.outcomes[EDGESTEER_BUSY]) \
	ROW(discovery_denied, COUNTER, "", "Of the questions, those that the service refused.", \
	    learn.totals.outcomes[EDGESTEER_DENIED]) \
	ROW(discovery_timeout, COUNTER, "", "Of the questions, those without an answer in time.", \
	    learn.totals.outcomes[EDGESTEER_TIMEOUT]) \
	ROW(discovery_broken, COUNTER, "", "Of the questions, those whose answer made no sense.", \
	    learn.totals.outcomes[EDGESTEER_BROKEN]) \
	ROW(discovery_unasked, COUNTER, "", "Of the questions, those that were not sent, as nothing identifies the client.", \
	    learn.totals.outcomes[EDGESTEER_UNASKED])

#define FACT_ROWS(ROW) \
	ROW(started, GAUGE, "timestamp", "When the daemon was started, in Unix time.", facts->started_s) \
	ROW(workers, GAUGE, "", "Threads that serve each address over UDP, and as many for TCP.", facts->workers) \
	ROW(generation_took_ms, GAUGE, "milliseconds", "What the last generation took to build.", \
	    facts->generation_took_ms) \
	ROW(reload_took_ms, GAUGE, "milliseconds", "What the last reload took, until it was served or refused.", \
	    facts->reload_took_ms) \
	ROW(publication_took_us, GAUGE, "microseconds", "What the last publication of a change took.", \
	    facts->publication_took_us) \
	ROW(serving, FLAG, "", "Whether queries are answered: the first round of health checks has finished.", live != NULL)

#define RELOAD_UNDER_WAY_ROWS(ROW) \
	ROW(reload_began, GAUGE, "timestamp", "When the reload in progress started, in Unix time.", facts->reload_began_s)

#define LAST_RELOAD_ROWS(ROW) \
	ROW(last_reload, GAUGE, "timestamp", "When the last reload finished, in Unix time.", facts->last_reload_s) \
	ROW(last_reload_ok, FLAG, "", "Whether the last reload succeeded.", facts->last_reload_ok) \
	ROW(last_reload_held, FLAG, "", "Whether the last reload was held, as it would have moved more than `guard` allows.", \
	    facts->last_reload_held) \
	ROW(last_reload_errors, GAUGE, "", "Errors that the last reload found.", facts->last_reload_errors)

#define VIEW_ROWS(ROW) \
	ROW(generation, GAUGE, "", "The number of the generation that is served, from 1 at the start.", view->generation) \
	ROW(generation_built, GAUGE, "timestamp", "When that generation was built, in Unix time.", view->built_s) \
	ROW(epoch, COUNTER, "", "Publications of health, overrides and generations.", live->epoch) \
	ROW(zones, GAUGE, "", "Zones served.", zonedb_zone_count(view->zones)) \
	ROW(names, GAUGE, "", "Names in the zones served.", zonedb_node_count(view->zones)) \
	ROW(apps, GAUGE, "", "Apps served.", view->app_count) \
	ROW(sites, GAUGE, "", "Sites known.", view->site_count) \
	ROW(targets, GAUGE, "", "Targets of all apps.", view->target_count) \
	ROW(sources, GAUGE, "", "Sources of `locate`.", view->places->sources) \
	ROW(prefixes, GAUGE, "", "Prefixes read from these sources.", source_prefixes(view->places)) \
	ROW(places, GAUGE, "", "Distinct places that clients may be in.", view->places->count - 1) \
	ROW(table_nodes, GAUGE, "", "Addresses at which the prefix table changes.", \
	    ptree_nodes(view->places->v4) + ptree_nodes(view->places->v6))

#define SETS(FULL, form, which) \
	FULL(steering_sets_##form, "steering_sets", "form", #form, GAUGE, STATUS, "", \
	     "Sets of sites: those with a table of their own, those that share one, and those with weights that share a table of " \
	     "places.", false, view->steering->form_counts[which])
#define OCTETS(FULL, form, which) \
	FULL(steering_octets_##form, "steering_tables", "form", #form, GAUGE, STATUS, "octets", \
	     "Memory used by these sets, with the table that they share.", false, view->steering->form_bytes[which])

#define FORM_ROWS(FULL) \
	SETS(FULL, own, STEER_OWN) SETS(FULL, shared, STEER_SHARED) SETS(FULL, mapped, STEER_MAPPED) \
	OCTETS(FULL, own, STEER_OWN) OCTETS(FULL, shared, STEER_SHARED) OCTETS(FULL, mapped, STEER_MAPPED)

#define ROW_ID(name, ...) ROW_##name,
#define COUNTER_ROW(name, family, label, value, help) \
	[ROW_##name] = {#name, family, label, value, METRIC_COUNTER, METRIC_STATS, "", help, false},
#define STATS_ROW(name, kind, unit, help, value) \
	[ROW_##name] = {#name, #name, "", "", METRIC_##kind, METRIC_STATS, unit, help, false},
#define STATUS_ROW(name, kind, unit, help, value) \
	[ROW_##name] = {#name, #name, "", "", METRIC_##kind, METRIC_STATUS, unit, help, false},
#define FULL_DATA(name, family, label, which, kind, verb, unit, help, is_sum, value) \
	[ROW_##name] = {#name, family, label, which, METRIC_##kind, METRIC_##verb, unit, help, is_sum},

// The lists whose rows come from another table name FULL_ROW, which is what the rows become.
enum {
	ROW_queries,
	COUNTERS(ROW_ID)
	FAILURE_ROWS(ROW_ID)
	PROBE_ROWS(ROW_ID)
	JUDGE_ROWS(ROW_ID)
#define FULL_ROW ROW_ID
	HEALTH_SPANS(WITHIN)
	DURATION_ENDS(ROW_ID)
	STATUSES(RESPONSE)
	DENIALS(DENIAL)
	DROPS(DROP)
#undef FULL_ROW
	ROW_http_connections,
	NAME_ROWS(ROW_ID)
	LEARN_ROWS(ROW_ID)
	FACT_ROWS(ROW_ID)
	RELOADS_ROWS(ROW_ID)
	RELOAD_UNDER_WAY_ROWS(ROW_ID)
	LAST_RELOAD_ROWS(ROW_ID)
	OVERRIDE_ROWS(ROW_ID)
	PROCESS_ROWS(ROW_ID)
	VIEW_ROWS(ROW_ID)
	FORM_ROWS(ROW_ID)
	ROWS,
};

static const struct metric rows[ROWS] = {
	[ROW_queries] = {"queries", "queries", "", "", METRIC_COUNTER, METRIC_STATS, "",
	                 "Queries that were answered, whatever the answer.", true},
	COUNTERS(COUNTER_ROW)
	FAILURE_ROWS(FULL_DATA)
	PROBE_ROWS(STATS_ROW)
	JUDGE_ROWS(STATS_ROW)
#define FULL_ROW FULL_DATA
	HEALTH_SPANS(WITHIN)
	DURATION_ENDS(FULL_DATA)
	STATUSES(RESPONSE)
	DENIALS(DENIAL)
	DROPS(DROP)
#undef FULL_ROW
	[ROW_http_connections] = {"http_connections", "http_connections", "", "", METRIC_GAUGE, METRIC_NONE, "",
	                          "Connections to the HTTP door.", false},
	NAME_ROWS(STATS_ROW)
	LEARN_ROWS(STATS_ROW)
	FACT_ROWS(STATUS_ROW)
	RELOADS_ROWS(FULL_DATA)
	RELOAD_UNDER_WAY_ROWS(STATUS_ROW)
	LAST_RELOAD_ROWS(STATUS_ROW)
	OVERRIDE_ROWS(FULL_DATA)
	PROCESS_ROWS(FULL_DATA)
	VIEW_ROWS(STATUS_ROW)
	FORM_ROWS(FULL_DATA)
};

struct visitor {
	void (*fn)(void *ctx, const struct metric *metric, uint64_t value);
	void *ctx;
};

#define VISIT(name, kind, unit, help, value) visitor->fn(visitor->ctx, &rows[ROW_##name], (uint64_t)(value));
#define VISIT_FULL(name, family, label, which, kind, verb, unit, help, is_sum, value) \
	VISIT(name, kind, unit, help, value)
#define FULL_ROW VISIT_FULL

static uint64_t source_prefixes(const struct places *places)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < places->sources; i++)
		sum += places->source_prefixes[i];
	return sum;
}

static void each_counter(const struct workers *workers, const struct visitor *visitor)
{
	struct counters sum = {0};
	uint64_t queries = 0;

	if (workers)
		workers_counters(workers, &sum);
	for (enum transport i = 0; i < TRANSPORT_COUNT; i++)
		queries += counter_read(transport_queries(&sum, i));
	visitor->fn(visitor->ctx, &rows[ROW_queries], queries);
#define VISIT_COUNTER(name, ...) visitor->fn(visitor->ctx, &rows[ROW_##name], counter_read(&sum.name));
	COUNTERS(VISIT_COUNTER)
#undef VISIT_COUNTER
}

static void each_probe(const struct health *health, const struct visitor *visitor)
{
	struct health_stats probes;

	health_stats(health, &probes);
	FAILURE_ROWS(VISIT_FULL)
	PROBE_ROWS(VISIT)
	HEALTH_SPANS(WITHIN)
	DURATION_ENDS(VISIT_FULL)
}

static void each_judged(const struct judge *judge, const struct visitor *visitor)
{
	struct judge_stats judged;

	judge_stats(judge, &judged);
	JUDGE_ROWS(VISIT)
}

static void each_name(const struct resolve *resolve, const struct visitor *visitor)
{
	struct resolve_stats names;

	resolve_stats(resolve, &names);
	NAME_ROWS(VISIT)
}

static void each_learned(struct learner *learner, const struct visitor *visitor)
{
	struct shown_status learn;

	shown_read(learner, &learn);
	LEARN_ROWS(VISIT)
}

static void each_fact(const struct metrics_facts *facts, const struct live *live, const struct visitor *visitor)
{
	FACT_ROWS(VISIT)
	RELOADS_ROWS(VISIT_FULL)
	if (facts->reload_began_s) {
		RELOAD_UNDER_WAY_ROWS(VISIT)
	}
	if (facts->last_reload_s) {
		LAST_RELOAD_ROWS(VISIT)
	}
}

static void each_override(const struct metrics_source *source, const struct visitor *visitor)
{
	struct state_trouble trouble;

	OVERRIDE_ROWS(VISIT_FULL)
}

static void each_of_door(const struct metrics_source *source, const struct visitor *visitor)
{
	STATUSES(RESPONSE)
	DENIALS(DENIAL)
	DROPS(DROP)
	VISIT(http_connections, GAUGE, "", "", source->door->connections)
}

static void each_of_process(const struct process *process, const struct metrics_facts *facts, const struct visitor *visitor)
{
	PROCESS_ROWS(VISIT_FULL)
}

static void each_of_view(const struct live *live, const struct visitor *visitor)
{
	const struct view *view = live->view;

	VIEW_ROWS(VISIT)
	FORM_ROWS(VISIT_FULL)
}

void metrics_each(const struct metrics_source *source,
                  void (*fn)(void *ctx, const struct metric *metric, uint64_t value), void *ctx)
{
	struct visitor visitor = {fn, ctx};

	must(fn && (!source->live || source->live->view));
	each_counter(source->workers, &visitor);
	if (source->health)
		each_probe(source->health, &visitor);
	if (source->judge)
		each_judged(source->judge, &visitor);
	if (source->door)
		each_of_door(source, &visitor);
	if (source->resolve)
		each_name(source->resolve, &visitor);
	if (source->learner)
		each_learned(source->learner, &visitor);
	if (source->facts)
		each_fact(source->facts, source->live, &visitor);
	if (source->state)
		each_override(source, &visitor);
	if (source->process && source->facts)
		each_of_process(source->process, source->facts, &visitor);
	if (source->live)
		each_of_view(source->live, &visitor);
}

// ---- facts

static void keep_first_error(void *ctx, enum report_level level, const char *text)
{
	struct metrics_facts *facts = ctx;

	if (level == REPORT_ERROR && !facts->last_reload_error)
		facts->last_reload_error = strdup(text); // NULL: `status` then says it without a reason
}

void metrics_note_reload(struct metrics_facts *facts, int err, int64_t took_ms, const struct report *report)
{
	metrics_wipe_facts(facts);
	facts->reload_took_ms = took_ms;
	facts->reloads_ok += err == E_OK;
	facts->reloads_failed += err < 0;
	facts->last_reload_s = clock_wall_s();
	facts->last_reload_ok = err == E_OK;
	facts->last_reload_held = err == E_HELD;
	facts->last_reload_errors = err < 0 && report ? report_count(report, REPORT_ERROR) : 0;
	if (err < 0 && report)
		report_each(report, keep_first_error, facts);
}

void metrics_wipe_facts(struct metrics_facts *facts)
{
	free(facts->last_reload_error);
	facts->last_reload_error = NULL;
}

// ---- JSON

struct printer {
	json_t *object;
	enum metric_verb verb;
};

static void print_json(void *ctx, const struct metric *metric, uint64_t value)
{
	const struct printer *printer = ctx;

	if (metric->verb == printer->verb)
		json_object_set_new(printer->object, metric->name,
		                    metric->kind == METRIC_FLAG ? json_boolean(value) : json_integer((json_int_t)value));
}

// Adds the rows of the verb's reply to `object` and returns it; NULL stays NULL.
static json_t *add_rows(json_t *object, enum metric_verb verb, const struct metrics_source *source)
{
	struct printer printer = {object, verb};

	if (object)
		metrics_each(source, print_json, &printer);
	return object;
}

json_t *metrics_counters(const struct workers *workers, const struct health *health, const struct judge *judge,
                         const struct resolve *resolve, struct learner *learner)
{
	struct metrics_source source = {.workers = workers, .health = health, .judge = judge, .resolve = resolve, .learner = learner};

	return add_rows(json_object(), METRIC_STATS, &source);
}

json_t *metrics_status(const struct metrics_facts *facts, const struct live *live)
{
	struct metrics_source source = {.facts = facts, .live = live};
	json_t *object = json_pack("{s:s, s:I}", "version", PACKAGE_VERSION, "pid", (json_int_t)getpid());

	if (object && facts->last_reload_error)
		json_object_set_new(object, "last_reload_error", json_string(facts->last_reload_error));
	return add_rows(object, METRIC_STATUS, &source);
}
