// The types of health checks, as far as the config is concerned. To add one: a file in health/ with a struct probe_type
// (see probe.h), and a row here. From the row come the value of `type:`, the default port, the keys allowed, the
// manual, the JSON schema and health.c's entry. An option for the new type only is an ordinary row in options_checks.c, with
// its key listed in the type's keys here.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

// Keys of `checks.NAME` that only some types have, separated by blanks. Keys in no type's row are common to all.
#define CHECK_HTTP_KEYS "path host method headers http2 redirects expect-status expect-body body"
#define CHECK_GRPC_KEYS "host headers service tls"
#define CHECK_DNS_KEYS "query-name query-type expect-rcode expect"
#define CHECK_TLS_KEYS "sni verify ca-file client-cert client-key tls-session-resumption"

// CHECK_TYPE(id, name, port, keys, engine, help). `port` 0: there is no usual one, so the config must give one (but for a
// program, which may know).
// `engine` is the name of the struct probe_type, which only health/ uses.
#define CHECK_TYPES(CHECK_TYPE) \
	CHECK_TYPE(HTTP, "http", 80, CHECK_HTTP_KEYS, http_probe, "a request over HTTP") \
	CHECK_TYPE(HTTPS, "https", 443, CHECK_HTTP_KEYS " " CHECK_TLS_KEYS, https_probe, "the same over TLS") \
	CHECK_TYPE(TCP, "tcp", 0, "", tcp_probe, "a TCP connection that is made and closed") \
	CHECK_TYPE(GRPC, "grpc", 0, CHECK_GRPC_KEYS " " CHECK_TLS_KEYS, grpc_probe, \
	           "a call of `Check` of gRPC's health service (grpc.health.v1) over HTTP/2, which must say SERVING") \
	CHECK_TYPE(DNS, "dns", 53, CHECK_DNS_KEYS, dns_probe, "a DNS query over UDP, and over TCP where that is truncated") \
	CHECK_TYPE(EXEC, "exec", 0, "command", exec_probe, \
	           "a program, which exits with 0 where the target is up")

#define CHECK_TYPE_ID(id, ...) CHECK_##id,

enum check_type { CHECK_TYPES(CHECK_TYPE_ID) CHECK_TYPE_COUNT };

#undef CHECK_TYPE_ID

// Methods of HTTP requests. What they do to a target is up to it; none has a content.
#define CHECK_METHODS(METHOD) METHOD(GET) METHOD(HEAD) METHOD(OPTIONS) METHOD(POST) METHOD(PUT)
#define CHECK_METHOD_ID(name) CHECK_METHOD_##name,

enum check_method { CHECK_METHODS(CHECK_METHOD_ID) CHECK_METHOD_COUNT };

#undef CHECK_METHOD_ID

// What a DNS query can ask for, and what it can say; the names are the DNS's.
#define CHECK_QUERY_TYPES(TYPE) TYPE(A) TYPE(AAAA) TYPE(CNAME) TYPE(MX) TYPE(NS) TYPE(PTR) TYPE(SOA) TYPE(SRV) TYPE(TXT)
#define CHECK_RCODES(RCODE) RCODE(NOERROR) RCODE(FORMERR) RCODE(SERVFAIL) RCODE(NXDOMAIN) RCODE(NOTIMP) RCODE(REFUSED)
#define CHECK_QUERY_ID(name) CHECK_QUERY_##name,
#define CHECK_RCODE_ID(name) CHECK_RCODE_##name,

enum check_query { CHECK_QUERY_TYPES(CHECK_QUERY_ID) CHECK_QUERY_COUNT };
enum check_rcode { CHECK_RCODES(CHECK_RCODE_ID) CHECK_RCODE_COUNT };

#undef CHECK_QUERY_ID
#undef CHECK_RCODE_ID

enum { CHECK_REDIRECTS_MAX = 10 };

struct check_type_row {
	const char *name;
	uint16_t port;
	const char *keys;
};

extern const struct check_type_row check_type_rows[CHECK_TYPE_COUNT];

// Whether a check of this type may have the key.
bool check_type_takes(enum check_type type, const char *key) PURE;
// The names of the types that take the key, "http or https", into buf[CHECK_TYPE_NAMES_MAX], which it returns.
enum { CHECK_TYPE_NAMES_MAX = 256 };
const char *check_type_names(const char *key, char *buf);
