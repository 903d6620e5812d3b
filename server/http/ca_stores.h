// One curl_loop for each set of authorities, with their certificates parsed once: parsing the system's costs more than
// ten probes. libcurl reads and caches the system's file itself, one per multi handle; certificates that the operator
// gives are texts, so that no file of his is read here. Called by users of transfers. Main thread.
#pragma once

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct curl_loop;
struct event_base;

// Which authorities: a file of the system's, certificates in PEM, or with neither, none. And the certificate to show.
struct ca_source {
	const char *file; // "": none
	const char *pem;  // NULL: none
	const char *client_cert, *client_key; // in PEM; NULL: none, both or none
	uint64_t hash;    // of these texts
};

struct ca_store {
	struct ca_store *next;
	struct curl_loop *loop;
	char *file, *pem, *client_cert, *client_key;
	uint64_t hash;
	struct x509_store_st *certs; // of `pem`; else NULL
	struct identity *identity;   // of the two others; else NULL
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

// The store for a source, created if needed and held until ca_stores_release(). `source` is copied. NULL when out of
// memory, and for a certificate and a key that are no pair.
struct ca_store *ca_stores_hold(struct ca_stores *stores, const struct ca_source *source) MUST_USE;
<<<<<<< HEAD
// What a transfer uses, and what the peer thinks of it. Lives as long as the transfer.
struct ca_use {
	const struct ca_store *store;
	const char *alert;     // the TLS alert by which the peer has ended the connection, a static text; NULL: none
};

// Makes a transfer trust the store's authorities and no others, and show its certificate. The store is held until the
// transfer has ended. Fills *use. E_NOMEM.
int ca_store_use(const struct ca_store *store, CURL *easy, struct ca_use *use) MUST_USE;
=======
// Makes a transfer trust the store's authorities and no others, and show its certificate. The store is held until the transfer has ended. E_NOMEM.
int ca_store_use(const struct ca_store *store, CURL *easy) MUST_USE;
>>>>>>> cc131b7 (health: method, headers, body, redirects, HTTP/2 and client certificates for HTTP checks)
void ca_stores_release(struct ca_stores *stores, struct ca_store *store);
// Makes later calls of ca_stores_hold() start anew. Stores in use are freed when they are released.
void ca_stores_refresh(struct ca_stores *stores);
