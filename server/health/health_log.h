// What the log says about probes, for health.c: one disturbance affects thousands of targets, so every kind of line is
// bounded. Main thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct endpoint;

// Why probes start late: the main thread is busy, `probes` allows no more at once, or the type of the check does not.
enum health_late { HEALTH_LATE_BUSY, HEALTH_LATE_LIMIT, HEALTH_LATE_TYPE };

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
// A probe starts `late_ms` after it was due; `waiting` more of its type are due.
void health_log_late(struct health_log *log, const struct endpoint *endpoint, int64_t late_ms, uint64_t waiting,
                     enum health_late why);
// Warns when so many probes `at_worst` (see struct watchlist) are more than `limit`, how many may be under way; of all, or of
// one type.
void health_log_limit(double at_worst, unsigned limit);
void health_log_limit_of(const char *type, double at_worst, unsigned limit);
