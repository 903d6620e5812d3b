// What providers tell, for the daemon: their instances, started and stopped as the config says; what each has committed;
// and what all of them give together. Main thread, unless a function says otherwise.
//
//   provide_prepare()  the builder's thread  loads plugins and opens instances of a config that may come
//   provide_take()     the main thread       it has come: new instances begin, equal ones go on, others stop
//   ops.changed()      the main thread       other targets than before: join them (join.h) to provide_snapshot()
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "edgesteer-plugin.h"

struct config;
struct event_base;
struct provide;
struct provide_plan;
struct provider_report;
struct report;
struct snapshot;
struct state;

enum {
	PROVIDE_GATHER_MS = 50,       // changes that come together are told together
	PROVIDE_STOP_MS = 5000,       // what has not stopped by then is left running
};

struct provide_ops {
	void *ctx;
	// provide_snapshot() has other targets, or addresses of them, than when this was called last.
	void (*changed)(void *ctx);
	// What their sources say of the servers of an app at a site has changed: unknown at first, and when they have it no
	// more. NULL: nobody asks.
	void (*ready_changed)(void *ctx, const char *app, const char *site, enum edgesteer_health ready);
	unsigned stop_ms;             // 0: PROVIDE_STOP_MS
};

// `ops` is copied. `state` keeps what providers gave, and must stay until provide_free(), which does not use it;
// NULL: nobody does. E_IO, E_NOMEM.
int provide_new(struct event_base *base, struct state *state, const struct provide_ops *ops,
                struct provide **ret_provide) MUST_USE;
// Stops all, and waits for them for a bounded time. No provide_prepare() is under way. Takes NULL. Returns NULL, or
// `provide` when a thread has not ended: it uses memory of this, so the caller must _exit().
struct provide *provide_free(struct provide *provide);

// Loads and opens what the config names and is not running yet. All errors are reported; nothing is started. Any thread,
// while there is no provide_take(). `provide` NULL: only to check a config. E_INVAL, E_IO, E_NOMEM.
int provide_prepare(const struct provide *provide, const struct config *config, struct report *report,
                    struct provide_plan **ret_plan) MUST_USE;
// Closes what was opened for it. Any thread. Takes NULL; returns NULL.
struct provide_plan *provide_discard(struct provide_plan *plan);
// Carries out a plan that was made since the last one was. A new instance serves what its entry gave last, until it has
// given a whole list: before a restart, or before its entry was changed. Takes ownership.
void provide_take(struct provide *provide, struct provide_plan *plan);

// What there is now; the caller leaves it with snapshot_release(). NULL when out of memory.
struct snapshot *provide_snapshot(struct provide *provide) MUST_USE;
bool provide_has_targets(const struct provide *provide);
// What sources say of the servers of an app at a site now.
enum edgesteer_health provide_ready(const struct provide *provide, const char *app, const char *site);
// A joined config has been taken into use: logs what it does not use of what providers gave, once.
void provide_joined(struct provide *provide, const struct config *config);

// What is shown of a provider. Texts are valid until the next provide_take().
struct provide_status {
	const char *label, *plugin;
	size_t targets, vanished, stale; // objects; those that have vanished but are answered; those not confirmed
	size_t unused;                   // that the config in use cannot use
	bool is_stopping;
};

size_t provide_count(const struct provide *provide);
void provide_status(const struct provide *provide, size_t number, struct provide_status *ret_status,
                    struct provider_report *ret_report);
