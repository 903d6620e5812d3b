// A figure of the daemon as a row that says how to print it. The rows stand in daemon/metrics.c, those of the workers'
// counters in base/counters.h; printers go over them and know none by name.
//
// JSON has no labels: there a row is its name. A printer that has them (Prometheus) writes rows of one family as one
// metric, which they are next to each other for: help and type once, then a line for each with what tells them apart,
//
//     # HELP edgesteer_queries_total Queries that were answered, whatever the answer.
//     # TYPE edgesteer_queries_total counter
//     edgesteer_queries_total{transport="udp"} 12
//     edgesteer_queries_total{transport="tcp"} 3
//
// and leaves out what is the sum of a family, which its reader makes. The name ends in the unit where there is one
// (edgesteer_steering_octets), and in `_total` for a counter.
#pragma once

#include <stdbool.h>

enum metric_kind {
	METRIC_COUNTER, // only grows, from 0 at the start
	METRIC_GAUGE,
	METRIC_FLAG,    // a gauge of 0 or 1; true or false in JSON
};

// The control verb whose reply has it.
enum metric_verb {
	METRIC_STATS,
	METRIC_STATUS,
};

struct metric {
	const char *name;   // [a-z_]; no two rows have the same
	const char *family; // of what it is a part; its own name for most
	const char *label;  // what tells the rows of a family apart; "": nothing, it is the only one
	const char *value;  // and what that is for this one
	enum metric_kind kind;
	enum metric_verb verb;
	const char *unit;   // "seconds", "milliseconds", "octets"; "": a number of things, or no quantity
	const char *help;   // a sentence; the same in all of a family
	bool is_sum;        // of the family of its name
};
