// libcurl's multi interface on libevent: transfers run in the event loop, nothing waits. Called by ca_stores.c. Owns the
// multi handle and its sockets' events, not the transfers.
#pragma once

#include <curl/curl.h>

#include "base/attr.h"

struct curl_loop;
struct event_base;

// `priority`: of its events on the base, as event_priority_set() counts. `done` is called for every transfer that ended,
// after it has been removed; it may add and remove others, and free the loop. NULL without memory.
struct curl_loop *curl_loop_new(struct event_base *base, int priority,
                                void (*done)(CURL *easy, CURLcode code)) MUST_USE;
// Every transfer must have been removed. Takes NULL; returns NULL.
struct curl_loop *curl_loop_free(struct curl_loop *loop);

// The transfer begins in the event loop's next turn. E_NOMEM.
int curl_loop_add(struct curl_loop *loop, CURL *easy) MUST_USE;
// Ends a transfer early; `done` is not called.
void curl_loop_remove(struct curl_loop *loop, CURL *easy);
