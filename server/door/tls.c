// Contexts and certificates; see tls.h.
#include "door/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "base/clean.h"
#include "base/err.h"
#include "control/verbs.h"
#include "door/tokens.h"

// A key that is encrypted is refused: a daemon cannot be asked for its password.
static int no_password(char *buf, int size, int writes, void *ctx)
{
	(void)buf;
	(void)size;
	(void)writes;
	(void)ctx;
	return -1;
}

static X509 *next_cert(BIO *bio)
{
	return bio ? PEM_read_bio_X509(bio, NULL, no_password, NULL) : NULL;
}

// The first certificate is the door's, the others lead to the root.
static bool use_cert(SSL_CTX *context, const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *cert = next_cert(bio), *more;
	bool good = cert && SSL_CTX_use_certificate(context, cert) == 1;

	while (good && (more = next_cert(bio)))
		if (SSL_CTX_add0_chain_cert(context, more) != 1) {
			X509_free(more);
			good = false;
		}
	X509_free(cert);
	BIO_free(bio);
	if (good)
		ERR_clear_error(); // the end of the text is an error too
	return good;
}

static bool use_key(SSL_CTX *context, const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
	bool good = key && SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;

	EVP_PKEY_free(key);
	BIO_free(bio);
	return good;
}

static bool use_client_ca(SSL_CTX *context, const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *cert;
	size_t count = 0;

	for (; (cert = next_cert(bio)); count++) {
		bool kept = X509_STORE_add_cert(SSL_CTX_get_cert_store(context), cert) == 1 &&
		            SSL_CTX_add_client_CA(context, cert) == 1;

		X509_free(cert);
		if (!kept)
			break;
	}
	BIO_free(bio);
	if (count > 0)
		ERR_clear_error();
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL); // a client without one may use a token
	return count > 0;
}

int tls_context(const struct tls_texts *texts, SSL_CTX **ret_context, const char **ret_of, char *why)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	const char *wrong = NULL;

	if (!context)
		return E_NOMEM;
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	// Each connection is verified against the CAs of its day, so none is resumed.
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(context, 0);
	ERR_clear_error();
	if (!use_cert(context, texts->cert))
		wrong = texts->cert;
	else if (!use_key(context, texts->key))
		wrong = texts->key;
	else if (texts->client_ca && !use_client_ca(context, texts->client_ca))
		wrong = texts->client_ca;
	if (!wrong) {
		*ret_context = context;
		return E_OK;
	}

	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	snprintf(why, TLS_WHY_LEN, "cannot be used as %s in PEM: %s",
	         wrong == texts->key ? "the certificate's private key" : "certificates", reason ? reason : "it is not that");
	*ret_of = wrong;
	ERR_clear_error();
	SSL_CTX_free(context);
	return E_INVAL;
}

void tls_end(SSL *ssl)
{
	ERR_clear_error();
	(void)SSL_shutdown(ssl);
	ERR_clear_error(); // other users of this thread look there
}

// The next entry of a kind after number `at`, cleaned, into text[TLS_NAME_LEN]. Its number, -1: there is none.
static int next_entry(const X509_NAME *subject, int nid, int at, char *text)
{
	unsigned char *utf8 = NULL;
	int len;

	at = X509_NAME_get_index_by_NID(subject, nid, at);
	if (at < 0)
		return -1;
	len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	snprintf(text, TLS_NAME_LEN, "%.*s", len > 0 ? len : 0, utf8 ? (const char *)utf8 : "");
	OPENSSL_free(utf8);
	clean_text(text);
	return at;
}

unsigned tls_scopes(const SSL *ssl, char *name)
{
	const X509 *cert = SSL_get0_peer_certificate(ssl);
	const X509_NAME *subject = cert ? X509_get_subject_name(cert) : NULL;
	char unit[TLS_NAME_LEN];
	unsigned scopes = 0;

	if (!subject || SSL_get_verify_result(ssl) != X509_V_OK)
		return 0;
	for (int at = -1; (at = next_entry(subject, NID_organizationalUnitName, at, unit)) >= 0;)
		scopes |= tokens_scope_of(unit, strlen(unit));
	if (next_entry(subject, NID_commonName, -1, name) < 0)
		snprintf(name, TLS_NAME_LEN, "without a name");
	return scopes ? scopes : VERBS_READ;
}
