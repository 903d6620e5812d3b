// One curlloop for each file of authorities: libcurl keeps one parsed set of them with each multi handle, and parsing the
// system's costs more than ten probes. Called by http.c.
#pragma once

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct curlloop;
struct event_base;

struct trust {
	struct trust *next;
	struct curlloop *loop;
	char *ca_file;
	size_t running;        // those who hold it
	bool stale;            // nobody new gets it; freed when the last one lets go
};

// Zero-initialised but for the first two.
struct trusts {
	struct event_base *base;
	void (*done)(CURL *easy, CURLcode code);
	struct trust *first;
};

// The one for a file ("": none), held until trust_release(). NULL without memory.
struct trust *trust_hold(struct trusts *trusts, const char *ca_file) MUST_USE;
void trust_release(struct trusts *trusts, struct trust *trust);
// From now on files are read anew.
void trust_refresh(struct trusts *trusts);
