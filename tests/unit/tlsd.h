// A TLS server with certificates of its own making, in a thread of its own, for the HTTPS probe's tests.
#pragma once

#include <stddef.h>
#include <stdint.h>

// The contents of a certificate, for the names given, signed by the CA or self-signed.
struct tlsd_cert {
	const char *names;   // "DNS:app.example.com,DNS:*.example.net,IP:127.0.0.1"
	int self_signed;
	int days_left;       // negative: has expired
};

struct tlsd;

// Makes an authority, writes its certificate to `ca_file`, and serves 200 on 127.0.0.1 with a certificate of that kind.
struct tlsd *tlsd_open(const char *ca_file, const struct tlsd_cert *cert);
// Ends the thread. Afterwards, and until tlsd_free(), what it saw may be asked.
void tlsd_stop(struct tlsd *tlsd);
void tlsd_free(struct tlsd *tlsd);

uint16_t tlsd_port(const struct tlsd *tlsd);
const char *tlsd_sni(const struct tlsd *tlsd);     // of the last connection; "" for none
const char *tlsd_request(const struct tlsd *tlsd); // the last one
