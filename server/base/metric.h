// One of the daemon's metrics, as a row that says how to print it. The rows are in daemon/metrics.c, those of the
// workers' counters in base/counters.h; printers iterate over them and know none by name.
//
// JSON has no labels: there a row goes by its name. A format with labels (Prometheus) writes the rows of a family as
// one metric, which is why they are adjacent: help and type once, then a line per row with its label,
//
//     # HELP edgesteer_queries_total Queries that were answered, whatever the answer.
//     # TYPE edgesteer_queries_total counter
//     edgesteer_queries_total{transport="udp"} 12
//     edgesteer_queries_total{transport="tcp"} 3
//
// and leaves out the sum of a family, which its reader computes. The name ends in the unit where there is one, a base unit
// (edgesteer_steering_own_bytes for octets), and in `_total` for a counter. What is of every process (process_…) has no
// "edgesteer_".
#pragma once

#include <stdbool.h>

enum metric_kind {
	METRIC_COUNTER, // only grows, from 0 at startup
	METRIC_GAUGE,
	METRIC_FLAG,    // a gauge of 0 or 1; true or false in JSON
	METRIC_HISTOGRAM, // cumulative: rows with the label "le", the last one of them "+Inf", then one with "sum", one with "count"
};

// The control verb whose reply contains it; NONE: it is for Prometheus alone.
enum metric_verb {
	METRIC_STATS,
	METRIC_STATUS,
	METRIC_NONE,
};

struct metric {
	const char *name;   // [a-z0-9_]; unique
	const char *family; // its own name for most
	const char *label;  // what tells the rows of a family apart; "": it is the only one
	const char *value;  // the label's value for this row
	enum metric_kind kind;
	enum metric_verb verb;
	const char *unit;   // "seconds", "milliseconds", "microseconds", "timestamp" (Unix time), "octets"; "": a count, or not a
	                    // quantity. Of a histogram: of its sum
	const char *help;   // a sentence; the same throughout a family
	bool is_sum;        // the sum of the family with its name
};
