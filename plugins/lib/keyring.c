// An access token and a session; see keyring.h.
#include "keyring.h"

#include <stdlib.h>

struct keyring {
	struct oauth *access, *session; // `session` NULL: none is wanted
};

struct keyring *keyring_new(struct https *https, const struct keyring_clients *clients)
{
	struct keyring *keyring = calloc(1, sizeof(*keyring));
	bool has_session = clients->session.session_header;

	if (!keyring)
		return NULL;
	keyring->access = oauth_new(https, &clients->access);
	if (keyring->access && has_session)
		keyring->session = oauth_new_session(https, &clients->session, keyring->access);
	if (keyring->access && (keyring->session || !has_session))
		return keyring;
	keyring_free(keyring);
	return NULL;
}

void keyring_free(struct keyring *keyring)
{
	if (!keyring)
		return;
	oauth_free(keyring->session);
	oauth_free(keyring->access);
	free(keyring);
}

enum oauth_state keyring_get(struct keyring *keyring, int64_t now_ms, const char *ret_headers[static KEYRING_HEADERS],
                             struct keyring_tokens *ret_tokens, struct verdict *ret_verdict)
{
	enum oauth_state state = oauth_get(keyring->access, now_ms, &ret_headers[0], &ret_tokens->access, ret_verdict);

	ret_headers[1] = NULL;
	ret_tokens->session = 0;
	if (state == OAUTH_READY && keyring->session)
		state = oauth_get(keyring->session, now_ms, &ret_headers[1], &ret_tokens->session, ret_verdict);
	return state;
}

bool keyring_refused(struct keyring *keyring, const struct keyring_tokens *tokens, int64_t now_ms)
{
	bool again = oauth_refused(keyring->access, tokens->access, now_ms);

	return (keyring->session && oauth_refused(keyring->session, tokens->session, now_ms)) || again;
}
