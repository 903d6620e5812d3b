// Base64; see base64.h.
#include "base64.h"

#include <stdint.h>

static const char alphabets[][65] = {
	[BASE64_PLAIN] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
	[BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

size_t base64_write(char *buf, size_t size, const void *octets, size_t len, enum base64_form form)
{
	const uint8_t *in = octets;
	char *out = buf;

	if (size == 0 || (len + 2) / 3 > (size - 1) / 4)
		return 0;
	for (size_t i = 0; i < len; i += 3) {
		size_t there = len - i < 3 ? len - i : 3;
		uint32_t bits = (uint32_t)in[i] << 16;

		bits |= there > 1 ? (uint32_t)in[i + 1] << 8 : 0;
		bits |= there > 2 ? in[i + 2] : 0;
		for (size_t j = 0; j < 4; j++)
			if (j <= there)
				*out++ = alphabets[form][bits >> (18 - 6 * j) & 63];
			else if (form == BASE64_PLAIN)
				*out++ = '=';
	}
	*out = '\0';
	return (size_t)(out - buf);
}
