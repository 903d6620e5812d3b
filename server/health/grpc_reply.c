// A frame of gRPC is a flag, a length and a message of protobuf, of which two messages with one field each are all that
// there is here; see grpc_reply.h.
#include "health/grpc_reply.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"

enum { FRAME_LEN = 5, FIELD_SERVICE = 1, FIELD_STATUS = 1, VARINT_MAX = 10 };

// The kinds of fields' values (protobuf.dev/programming-guides/encoding). Groups, which are out of use, are refused.
enum wire_type { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_LEN = 2, WIRE_32 = 5 };

struct rest {
	const uint8_t *at, *end;
};

size_t grpc_reply_question(const char *service, uint8_t buf[static GRPC_REQUEST_MAX])
{
	size_t len = strlen(service), at = FRAME_LEN;

	must(len <= GRPC_SERVICE_MAX);
	if (len > 0) { // an empty text is the default, which is not written
		buf[at++] = FIELD_SERVICE << 3 | WIRE_LEN;
		buf[at++] = (uint8_t)(len < 0x80 ? len : 0x80 | (len & 0x7f));
		if (len >= 0x80)
			buf[at++] = (uint8_t)(len >> 7);
		memcpy(buf + at, service, len);
		at += len;
	}
	buf[0] = buf[1] = buf[2] = 0; // not compressed, and short
	buf[3] = (uint8_t)((at - FRAME_LEN) >> 8);
	buf[4] = (uint8_t)(at - FRAME_LEN);
	return at;
}

static bool take_varint(struct rest *rest, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < VARINT_MAX && rest->at < rest->end; i++) {
		uint8_t octet = *rest->at++;

		value |= (uint64_t)(octet & 0x7f) << (7 * i); // of the tenth, bits beyond the 64th are lost, as elsewhere
		if (octet < 0x80) {
			*ret_value = value;
			return true;
		}
	}
	return false;
}

static bool skip(struct rest *rest, uint64_t len)
{
	if (len > (uint64_t)(rest->end - rest->at))
		return false;
	rest->at += len;
	return true;
}

// One field. A field of ours with another kind of value is one that is not known, as others have it.
static bool take_field(struct rest *rest, int32_t *serving)
{
	uint64_t key, value;

	if (!take_varint(rest, &key) || key >> 3 == 0 || key > UINT32_MAX)
		return false;
	switch (key & 7) {
	case WIRE_64: return skip(rest, 8);
	case WIRE_32: return skip(rest, 4);
	case WIRE_LEN: return take_varint(rest, &value) && skip(rest, value);
	case WIRE_VARINT:
		if (!take_varint(rest, &value))
			return false;
		if (key >> 3 == FIELD_STATUS)
			*serving = (int32_t)(uint32_t)value; // the last one counts
		return true;
	default: return false;
	}
}

int grpc_reply_read(const uint8_t *octets, size_t len, int32_t *ret_serving, const char **ret_why)
{
	struct rest rest = {octets + FRAME_LEN, octets + len};
	int32_t serving = GRPC_UNKNOWN;

	*ret_why = len == 0 ? "has no message" : "ends within a message";
	if (len < FRAME_LEN)
		return E_INVAL;

	uint32_t message = (uint32_t)octets[1] << 24 | (uint32_t)octets[2] << 16 | (uint32_t)octets[3] << 8 | octets[4];

	if (octets[0]) {
		*ret_why = "is compressed, which was not asked for";
		return E_INVAL;
	}
	if (message > len - FRAME_LEN)
		return E_INVAL;
	*ret_why = "has more than one message";
	if (message < len - FRAME_LEN)
		return E_INVAL;
	*ret_why = "is no HealthCheckResponse";
	while (rest.at < rest.end)
		if (!take_field(&rest, &serving))
			return E_INVAL;
	*ret_serving = serving;
	return E_OK;
}

int grpc_reply_code(const char *value, size_t len, unsigned *ret_code)
{
	unsigned code = 0;

	if (len == 0 || len > 5)
		return E_INVAL;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)value[i]))
			return E_INVAL;
		code = code * 10 + (unsigned)(value[i] - '0');
	}
	*ret_code = code;
	return E_OK;
}

static int digit_of(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void grpc_reply_message(const char *value, size_t len, char *buf, size_t size)
{
	size_t out = 0;

	for (size_t i = 0; i < len && out + 1 < size; i++) {
		char c = value[i];

		if (c == '%' && len - i > 2 && digit_of(value[i + 1]) >= 0 && digit_of(value[i + 2]) >= 0) {
			c = (char)(digit_of(value[i + 1]) << 4 | digit_of(value[i + 2]));
			i += 2;
		}
		buf[out++] = c < 0x20 || c > 0x7e ? '?' : c;
	}
	buf[out] = '\0';
}

static const char *text_of(const char *const *names, size_t count, int64_t number, char *buf)
{
	if (number >= 0 && number < (int64_t)count)
		return names[number];
	snprintf(buf, GRPC_TEXT_LEN, "%lld", (long long)number);
	return buf;
}

const char *grpc_reply_serving_text(int32_t serving, char buf[static GRPC_TEXT_LEN])
{
	static const char *const names[] = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};

	return text_of(names, ARRAY_LEN(names), serving, buf);
}

const char *grpc_reply_code_text(unsigned code, char buf[static GRPC_TEXT_LEN])
{
	static const char *const names[] = {
		"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
		"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
		"INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
	};

	return text_of(names, ARRAY_LEN(names), code, buf);
}
