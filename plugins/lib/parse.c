// Parses prefixes, numbers and codes; see parse.h. Hand-written for speed, as tables have a million rows: inet_pton()
// and strtod() take several times as long.
#include "parse.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

// Both return the position where they stopped, or NULL.

static const char *parse_v4(const char *at, uint8_t *address)
{
	for (int i = 0; i < 4; i++) {
		unsigned octet = 0;

		if (i > 0 && *at++ != '.')
			return NULL;

		const char *first = at;

		while (*at >= '0' && *at <= '9' && at - first < 3)
			octet = octet * 10 + (unsigned)(*at++ - '0');
		if (at == first || octet > 255 || (*first == '0' && at - first > 1))
			return NULL;
		address[i] = (uint8_t)octet;
	}
	return at;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// RFC 4291 section 2.2, all three forms.
static const char *parse_v6(const char *at, uint8_t *address)
{
	enum { LEN = 16, NO_GAP = -1 };
	uint8_t bytes[LEN];
	int count = 0, gap = NO_GAP; // gap: the number of octets before "::"

	while (count < LEN) {
		if (at[0] == ':' && at[1] == ':') {
			if (gap != NO_GAP)
				return NULL;
			gap = count;
			at += 2;
			if (hex_digit(*at) < 0)
				break;
		} else if (count > 0) {
			if (*at != ':')
				break;
			at++;
		}

		const char *first = at;
		unsigned group = 0;

		for (int digit; at - first < 4 && (digit = hex_digit(*at)) >= 0; at++)
			group = group << 4 | (unsigned)digit;
		if (at == first)
			return NULL;
		if (*at == '.' && count <= LEN - 4) {
			at = parse_v4(first, bytes + count);
			count += 4;
			break;
		}
		bytes[count++] = (uint8_t)(group >> 8);
		bytes[count++] = (uint8_t)group;
	}
	if (!at || (gap == NO_GAP) != (count == LEN)) // "::" stands for one group at least
		return NULL;
	if (gap == NO_GAP)
		gap = count;
	memset(address, 0, LEN);
	memcpy(address, bytes, (size_t)gap);
	memcpy(address + LEN - (count - gap), bytes + gap, (size_t)(count - gap));
	return at;
}

// Clears the bits past the length. True when any was set.
static bool cut(struct edgesteer_prefix *prefix)
{
	unsigned at = prefix->length / 8, octets = prefix->family == 4 ? 4 : 16;
	uint8_t lost = 0;

	if (at < octets) {
		lost = (uint8_t)(prefix->address[at] & (0xff >> prefix->length % 8));
		prefix->address[at++] ^= lost;
	}
	for (; at < octets; at++) {
		lost |= prefix->address[at];
		prefix->address[at] = 0;
	}
	return lost != 0;
}

bool parse_prefix(const char *text, struct edgesteer_prefix *ret_prefix, bool *ret_tail)
{
	struct edgesteer_prefix prefix = {.family = 4};
	const char *at = parse_v4(text, prefix.address);
	unsigned length = 32;

	if (!at) {
		prefix.family = 6;
		length = 128;
		at = parse_v6(text, prefix.address);
	}
	if (!at)
		return false;

	unsigned max = length;

	if (*at == '/') {
		const char *first = ++at;

		for (length = 0; *at >= '0' && *at <= '9' && at - first < 3; at++)
			length = length * 10 + (unsigned)(*at - '0');
		if (at == first)
			return false;
	}
	if (*at != '\0' || length > max)
		return false;
	prefix.length = (uint8_t)length;
	*ret_tail = cut(&prefix);
	*ret_prefix = prefix;
	return true;
}

const char *parse_format_prefix(const struct edgesteer_prefix *prefix, char *buf)
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(prefix->family == 4 ? AF_INET : AF_INET6, prefix->address, address, sizeof(address));
	snprintf(buf, PARSE_PREFIX_TEXT_LEN, "%s/%u", address, prefix->length);
	return buf;
}

// Exact for 15 digits, since both numbers of the division fit a double. That is far below a millimetre on the ground,
// so further digits are ignored.
bool parse_decimal(const char *at, double *ret_value)
{
	static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
	                                1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
	bool negative = *at == '-';
	uint64_t digits = 0;
	unsigned kept = 0, decimals = 0;
	bool any = false, point = false;

	if (*at == '-' || *at == '+')
		at++;
	for (; *at; at++) {
		if (*at == '.' && !point) {
			point = true;
			continue;
		}
		if (*at < '0' || *at > '9')
			return false;
		any = true;
		if (kept == 15) {
			if (!point)
				return false; // larger than any valid value
			continue;
		}
		digits = digits * 10 + (unsigned)(*at - '0');
		kept += digits > 0;
		decimals += point;
		if (decimals == 15)
			kept = 15;
	}
	if (!any)
		return false;

	double value = (double)digits / powers[decimals];

	*ret_value = negative ? -value : value;
	return true;
}

const char *parse_country(const char *octets, char buf[3])
{
	for (int i = 0; i < 2; i++) {
		char c = octets[i] >= 'a' && octets[i] <= 'z' ? (char)(octets[i] - 'a' + 'A') : octets[i];

		if (c < 'A' || c > 'Z')
			return NULL;
		buf[i] = c;
	}
	buf[2] = '\0';
	if (strcmp(buf, "AA") == 0 || strcmp(buf, "ZZ") == 0 || (buf[0] == 'X' && buf[1] != 'K'))
		return NULL;
	return buf;
}

bool parse_asn(const char *text, uint32_t *ret_asn)
{
	uint64_t asn = 0;
	const char *at = text + (strncasecmp(text, "AS", 2) == 0 ? 2 : 0), *first = at;

	for (; *at >= '0' && *at <= '9' && at - first < 10; at++)
		asn = asn * 10 + (unsigned)(*at - '0');
	if (*at != '\0' || asn == 0 || asn > UINT32_MAX)
		return false;
	*ret_asn = (uint32_t)asn;
	return true;
}
