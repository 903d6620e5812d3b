// Numbers with units; see units.h.
#include "schema/units.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"

// Fifteen digits are exact in a double, and a product of them with a day in milliseconds fits 64 bits.
enum { DIGITS_MAX = 15 };

struct unit {
	const char *suffix;
	double factor;
};

struct duration_unit {
	const char *suffix;
	uint64_t ms;
};

static const struct duration_unit duration_units[] = {
	{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

// Reads digits at *at and moves it past them.
static int take_digits(const char **at, uint64_t *ret_number)
{
	uint64_t number = 0;
	unsigned count = 0;

	for (; is_digit(**at); (*at)++) {
		if (++count > DIGITS_MAX)
			return E_INVAL;
		number = number * 10 + (uint64_t)(**at - '0');
	}
	if (count == 0)
		return E_INVAL;
	*ret_number = number;
	return E_OK;
}

int units_parse_integer(const char *text, uint64_t *ret_integer)
{
	uint64_t integer;

	if (take_digits(&text, &integer) < 0 || *text)
		return E_INVAL;
	*ret_integer = integer;
	return E_OK;
}

int units_parse_duration_ms(const char *text, uint64_t *ret_ms)
{
	uint64_t total = 0;
	size_t next = 0; // units from this index on are smaller than those read

	if (strcmp(text, "0") == 0) {
		*ret_ms = 0;
		return E_OK;
	}
	do {
		uint64_t number;

		if (take_digits(&text, &number) < 0)
			return E_INVAL;

		size_t len = strcspn(text, "0123456789");

		while (next < ARRAY_LEN(duration_units) && (strlen(duration_units[next].suffix) != len ||
		                                            memcmp(duration_units[next].suffix, text, len) != 0))
			next++;
		if (next == ARRAY_LEN(duration_units) || number > (UINT64_MAX >> 1) / duration_units[next].ms)
			return E_INVAL;
		number *= duration_units[next++].ms;
		if (number > (UINT64_MAX >> 1) - total)
			return E_INVAL;
		total += number;
		text += len;
	} while (*text);
	*ret_ms = total;
	return E_OK;
}

const char *units_format_duration_ms(uint64_t ms, char *buf)
{
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_LEN(duration_units) && at < UNITS_TEXT_LEN; i++) {
		uint64_t number = ms / duration_units[i].ms;

		ms %= duration_units[i].ms;
		if (number > 0)
			at += (size_t)snprintf(buf + at, UNITS_TEXT_LEN - at, "%" PRIu64 "%s", number,
			                       duration_units[i].suffix);
	}
	must(at < UNITS_TEXT_LEN);
	if (at == 0)
		snprintf(buf, UNITS_TEXT_LEN, "0s");
	return buf;
}

// [-] digits [. digits], then one of the units (NULL: none).
static int parse_with_unit(const char *text, const struct unit *units, size_t unit_count, double *ret_number)
{
	bool negative = *text == '-';
	uint64_t whole, fraction;
	double number;

	text += negative;
	if (take_digits(&text, &whole) < 0)
		return E_INVAL;
	number = (double)whole;
	if (*text == '.') {
		const char *digits = ++text;
		double scale = 1;

		if (take_digits(&text, &fraction) < 0)
			return E_INVAL;
		for (; digits < text; digits++)
			scale *= 10;
		number += (double)fraction / scale;
	}
	if (negative)
		number = -number;

	bool known = *text == '\0' && (unit_count == 0 || number == 0);

	for (size_t i = 0; i < unit_count && !known; i++) {
		known = strcmp(text, units[i].suffix) == 0;
		if (known)
			number *= units[i].factor;
	}
	if (!known)
		return E_INVAL;
	*ret_number = number;
	return E_OK;
}

int units_parse_latency_us(const char *text, double *ret_us)
{
	static const struct unit units[] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}};

	return parse_with_unit(text, units, ARRAY_LEN(units), ret_us);
}

int units_parse_distance_km(const char *text, double *ret_km)
{
	static const struct unit units[] = {{"km", 1}, {"m", 0.001}};

	return parse_with_unit(text, units, ARRAY_LEN(units), ret_km);
}

int units_parse_percent(const char *text, double *ret_percent)
{
	uint64_t percent;

	if (take_digits(&text, &percent) < 0 || percent > 100 || strcmp(text, "%") != 0)
		return E_INVAL;
	*ret_percent = (double)percent;
	return E_OK;
}

int units_parse_share(const char *text, double *ret_percent)
{
	static const struct unit units[] = {{"%", 1}};

	return parse_with_unit(text, units, ARRAY_LEN(units), ret_percent);
}

int units_parse_number(const char *text, double *ret_number)
{
	return parse_with_unit(text, NULL, 0, ret_number);
}
