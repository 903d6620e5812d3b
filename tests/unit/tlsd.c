// See tlsd.h.
#include "tlsd.h"

#include <arpa/inet.h>
#include <assert.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct tlsd {
	SSL_CTX *ctx;
	pthread_t thread;
	int listener;
	uint16_t port;
	char sni[256], request[4096];
};

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_nconf_nid(NULL, NULL, nid, value);

	assert(extension && X509_add_ext(cert, extension, -1));
	X509_EXTENSION_free(extension);
}

static X509 *make(EVP_PKEY *key, const char *title, int days_left)
{
	static long serial = 1;
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(cert), -86400L * 30);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400L * days_left);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)title, -1, -1, 0);
	X509_set_issuer_name(cert, name);
	return cert;
}

static void serve_one(struct tlsd *tlsd, SSL *ssl)
{
	static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	size_t have = 0;
	int len = 1;

	if (SSL_accept(ssl) != 1)
		return;

	const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	snprintf(tlsd->sni, sizeof(tlsd->sni), "%s", sni ? sni : "");
	while (len > 0 && have < sizeof(tlsd->request) - 1) {
		len = SSL_read(ssl, tlsd->request + have, (int)(sizeof(tlsd->request) - 1 - have));
		have += len > 0 ? (size_t)len : 0;
		tlsd->request[have] = '\0';
		if (strstr(tlsd->request, "\r\n\r\n"))
			break;
	}
	SSL_write(ssl, reply, sizeof(reply) - 1);
	SSL_shutdown(ssl);
}

static void *serve(void *ctx)
{
	struct tlsd *tlsd = ctx;

	for (int fd; (fd = accept(tlsd->listener, NULL, NULL)) >= 0; close(fd)) {
		SSL *ssl = SSL_new(tlsd->ctx);

		SSL_set_fd(ssl, fd);
		serve_one(tlsd, ssl);
		SSL_free(ssl);
	}
	return NULL;
}

static void certify(struct tlsd *tlsd, const char *ca_file, const struct tlsd_cert *kind)
{
	EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	X509 *ca = make(ca_key, "Test Authority", 365), *cert = make(key, "server", kind->days_left);
	FILE *file = fopen(ca_file, "w");

	add_extension(ca, NID_basic_constraints, "critical,CA:TRUE");
	assert(X509_sign(ca, ca_key, EVP_sha256()) > 0);
	assert(file && PEM_write_X509(file, ca) == 1 && fclose(file) == 0);
	add_extension(cert, NID_subject_alt_name, kind->names);
	if (!kind->self_signed)
		X509_set_issuer_name(cert, X509_get_subject_name(ca));
	assert(X509_sign(cert, kind->self_signed ? key : ca_key, EVP_sha256()) > 0);
	assert(SSL_CTX_use_certificate(tlsd->ctx, cert) == 1 && SSL_CTX_use_PrivateKey(tlsd->ctx, key) == 1);
	X509_free(ca);
	X509_free(cert);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
}

struct tlsd *tlsd_open(const char *ca_file, const struct tlsd_cert *cert)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct tlsd *tlsd = calloc(1, sizeof(*tlsd));
	socklen_t len = sizeof(name);

	assert(tlsd);
	tlsd->ctx = SSL_CTX_new(TLS_server_method());
	certify(tlsd, ca_file, cert);
	tlsd->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(bind(tlsd->listener, (struct sockaddr *)&name, len) == 0 && listen(tlsd->listener, 64) == 0);
	assert(getsockname(tlsd->listener, (struct sockaddr *)&name, &len) == 0);
	tlsd->port = ntohs(name.sin_port);
	assert(pthread_create(&tlsd->thread, NULL, serve, tlsd) == 0);
	return tlsd;
}

void tlsd_stop(struct tlsd *tlsd)
{
	shutdown(tlsd->listener, SHUT_RDWR); // accept() returns
	pthread_join(tlsd->thread, NULL);
	close(tlsd->listener);
}

void tlsd_free(struct tlsd *tlsd)
{
	SSL_CTX_free(tlsd->ctx);
	free(tlsd);
}

uint16_t tlsd_port(const struct tlsd *tlsd)
{
	return tlsd->port;
}

const char *tlsd_sni(const struct tlsd *tlsd)
{
	return tlsd->sni;
}

const char *tlsd_request(const struct tlsd *tlsd)
{
	return tlsd->request;
}
