// A record's data on its way from the words of a master file to wire form: what rdata.c and the files of its fields share.
// Nothing here allocates: octets go into the caller's buffer.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "wire/name.h"

enum { ZONE_CONVERT_WHY_MAX = 160 };

struct zone_convert {
	const char *word; // to be read next; what is left of one, behind a string in quotes
	size_t count;     // of words left, that one included
	const char *last; // word that was taken; "" when there was none left
	const struct wire_name *origin; // of names without a final dot
	uint8_t *wire;
	size_t len, size; // octets
	char *why;        // [ZONE_CONVERT_WHY_MAX], "" until something is wrong
};

// Says what is wrong, unless something has been said before. Returns false.
bool zone_convert_wrong(struct zone_convert *convert, const char *fmt, ...) PRINTF(2, 3);

// Says what should be there instead of the word that was taken. Returns false.
bool zone_convert_expected(struct zone_convert *convert, const char *what);

// Takes the next word. Returns "" when there is none left.
const char *zone_convert_take(struct zone_convert *convert);

// Appends octets; false, said, when there is no room.
bool zone_convert_put(struct zone_convert *convert, const void *octets, size_t len) MUST_USE;
// Appends a number in `octets` octets, 1 to 4.
bool zone_convert_put_number(struct zone_convert *convert, uint32_t number, size_t octets) MUST_USE;

// Takes a string (RFC 1035 section 5.1), in quotes or not, and appends its octets; there is a word left. False when it has
// a bad escape.
bool zone_convert_string(struct zone_convert *convert) MUST_USE;
// Appends what `take` does, with the number of its octets before it. False when that is not in `least`..255.
bool zone_convert_counted(struct zone_convert *convert, size_t least, bool (*take)(struct zone_convert *convert)) MUST_USE;
// Reads an octet, with \DDD and \X escapes, at *at, which moves on. False when the escape is bad.
bool zone_convert_octet(const char **at, uint8_t *ret_octet) MUST_USE;
// Reads decimal digits. Returns how many; 0 when there are none, or the number is above `max`.
size_t zone_convert_digits(const char *at, uint32_t max, uint32_t *ret_number) MUST_USE;
// Whether the whole word is a number of at most `max`.
bool zone_convert_number(const char *word, uint32_t max, uint32_t *ret_number) MUST_USE;
// Reads a domain name, relative to `origin` without a final dot; "@" is the origin. The
// two may be the same. E_INVAL.
int zone_convert_name(const char *word, const struct wire_name *origin, struct wire_name *ret_name) MUST_USE;
