// What opens a service: an access token and, where it wants one, a session besides. A reply 401 does not tell which of the
// two has ended, so that both are renewed. Used on one thread, which calls https_turn().
#pragma once

#include "oauth.h"

// Borrowed for the life of the keyring.
struct keyring_clients {
	struct oauth_client access;
	struct oauth_client session; // `session_header` NULL: none
};

struct keyring;

// Which tokens a request was sent with.
struct keyring_tokens {
	unsigned access, session;
};

enum { KEYRING_HEADERS = 2 };

// NULL when out of memory. keyring_free() comes before https_free(); NULL is allowed.
struct keyring *keyring_new(struct https *https, const struct keyring_clients *clients);
void keyring_free(struct keyring *keyring);

// As oauth_get(), with the headers of all tokens; those that there are not are NULL.
enum oauth_state keyring_get(struct keyring *keyring, int64_t now_ms, const char *ret_headers[static KEYRING_HEADERS],
                             struct keyring_tokens *ret_tokens, struct verdict *ret_verdict);
// As oauth_refused().
bool keyring_refused(struct keyring *keyring, const struct keyring_tokens *tokens, int64_t now_ms);
