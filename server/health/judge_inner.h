// The inside of the judge: judge_target.c decides about one target, judge_life.c takes generations, reports, and what comes with time.
#pragma once

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "health/damping.h"
#include "health/judge.h"
#include "health/matrix.h"

enum judge_mark {
	MARK_SEEN = 1 << 0,    // it has been judged before
	MARK_RAW = 1 << 1,     // up, by what vantages say
	MARK_UP = 1 << 2,      // up, but for panic
	MARK_PANIC = 1 << 3,   // of its app
	MARK_PROBE = 1 << 4,   // up, as the probes say
	MARK_UNREADY = 1 << 5, // down, as its provider says
	MARK_WATCHED = 1 << 6, // up, and somebody would notice if it were not: it counts for its region
	MARK_HEEDED = 1 << 7,  // the word of its provider counts
};

// The groups of the brake: the probes, the vantages, the regions.
enum { GROUP_PROBE, GROUP_VANTAGES, GROUP_REGIONS = GROUP_VANTAGES + MATRIX_VANTAGES_MAX };
enum { JUDGE_NO_REGION = UINT16_MAX };

// What is remembered of a target for some time.
struct course {
	uint32_t target;
	bool warms;            // it takes a part of its clients
	int64_t up_ms;         // since this
	struct damping damping;
};

// By the targets of one config.
struct judge_frame {
	const struct config *config;
	uint32_t count;
	uint32_t *first_of;    // by app: its first target
	uint32_t *app_of;      // by target
	uint32_t *course_of;   // by target: the number of its course + 1; 0: none
	uint32_t *cells_of;    // for matrix_renumber()
	uint8_t *marks;        // by target: enum judge_mark
	uint16_t *region_of;   // by target: the number of its region, JUDGE_NO_REGION: it has none
	bool *is_plain;        // by target: with nothing reported and nothing remembered of it, its probes alone decide
	const char **regions;  // their names, the config's
	uint16_t region_count;
	unsigned interval_ms;  // of the slowest check
	struct brake *brake;
};

struct judge {
	struct judge_ops ops;
	struct event tick;
	struct judge_frame *frame;
	const struct health *health;
	struct matrix *matrix;
	struct course *courses;
	size_t course_count, course_room;
	int64_t now_ms;        // monotonic, of the call under way
	bool started;
	bool columns_moved;    // see judge_columns_moved()
	bool moved;            // something has, since the tick began
	struct judge_stats stats;
};

// Whether anybody says anything of it: what nobody watches never falls, so it may not keep its region from being held.
bool judge_watched(const struct judge *judge, uint32_t target);
// Judges a target anew, as what vantages say of it has changed, or may have.
void judge_look(struct judge *judge, uint32_t target);
// The same where only what is believed of it may have.
void judge_apply(struct judge *judge, uint32_t target);
// A column of it has fallen.
void judge_fell(struct judge *judge, uint32_t target);
