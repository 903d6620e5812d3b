// Remembers the last health of targets and the last good addresses of names, and has the rows that changed written,
// at most once a second; for state.c. Main thread only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/backend.h"
#include "state/healthmap.h"

struct event_base;
struct lasthealth;
struct writer;

// Takes over what is in `map` and `aliases`. What is saved is confirmed every `confirm_ms`, changed or not. The
// writer calls back lasthealth_written(). E_NOMEM.
int lasthealth_new(struct event_base *base, struct writer *writer, struct healthmap *map,
                   struct aliasmap *aliases, unsigned confirm_ms, struct lasthealth **ret_health) MUST_USE;
// Takes NULL; returns NULL.
struct lasthealth *lasthealth_free(struct lasthealth *health);
void lasthealth_written(struct lasthealth *health, int err);
// Since when nothing could be written, wall clock; 0: it could, as far as is known.
int64_t lasthealth_failing_s(const struct lasthealth *health);
// Before the writer is stopped: submits no more.
void lasthealth_stop(struct lasthealth *health);
// After the writer has stopped: writes what is not written yet. E_IO, E_NOMEM.
int lasthealth_finish(struct lasthealth *health, const struct state_backend *backend, void *backend_ctx) MUST_USE;

// What state.h says of state_set_health() and so on.
void lasthealth_set(struct lasthealth *health, const char *app, const char *site, uint32_t probed, bool up,
                    int64_t since_s);
int lasthealth_get(const struct lasthealth *health, const char *app, const char *site, uint32_t probed,
                   int64_t *ret_since_s);
void lasthealth_retain_addresses(struct lasthealth *health, const char *app, const char *site, const uint32_t *probed,
                                 size_t count);
void lasthealth_retain(struct lasthealth *health, bool (*is_kept)(void *ctx, const char *app, const char *site),
                       void *ctx);

// The same of state_set_alias() and so on.
void lasthealth_set_alias(struct lasthealth *health, const char *name, const char *addresses, uint32_t ttl_s,
                          int64_t since_s);
const char *lasthealth_alias(const struct lasthealth *health, const char *name, uint32_t *ret_ttl_s,
                             int64_t *ret_since_s);
void lasthealth_retain_aliases(struct lasthealth *health, bool (*is_kept)(void *ctx, const char *name), void *ctx);
