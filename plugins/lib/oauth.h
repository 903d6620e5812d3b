// OAuth2 client credentials (RFC 6749 section 4.4): one access token, asked for when a question needs it, kept, and asked
// for anew before it ends. Who the client is, it shows by a secret (client_secret_basic) or by a JWT that its private key
// signs (private_key_jwt, RFC 7523). Used on one thread, which calls https_turn().
//
//   When there is          and                                         oauth_get() gives   and asks for a token
//   a token                less than four fifths of its life are gone  it                  no
//   a token                more                                        it                  yes, unless that failed just now
//   none, or it has ended  one is asked for                            OAUTH_WAITING       no
//   none, or it has ended  asking failed just now                      OAUTH_FAILED        no
//   none, or it has ended  otherwise                                   OAUTH_WAITING       yes
//
// "Just now" is 1 s after the first failure, twice as long after each further one, up to 16 s, or what Retry-After says, at most an hour;
// and over when the files of the credentials change.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "https.h"
#include "verdict.h"

// A session, as Verizon's ThingSpace has it, is another such token: asked for by name and password, with an access token,
// and sent along with that. No end of it is told: it is used until it is refused. When it is not given for a reply 401, the
// access token is taken to be what was refused.

// Borrowed for the life of the struct oauth.
struct oauth_client {
	const char *token_url;
	const char *ca_file;          // NULL: the system's
	const char *scope;            // NULL: none is asked for
	const char *id, *id_file;     // the client's ID, or the file that has it; one of them
	const char *secret_file;      // client_secret_basic; or
	bool escapes;                 // then: both are percent-encoded first, as RFC 6749 section 2.3.1 says and not all do
	const char *key_file;         // private_key_jwt, with
	const char *key_id;           // its `kid`, NULL: none
	const char *audience;         // its `aud`, NULL: the token URL
	const char *session_header;   // a session, sent after this text, such as "X-Session: ", by the name in `id_file` and the
	                              // password in `secret_file`; NULL: an access token
};

struct oauth;

enum oauth_state { OAUTH_READY, OAUTH_WAITING, OAUTH_FAILED };

// NULL when out of memory. oauth_free() comes before https_free(); NULL is allowed.
struct oauth *oauth_new(struct https *https, const struct oauth_client *client);
// A session, for which `access` must be ready whenever oauth_get() is called; it outlives this one.
struct oauth *oauth_new_session(struct https *https, const struct oauth_client *client, struct oauth *access);
void oauth_free(struct oauth *oauth);

// OAUTH_READY: *ret_header is "Authorization: Bearer TOKEN", or that of the session, valid until the next https_turn(), and *ret_number the
// token's. OAUTH_FAILED: *ret_verdict is set.
enum oauth_state oauth_get(struct oauth *oauth, int64_t now_ms, const char **ret_header, unsigned *ret_number,
                           struct verdict *ret_verdict);
// The service has refused the token of that number. True: ask again, with another one; it is forgotten then. False: a
// new one would be of no use, as it has been refused just now as well.
bool oauth_refused(struct oauth *oauth, unsigned number, int64_t now_ms);

// For tests: whether a token is asked for now; takes a reply to such a request.
bool oauth_is_asking(const struct oauth *oauth);
void oauth_take(struct oauth *oauth, const struct https_result *result, int64_t now_ms);
