// A circuit breaker: what keeps us from asking a service that does not answer. Pure: time and chance are arguments.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { BREAKER_FAILURES = 5, BREAKER_FIRST_MS = 1000, BREAKER_MAX_MS = 300000, BREAKER_RETRY_MAX_S = 3600 };

// State machine; the first state when zeroed.
//
//   state       event                                  next
//   closed      a success                              closed, failures forgotten
//   closed      the BREAKER_FAILURES-th failure in a row  open for 1 s
//   any         it asks us to wait                     open for as long as it says, at most an hour; or as for failures, if
//                                                      that is longer
//   open        the time has passed                    half-open: one trial
//   half-open   a success                              closed
//   half-open   a failure                              open, twice as long as before, at most 5 minutes
//   half-open   the trial was not sent                 half-open: another one
//   open        a late success, a late failure         open
//   open        a late answer that asks us to wait     open until both times have passed
//
// Times are between half of what is said above and one and a half, so that many daemons do not come back at once; never
// shorter than what the service asks for.
enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

struct breaker {
	enum breaker_state state;
	unsigned failures;   // in a row
	uint32_t pause_ms;   // the last one, before chance; 0: none
	int64_t until_ms;    // BREAKER_OPEN
	bool is_trying;      // BREAKER_HALF_OPEN: the trial is under way
};

// How many questions may be asked now, of `wanted`. In the half-open state that is one, once.
static inline uint32_t breaker_allows(struct breaker *breaker, uint32_t wanted, int64_t now_ms)
{
	if (breaker->state == BREAKER_OPEN && now_ms >= breaker->until_ms) {
		breaker->state = BREAKER_HALF_OPEN;
		breaker->is_trying = false;
	}
	return breaker->state == BREAKER_CLOSED ? wanted
	       : breaker->state == BREAKER_OPEN || breaker->is_trying || wanted == 0 ? 0 : 1;
}

// That many are being asked.
static inline void breaker_asked(struct breaker *breaker, uint32_t count)
{
	breaker->is_trying = breaker->state == BREAKER_HALF_OPEN && count > 0;
}

void breaker_success(struct breaker *breaker);
// `retry_s`: what the service asks for; 0: nothing. `is_final`: asking again soon is of no use, as it refuses us: the breaker
// opens at the first of these. `chance` is a random number.
void breaker_failure(struct breaker *breaker, uint32_t retry_s, bool is_final, int64_t now_ms, uint64_t chance);

// What was to be asked was not sent, and tells nothing of the service.
void breaker_untried(struct breaker *breaker);

const char *breaker_text(enum breaker_state state); // "closed", "open", "half-open"
