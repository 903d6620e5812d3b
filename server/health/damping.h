// Flap damping, as of routes in BGP (RFC 2439): each fall of a target adds to its penalty, which halves in every
// half-life. A target whose penalty has reached the limit stays down, whatever its vantages say, until the penalty has
// decayed far enough. Pure functions that are given the time, for the judge and its test.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { DAMPING_FALL = 1000 }; // what a fall adds

struct damping_rule {
	unsigned half_life_ms;     // 0: nothing is damped
	unsigned suppress, reuse;  // penalties: from here on it stays down; below this it no longer does
	unsigned longest_ms;       // the longest that it stays down after its last fall
};

// Zero-initialised is a target that never fell.
struct damping {
	double penalty;            // at `at_ms`
	int64_t at_ms;             // monotonic
	bool suppressed;
};

// The penalty now.
double damping_penalty(const struct damping *damping, const struct damping_rule *rule, int64_t now_ms);
// The target has fallen.
void damping_fell(struct damping *damping, const struct damping_rule *rule, int64_t now_ms);
// Whether it stays down now.
bool damping_holds(struct damping *damping, const struct damping_rule *rule, int64_t now_ms);
// When it no longer does unless it falls again; `now_ms` if it does not.
int64_t damping_ends_ms(const struct damping *damping, const struct damping_rule *rule, int64_t now_ms);
