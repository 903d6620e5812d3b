// Words of a master file and octets of wire form; see convert.h.
#include "zone/convert.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "wire/put.h"
#include "zone/scan.h"

bool zone_convert_wrong(struct zone_convert *convert, const char *fmt, ...)
{
	va_list ap;

	if (*convert->why)
		return false;
	va_start(ap, fmt);
	vsnprintf(convert->why, ZONE_CONVERT_WHY_MAX, fmt, ap);
	va_end(ap);
	return false;
}

bool zone_convert_expected(struct zone_convert *convert, const char *what)
{
	return *convert->last ? zone_convert_wrong(convert, "%.40s: expected %s", convert->last, what)
	                   : zone_convert_wrong(convert, "the data ends where there should be %s", what);
}

const char *zone_convert_take(struct zone_convert *convert)
{
	convert->last = "";
	if (convert->count > 0) {
		convert->last = convert->word;
		convert->word = zone_scan_after(convert->word);
		convert->count--;
	}
	return convert->last;
}

// ---- octets ----

bool zone_convert_put(struct zone_convert *convert, const void *octets, size_t len)
{
	if (len > convert->size - convert->len)
		return zone_convert_wrong(convert, "data is longer than %zu octets", convert->size);
	memcpy(convert->wire + convert->len, octets, len);
	convert->len += len;
	return true;
}

bool zone_convert_put_number(struct zone_convert *convert, uint32_t number, size_t octets)
{
	uint8_t wire[4];

	must(octets <= sizeof(wire));
	put32(wire, number);
	return zone_convert_put(convert, wire + sizeof(wire) - octets, octets);
}

// ---- words ----

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool zone_convert_octet(const char **at, uint8_t *ret_octet)
{
	const char *from = *at;
	unsigned octet = (unsigned char)*from++;

	if (octet == '\\') {
		octet = (unsigned char)*from;
		if (octet == '\0')
			return false;
		if (is_digit(*from++)) {
			if (!is_digit(from[0]) || !is_digit(from[1]))
				return false;
			octet = (octet - '0') * 100 + (unsigned)(from[0] - '0') * 10 + (unsigned)(from[1] - '0');
			from += 2;
		}
		if (octet > UINT8_MAX)
			return false;
	}
	*at = from;
	*ret_octet = (uint8_t)octet;
	return true;
}

// A word is more than one string where it goes on behind a closing quote, as in "a""b", or where it has blanks in quotes
// that it does not start with, as in a"b c".
bool zone_convert_string(struct zone_convert *convert)
{
	static const char blanks[] = " \t";
	const char *at = convert->word;
	const bool quoted = *at == '"';

	convert->last = at;
	for (at += quoted; *at && (quoted ? *at != '"' : !strchr(blanks, *at));) {
		uint8_t octet;

		if (!zone_convert_octet(&at, &octet) || !zone_convert_put(convert, &octet, 1))
			return false;
	}
	if (quoted && *at++ != '"')
		return false;
	at += strspn(at, blanks);
	if (*at)
		convert->word = at;
	else
		(void)zone_convert_take(convert);
	return true;
}

bool zone_convert_counted(struct zone_convert *convert, size_t least, bool (*take)(struct zone_convert *convert))
{
	const size_t start = convert->len;

	if (!zone_convert_put_number(convert, 0, 1) || !take(convert))
		return false;

	const size_t len = convert->len - start - 1;

	convert->wire[start] = (uint8_t)len;
	return len >= least && len <= UINT8_MAX;
}

size_t zone_convert_digits(const char *at, uint32_t max, uint32_t *ret_number)
{
	uint64_t number = 0;
	size_t count = 0;

	for (; is_digit(at[count]) && number <= max; count++)
		number = number * 10 + (uint64_t)(at[count] - '0');
	if (number > max)
		return 0;
	*ret_number = (uint32_t)number;
	return count;
}

bool zone_convert_number(const char *word, uint32_t max, uint32_t *ret_number)
{
	const size_t digits = zone_convert_digits(word, max, ret_number);

	return digits > 0 && word[digits] == '\0';
}

// A name is absolute when it ends in a dot that is not escaped.
static bool is_absolute(const char *word)
{
	size_t len = strlen(word), slashes = 0;

	if (len == 0 || word[len - 1] != '.')
		return false;
	while (slashes + 1 < len && word[len - 2 - slashes] == '\\')
		slashes++;
	return slashes % 2 == 0;
}

int zone_convert_name(const char *word, const struct wire_name *origin, struct wire_name *ret_name)
{
	struct wire_name name = *origin;

	if (strcmp(word, "@") != 0) {
		if (strchr(word, '"') || name_from_text(word, name.wire, &name.len) < 0)
			return E_INVAL;
		if (!is_absolute(word)) {
			if (name.len - 1 + origin->len > NAME_WIRE_MAX)
				return E_INVAL;
			must(name.len >= 1 && origin->len >= 1);
			memcpy(name.wire + name.len - 1, origin->wire, origin->len);
			name.len += origin->len - 1;
		}
	}
	*ret_name = name;
	return E_OK;
}
