// What providers say of the servers behind their load balancers: targets of which none has been ready for long enough are
// not ready. Kept by name, as targets come and go. Main thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "edgesteer-plugin.h"

struct event_base;
struct readiness;

struct readiness_ops {
	// Whether an app's target at a site is ready has changed.
	void (*changed)(void *ctx, const char *app, const char *site, bool ready);
	void *ctx;
};

// `ops` is copied. NULL when out of memory.
struct readiness *readiness_new(struct event_base *base, const struct readiness_ops *ops) MUST_USE;
// Takes NULL; returns NULL.
struct readiness *readiness_free(struct readiness *readiness);

// What a provider says now. A target is not ready once EDGESTEER_HEALTH_UNREADY has been said for `patience_ms` and
// nothing else since. Out of memory it stays ready, which is logged.
void readiness_told(struct readiness *readiness, const char *app, const char *site, enum edgesteer_health health,
                    int64_t patience_ms);
// Calls each() for every target that is not ready now, in no particular order.
void readiness_each(const struct readiness *readiness, void (*each)(void *ctx, const char *app, const char *site), void *ctx);
