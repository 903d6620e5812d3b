// TLS of the HTTP door, on OpenSSL: a context from what the files have, and who a client's certificate says that it is.
#pragma once

#include <openssl/types.h>
#include <stddef.h>

#include "base/attr.h"

enum { TLS_NAME_LEN = 128, TLS_WHY_LEN = 256 };

// What the files of `tls` have, in PEM.
struct tls_texts {
	const char *cert, *key;
	const char *client_ca; // NULL: certificates of clients are not asked for
};

// A server's context; the caller frees it with SSL_CTX_free(). E_INVAL: a text is not what it has to be; *ret_of is it, and
// why[TLS_WHY_LEN] the end of a sentence about it. E_NOMEM. Any thread.
int tls_context(const struct tls_texts *texts, SSL_CTX **ret_context, const char **ret_of, char *why) MUST_USE;

// Tells the peer that nothing more comes; best effort.
void tls_end(SSL *ssl);

// The set of enum verbs_scope that the client's certificate gives; 0: it has none. Its common name goes, safe to show, into
// name[TLS_NAME_LEN]. After the handshake.
unsigned tls_scopes(const SSL *ssl, char *name);
