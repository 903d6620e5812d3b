// Fields of few types; see rare.h.
#include "zone/rare.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "zone/digits.h"
#include "zone/convert.h"

enum { WINDOWS = 256, WINDOW_LEN = 32, HIP_HEAD_LEN = 4 };

// ---- DNSSEC ----

static bool is_leap(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

// Seconds since 1970 of YYYYMMDDHHmmSS, whose low 32 bits count (RFC 4034 section 3.1.5). False for no such time.
static bool read_date(const char *word, uint32_t *ret_s)
{
	static const unsigned days_before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
	unsigned part[6] = {0}; // from the year to the second

	if (strlen(word) != 14 || word[strspn(word, "0123456789")] != '\0')
		return false;
	for (size_t i = 0; i < 14; i++) {
		unsigned *to = &part[i < 4 ? 0 : i / 2 - 1];

		*to = *to * 10 + (unsigned)(word[i] - '0');
	}

	const unsigned year = part[0], month = part[1], day = part[2];

	if (year < 1970 || month < 1 || month > 12 || day < 1 || part[3] > 23 || part[4] > 59 || part[5] > 59 ||
	    day > days_before[month] - days_before[month - 1] + (month == 2 && is_leap(year)))
		return false;

	uint64_t days = (uint64_t)(year - 1970) * 365 + days_before[month - 1] + day - 1 + (month > 2 && is_leap(year));

	for (unsigned y = 1970; y < year; y++)
		days += is_leap(y);
	*ret_s = (uint32_t)(((days * 24 + part[3]) * 60 + part[4]) * 60 + part[5]);
	return true;
}

bool zone_rare_read_time(struct zone_convert *convert, const struct zone_kind *kind)
{
	const char *word = zone_convert_take(convert);
	uint32_t s;

	return (read_date(word, &s) || zone_convert_number(word, UINT32_MAX, &s)) &&
	       zone_convert_put_number(convert, s, kind->len);
}

static bool take_salt(struct zone_convert *convert)
{
	if (strcmp(convert->word, "-") != 0)
		return zone_digits_word(convert, ZONE_BASE16);
	(void)zone_convert_take(convert);
	return true;
}

static bool take_hash(struct zone_convert *convert)
{
	return zone_digits_word(convert, ZONE_BASE32HEX);
}

bool zone_rare_read_salt(struct zone_convert *convert, const struct zone_kind *kind)
{
	return zone_convert_counted(convert, kind->len, take_salt);
}

bool zone_rare_read_hash(struct zone_convert *convert, const struct zone_kind *kind)
{
	return zone_convert_counted(convert, kind->len, take_hash);
}

// RFC 4034 section 4.1.2: a window of 256 types has its number, and as many octets as it needs.
bool zone_rare_read_bitmap(struct zone_convert *convert, const struct zone_kind *kind)
{
	uint8_t bits[WINDOWS][WINDOW_LEN] = {0};

	(void)kind;
	while (convert->count > 0) {
		const int type = zone_mnemonic_type(zone_convert_take(convert));

		if (type < 0)
			return false;
		bits[type >> 8][type >> 3 & 31] |= (uint8_t)(0x80 >> (type & 7));
	}
	for (uint32_t window = 0; window < WINDOWS; window++) {
		uint32_t len = WINDOW_LEN;

		while (len > 0 && bits[window][len - 1] == 0)
			len--;
		if (len > 0 && (!zone_convert_put_number(convert, window, 1) || !zone_convert_put_number(convert, len, 1) ||
		                !zone_convert_put(convert, bits[window], len)))
			return false;
	}
	return true;
}

int zone_rare_check_bitmap(const struct zone_octets *octets, const struct zone_kind *kind)
{
	int before = -1;

	(void)kind;
	for (size_t at = octets->at; at < octets->len;) {
		const uint8_t *window = octets->wire + at;
		const size_t left = octets->len - at;

		if (left < 2 || window[0] <= before || window[1] < 1 || window[1] > WINDOW_LEN || left - 2 < window[1] ||
		    window[1 + window[1]] == 0)
			return -1;
		before = window[0];
		at += 2u + window[1];
	}
	return (int)(octets->len - octets->at);
}

// ---- addresses ----

// Groups of hexadecimal digits of `octets` octets each, at least `digits_min` in each: to the end of the word.
static bool read_groups(struct zone_convert *convert, const struct zone_kind *kind, size_t octets, size_t digits_min,
                        char between)
{
	const char *at = zone_convert_take(convert);

	for (size_t len = 0; len < kind->len; len += octets) {
		uint32_t group = 0;
		size_t digits = 0;

		if (len > 0 && *at++ != between)
			return false;
		for (; isxdigit((unsigned char)*at) && digits < 2 * octets; digits++, at++)
			group = group << 4 | (uint32_t)(*at <= '9' ? *at - '0' : (*at | 0x20) - 'a' + 10);
		if (digits < digits_min || !zone_convert_put_number(convert, group, octets))
			return false;
	}
	return *at == '\0';
}

// RFC 7043 section 3.2.
bool zone_rare_read_eui(struct zone_convert *convert, const struct zone_kind *kind)
{
	return read_groups(convert, kind, 1, 2, '-');
}

// RFC 6742 section 2.1.2.
bool zone_rare_read_node(struct zone_convert *convert, const struct zone_kind *kind)
{
	return read_groups(convert, kind, 2, 1, ':');
}

// RFC 1706 section 7: dots are for the eye.
bool zone_rare_read_nsap(struct zone_convert *convert, const struct zone_kind *kind)
{
	const char *at = zone_convert_take(convert);
	struct zone_digits digits = {.base = ZONE_BASE16};

	(void)kind;
	if (at[0] != '0' || (at[1] | 0x20) != 'x')
		return false;
	for (at += 2; *at; at++)
		if (*at != '.' && !zone_digits_add(&digits, convert, *at))
			return false;
	return digits.count > 0 && zone_digits_end(&digits);
}

// [!]FAMILY:ADDRESS/LENGTH (RFC 3123 section 5), without the zeros at the address's end.
bool zone_rare_read_prefix(struct zone_convert *convert, const struct zone_kind *kind)
{
	const char *word = zone_convert_take(convert);
	const bool negated = *word == '!';
	const char *at = word + negated, *slash = strchr(word, '/');
	char address_text[INET6_ADDRSTRLEN];
	uint8_t address[16];
	uint32_t family, prefix, len;
	const size_t digits = zone_convert_digits(at, 2, &family);

	(void)kind;
	if (digits == 0 || family == 0 || at[digits] != ':' || !slash)
		return false;
	at += digits + 1;
	len = family == 1 ? 4 : sizeof(address);
	if (slash < at || (size_t)(slash - at) >= sizeof(address_text) || !zone_convert_number(slash + 1, 8 * len, &prefix))
		return false;
	memcpy(address_text, at, (size_t)(slash - at));
	address_text[slash - at] = '\0';
	if (inet_pton(family == 1 ? AF_INET : AF_INET6, address_text, address) != 1)
		return false;
	while (len > 0 && address[len - 1] == 0)
		len--;
	return zone_convert_put_number(convert, family, 2) && zone_convert_put_number(convert, prefix, 1) &&
	       zone_convert_put_number(convert, (uint32_t)negated << 7 | len, 1) && zone_convert_put(convert, address, len);
}

int zone_rare_check_prefix(const struct zone_octets *octets, const struct zone_kind *kind)
{
	const uint8_t *item = octets->wire + octets->at;
	const size_t left = octets->len - octets->at;

	if (left < kind->len)
		return -1;

	const unsigned family = (unsigned)item[0] << 8 | item[1];
	const size_t len = item[3] & 0x7f, max = family == 1 ? 4 : family == 2 ? 16 : 0x7f;
	const bool is_known = family == 1 || family == 2;

	if (left - kind->len < len || len > max || (is_known && item[2] > 8 * max) ||
	    (len > 0 && item[kind->len + len - 1] == 0))
		return -1;
	return (int)(kind->len + len);
}

// Two words in an octet (RFC 8777 section 4.3.2).
bool zone_rare_read_relay_type(struct zone_convert *convert, const struct zone_kind *kind)
{
	uint32_t discovery, type;

	return zone_convert_number(zone_convert_take(convert), 1, &discovery) &&
	       zone_convert_number(zone_convert_take(convert), 127, &type) &&
	       zone_convert_put_number(convert, discovery << 7 | type, kind->len);
}

// ---- HIP ----

// RFC 8005 sections 5 and 6: the algorithm, the tag in hexadecimal and the key in base64; their lengths come first.
bool zone_rare_read_hip(struct zone_convert *convert, const struct zone_kind *kind)
{
	const size_t start = convert->len;
	uint8_t head[HIP_HEAD_LEN] = {0};
	uint32_t algorithm;

	(void)kind;
	if (!zone_convert_number(zone_convert_take(convert), UINT8_MAX, &algorithm) ||
	    !zone_convert_put(convert, head, sizeof(head)) || !zone_digits_word(convert, ZONE_BASE16))
		return false;

	const size_t tag_len = convert->len - start - sizeof(head);

	if (tag_len < 1 || tag_len > UINT8_MAX || !zone_digits_word(convert, ZONE_BASE64))
		return false;

	const size_t key_len = convert->len - start - sizeof(head) - tag_len;

	convert->wire[start] = (uint8_t)tag_len;
	convert->wire[start + 1] = (uint8_t)algorithm;
	convert->wire[start + 2] = (uint8_t)(key_len >> 8);
	convert->wire[start + 3] = (uint8_t)key_len;
	return key_len > 0;
}

int zone_rare_check_hip(const struct zone_octets *octets, const struct zone_kind *kind)
{
	const uint8_t *head = octets->wire + octets->at;
	const size_t left = octets->len - octets->at;

	(void)kind;
	if (left < HIP_HEAD_LEN)
		return -1;

	const size_t key_len = (size_t)head[2] << 8 | head[3];

	return head[0] > 0 && key_len > 0 && left - HIP_HEAD_LEN >= head[0] + key_len
	           ? (int)(HIP_HEAD_LEN + head[0] + key_len)
	           : -1;
}

