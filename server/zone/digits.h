// Octets written in hexadecimal, base32hex or base64 (RFC 4648), digit by digit. Called by field.c, svcparams.c and
// rdata.c; owns nothing.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct zone_convert;

// The bits of a digit.
enum zone_base { ZONE_BASE16 = 4, ZONE_BASE32HEX = 5, ZONE_BASE64 = 6 };

struct zone_digits {
	enum zone_base base;
	uint32_t bits;    // the last ones, of which `pending` are not written yet
	unsigned pending;
	size_t count, pads; // digits and padding so far
};

// Appends what a digit completes. False for what is none, or is behind padding.
bool zone_digits_add(struct zone_digits *digits, struct zone_convert *convert, char digit) MUST_USE;
// Whether the digits are complete octets, with their padding.
bool zone_digits_end(const struct zone_digits *digits) MUST_USE PURE;

// Takes a word of digits, without padding but for base64, and appends its octets.
bool zone_digits_word(struct zone_convert *convert, enum zone_base base) MUST_USE;
// The same for all the words that are left.
bool zone_digits_words(struct zone_convert *convert, enum zone_base base) MUST_USE;
