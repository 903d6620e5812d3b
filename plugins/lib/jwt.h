// JSON Web Tokens by which a client shows who it is (private_key_jwt, RFC 7523), signed with its private key: RS256 by
// one of RSA, ES256 by one of the curve P-256 (RFC 7518).
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { JWT_SIZE = 4096, JWT_KEY_MAX_LEN = 16 << 10 };

struct jwt_claims {
	const char *client_id; // `iss` and `sub`
	const char *audience;  // `aud`
	const char *key_id;    // `kid`; NULL: none
	int64_t now_s;         // Unix time, `iat`
	unsigned lifetime_s;   // `exp` - `iat`
};

// Writes a token with a `jti` of its own, signed with the key in `pem` (PKCS #8 or the traditional forms, not
// encrypted). NULL when done; else why not, in a few words.
const char *jwt_sign(const char *pem, size_t pem_len, const struct jwt_claims *claims, char ret_token[static JWT_SIZE]);
