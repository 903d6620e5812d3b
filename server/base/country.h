// Countries by their ISO 3166-1 alpha-2 code, as the two letters in one number. Whether a code is assigned is not known
// here: user-assigned ones such as XK are in use.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { COUNTRY_UNKNOWN = 0, COUNTRY_TEXT_LEN = 3 };

// The number of a code of two ASCII letters, capital or small; COUNTRY_UNKNOWN for any other text.
static inline uint16_t country_of_text(const char *text, size_t len)
{
	unsigned first = len == 2 ? (unsigned char)text[0] & ~0x20u : 0, second = first ? (unsigned char)text[1] & ~0x20u : 0;

	if (first < 'A' || first > 'Z' || second < 'A' || second > 'Z')
		return COUNTRY_UNKNOWN;
	return (uint16_t)(first << 8 | second);
}

// The code in capitals, "" for COUNTRY_UNKNOWN, into buf[COUNTRY_TEXT_LEN], which it returns.
static inline char *country_text(uint16_t country, char *buf)
{
	buf[0] = (char)(country >> 8);
	buf[1] = (char)(country & 0xff);
	buf[2] = '\0';
	return buf;
}
