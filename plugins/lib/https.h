// HTTPS requests whose replies are taken as they come, for plugins with a thread of their own: it waits for all of
// them, and for a file descriptor, in https_turn(). Peers are always verified. Credentials are read from their files
// for every request, so that rotated ones are used.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct https;
struct https_request;

// Whom to trust, and as whom. Borrowed during https_start().
struct https_peer {
	const char *ca_file;               // NULL: the system's
	const char *token_file;            // NULL: no token
	bool token_shared;                 // see secret_read_token()
	const char *cert_file, *key_file;  // NULL: no client certificate
};

struct https_result {
	int status;             // of the reply, 200 when it came whole; 0: none
	unsigned retry_after_s; // as the server wishes; 0: it does not say
	const char *why;        // "Connection refused", "the server closed the connection early"; NULL after a whole reply
	const char *body;       // the beginning of the body of a reply other than 200; "" at least
};

struct https_handler {
	// A part of the body of a reply with status 200. Other than 0 ends the request: `done` then gets it as
	// result->why == NULL and result->status == 0. Must not start or cancel requests.
	int (*data)(void *ctx, const char *bytes, size_t len);
	// Once, at the end; the request is gone. May start and cancel requests.
	void (*done)(void *ctx, const struct https_result *result);
};

enum { HTTPS_BODY_MAX_LEN = 4096 };

// NULL when out of memory.
struct https *https_new(void);
// There must be no requests.
void https_free(struct https *https);

// Begins a GET. `whole_ms`: the time for all of it. Returns 0 with *ret_request set, or negative with *ret_why set, for
// which `buf` may be used; `handler` and `ctx` stay with the caller, and are not called before https_turn().
int https_start(struct https *https, const struct https_peer *peer, const char *url, long whole_ms,
                const struct https_handler *handler, void *ctx, struct https_request **ret_request,
                const char **ret_why, char buf[static 128]);
// Ends it without a call of done(). NULL is allowed.
void https_cancel(struct https_request *request);
// Whether a reply with status 200 has begun.
bool https_has_begun(const struct https_request *request);

// Waits until something happens, `fd` is readable or `timeout_ms` have passed, and calls the handlers. Returns 1 when
// `fd` is readable, 0 when not, negative when out of memory.
int https_turn(struct https *https, int fd, int timeout_ms);

// Appends `text` to `buf` (of `size` octets, a text) as a value in a query string. False: no room.
bool https_escape(char *buf, size_t size, const char *text);
