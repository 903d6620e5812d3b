// The daemon's figures, as rows that printers go over. Called by daemon.c for the control socket.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/metric.h"

struct health;
struct live;
struct workers;

struct metrics_facts {
	int64_t started_s;       // wall clock
	unsigned workers;        // the setting, settled
	int64_t generation_took_ms;
	int64_t reload_began_s;  // of the one under way; 0: none
	int64_t last_reload_s;   // 0: none yet
	bool last_reload_ok;
};

// Where the figures are read from.
struct metrics_source {
	const struct workers *workers;     // NULL: none run yet, every counter is 0
	const struct health *health;       // NULL: leave out the probes'
	const struct metrics_facts *facts; // NULL: leave out the daemon's own
	const struct live *live;           // NULL: not serving yet, or leave out what is served
};

// Calls `fn` with each row that has a value now, in the order of the table, those of a family one after the other. The
// rows are constant. Main thread only.
void metrics_each(const struct metrics_source *source,
                  void (*fn)(void *ctx, const struct metric *metric, uint64_t value), void *ctx);

// `stats`: every counter by its name, summed over the workers (NULL: none run yet), and the probes'. The caller's; NULL
// without memory.
json_t *metrics_counters(const struct workers *workers, const struct health *health);
// `status`: version, pid, times, generation, sizes. `live` NULL: not serving yet. The caller's; NULL without memory.
json_t *metrics_status(const struct metrics_facts *facts, const struct live *live);
