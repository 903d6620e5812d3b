// The interface between the scheduler (probing.c) and the probe types (probe_*.c). A new probe type is one file with one
// struct probe_type, and one row in config/check_types.h that names it. Main thread only.
#pragma once

#include <event2/event.h>
#include <stdbool.h>

#include "base/addr.h"
#include "base/attr.h"
#include "config/config.h"
#include "health/checks.h"
#include "health/result.h"

struct verdict {
	enum health_layer layer;
	char text[HEALTH_TEXT_LEN];
};

// One address of a target as a probe type sees it. Check, address and names outlive the probe under way.
struct probe {
	const struct check *check;
	struct addr addr;
	const char *app, *site;
	void *run; // owned by the type while a probe is under way, else NULL
	// Called by the type when the probe has finished; `run` is then NULL again. The verdict is valid during the call.
	void (*done)(struct probe *probe, const struct verdict *verdict);
};

struct probe_type {
	unsigned at_once;   // so many probes of the type are under way at most; 0: as many as of all
	// Makes what all probes of the type share, the `engine` of the calls below. NULL: out of memory.
	void *(*open)(struct event_base *base);
	// Called when no probe is under way.
	void (*close)(void *engine);
	// A new configuration is in use: what was kept for the old one is to go. NULL: the type keeps nothing.
	void (*refresh)(void *engine);
	// Starts one probe and sets probe->run. The probe ends with exactly one call of probe->done() (never from inside
	// start) or with cancel. E_NOMEM, E_IO (with errno): not started, which says nothing about the target.
	int (*start)(void *engine, struct probe *probe);
	// Stops the probe under way without calling probe->done(); sets probe->run to NULL.
	void (*cancel)(struct probe *probe);
	// What the probe under way is waiting for ("connecting"), a static text.
	const char *(*stage)(const struct probe *probe);
	// Whether it waits for this machine, so that its timeout would say nothing about the target. NULL: never.
	bool (*waits_here)(const struct probe *probe);
};

#define PROBE_ENGINE(id, name, port, keys, engine, help) extern const struct probe_type engine;
CHECK_TYPES(PROBE_ENGINE)
#undef PROBE_ENGINE

// event_assign() with the base's lowest priority, for every event of the probes: thousands of them may be active at
// once, and everything else in the loop is more urgent than any single one.
void probe_event_assign(struct event *event, struct event_base *base, evutil_socket_t fd, short what,
                        event_callback_fn callback, void *ctx);

// Fills a verdict. Bytes that are not printable ASCII become '?', as the text may contain data from the target.
void probe_verdict(struct verdict *verdict, enum health_layer layer, const char *fmt, ...) PRINTF(3, 4);
// Whether an errno of a system call means that this machine is out of a resource, which says nothing about the target.
bool probe_is_local(int error) PURE;
// The verdict for a socket() or connect() that failed with `error` (an errno): HEALTH_LOCAL if
// probe_is_local(), else HEALTH_CONNECT.
void probe_verdict_connect(struct verdict *verdict, const struct probe *probe, int error);
