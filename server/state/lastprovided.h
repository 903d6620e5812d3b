// Has what providers gave written, a second or so after it came; for state.c. Main thread only.
#pragma once

#include "base/attr.h"
#include "state/backend.h"
#include "state/provided.h"

struct event_base;
struct lastprovided;
struct writer;

// Takes over what is in `found`. The writer calls back lastprovided_written(). E_NOMEM.
int lastprovided_new(struct event_base *base, struct writer *writer, struct provided_list *found,
                     struct lastprovided **ret_last) MUST_USE;
// Takes NULL; returns NULL.
struct lastprovided *lastprovided_free(struct lastprovided *last);
void lastprovided_written(struct lastprovided *last, int err);
// Since when nothing could be written, wall clock; 0: it could, as far as is known.
int64_t lastprovided_failing_s(const struct lastprovided *last);
// Before the writer is stopped: submits no more.
void lastprovided_stop(struct lastprovided *last);
// After the writer has stopped: writes what is not written yet. E_IO, E_NOMEM.
int lastprovided_finish(struct lastprovided *last, const struct state_backend *backend, void *backend_ctx) MUST_USE;

// What state.h says of state_set_provided(), state_progress(), state_take_learned() and state_take_provided().
void lastprovided_set(struct lastprovided *last, const char *owner, const char *key, const char *text);
void lastprovided_progress(const struct lastprovided *last, struct provided_progress *ret_progress);
void lastprovided_take_of(struct lastprovided *last, const char *owner,
                          void (*row)(void *ctx, const char *key, const char *text), void *ctx);
int lastprovided_take(struct lastprovided *last,
                      int (*row)(void *ctx, const char *owner, const char *key, const char *text), void *ctx);
