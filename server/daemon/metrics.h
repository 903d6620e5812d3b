// The daemon's figures as JSON, for `status` and `stats`. Called by daemon.c for the control socket.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

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

// Every counter by its name, summed over the workers (NULL: none run yet), and the probes'. The caller's; NULL without
// memory.
json_t *metrics_counters(const struct workers *workers, const struct health *health);
// Version, pid, times, generation, sizes. `live` NULL: not serving yet. The caller's; NULL without memory.
json_t *metrics_status(const struct metrics_facts *facts, const struct live *live);
