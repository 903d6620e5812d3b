// What the operator is told of objects that cannot be used: each once for as long as it holds, however often the list
// is gone through, and not without limit.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "edgesteer-plugin.h"

enum { REMARKS_MAX = 1000, REMARKS_PER_MINUTE = 100 };

struct remarks {
	const struct edgesteer_host *host;
	void *by_text; // a tree of those that hold (tsearch)
	struct remark *first;
	size_t count;
	uint64_t round;
	int64_t minute_ms; // when the current minute began
	unsigned told;     // in this minute
};

// Between remarks_begin_round() and remarks_end_round() everything that holds is said with remark(); what is new goes
// to the operator. A fault of a single event is said outside of a round: it is told at once, and forgotten by the next
// round.
void remarks_begin(struct remarks *remarks, const struct edgesteer_host *host);
void remarks_begin_round(struct remarks *remarks, int64_t now_ms);
void remark(struct remarks *remarks, const char *fmt, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ;
void remarks_end_round(struct remarks *remarks);
void remarks_free(struct remarks *remarks);
