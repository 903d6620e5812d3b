// What the log says about look-ups, for resolve.c: when a resolver fails, thousands of names fail with it, so lines are
// bounded. Main thread only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct resolve_name;

// Zero-initialised is valid.
struct resolve_log {
	int64_t minute_ms; // monotonic: when the current minute of lines began; 0: never
	unsigned lines;    // of them in this minute
	uint64_t left_out; // those not written in this minute
};

// The first look-up that fails after good ones.
void resolve_log_failed(struct resolve_log *log, const struct resolve_name *name);
// The first good one after those that failed for so long.
void resolve_log_recovered(struct resolve_log *log, const struct resolve_name *name, int64_t failed_ms);
// Its addresses have not been confirmed for `age_s`, which is longer than they may.
void resolve_log_expired(struct resolve_log *log, const struct resolve_name *name, int64_t age_s);
// The first round is over; nothing is known yet of `unknown` names.
void resolve_log_first_round(size_t unknown);
// An address of a target is refused or, with `is_taken`, taken all the same.
void resolve_log_refused(struct resolve_log *log, const char *app, const char *site, const char *name, const char *addr,
                         const char *why, bool is_taken);
void resolve_log_no_resolver(const char *why);
