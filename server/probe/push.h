// Tells one daemon what the agent's probes say, over HTTP. What is to be told is a table, not a queue: of each target the
// newest state, and whether the daemon has it. So a daemon that is away for an hour costs nothing, and gets what is so when it
// is back. Main thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct event_base;
struct push;

// What all daemons are told with; borrowed.
struct push_config {
	const char *vantage, *carrier; // `carrier` NULL: it speaks for everybody
	unsigned ttl_ms;               // each state is told again three times within this
	const char *token;             // NULL: none
	const char *ca, *cert, *key;   // files, PEM; NULL: the system's, and none
};

// A target that is probed.
struct push_target {
	const char *app, *site;        // borrowed
	bool known, up;                // nothing is told of what is not known
};

// For the daemon at `url` ("https://HOST:PORT"), with the targets that there are; both borrowed. NULL when out of memory.
struct push *push_new(struct event_base *base, const struct push_config *config, const char *url,
                      const struct push_target *targets, size_t count) MUST_USE;
// Takes NULL; returns NULL.
struct push *push_free(struct push *push);

// The target has another state, or its first one: it is told at once, or as soon as that is possible.
void push_changed(struct push *push, size_t target);
