// The main thread's event loop, as daemon.c sets it up. Main thread only.
#pragma once

#include <event2/event.h>
#include <stdint.h>

#include "base/attr.h"

// A base on which requests, signals and publishing never queue behind many probes: probes have the lowest priority (see
// health/probe.h), everything else the middle one, libevent's default; and after PROBES_IN_A_ROW probe events the loop
// polls for others. NULL: it cannot be made.
struct event_base *loop_new(void) MUST_USE;
// Sets a timer that is not set. Out of memory, it fires at once: too early is better than never.
void loop_arm(struct event *event, int64_t seconds, int microseconds);
