// The options of health checks; see options_parts.h.
#include "config/options_parts.h"

#include "config/check_rules.h"
#include "config/config.h"
#include "config/rules.h"
#include "schema/headers.h"
#include "schema/list.h"
#include "schema/number.h"
#include "schema/regex.h"
#include "schema/text.h"

#define TYPE_WORD(id, name, ...) {name, CHECK_##id},
#define TYPE_HELP(id, name, port, keys, engine, help) " `" name "`: " help "."
#define TYPE_PORT(id, name, port, ...) name " " #port ", "
#define QUERY_WORD(name) {#name, CHECK_QUERY_##name},
#define RCODE_WORD(name) {#name, CHECK_RCODE_##name},
#define METHOD_WORD(name) {#name, CHECK_METHOD_##name},

static const struct option_word types[] = {CHECK_TYPES(TYPE_WORD) {NULL, 0}};
static const struct option_word methods[] = {CHECK_METHODS(METHOD_WORD) {NULL, 0}};
static const struct option_word queries[] = {CHECK_QUERY_TYPES(QUERY_WORD) {NULL, 0}};
static const struct option_word rcodes[] = {CHECK_RCODES(RCODE_WORD) {NULL, 0}};

static const struct option check_rows[] = {
	{"type", &text_enum, .required = true, .words = types, FIELD(config_check, type),
	 .help = "How to probe." CHECK_TYPES(TYPE_HELP)},
	{"port", &number_integer, .otherwise = CHECK_TYPES(TYPE_PORT) "where 0 means that it must be given, but for exec",
	 .min = "1", .max = "65535", FIELD(config_check, port), .help = "The port to probe."},
	{"path", &text_url, .fallback = "/", .max = "1024", FIELD(config_check, path),
	 .help = "Over HTTP: the path to request."},
	{"host", &text_host, .max = "255", .otherwise = "the app's name", FIELD(config_check, host),
	 .help = "Over HTTP: the Host header. Of a gRPC call: the authority."},
	{"method", &text_enum, .fallback = "GET", .words = methods, FIELD(config_check, method),
	 .help = "Over HTTP: the method of the request, which has no content."},
	{"headers", &headers_map, .otherwise = "none but the probe's own", .min = "1", .max = "32",
	 LIST(config_check, headers, header_count),
	 .help = "Over HTTP: further headers of the request, or others than the probe's own, such as `User-Agent`; of a gRPC call: "
	         "metadata. `Host` is another way to write `host`. Those of the connection and of the content's length cannot be "
	         "given."},
	{"http2", &text_bool, .fallback = "off", FIELD(config_check, http2),
	 .help = "Over HTTP: HTTP/2, over TLS by ALPN, else by prior knowledge. A target that speaks HTTP/1.1 only then fails."},
	{"redirects", &number_integer, .fallback = "0", .min = "0", .max = "10", FIELD(config_check, redirects),
	 .help = "Over HTTP: how many redirects (status 301, 302, 303, 307 and 308) are followed, all in the time of one probe. "
	         "They must lead to the same scheme and host, and to the port of this check, of `host`, or none; each request goes "
	         "to the address that is probed. A status that `expect-status` has is not followed."},
	{"service", &text_any, .otherwise = "the server as a whole", .max = "255", FIELD(config_check, service),
	 .help = "Of a gRPC call: the name of the service that is asked about."},
	{"tls", &text_bool, .fallback = "off", FIELD(config_check, tls),
	 .help = "Of a gRPC call: whether it is made over TLS; else it is HTTP/2 by prior knowledge."},
	{"sni", &text_name, .otherwise = "`host`", FIELD(config_check, sni),
	 .help = "Over TLS: the server name in the TLS handshake, which the certificate must have."},
	{"verify", &text_bool, .fallback = "on", FIELD(config_check, verify),
	 .help = "Over TLS: whether to check the certificate. Only an explicit `off` turns this off."},
	{"ca-file", &text_path, .otherwise = "the system's", FIELD(config_check, ca_file),
	 .help = "Over TLS: the CA certificates to trust, in PEM. Read at the start and at each reload."},
	{"client-cert", &text_path, .otherwise = "none", FIELD(config_check, client_cert),
	 .help = "Over TLS: the certificate to show to a target that asks for one, in PEM, with those between it and its CA. "
	         "Read like `ca-file`. A target of which the certificate is not asked for is not told of it."},
	{"client-key", &text_path, FIELD(config_check, client_key),
	 .help = "Its key, in PEM without a passphrase. A file that everybody may read is refused."},
	{"tls-session-resumption", &text_bool, .fallback = "off", FIELD(config_check, resume),
	 .help = "Over TLS: whether to resume the session of the last probe of an address, which saves the target and this machine "
	         "most of a handshake. A resumed handshake does not look at the certificate's dates or at its authorities again: "
	         "a certificate that has expired is not seen until the session ends. So that it does, there is a full handshake "
	         "at least once an hour, and at the first probe after a reload. The sessions of up to 16384 addresses are kept."},
	{"expect-status", &list_status, .fallback = "[\"200-299\"]", .min = "1", .max = "32",
	 LIST(config_check, expect_status, expect_status_count), .help = "Over HTTP: statuses that mean healthy."},
	{"expect-body", &text_any, .max = "1024", .otherwise = "any body", FIELD(config_check, expect_body),
	 .help = "Over HTTP: text that the body must contain, in its first 64 KiB."},
	{"body", &regex_text, .max = "1024", .otherwise = "any body", FIELD(config_check, body),
	 .help = "Over HTTP: a regular expression (PCRE2) that must be found in the body's first 64 KiB, octet by octet: "
	         "`\"status\":\\s*\"(UP|WARN)\"`. How much work a search may be is limited; one that is more fails, and says so."},
	{"query-name", &text_name, .otherwise = "the app's name", FIELD(config_check, query_name),
	 .help = "Of a DNS query: the name to ask for."},
	{"query-type", &text_enum, .fallback = "A", .words = queries, FIELD(config_check, query_type),
	 .help = "Of a DNS query: the type of record to ask for. Recursion is desired, for targets that are resolvers."},
	{"expect-rcode", &text_enum, .fallback = "NOERROR", .words = rcodes, FIELD(config_check, expect_rcode),
	 .help = "Of a DNS query: the rcode that means healthy."},
	{"expect", &text_any, .otherwise = "any answer, and none", .max = "1024", FIELD(config_check, expect),
	 .help = "Of a DNS query: a record of the type asked that must be in the answer, for the name or where its CNAMEs lead: an "
	         "address, a name, `10 mail.example.com` (MX), `0 5 5060 sip.example.com` (SRV) or a text (TXT). Not of an SOA."},
	{"command", &list_command, .min = "1", .max = "32", LIST(config_check, command, command_count),
	 .help = "Of an exec check: the absolute path of a program, and its arguments: `[/usr/local/bin/check-queue, --fast]`. No "
	         "shell is run. It runs as the daemon's user, within what the service manager allows the daemon, and gets no privilege: "
	         "not by the mode or the capabilities of its file either, which `ping` may need. Its process group is its own, its "
	         "stdin empty, and there is nothing in its environment but `PATH`, `EDGESTEER_TARGET` (APP/SITE), `EDGESTEER_APP`, "
	         "`EDGESTEER_SITE`, `EDGESTEER_ADDRESS`, `EDGESTEER_PORT` (empty where the check has none) and "
	         "`EDGESTEER_TIMEOUT_MS`. Exit status 0 is up, any other down; the first line that it writes to stdout or stderr is "
	         "shown with it. At the timeout its process group is killed, and when it ends whatever of that it has left behind; so is "
	         "one that has written more than 64 KiB, which has failed. At most 32 run at once, the others wait. A program that "
	         "cannot be started in time says nothing about the target."},
	{"interval", &number_duration_ms, .fallback = "10s", .min = "100ms", .max = "1h",
	 FIELD(config_check, interval_ms), .help = "The time from the start of one probe to the start of the next."},
	{"timeout", &number_duration_ms, .fallback = "2s", .min = "10ms", .max = "1m", FIELD(config_check, timeout_ms),
	 .help = "The time a probe may take in total. At most `interval`, which is the default where it is shorter."},
	{"rise", &number_integer, .fallback = "2", .min = "1", .max = "100", FIELD(config_check, rise),
	 .help = "Successful probes in a row that bring a target up."},
	{"fall", &number_integer, .fallback = "3", .min = "1", .max = "100", FIELD(config_check, fall),
	 .help = "Failed probes in a row that take a target down."},
};

_Static_assert(CHECK_REDIRECTS_MAX == 10, "as in the row");

const struct schema options_check = {
	.path = "checks.NAME",
	.intro = "Health checks, which apps and targets refer to by name.",
	ROWS(check_rows),
	.size = sizeof(struct config_check),
	.max_entries = 4096,
	.name = rules_check_name,
	.finish = check_rules_entry,
	.mark_offset = offsetof(struct config_check, mark),
};
