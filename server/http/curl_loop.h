// libcurl's multi interface on libevent: transfers run in the event loop, nothing waits. Called by http.c. Owns the
// multi handle and its sockets' events, not the transfers.
#pragma once

#include <curl/curl.h>

#include "base/attr.h"

struct curlloop;
struct event_base;

// `done` is told of every transfer that ended, after it has been removed; it may add and remove others, and free the
// loop. NULL without memory.
struct curlloop *curlloop_new(struct event_base *base, void (*done)(CURL *easy, CURLcode code)) MUST_USE;
// Every transfer must have been removed. Takes NULL; returns NULL.
struct curlloop *curlloop_free(struct curlloop *loop);

// The transfer begins in the event loop's next turn. E_NOMEM.
int curlloop_add(struct curlloop *loop, CURL *easy) MUST_USE;
// Ends a transfer early; `done` is not called.
void curlloop_remove(struct curlloop *loop, CURL *easy);
