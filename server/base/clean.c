// The only table of what is not shown; see clean.h.
#include "base/clean.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/must.h"

// Decodes one character. Returns its length in octets; 0 when it is not UTF-8 (RFC 3629: neither overlong, nor a
// surrogate, nor past U+10FFFF).
static size_t decode(const unsigned char *at, uint32_t *ret_character)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = at[0] < 0x80 ? 1 : at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : at[0] >= 0xc0 ? 2 : 0;
	uint32_t character = len > 1 ? at[0] & (0x7fu >> len) : at[0];

	if (len == 0 || at[0] >= 0xf8)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80) // the final zero is not either
			return 0;
		character = character << 6 | (at[i] & 0x3f);
	}
	if (character < least[len] || character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff))
		return 0;
	*ret_character = character;
	return len;
}

static bool is_shown(uint32_t character)
{
	static const struct {
		uint32_t first, last;
	} not_shown[] = {
		{0, 0x1f}, {0x7f, 0x9f}, {0x61c, 0x61c}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069},
	};

	for (size_t i = 0; i < ARRAY_LEN(not_shown); i++)
		if (character >= not_shown[i].first && character <= not_shown[i].last)
			return false;
	return true;
}

size_t clean_copy(char *buf, size_t size, const char *text)
{
	const char *at = text;
	size_t out = 0;

	must(size > 0);
	while (*at) {
		uint32_t character = 0;
		size_t len = decode((const unsigned char *)at, &character);
		bool shown = len > 0 && is_shown(character);
		size_t needed = shown ? len : 1;

		if (out + needed > size - 1)
			break;
		if (shown)
			memmove(buf + out, at, len);
		else
			buf[out] = '?';
		out += needed;
		at += len > 0 ? len : 1;
	}

	size_t taken = (size_t)(at - text);

	buf[out] = '\0'; // after reading: it may be the octet at `at`
	return taken;
}

char *clean_text(char *text)
{
	(void)clean_copy(text, strlen(text) + 1, text);
	return text;
}
