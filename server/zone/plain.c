// The common types of RDATA; see plain.h. Whatever is unusual ends in -1, so that this code has no opinion of its own on
// it: tests/unit/test_zone_plain.c compares with ldns all that it accepts.
#include "zone/plain.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "wire/dns.h"
#include "wire/name.h"
#include "wire/put.h"
#include "zone/scan.h"

enum { STRING_MAX = 255, DIGITS_MAX = 10 };

// The fields of a type, one character each:
//
//   1 2 4   a number of so many octets      a A   an IPv4, an IPv6 address      s   a string, with its length
//   n       a domain name                   t     a tag (RFC 8659)              v   a string in quotes, without its length
//   p       a time, such as 1h              h     hexadecimal digits            +   once more the field before,
//                                                                                   as often as there are words
static const struct layout {
	uint16_t type;
	const char *fields;
} layouts[] = {
	{DNS_A, "a"}, {DNS_AAAA, "A"}, {DNS_CNAME, "n"}, {DNS_NS, "n"}, {DNS_PTR, "n"}, {DNS_MX, "2n"}, {DNS_TXT, "s+"},
	{DNS_SRV, "222n"}, {DNS_SOA, "nn4pppp"}, {DNS_CAA, "1tv"}, {DNS_DS, "211h+"}, {DNS_TLSA, "111h+"},
	{DNS_SSHFP, "11h+"}, {DNS_NAPTR, "22sssn"}, {DNS_HINFO, "ss"},
};

struct plain {
	const uint8_t *origin;
	size_t origin_len;
	uint8_t *wire;
	size_t len, limit; // octets
};

static bool put(struct plain *plain, const void *octets, size_t len)
{
	if (len > plain->limit - plain->len)
		return false;
	memcpy(plain->wire + plain->len, octets, len);
	plain->len += len;
	return true;
}

static bool put_number(struct plain *plain, uint32_t number, size_t octets)
{
	uint8_t wire[4];

	put32(wire, number);
	return put(plain, wire + sizeof(wire) - octets, octets);
}

static bool read_number(struct plain *plain, const char *word, size_t octets)
{
	const uint64_t max = ((uint64_t)1 << 8 * octets) - 1;
	uint64_t number = 0;
	size_t digits = 0;

	for (; word[digits] >= '0' && word[digits] <= '9' && digits < DIGITS_MAX; digits++)
		number = number * 10 + (uint64_t)(word[digits] - '0');
	return digits > 0 && word[digits] == '\0' && number <= max && put_number(plain, (uint32_t)number, octets);
}

static bool read_period(struct plain *plain, const char *word)
{
	uint32_t s;

	return zone_scan_period(word, UINT32_MAX, &s) == 0 && put_number(plain, s, sizeof(s));
}

static bool read_address(struct plain *plain, const char *word, int family, size_t octets)
{
	uint8_t address[16];

	return inet_pton(family, word, address) == 1 && put(plain, address, octets);
}

// Names without escapes.
static bool read_name(struct plain *plain, const char *word)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*/.";
	const size_t text_len = strspn(word, allowed);
	uint8_t wire[NAME_WIRE_MAX];
	size_t len;

	if (strcmp(word, "@") == 0)
		return put(plain, plain->origin, plain->origin_len);
	if (text_len == 0 || word[text_len] != '\0' || name_from_text(word, wire, &len) < 0)
		return false;
	if (word[text_len - 1] == '.')
		return put(plain, wire, len);
	return len - 1 + plain->origin_len <= NAME_WIRE_MAX && put(plain, wire, len - 1) &&
	       put(plain, plain->origin, plain->origin_len);
}

// A string in quotes or not, without escapes.
static bool read_string(struct plain *plain, const char *word, bool with_len)
{
	size_t len = strlen(word);
	const bool quoted = len >= 2 && word[0] == '"' && word[len - 1] == '"';

	word += quoted;
	len -= quoted ? 2 : 0;
	if (len > STRING_MAX || memchr(word, '\\', len) || memchr(word, '"', len))
		return false;
	return (with_len ? put_number(plain, (uint32_t)len, 1) : quoted) && put(plain, word, len);
}

static bool read_tag(struct plain *plain, const char *word)
{
	for (const char *at = word; *at; at++)
		if (!isalnum((unsigned char)*at))
			return false;
	return read_string(plain, word, true);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

static bool read_hex(struct plain *plain, const char *word)
{
	for (; *word; word += 2) {
		const int high = hex_digit(word[0]), low = high < 0 ? -1 : hex_digit(word[1]);

		if (low < 0 || !put_number(plain, (uint32_t)(high << 4 | low), 1))
			return false;
	}
	return true;
}

static bool read_field(struct plain *plain, char field, const char *word)
{
	switch (field) {
	case '1':
	case '2':
	case '4': return read_number(plain, word, (size_t)(field - '0'));
	case 'p': return read_period(plain, word);
	case 'a': return read_address(plain, word, AF_INET, 4);
	case 'A': return read_address(plain, word, AF_INET6, 16);
	case 'n': return read_name(plain, word);
	case 's': return read_string(plain, word, true);
	case 'v': return read_string(plain, word, false);
	case 't': return read_tag(plain, word);
	case 'h': return read_hex(plain, word);
	default: return false;
	}
}

static const char *fields_of(uint16_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(layouts); i++)
		if (layouts[i].type == type)
			return layouts[i].fields;
	return "";
}

int zone_plain_parse(uint16_t type, const char *words, size_t count, const uint8_t *origin, size_t origin_len,
                     uint8_t *wire, size_t size)
{
	struct plain plain = {origin, origin_len, wire, 0, size};
	const char *field = fields_of(type), *word = words;

	for (; count > 0 && *field; count--, word = zone_scan_after(word)) {
		if (!read_field(&plain, *field, word))
			return -1;
		if (field[1] != '+' || count == 1)
			field += field[1] == '+' ? 2 : 1;
	}
	return count == 0 && !*field && field != words && plain.len > 0 ? (int)plain.len : -1;
}
