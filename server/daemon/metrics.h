// The daemon's metrics, as rows that printers iterate over: JSON for the control socket, Prometheus' text for the HTTP door
// (exposition.h).
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/metric.h"

struct door_stats;
struct health;
struct judge;
struct learner;
struct live;
struct process;
struct report;
struct resolve;
struct state;
struct workers;

struct metrics_facts {
	int64_t started_s;       // wall clock
	unsigned workers;        // the setting, with 0 replaced by the number of CPUs
	int64_t generation_took_ms;
	int64_t reload_took_ms;      // the last one, until it was served or refused
	int64_t publication_took_us; // the last one, of whatever had changed
	uint64_t reloads_ok, reloads_failed;
	int64_t reload_began_s;  // wall clock; 0: no reload is in progress
	int64_t last_reload_s;   // 0: none yet
	bool last_reload_ok, last_reload_held; // held: nothing was wrong with it, see guard.h
	size_t last_reload_errors;
	char *last_reload_error; // the first of them, owned; NULL: none
};

// Notes that a reload has finished, after how long, and why it failed. `report` may be NULL.
void metrics_note_reload(struct metrics_facts *facts, int err, int64_t took_ms, const struct report *report);
// Frees what the facts own.
void metrics_wipe_facts(struct metrics_facts *facts);

// Where the values are read from.
struct metrics_source {
	const struct workers *workers;     // NULL: none are running yet, every counter is 0
	const struct health *health;       // NULL: leave out the rows about probes
	const struct judge *judge;         // NULL: leave out the rows about what is believed of health
	const struct resolve *resolve;     // NULL: leave out the rows about names of hosts
	struct learner *learner;           // NULL: leave out the rows about learned prefixes
	const struct metrics_facts *facts; // NULL: leave out the rows about the daemon
	const struct state *state;         // NULL: leave out the rows about overrides
	const struct door_stats *door;     // NULL: leave out those about the HTTP door
	const struct process *process;     // NULL: leave out those about the process
	const struct live *live;           // NULL: not serving yet, or leave out the rows about the view
};

// Calls `fn` with each row that has a value now, in the order of the table; rows of one family are adjacent. `metric`
// points to constant data. Main thread only.
void metrics_each(const struct metrics_source *source,
                  void (*fn)(void *ctx, const struct metric *metric, uint64_t value), void *ctx);

// For `stats`: every counter by name, summed over the workers (NULL: none are running yet), those of the probes and
// of look-ups, and what is learned. Owned by the caller; NULL: out of memory.
json_t *metrics_counters(const struct workers *workers, const struct health *health, const struct judge *judge,
                         const struct resolve *resolve, struct learner *learner);
// For `status`: version, pid, times, generation, sizes. `live` NULL: not serving yet. Owned by the caller; NULL: out of
// memory.
json_t *metrics_status(const struct metrics_facts *facts, const struct live *live);
