// libcurl's multi interface on libevent: transfers run in the event loop and nothing blocks. Called by ca_stores.c and
// by users of transfers. Owns the multi handle and its sockets' events, not the easy handles.
#pragma once

#include <curl/curl.h>

#include "base/attr.h"

struct curl_loop;
struct event_base;

// `base` is borrowed; `priority` is that of the events, as for event_priority_set(). done() is called for every
// transfer that has finished, after it has been removed; it may add and remove others, and free the loop. When libcurl
// runs out of memory, all transfers under way finish with CURLE_OUT_OF_MEMORY. NULL when out of memory.
struct curl_loop *curl_loop_new(struct event_base *base, int priority,
                                void (*done)(CURL *easy, CURLcode code)) MUST_USE;
// All transfers must have been removed. Takes NULL; returns NULL.
struct curl_loop *curl_loop_free(struct curl_loop *loop);

// Adds a transfer, which starts in the event loop's next iteration. `easy` stays the caller's. E_NOMEM.
int curl_loop_add(struct curl_loop *loop, CURL *easy) MUST_USE;
// Removes a transfer before it has finished; done() is not called.
void curl_loop_remove(struct curl_loop *loop, CURL *easy);
