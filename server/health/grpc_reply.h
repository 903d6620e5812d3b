// What a gRPC target's reply to grpc.health.v1.Health/Check says: its one message, and the codes of gRPC. For probe_grpc.c. A
// reply is anybody's octets. Pure, no allocation.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum {
	GRPC_REPLY_MAX = 1024,  // octets of a reply that are read, of which a good one has seven
	GRPC_SERVICE_MAX = 255, // octets of a service's name
	GRPC_REQUEST_MAX = 5 + 3 + GRPC_SERVICE_MAX,
	GRPC_TEXT_LEN = 64,
};

// HealthCheckResponse.ServingStatus; other numbers are possible.
enum grpc_serving { GRPC_UNKNOWN, GRPC_SERVING, GRPC_NOT_SERVING, GRPC_SERVICE_UNKNOWN };

// Codes of gRPC that have a meaning of their own here.
enum grpc_code { GRPC_OK = 0, GRPC_NOT_FOUND = 5, GRPC_UNIMPLEMENTED = 12 };

// Writes a HealthCheckRequest for a service, "" for the server as a whole, as gRPC frames it. Returns its length in octets.
size_t grpc_reply_question(const char *service, uint8_t buf[static GRPC_REQUEST_MAX]);
// Reads the content of a response, of which there must be exactly one message. E_INVAL: *ret_why is a static text that
// says what is wrong, as the end of a sentence about the reply.
int grpc_reply_read(const uint8_t *octets, size_t len, int32_t *ret_serving, const char **ret_why) MUST_USE;
// Reads the value of the header `grpc-status`, `len` octets. E_INVAL.
int grpc_reply_code(const char *value, size_t len, unsigned *ret_code) MUST_USE;
// Writes the value of the header `grpc-message`, which is percent-encoded, into buf[size] as text, cut where it does not
// fit. What is not printable ASCII becomes "?".
void grpc_reply_message(const char *value, size_t len, char *buf, size_t size);

// "NOT_SERVING", "UNIMPLEMENTED"; the number where it has no name. Into buf[GRPC_TEXT_LEN] where needed. Never NULL.
const char *grpc_reply_serving_text(int32_t serving, char buf[static GRPC_TEXT_LEN]);
const char *grpc_reply_code_text(unsigned code, char buf[static GRPC_TEXT_LEN]);
