// What the log says about probes, for health.c: one disturbance affects thousands of targets, so every kind of line is
// bounded. Main thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct endpoint;

// Zero-initialised is valid.
struct health_log {
	int64_t local_ms, late_ms;   // monotonic: when such a line was last written; 0: never
	int64_t minute_ms;           // monotonic: when the current minute of lines about single checks began; 0: never
	unsigned lines;              // of them in this minute
	uint64_t left_out;           // those not written in this minute
};

// A check fails of which the last one did not, and the target is not down for it.
void health_log_failing(struct health_log *log, const struct endpoint *endpoint);
// It succeeds again after `failures` that did not take the target down.
void health_log_recovered(struct health_log *log, const struct endpoint *endpoint, unsigned failures);
// This machine could not probe.
void health_log_local(struct health_log *log, const struct endpoint *endpoint);
// A probe starts `late_ms` after it was due; `waiting` more are due. `limited`: `probes` allows no more at once.
void health_log_late(struct health_log *log, const struct endpoint *endpoint, int64_t late_ms, uint64_t waiting, bool limited);
// Warns when `probes_at_worst` (see struct watchlist) are more than `limit`, how many may be under way.
void health_log_limit(double probes_at_worst, unsigned limit);
