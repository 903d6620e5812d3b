// A watched target and its endpoints: the addresses that are probed for it, each with its probe, its score and its
// timer. They are the target's own addresses, each of which is answered while its endpoint is up; or its check addresses,
// by which the target stands or falls as a whole. Either way the target is up while one endpoint is.
#pragma once

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/attr.h"
#include "health/probe.h"
#include "health/result.h"

struct due_queue;
struct probing;
struct watch;

struct endpoint {
	struct probe probe;
	struct watch *watch;        // whose it is
	struct endpoint *next;      // of the watch, in the order of its addresses
	struct probing *probing;    // NULL until it is first scheduled
	struct health_target shown;
	unsigned score;             // see score.h; undefined before `decided`
	bool decided;               // a result, or a saved state, has set the score
	bool settled;               // has been probed, or has a saved state
	bool started;               // has been probed
	bool extended;              // the deadline of the probe under way has been extended
	struct due_queue *due;      // that it is in, see due.h; NULL: none
	int64_t start_ms;           // monotonic: scheduled start of the probe under way, or else of the next one
	int64_t alarm_ms;           // monotonic: when the timer is to fire
	int64_t began_ns;           // monotonic: actual start of the last probe
	struct event timer;         // the next start; while a probe is under way, its deadline
	TAILQ_ENTRY(endpoint) queued;
};

// Lives as long as successive lists keep its app, site, addresses and check.
struct watch {
	const struct check *check;  // NULL: not probed, always up; then there are no endpoints
	const char *site;
	struct endpoint *endpoints; // main thread, but for those of a watch that is not dynamic: they stay while it is in use
	uint64_t written;           // a hash of the addresses to be probed that the config gives; 0: they come at run time
	uint32_t slot;              // index of the lists' arrays by slot; stays when the target's number changes
	bool is_whole;              // the endpoints are not the target's own addresses
	bool is_dynamic;            // the addresses come at run time
	char names[];               // the app's and the site's
};

// What is kept of a watch where walks over all targets read it.
enum watch_mark {
	WATCH_UP = 1 << 0,
	WATCH_PARTIAL = 1 << 1,     // some of its own addresses are up, and some are not
	WATCH_DYNAMIC = 1 << 2,
	WATCH_CHECKED = 1 << 3,     // it has a check
};

enum { WATCH_NAME_LEN = 1200 };

// Without endpoints; one more user of `check`, which may be NULL. NULL when out of memory.
struct watch *watch_new(const char *app, const char *site, const struct check *check, uint32_t slot) MUST_USE;
// Frees it with its endpoints and lets go of their checks. None may be queued or under way. Takes NULL; returns NULL.
struct watch *watch_free(struct watch *watch);
// The same for one that was never in use: whoever made its check frees that.
struct watch *watch_discard(struct watch *watch);

// A new endpoint of the watch, not in its list yet; down until something is known of it. NULL when out of memory.
struct endpoint *watch_endpoint_new(struct watch *watch, const struct addr *addr) MUST_USE;
void watch_endpoint_free(struct endpoint *endpoint);
// Where the endpoint for an address is linked; NULL: there is none.
struct endpoint **watch_find(struct watch *watch, const struct addr *addr);

size_t watch_count(const struct watch *watch) PURE;
size_t watch_up_count(const struct watch *watch) PURE;
size_t watch_unsettled(const struct watch *watch) PURE;
uint8_t watch_marks(const struct watch *watch) PURE;
// What is shown for the target: that of the endpoint that has been up for the longest, or has fallen last.
const struct health_target *watch_shown(const struct watch *watch) PURE;
// "APP at SITE", with the address if there are several, into buf[WATCH_NAME_LEN], which it returns.
const char *watch_name(const struct endpoint *endpoint, char *buf);
// A 31-bit hash of the address and the port that are probed.
uint32_t watch_endpoint_hash(const struct endpoint *endpoint);

// Sets the state of a new endpoint from that of the target. `old`: the one for the same address that it replaces, or NULL.
void watch_endpoint_inherit(struct endpoint *endpoint, const struct endpoint *old, const struct health_target *target);
// Sets the initial states of a new watch's endpoints from the watch that it replaces; those of the same address and
// check are exchanged for the old ones, which go on as they are.
void watch_inherit(struct watch *watch, struct watch *before);
// Moves all endpoints into a watch that has none. Those whose check is another one must have been stopped.
void watch_take(struct watch *watch, struct watch *before);
