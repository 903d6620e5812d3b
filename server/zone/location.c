// Locations; see location.h. Numbers are integers, of thousandths or hundredths: digits beyond those are dropped.
#include "zone/location.h"

#include <string.h>

#include "wire/put.h"
#include "zone/convert.h"
#include "zone/kind.h"

enum {
	SECOND_PLACES = 3,
	METRE_PLACES = 2,
	MINUTE = 60000, // thousandths of a second of arc
	DEGREE = 60 * MINUTE,
	BASE_CM = 10000000, // zero is so far below the spheroid
	SIZES = 3,          // size, horizontal and vertical precision
};

// The equator's latitude, and Greenwich's longitude.
#define EQUATOR ((uint32_t)1 << 31)

// Reads a number with `places` decimals, and perhaps an "m" behind it.
static bool read_decimal(const char *word, unsigned places, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t digits = 0;

	for (; *word >= '0' && *word <= '9' && number <= max; word++, digits++)
		number = number * 10 + (uint64_t)(*word - '0');
	if (*word == '.' && places > 0)
		for (word++; *word >= '0' && *word <= '9'; word++, digits++)
			if (places > 0) {
				number = number * 10 + (uint64_t)(*word - '0');
				places--;
			}
	for (; places > 0 && number <= max; places--)
		number *= 10;
	*ret_number = number;
	return digits > 0 && *word == '\0' && number <= max;
}

// The same in metres, into centimetres.
static bool read_metres(const char *word, uint64_t max_cm, uint64_t *ret_cm)
{
	const size_t len = strlen(word);
	char number[32];

	if (len == 0 || len >= sizeof(number))
		return false;
	memcpy(number, word, len + 1);
	if ((number[len - 1] | 0x20) == 'm')
		number[len - 1] = '\0';
	return read_decimal(number, METRE_PLACES, max_cm, ret_cm);
}

// DEGREES [MINUTES [SECONDS]] and a direction, the second of which is negative.
static bool read_angle(struct zone_convert *convert, uint64_t degrees_max, const char *directions, const char *expected)
{
	const struct {
		unsigned places, unit;
		uint64_t max;
	} parts[] = {{0, DEGREE, degrees_max}, {0, MINUTE, 59}, {SECOND_PLACES, 1, 59999}};
	const char *word = zone_convert_take(convert);
	uint64_t angle = 0, number;

	for (size_t i = 0; i < ARRAY_LEN(parts) && (i == 0 || (*word >= '0' && *word <= '9')); i++) {
		if (!read_decimal(word, parts[i].places, parts[i].max, &number))
			return zone_convert_expected(convert, expected);
		angle += number * parts[i].unit;
		word = zone_convert_take(convert);
	}
	if (strlen(word) != 1 || !strchr(directions, *word) || angle > degrees_max * DEGREE)
		return zone_convert_expected(convert, expected);
	return zone_convert_put_number(
	    convert, *word == directions[0] ? EQUATOR + (uint32_t)angle : EQUATOR - (uint32_t)angle, 4);
}

static bool read_altitude(struct zone_convert *convert)
{
	const char *word = zone_convert_take(convert);
	const bool below = *word == '-';
	uint64_t cm;

	if (!read_metres(word + (below || *word == '+'), below ? BASE_CM : UINT32_MAX - BASE_CM, &cm))
		return zone_convert_expected(convert, "an altitude from -100000.00 to 42849672.95 m");
	return zone_convert_put_number(convert, below ? BASE_CM - (uint32_t)cm : BASE_CM + (uint32_t)cm, 4);
}

// A digit, and the power of ten by which it is multiplied, in one octet.
static bool read_size(struct zone_convert *convert, uint8_t *ret_size)
{
	const uint64_t max_cm = 9000000000;
	const char *word = zone_convert_take(convert);
	uint64_t cm;
	unsigned power = 0;

	if (!read_metres(word, max_cm, &cm))
		return zone_convert_expected(convert, "a size or precision from 0.00 to 90000000.00 m");
	for (; cm >= 10; power++)
		cm /= 10;
	*ret_size = (uint8_t)(cm << 4 | power);
	return true;
}

bool zone_location_read(struct zone_convert *convert, const struct zone_kind *kind)
{
	// Version 0; 1 m, 10 km, 10 m (RFC 1876 section 3).
	uint8_t head[1 + SIZES] = {0, 0x12, 0x16, 0x13};
	const size_t start = convert->len;

	(void)kind;
	if (!zone_convert_put(convert, head, sizeof(head)) ||
	    !read_angle(convert, 90, "NS", "degrees from 0 to 90, minutes and seconds from 0, N or S") ||
	    !read_angle(convert, 180, "EW", "degrees from 0 to 180, minutes and seconds from 0, E or W") ||
	    !read_altitude(convert))
		return false;
	for (size_t i = 1; i <= SIZES && convert->count > 0; i++)
		if (!read_size(convert, &convert->wire[start + i]))
			return false;
	return true;
}

static bool is_size(uint8_t size)
{
	return size >> 4 <= 9 && (size & 15) <= 9;
}

static bool is_angle(const uint8_t *at, uint32_t degrees_max)
{
	const uint32_t angle = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];

	return (angle > EQUATOR ? angle - EQUATOR : EQUATOR - angle) <= degrees_max * DEGREE;
}

int zone_location_check(const struct zone_octets *octets, const struct zone_kind *kind)
{
	const uint8_t *field = octets->wire + octets->at;
	const size_t len = octets->len - octets->at;

	// Of other versions nothing is known (RFC 1876 section 2).
	if (len > 0 && field[0] != 0)
		return (int)len;
	return len == kind->len && is_size(field[1]) && is_size(field[2]) && is_size(field[3]) && is_angle(field + 4, 90) &&
	               is_angle(field + 8, 180)
	           ? (int)len
	           : -1;
}
