// The few octets of protobuf: the request as other writers have it, replies as other readers take them, and what is no reply.
#include "health/grpc_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/attr.h"
#include "base/err.h"

#define OCTETS(text) (const uint8_t *)(text), sizeof(text) - 1

static void questions(void **state)
{
	uint8_t buf[GRPC_REQUEST_MAX];
	char longest[GRPC_SERVICE_MAX + 1];

	(void)state;
	assert_int_equal(grpc_reply_question("", buf), 5);
	assert_memory_equal(buf, "\0\0\0\0\0", 5);
	assert_int_equal(grpc_reply_question("a.B", buf), 10);
	assert_memory_equal(buf, "\0\0\0\0\5\n\3a.B", 10);
	memset(longest, 'x', GRPC_SERVICE_MAX);
	longest[GRPC_SERVICE_MAX] = '\0';
	assert_int_equal(grpc_reply_question(longest, buf), GRPC_REQUEST_MAX);
	assert_memory_equal(buf, "\0\0\0\1\x02\n\xff\1x", 9);
	longest[128] = '\0';
	assert_int_equal(grpc_reply_question(longest, buf), 5 + 3 + 128);
	assert_memory_equal(buf, "\0\0\0\0\x83\n\x80\1x", 9);
	longest[127] = '\0';
	assert_int_equal(grpc_reply_question(longest, buf), 5 + 2 + 127);
}

static void replies(void **state)
{
	static const struct {
		const uint8_t *octets;
		size_t len;
		int32_t serving;
		const char *why; // NULL: it is one
	} rows[] = {
		{OCTETS("\0\0\0\0\2\x08\1"), GRPC_SERVING, NULL},
		{OCTETS("\0\0\0\0\2\x08\2"), GRPC_NOT_SERVING, NULL},
		{OCTETS("\0\0\0\0\0"), GRPC_UNKNOWN, NULL},
		{OCTETS("\0\0\0\0\2\x08\7"), 7, NULL},
		{OCTETS("\0\0\0\0\4\x08\2\x08\1"), GRPC_SERVING, NULL},            // the last one counts
		{OCTETS("\0\0\0\0\3\x08\x81\0"), GRPC_SERVING, NULL},              // longer than it need be
		{OCTETS("\0\0\0\0\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"), -1, NULL},
		{OCTETS("\0\0\0\0\7\x08\x81\x80\x80\x80\x10\x20"), 0, "is no HealthCheckResponse"},
		{OCTETS("\0\0\0\0\6\x08\x81\x80\x80\x80\x10"), 1, NULL},            // 2^32 + 1: 32 bits of it count
		{OCTETS("\0\0\0\0\7\x12\3abc\x08\1"), GRPC_SERVING, NULL},         // fields that are not known are skipped
		{OCTETS("\0\0\0\0\x0b\x11xxxxxxxx\x08\1"), GRPC_SERVING, NULL},
		{OCTETS("\0\0\0\0\7\x15xxxx\x08\1"), GRPC_SERVING, NULL},
		{OCTETS("\0\0\0\0\3\x0a\1\1"), GRPC_UNKNOWN, NULL},                // ours, of another type
		{OCTETS(""), 0, "has no message"},
		{OCTETS("\0\0\0\0"), 0, "ends within a message"},
		{OCTETS("\0\0\0\0\2\x08"), 0, "ends within a message"},
		{OCTETS("\0\xff\xff\xff\xff\x08\1"), 0, "ends within a message"},
		{OCTETS("\1\0\0\0\2\x08\1"), 0, "is compressed, which was not asked for"},
		{OCTETS("\0\0\0\0\2\x08\1\0\0\0\0\0"), 0, "has more than one message"},
		{OCTETS("\0\0\0\0\1\x08"), 0, "is no HealthCheckResponse"},
		{OCTETS("\0\0\0\0\2\x08\x80"), 0, "is no HealthCheckResponse"},
		{OCTETS("\0\0\0\0\2\0\1"), 0, "is no HealthCheckResponse"},          // field 0
		{OCTETS("\0\0\0\0\2\x0b\x0c"), 0, "is no HealthCheckResponse"},      // a group
		{OCTETS("\0\0\0\0\2\x0e\1"), 0, "is no HealthCheckResponse"},        // no type
		{OCTETS("\0\0\0\0\3\x12\2a"), 0, "is no HealthCheckResponse"},
		{OCTETS("\0\0\0\0\6\x12\xff\xff\xff\xff\x0f"), 0, "is no HealthCheckResponse"},
		{OCTETS("\0\0\0\0\x0c\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\1"), 0, "is no HealthCheckResponse"},
		{OCTETS("\0\0\0\0\4\x15xxx"), 0, "is no HealthCheckResponse"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *why = NULL;
		int32_t serving = 0;
		int err = grpc_reply_read(rows[i].octets, rows[i].len, &serving, &why);

		if ((err < 0) != (rows[i].why != NULL) || serving != rows[i].serving || (err < 0 && strcmp(why, rows[i].why) != 0))
			fail_msg("row %zu: %d, %d, %s", i, err, serving, why);
	}
}

static void values(void **state)
{
	static const char *const bad[] = {"", "-1", "1x", " 1", "100000", "0x1"};
	char buf[GRPC_TEXT_LEN], few[4];
	unsigned code = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(grpc_reply_code(bad[i], strlen(bad[i]), &code), E_INVAL);
	assert_int_equal(code, 77);
	assert_int_equal(grpc_reply_code("12", 2, &code), E_OK);
	assert_string_equal(grpc_reply_code_text(code, buf), "UNIMPLEMENTED");
	assert_string_equal(grpc_reply_code_text(16, buf), "UNAUTHENTICATED");
	assert_string_equal(grpc_reply_code_text(17, buf), "17");
	assert_string_equal(grpc_reply_serving_text(GRPC_NOT_SERVING, buf), "NOT_SERVING");
	assert_string_equal(grpc_reply_serving_text(-5, buf), "-5");
	grpc_reply_message("no %73uch%0a%C3%a4 %zz %4", 25, buf, sizeof(buf));
	assert_string_equal(buf, "no such??? %zz %4");
	grpc_reply_message("abcdef", 6, few, sizeof(few));
	assert_string_equal(few, "abc");
	grpc_reply_message("", 0, few, sizeof(few));
	assert_string_equal(few, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions),
		cmocka_unit_test(replies),
		cmocka_unit_test(values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
