// What is believed of one prefix, and when that changes: hysteresis, so that a service that cannot make up its mind moves
// nobody. Pure: time is an argument.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

enum { FINDING_SITES_MAX = 4, OPINION_AGREE_MAX = 8 };

// What a service said of a client, as numbers of names (see book.h). 0: nothing.
struct finding {
	uint16_t sites[FINDING_SITES_MAX]; // best first
	uint16_t carrier, class_;
};

// When samples are enough.
struct opinion_rules {
	unsigned agree;       // agreeing samples in a row from different addresses, 1..OPINION_AGREE_MAX
	int64_t agree_for_s;  // or: agreeing samples in a row over this time
};

// Nothing is believed when zeroed.
struct opinion {
	struct finding held;         // what is believed; only if `has_held`
	struct finding next;         // what samples say instead, in a row; only if `voice_count`
	int64_t next_since_s;
	uint32_t voices[OPINION_AGREE_MAX]; // who said so: hashes of addresses
	uint8_t voice_count;
	uint8_t confidence;          // of `held`, 0 to twice `agree`
	bool has_held, is_ready;     // ready: `next` may take the place of `held`
};

// Findings agree when carrier, class and the first site are the same: services order those behind it by the moment. The
// first row that applies:
//
//   the sample                                               outcome
//   is what is held                                          CONFIRMED  confidence grows, `next` is forgotten
//   agrees with what is held, and is `next` for the
//     agree-th address                                       READY      opinion_move() may be called; confidence grows
//   agrees with what is held                                 CONFIRMED  it is `next` from now on; confidence grows
//   agrees with `next` for the agree-th address, or for
//     agree-for                                              READY      opinion_move() may be called
//   agrees with `next`                                       WAITS      more samples are needed
//   is another one                                           WAITS      it is `next` from now on; confidence shrinks
//   is another one; confidence has come to nothing by that   DOUBTED    opinion_withdraw() may be called
enum opinion_outcome { OPINION_CONFIRMED, OPINION_READY, OPINION_DOUBTED, OPINION_WAITS };

enum opinion_outcome opinion_hear(struct opinion *opinion, const struct finding *sample, uint32_t voice, int64_t now_s,
                                  const struct opinion_rules *rules);
// `next` becomes what is held. It is ready.
void opinion_move(struct opinion *opinion, const struct opinion_rules *rules);
// Nothing is held any more.
void opinion_withdraw(struct opinion *opinion);

bool opinion_same(const struct finding *a, const struct finding *b) PURE;
// Whether two findings agree.
static inline bool opinion_agrees(const struct finding *a, const struct finding *b)
{
	return a->sites[0] == b->sites[0] && a->carrier == b->carrier && a->class_ == b->class_;
}

// Whether samples contradict what is held, or something is to be held for the first time, and it is not decided yet.
static inline bool opinion_is_disputed(const struct opinion *opinion)
{
	return opinion->voice_count > 0 && !opinion->is_ready &&
	       !(opinion->has_held && opinion_agrees(&opinion->held, &opinion->next));
}
