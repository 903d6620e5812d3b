// What a gRPC target sends: the first octet says whether the rest is the content of its response, or the values of its
// headers. What is read of a content is what a second, simpler reading of it finds; texts are printable and end.
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "health/grpc_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

static void check_values(const char *value, size_t len)
{
	char message[GRPC_TEXT_LEN], buf[GRPC_TEXT_LEN];
	unsigned code = 0;

	grpc_reply_message(value, len, message, sizeof(message));
	must(strlen(message) <= len && is_printable(message));
	if (grpc_reply_code(value, len, &code) == E_OK)
		must(code <= 99999 && is_printable(grpc_reply_code_text(code, buf)));
}

static void check_content(const uint8_t *octets, size_t len)
{
	const char *why = NULL;
	char buf[GRPC_TEXT_LEN];
	int32_t serving = -1;
	int err = grpc_reply_read(octets, len, &serving, &why);

	must(err == E_OK || (err == E_INVAL && serving == -1 && why && *why));
	if (err < 0)
		return;
	must(is_printable(grpc_reply_serving_text(serving, buf)));
	must(len >= 5 && octets[0] == 0);
	// A reply of one field in its shortest form has that form.
	if (len == 7)
		must(octets[5] != 0x08 || serving == octets[6]);
	if (len == 5)
		must(serving == GRPC_UNKNOWN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] & 1)
		check_values((const char *)data + 1, size - 1);
	else
		check_content(data + 1, size - 1);
	return 0;
}
