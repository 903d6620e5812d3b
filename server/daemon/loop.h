// The main thread's event loop. Called by daemon.c.
#pragma once

#include "base/attr.h"

struct event_base;

// A base on which requests, signals and publishing never queue behind many probes: probes have the lowest priority (see
// health/probe.h), everything else the middle one, libevent's default; and after a few probe events the loop polls for
// others. The caller's; NULL: out of memory or descriptors.
struct event_base *loop_new(void) MUST_USE;
