// Prometheus' text of metrics (version 0.0.4), and OpenMetrics' (1.0.0): names, heads, labels, numbers. Knows no metric. Any
// thread, one at a time.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/metric.h"

enum { EXPOSITION_NAME_MAX = 128 };

// All zero but for `openmetrics`: nothing is written yet.
struct exposition {
	bool openmetrics;
	bool failed;                // out of memory
	char *text;
	size_t len, size;
	char family[EXPOSITION_NAME_MAX]; // of the last head
	char sample[EXPOSITION_NAME_MAX]; // the name of its samples
};

// Writes a row, after its family's head when that is a new one. For metrics_each(), with the exposition as its context. The
// sum of a family is left out.
void exposition_row(void *exposition, const struct metric *metric, uint64_t value);
// The same for a row with any labels: call exposition_head(), then for each sample exposition_label() for each of them, and
// exposition_value().
void exposition_head(struct exposition *exposition, const struct metric *metric);
void exposition_label(struct exposition *exposition, const char *name, const char *value);
void exposition_value(struct exposition *exposition, const struct metric *metric, uint64_t value);
// Ends it. The text is the caller's; NULL when out of memory, at any time before.
char *exposition_end(struct exposition *exposition, size_t *ret_len) MUST_USE;
