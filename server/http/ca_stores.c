// A linked list, searched linearly: configs have one or two sets of authorities. See ca_stores.h.
#include "http/ca_stores.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "http/curl_loop.h"
#include "http/identity.h"

static struct ca_store *ca_store_free(struct ca_store *store)
{
	must(store->running == 0);
	curl_loop_free(store->loop);
	X509_STORE_free(store->certs);
	identity_free(store->identity);
	if (store->client_key)
		OPENSSL_cleanse(store->client_key, strlen(store->client_key));
	free(store->file);
	free(store->pem);
	free(store->client_cert);
	free(store->client_key);
	free(store);
	return NULL;
}

// The certificates before the first one that is damaged: with some missing, probes fail and say why.
static X509_STORE *parse(const char *pem)
{
	X509_STORE *certs = X509_STORE_new();
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *cert;

	while (certs && bio && (cert = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL))) {
		(void)X509_STORE_add_cert(certs, cert);
		X509_free(cert);
	}
	ERR_clear_error(); // the end of the text is an error too
	BIO_free(bio);
	return certs;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static bool is_complete(const struct ca_store *store, const struct ca_source *source)
{
	if (!store->file || !store->loop || (source->pem && (!store->pem || !store->certs)))
		return false;
	return !source->client_cert || (store->client_cert && store->client_key && store->identity);
}

static struct ca_store *ca_store_new(struct ca_stores *stores, const struct ca_source *source)
{
	struct ca_store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->file = strdup(source->file);
	store->pem = copy(source->pem);
	store->client_cert = copy(source->client_cert);
	store->client_key = copy(source->client_key);
	store->hash = source->hash;
	store->certs = source->pem ? parse(source->pem) : NULL;
	store->loop = curl_loop_new(stores->base, stores->priority, stores->done);
	if (source->client_cert && identity_new(source->client_cert, source->client_key, &store->identity) < 0)
		return ca_store_free(store);
	if (!is_complete(store, source))
		return ca_store_free(store);
	store->next = stores->first;
	stores->first = store;
	return store;
}

<<<<<<< HEAD
// In TLS 1.3 a server refuses our certificate, or that there is none, after our part of the handshake: to libcurl, a
// connection that was closed.
static void on_info(const SSL *ssl, int where, int value)
{
	struct ca_use *use = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (where & SSL_CB_ALERT && where & SSL_CB_READ && value >> 8 == SSL3_AL_FATAL)
		use->alert = (value & 0xff) == SSL_AD_CERTIFICATE_REQUIRED ? "certificate required" // which it has no text for
		                                                           : SSL_alert_desc_string_long(value);
}

static CURLcode set_context(CURL *easy, void *context, void *ctx)
{
	struct ca_use *use = ctx;

	(void)easy;
	SSL_CTX_set_app_data(context, use); // libcurl makes a context for each connection
	SSL_CTX_set_info_callback(context, on_info);
	if (use->store->certs)
		SSL_CTX_set1_cert_store(context, use->store->certs);
	if (use->store->identity && identity_use(use->store->identity, context) < 0)
=======
static CURLcode set_certs(CURL *easy, void *context, void *ctx)
{
	const struct ca_store *store = ctx;

	(void)easy;
	if (store->certs)
		SSL_CTX_set1_cert_store(context, store->certs);
	if (store->identity && identity_use(store->identity, context) < 0)
>>>>>>> cc131b7 (health: method, headers, body, redirects, HTTP/2 and client certificates for HTTP checks)
		return CURLE_OUT_OF_MEMORY;
	return CURLE_OK;
}

int ca_store_use(const struct ca_store *store, CURL *easy, struct ca_use *use)
{
	*use = (struct ca_use){store, NULL};
	if (curl_easy_setopt(easy, CURLOPT_CAINFO, *store->file ? store->file : NULL) != CURLE_OK)
		return E_NOMEM;
<<<<<<< HEAD
	if (curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, use) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, set_context) != CURLE_OK)
=======
	if (curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, store) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, store->certs || store->identity ? set_certs : NULL) != CURLE_OK)
>>>>>>> cc131b7 (health: method, headers, body, redirects, HTTP/2 and client certificates for HTTP checks)
		return E_NOMEM;
	return E_OK;
}

static void reap(struct ca_stores *stores)
{
	for (struct ca_store **at = &stores->first, *store; (store = *at);) {
		if (!store->stale || store->running) {
			at = &store->next;
			continue;
		}
		*at = store->next;
		ca_store_free(store);
	}
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_for(const struct ca_store *store, const struct ca_source *source)
{
	return store->hash == source->hash && strcmp(store->file, source->file) == 0 && same_text(store->pem, source->pem) &&
	       same_text(store->client_cert, source->client_cert) && same_text(store->client_key, source->client_key);
}

struct ca_store *ca_stores_hold(struct ca_stores *stores, const struct ca_source *source)
{
	struct ca_store *store = stores->first;

	while (store && (store->stale || !is_for(store, source)))
		store = store->next;
	if (!store)
		store = ca_store_new(stores, source);
	if (store)
		store->running++;
	return store;
}

void ca_stores_release(struct ca_stores *stores, struct ca_store *store)
{
	must(store->running > 0);
	if (--store->running == 0 && store->stale)
		reap(stores);
}

void ca_stores_refresh(struct ca_stores *stores)
{
	for (struct ca_store *store = stores->first; store; store = store->next)
		store->stale = true;
	reap(stores);
}
