// JSON Web Tokens; see jwt.h.
#include "jwt.h"

#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base64.h"

enum { RSA_MIN_BITS = 2048, HALF_LEN = 32, SIGNATURE_MAX_LEN = 1024, JTI_LEN = 16 };

// Without it, OpenSSL would ask at the terminal.
static int no_password(char *buf, int size, int writing, void *ctx)
{
	(void)buf, (void)size, (void)writing, (void)ctx;
	return -1;
}

static const char *read_key(const char *pem, size_t len, EVP_PKEY **ret_key, const char **ret_algorithm)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
	char curve[32] = "";

	BIO_free(bio);
	if (!key)
		return "not a private key as PEM, or one that is encrypted";
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) >= RSA_MIN_BITS)
		*ret_algorithm = "RS256";
	else if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) &&
	         strcmp(curve, "prime256v1") == 0)
		*ret_algorithm = "ES256";
	else {
		EVP_PKEY_free(key);
		return "neither an RSA key of 2048 bits or more nor one of the curve P-256";
	}
	*ret_key = key;
	return NULL;
}

// Appends a JSON object to the token. Takes `json`.
static bool append_json(char *token, json_t *json)
{
	size_t at = strlen(token), len = 0;
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

	if (text)
		len = base64_write(token + at, JWT_SIZE - at, text, strlen(text), BASE64_URL);
	free(text);
	json_decref(json);
	return len > 0;
}

static bool write_claims(char *token, const char *algorithm, const struct jwt_claims *claims)
{
	unsigned char random[JTI_LEN];
	char jti[JTI_LEN * 2] = "";
	json_t *header = json_pack("{s:s, s:s, s:s*}", "alg", algorithm, "typ", "JWT", "kid", claims->key_id);

	*token = '\0';
	if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
		json_decref(header);
		return false;
	}
	base64_write(jti, sizeof(jti), random, sizeof(random), BASE64_URL);
	if (!append_json(token, header) || strlen(token) + 2 > JWT_SIZE)
		return false;
	strncat(token, ".", JWT_SIZE - strlen(token) - 1);
	return append_json(token, json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "iss", claims->client_id, "sub",
	                                    claims->client_id, "aud", claims->audience, "jti", jti, "iat",
	                                    (json_int_t)claims->now_s, "exp",
	                                    (json_int_t)(claims->now_s + claims->lifetime_s)));
}

// From the signature in DER, which OpenSSL makes, to the two numbers that a token has (RFC 7518 section 3.4).
static size_t flatten(unsigned char *signature, size_t len)
{
	const unsigned char *der = signature;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
	bool good = pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, HALF_LEN) == HALF_LEN &&
	            BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + HALF_LEN, HALF_LEN) == HALF_LEN;

	ECDSA_SIG_free(pair);
	return good ? 2 * HALF_LEN : 0;
}

static bool append_signature(char *token, EVP_PKEY *key)
{
	unsigned char signature[SIGNATURE_MAX_LEN];
	size_t len = sizeof(signature), at = strlen(token);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool good = md && EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) == 1 &&
	            EVP_DigestSign(md, signature, &len, (const unsigned char *)token, at) == 1;

	EVP_MD_CTX_free(md);
	if (good && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC)
		len = flatten(signature, len);
	if (!good || at + 1 >= JWT_SIZE)
		return false;
	token[at++] = '.';
	return base64_write(token + at, JWT_SIZE - at, signature, len, BASE64_URL) > 0;
}

const char *jwt_sign(const char *pem, size_t pem_len, const struct jwt_claims *claims, char ret_token[static JWT_SIZE])
{
	EVP_PKEY *key = NULL;
	const char *algorithm = NULL, *why = read_key(pem, pem_len, &key, &algorithm);

	if (!why && (!write_claims(ret_token, algorithm, claims) || !append_signature(ret_token, key)))
		why = "cannot sign: the key, the client's ID or the audience is too long, or memory has run out";
	EVP_PKEY_free(key);
	ERR_clear_error(); // the thread's, of which libcurl's TLS reads too
	return why;
}
