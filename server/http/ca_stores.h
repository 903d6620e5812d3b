// One curl_loop for each CA file: libcurl caches the parsed certificates per multi handle, and parsing the system's
// costs more than ten probes. Called by users of transfers. Main thread.
#pragma once

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct curl_loop;
struct event_base;

struct ca_store {
	struct ca_store *next;
	struct curl_loop *loop;
	char *ca_file;
	size_t running;        // transfers that hold it
	bool stale;            // not given to new transfers; freed when the last one is released
};

// Zero-initialised except for the first three members.
struct ca_stores {
	struct event_base *base;
	int priority;          // of the transfers' events on `base`
	void (*done)(CURL *easy, CURLcode code); // see curl_loop_new()
	struct ca_store *first;
};

// The store for a file ("": none), created if needed and held until ca_stores_release(). `ca_file` is copied. NULL when
// out of memory.
struct ca_store *ca_stores_hold(struct ca_stores *stores, const char *ca_file) MUST_USE;
void ca_stores_release(struct ca_stores *stores, struct ca_store *store);
// Makes later calls of ca_stores_hold() read the files again. Stores in use are freed when they are released.
void ca_stores_refresh(struct ca_stores *stores);
