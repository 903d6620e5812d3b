// One scrape: every metric as text. What the main thread owns is written on it, at once; what there is of each target, on a
// thread that reads what is published, so that the main loop goes on meanwhile. Owned by the daemon; main thread only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "daemon/metrics.h"

struct event_base;
struct scrape;

enum {
	SCRAPE_TARGETS_MAX = 100000, // the daemon's `targets_max`
	SCRAPE_DRAINS_MAX = 2000,
};

// The first `targets_max` targets have rows of their own; the answers of the rest are summed as "other". NULL when out of memory,
// descriptors or threads.
struct scrape *scrape_new(struct event_base *base, uint32_t targets_max) MUST_USE;
// Finishes what is under way with its done(). Takes NULL; returns NULL.
struct scrape *scrape_free(struct scrape *scrape);

// Renders. done() is called exactly once, later or at once, with a text that is then its own; NULL when out of memory. What
// `source` points to must stay until it returns; its health is that of its live view.
void scrape_begin(struct scrape *scrape, const struct metrics_source *source, bool openmetrics,
                  void (*done)(void *done_ctx, char *text, size_t len), void *done_ctx);
