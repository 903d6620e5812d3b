// One curl_loop for each file of authorities: libcurl keeps one parsed set of them with each multi handle, and parsing the
// system's costs more than ten probes. Called by whoever makes transfers.
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
	size_t running;        // those who hold it
	bool stale;            // nobody new gets it; freed when the last one lets go
};

// Zero-initialised but for the first three.
struct ca_stores {
	struct event_base *base;
	int priority;          // of their events on it
	void (*done)(CURL *easy, CURLcode code);
	struct ca_store *first;
};

// The one for a file ("": none), held until ca_stores_release(). NULL without memory.
struct ca_store *ca_stores_hold(struct ca_stores *stores, const char *ca_file) MUST_USE;
void ca_stores_release(struct ca_stores *stores, struct ca_store *store);
// From now on files are read anew.
void ca_stores_refresh(struct ca_stores *stores);
