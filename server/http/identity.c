// Parsed once for all connections; see identity.h.
#include "http/identity.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "base/err.h"

enum { CHAIN_MAX = 16 };

struct identity {
	X509 *cert;
	EVP_PKEY *key;
	STACK_OF(X509) *chain;
};

struct identity *identity_free(struct identity *identity)
{
	if (!identity)
		return NULL;
	X509_free(identity->cert);
	EVP_PKEY_free(identity->key);
	sk_X509_pop_free(identity->chain, X509_free);
	free(identity);
	return NULL;
}

// A key with a passphrase has none here: by default it would be asked for on the terminal.
static int no_passphrase(char *buf, int size, int is_writing, void *ctx)
{
	(void)buf;
	(void)size;
	(void)is_writing;
	(void)ctx;
	return 0;
}

static int read_pem(struct identity *identity, BIO *certs, BIO *key)
{
	X509 *cert;

	identity->cert = PEM_read_bio_X509(certs, NULL, no_passphrase, NULL);
	identity->key = PEM_read_bio_PrivateKey(key, NULL, no_passphrase, NULL);
	if (!identity->cert || !identity->key || X509_check_private_key(identity->cert, identity->key) != 1)
		return E_INVAL;
	while (sk_X509_num(identity->chain) < CHAIN_MAX && (cert = PEM_read_bio_X509(certs, NULL, no_passphrase, NULL)))
		if (sk_X509_push(identity->chain, cert) <= 0) {
			X509_free(cert);
			return E_NOMEM;
		}
	return E_OK;
}

int identity_new(const char *cert_pem, const char *key_pem, struct identity **ret_identity)
{
	struct identity *identity = calloc(1, sizeof(*identity));
	BIO *certs = BIO_new_mem_buf(cert_pem, -1), *key = BIO_new_mem_buf(key_pem, -1);
	int err = E_NOMEM;

	if (identity && certs && key && (identity->chain = sk_X509_new_null()))
		err = read_pem(identity, certs, key);
	ERR_clear_error(); // the end of a text is an error too
	BIO_free(certs);
	BIO_free(key);
	if (err == E_OK)
		*ret_identity = identity;
	else
		identity_free(identity);
	return err;
}

int identity_use(const struct identity *identity, struct ssl_ctx_st *context)
{
	if (SSL_CTX_use_cert_and_key(context, identity->cert, identity->key, identity->chain, 1) == 1)
		return E_OK;
	ERR_clear_error();
	return E_NOMEM;
}
