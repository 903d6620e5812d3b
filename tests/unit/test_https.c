// What the HTTPS probe makes of certificates, names and broken handshakes.
#include "health/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "prober.h"
#include "base/infile.h"
#include "responder.h"
#include "tlsd.h"

#define GOOD {"DNS:app.example.com,DNS:*.wild.example.com,IP:192.0.2.7", 0, 30}

static char folder[256], ca_file[300], other_file[300];

// One row: the server's certificate, the check's wishes, what comes out.
static const struct {
	const char *what;
	struct tlsd_cert cert;
	const char *app, *host, *sni;
	bool verify, system; // system: no `ca-file`, so the system's authorities, which do not know ours
	enum health_layer layer;
	const char *text, *seen_sni, *seen_host;
} rows[] = {
	{"good", GOOD, "app.example.com", NULL, NULL, true, false, HEALTH_OK, "HTTP status 200", "app.example.com",
	 "Host: app.example.com\r\n"},
	{"host", GOOD, "x.example.org", "app.example.com", NULL, true, false, HEALTH_OK, "200", "app.example.com",
	 "Host: app.example.com\r\n"},
	{"sni apart from host", GOOD, "x.example.org", "y.example.org", "app.example.com", true, false, HEALTH_OK, "200",
	 "app.example.com", "Host: y.example.org\r\n"},
	{"the certificate is for the sni", GOOD, "app.example.com", "app.example.com", "z.example.org", true, false, HEALTH_TLS,
	 "TLS: no alternative certificate subject name matches", NULL, NULL},
	{"a certificate for a wildcard", GOOD, "*.wild.example.com", "probe.wild.example.com", NULL, true, false, HEALTH_OK,
	 "200", "probe.wild.example.com", "Host: probe.wild.example.com\r\n"},
	{"an address for a name", GOOD, "app.example.com", "192.0.2.7:8443", NULL, true, false, HEALTH_OK, "200", "",
	 "Host: 192.0.2.7:8443\r\n"},
	{"another address", GOOD, "app.example.com", "192.0.2.8", NULL, true, false, HEALTH_TLS, "TLS: ", NULL, NULL},
	{"wrong name", GOOD, "wrong.example.com", NULL, NULL, true, false, HEALTH_TLS, "wrong.example.com", NULL, NULL},
	{"wrong name, not verified", GOOD, "wrong.example.com", NULL, NULL, false, false, HEALTH_OK, "200",
	 "wrong.example.com", "Host: wrong.example.com\r\n"},
	{"unknown authority", GOOD, "app.example.com", NULL, NULL, true, true, HEALTH_TLS, "TLS: certificate problem", NULL,
	 NULL},
	{"unknown authority, not verified", GOOD, "app.example.com", NULL, NULL, false, true, HEALTH_OK, "200",
	 "app.example.com", "Host: "},
	{"self-signed", {"DNS:app.example.com", 1, 30}, "app.example.com", NULL, NULL, true, true, HEALTH_TLS,
	 "self-signed certificate", NULL, NULL},
	{"self-signed, not verified", {"DNS:app.example.com", 1, 30}, "app.example.com", NULL, NULL, false, true, HEALTH_OK,
	 "200", "app.example.com", "Host: "},
	{"expired", {"DNS:app.example.com", 0, -1}, "app.example.com", NULL, NULL, true, false, HEALTH_TLS, "expired", NULL,
	 NULL},
};

// The text of a file, valid until the next call for it.
static const char *read_pem(const char *path)
{
	static char texts[2][4096];
	char *text = texts[path == other_file], why[INFILE_WHY_LEN], *read;
	size_t len;

	if (infile_read(path, sizeof(texts[0]) - 1, &read, &len, why) < 0) // tests that serve no TLS have no file
		return NULL;
	memcpy(text, read, len + 1);
	free(read);
	return text;
}

static void open_https(struct prober *prober, size_t targets, uint16_t port)
{
	prober_open(prober, 1, targets);
	prober->checks[0].type = CHECK_HTTPS;
	prober->checks[0].port = port;
	prober->checks[0].ca_pem = read_pem(ca_file);
	prober->checks[0].interval_ms = prober->checks[0].timeout_ms = PROBER_PATIENT_MS;
}

static void certificates_and_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tlsd *tlsd = tlsd_open(ca_file, &rows[i].cert);
		const struct health_target *target;
		const char *kept;
		struct prober prober;

		open_https(&prober, 1, tlsd_port(tlsd));
		kept = prober.config.apps[0].name;
		prober.config.apps[0].name = rows[i].app;
		prober.checks[0].host = rows[i].host;
		prober.checks[0].sni = rows[i].sni;
		prober.checks[0].verify = rows[i].verify;
		if (rows[i].system)
			prober.checks[0].ca_pem = NULL;
		prober_configure(&prober);
		assert_int_not_equal(prober_until_settled(&prober, PROBER_PATIENT_MS), -1);
		tlsd_stop(tlsd);
		target = prober_health(&prober, 0);
		if (target->layer != rows[i].layer || !strstr(target->text, rows[i].text))
			fail_msg("%s: %s: %s", rows[i].what, health_layer_text(target->layer), target->text);
		if (rows[i].seen_sni)
			assert_string_equal(tlsd_sni(tlsd), rows[i].seen_sni);
		if (rows[i].seen_host)
			assert_non_null(strstr(tlsd_request(tlsd), rows[i].seen_host));
		prober.config.apps[0].name = kept;
		prober_close(&prober);
		tlsd_free(tlsd);
	}
}

static void not_tls(void **state)
{
	struct responder plain = {.reply = "HTTP/1.1 400 Bad\r\n\r\n", .at_once = true}, silent = {.keep = true};
	struct prober prober;

	(void)state;
	open_https(&prober, 1, 0);
	responder_open(&plain, prober.base, "127.0.0.1", 0);
	prober.checks[0].port = plain.port;
	prober_configure(&prober);
	assert_int_not_equal(prober_until_settled(&prober, PROBER_PATIENT_MS), -1);
	assert_int_equal(prober_health(&prober, 0)->layer, HEALTH_TLS);
	assert_ptr_equal(strstr(prober_health(&prober, 0)->text, "TLS: "), prober_health(&prober, 0)->text);
	responder_close(&plain);
	prober_close(&prober);

	open_https(&prober, 1, 0);
	responder_open(&silent, prober.base, "127.0.0.1", 0);
	prober.checks[0].port = silent.port;
	prober.checks[0].timeout_ms = 300; // time enough to get as far as the handshake on a busy machine
	prober_configure(&prober);
	assert_int_not_equal(prober_until_settled(&prober, PROBER_PATIENT_MS), -1);
	assert_string_equal(prober_health(&prober, 0)->text, "no success within 300 ms: in the TLS handshake");
	responder_close(&silent);
	prober_close(&prober);
}

// Two sets of authorities are used at the same time; a reload with others takes them.
static void authorities(void **state)
{
	enum { SOME = 6 }; // of both of the two targets
	const struct tlsd_cert cert = {"DNS:app0.example.com", 0, 30};
	struct tlsd *other = tlsd_open(other_file, &cert), *tlsd = tlsd_open(ca_file, &cert);
	struct prober prober;

	(void)state;
	open_https(&prober, 2, tlsd_port(tlsd));
	prober.checks[0].interval_ms = 100;
	prober.checks[1] = prober.checks[0];
	prober.checks[1].port = tlsd_port(other);
	prober.checks[1].ca_pem = read_pem(other_file);
	prober_target(&prober, 0, 1)->check = 1;
	prober_configure(&prober);
	assert_int_not_equal(prober_until_settled(&prober, PROBER_PATIENT_MS), -1);
	assert_true(prober_until_probed(&prober, SOME));
	assert_true(prober_health(&prober, 0)->up);
	assert_true(prober_health(&prober, 1)->up);
	unlink(ca_file);
	unlink(other_file);
	assert_true(prober_until_probed(&prober, SOME));
	assert_true(prober_health(&prober, 0)->up); // no file is needed any more
	prober.checks[0].ca_pem = prober.checks[1].ca_pem;
	prober_configure(&prober);
	assert_true(prober_until_probed(&prober, SOME));
	assert_int_equal(prober_health(&prober, 0)->layer, HEALTH_TLS);
	assert_int_equal(prober_health(&prober, 1)->layer, HEALTH_OK);
	// Certificates that are damaged are none.
	prober.checks[1].ca_pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
	prober_configure(&prober);
	assert_true(prober_until_probed(&prober, SOME));
	assert_int_equal(prober_health(&prober, 1)->layer, HEALTH_TLS);
	prober_close(&prober);
	tlsd_stop(tlsd);
	tlsd_stop(other);
	tlsd_free(tlsd);
	tlsd_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates_and_names),
		cmocka_unit_test(not_tls),
		cmocka_unit_test(authorities),
	};
	const char *tmp = getenv("TMPDIR");
	int failed;

	snprintf(folder, sizeof(folder), "%s/edgesteer-https-XXXXXX", tmp ? tmp : P_tmpdir);
	if (!mkdtemp(folder))
		return 1;
	snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", folder);
	snprintf(other_file, sizeof(other_file), "%s/other.pem", folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(ca_file);
	unlink(other_file);
	rmdir(folder);
	return failed;
}
