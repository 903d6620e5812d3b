// HTTPS requests for plugins with a thread of their own, which waits for all of them, and for a few file descriptors, in
// https_turn(): those whose replies are taken as they come (https_start), and those whose whole reply is wanted
// (https_ask). Peers are always verified, redirects are not followed, connections are kept and used again. Credentials
// are read from their files for every request, so that rotated ones are used; what was made of them is wiped.
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct https;
struct https_request;

// Whom to trust, and as whom. Borrowed during https_start() and https_ask().
struct https_peer {
	const char *ca_file;               // NULL: the system's
	const char *token_file;            // NULL: no token
	const char *token_header;          // what the token follows, "Name: "; NULL: "Authorization: Bearer "
	bool token_shared;                 // see secret_read_token()
	const char *cert_file, *key_file;  // NULL: no client certificate
};

// What kept a whole reply from coming.
enum https_fault {
	HTTPS_NONE,
	HTTPS_TIMEOUT,
	HTTPS_UNTRUSTED, // the peer's certificate is not valid, or another's
	HTTPS_TOO_LONG,  // the reply is longer than its limit
	HTTPS_BROKEN,    // not connected, not TLS, not HTTP, cut off
};

struct https_result {
	int status;             // of the reply, 200 when it came whole; 0: none
	unsigned retry_after_s; // as the server wishes; 0: it does not say
	enum https_fault fault;
	const char *why;        // "Connection refused", "the server closed the connection early"; NULL after a whole reply
	const char *body;       // https_ask(): all of it; else the beginning of that of a reply other than 200. A zero follows
	size_t body_len;
};

struct https_handler {
	// A part of the body of a reply with status 200. Other than 0 ends the request: `done` then gets it as
	// result->why == NULL and result->status == 0. Must not start or cancel requests.
	int (*data)(void *ctx, const char *bytes, size_t len);
	// Once, at the end; the request is gone. May start and cancel requests.
	void (*done)(void *ctx, const struct https_result *result);
};

// A request whose whole reply is wanted, whatever its status.
struct https_request_text {
	const char *url;
	const char *method;         // NULL: POST with a body, else GET
	const char *body;           // NULL: none
	const char *const *headers; // "Name: value" each, the last one NULL
	long whole_ms;              // the time for all of it
};

enum {
	HTTPS_BODY_MAX_LEN = 4096,        // of what is kept for result->body by https_start()
	HTTPS_REPLY_MAX_LEN = 256 << 10,  // of a reply to https_ask()
};

// On the thread that uses it, whose memory core dumps leave out then, as far as possible (secret.h). NULL when out of
// memory.
struct https *https_new(void);
// There must be no requests.
void https_free(struct https *https);

// Begins a GET. `whole_ms`: the time for all of it. Returns 0 with *ret_request set, or negative with *ret_why set (else
// it is NULL), for which `buf` may be used; `handler` and `ctx` stay with the caller, and are not called before https_turn().
int https_start(struct https *https, const struct https_peer *peer, const char *url, long whole_ms,
                const struct https_handler *handler, void *ctx, struct https_request **ret_request,
                const char **ret_why, char buf[static 128]);
// As above, for a request whose reply is given whole, or not at all, to `done`, once; the request is gone then. All text
// is copied. result->status is 0 unless the reply came whole.
int https_ask(struct https *https, const struct https_peer *peer, const struct https_request_text *text,
              void (*done)(void *ctx, const struct https_result *result), void *ctx, struct https_request **ret_request,
              const char **ret_why, char buf[static 128]);
// Ends it without a call of done(). NULL is allowed.
void https_cancel(struct https_request *request);
// Whether a reply with status 200 has begun.
bool https_has_begun(const struct https_request *request);

// Waits until something happens, one of `fds` is ready or `timeout_ms` have passed, and calls the handlers; sets revents
// as poll() does, which also passes over those that are negative. At most HTTPS_FDS_MAX. Returns 0, or negative when out
// of memory.
enum { HTTPS_FDS_MAX = 4 };
int https_turn(struct https *https, struct pollfd *fds, size_t count, int timeout_ms);

// Whether this is "https://NAME[:PORT][/PATH]", with nothing that does not belong into a configured URL: no user, query,
// fragment or blanks.
bool https_url_is_good(const char *url);
// Appends `text` to `buf` (of `size` octets, a text) as a value in a query string. False: no room.
bool https_escape(char *buf, size_t size, const char *text);
