// What the scheduler (health.c) and the probe types (probe_http.c, probe_tcp.c) are to each other. A new probe type is one
// file with one struct probe_type, and one row in config/check_types.h, which names it.
#pragma once

#include <event2/event.h>

#include "base/addr.h"
#include "base/attr.h"
#include "config/config.h"
#include "health/needle.h"
#include "health/result.h"

struct arena;

// A check as the prober keeps it: its own copy, and what is worked out of it once.
struct check {
	struct arena *arena;  // it stands in it, with its texts
	size_t users;         // watches that have it
	struct config_check conf;
	struct needle body;
};

struct verdict {
	enum health_layer layer;
	char text[HEALTH_TEXT_LEN];
};

// One target as a probe type sees it. Check, address and app outlive the probe that is under way; check and app may be
// replaced by equal ones in the meantime.
struct probe {
	const struct check *check;
	struct addr addr;
	const char *app;
	void *run; // the type's own while a probe is under way, else NULL
	// Called by the type when the probe has ended; `run` is NULL again.
	void (*done)(struct probe *probe, const struct verdict *verdict);
};

struct probe_type {
	// What all probes of the type share. NULL without memory.
	void *(*open)(struct event_base *base);
	// No probe is under way any more.
	void (*close)(void *engine);
	// There is a new configuration: what was read from files for the old one is read anew. NULL: nothing is.
	void (*refresh)(void *engine);
	// Begins one probe and sets probe->run. It ends with exactly one call of probe->done() (never from inside start) or
	// with cancel. E_NOMEM, E_IO (errno tells): nothing has begun, and that says nothing of the target.
	int (*start)(void *engine, struct probe *probe);
	// Ends the probe under way without a word.
	void (*cancel)(struct probe *probe);
	// What the probe under way is waiting for: "connecting".
	const char *(*stage)(const struct probe *probe);
};

#define PROBE_ENGINE(id, name, port, keys, engine, help) extern const struct probe_type engine;
CHECK_TYPES(PROBE_ENGINE)
#undef PROBE_ENGINE

// event_assign() with the lowest priority the base has, for every event that moves probes: there may be thousands of them
// ready at once, and whatever else runs in the loop is more urgent than any one.
void probe_event_assign(struct event *event, struct event_base *base, evutil_socket_t fd, short what,
                        event_callback_fn callback, void *ctx);

// Fills a verdict; bytes that do not print become '?', as some came from the other side.
void probe_verdict(struct verdict *verdict, enum health_layer layer, const char *fmt, ...) PRINTF(3, 4);
// The verdict for a socket or a connect that failed with `error` (an errno): HEALTH_LOCAL where this machine ran out of
// something, which says nothing of the target, else HEALTH_CONNECT.
void probe_verdict_connect(struct verdict *verdict, const struct probe *probe, int error);
