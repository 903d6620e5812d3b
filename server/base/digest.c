// SHA-256 by OpenSSL; see digest.h.
#include "base/digest.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { BUFFER = 4096 };

struct digest {
	EVP_MD_CTX *context;
	bool failed;
	size_t len;
	uint8_t buffer[BUFFER]; // a call of OpenSSL costs more than the few octets of most pieces
};

struct digest *digest_begin(void)
{
	struct digest *digest = calloc(1, sizeof(*digest));

	if (!digest)
		return NULL;
	digest->context = EVP_MD_CTX_new();
	if (digest->context && EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) == 1)
		return digest;
	EVP_MD_CTX_free(digest->context);
	free(digest);
	return NULL;
}

static void flush(struct digest *digest)
{
	digest->failed = digest->failed || EVP_DigestUpdate(digest->context, digest->buffer, digest->len) != 1;
	digest->len = 0;
}

void digest_add(struct digest *digest, const void *octets, size_t len)
{
	if (len > BUFFER - digest->len)
		flush(digest);
	if (len > BUFFER) {
		digest->failed = digest->failed || EVP_DigestUpdate(digest->context, octets, len) != 1;
	} else if (len > 0) {
		memcpy(digest->buffer + digest->len, octets, len);
		digest->len += len;
	}
}

void digest_add_text(struct digest *digest, const char *text)
{
	uint64_t len = strlen(text);
	uint8_t octets[8];

	for (unsigned i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(len >> 8 * i);
	digest_add(digest, octets, sizeof(octets));
	digest_add(digest, text, len);
}

int digest_end(struct digest *digest, uint8_t *ret_octets)
{
	uint8_t octets[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	bool good;

	flush(digest);
	good = !digest->failed && EVP_DigestFinal_ex(digest->context, octets, &len) == 1 && len == DIGEST_OCTETS;
	if (good)
		memcpy(ret_octets, octets, DIGEST_OCTETS);
	EVP_MD_CTX_free(digest->context);
	free(digest);
	return good ? E_OK : E_NOMEM;
}

const char *digest_text(const uint8_t *octets, char *buf)
{
	for (size_t i = 0; i < DIGEST_OCTETS; i++)
		snprintf(buf + 2 * i, 3, "%02x", octets[i]);
	return buf;
}
