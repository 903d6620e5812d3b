// Reads a line with a measured round trip; see observation.h.
#include "learn/observation.h"

#include <stdio.h>
#include <string.h>

#include "base/clean.h"
#include "base/err.h"
#include "base/hash.h"

enum { WORDS_MAX = 4, HOST_SEED = 0x6f627376 };

#define FORM "expected ADDRESS SITE MILLISECONDS [HOST], as in \"192.0.2.7 us-east-1 23.5 web-1\""

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

// Splits `text` in place. More than WORDS_MAX words: returns one more.
static unsigned split(char *text, char **words)
{
	unsigned count = 0;

	for (char *at = text;;) {
		while (is_blank(*at))
			*at++ = '\0';
		if (*at == '\0' || count > WORDS_MAX)
			return count;
		if (count < WORDS_MAX)
			words[count] = at;
		count++;
		while (*at && !is_blank(*at))
			at++;
	}
}

static bool is_word(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t len = strlen(text);

	return len >= 1 && len <= NAME_MAX_LEN && strspn(text, letters) == len;
}

// Digits with at most one point; no sign, no exponent, no locale. 0: it is none, or out of range.
static uint32_t parse_ms(const char *text)
{
	uint64_t us = 0, unit_us = 1000;
	size_t digits = strspn(text, "0123456789"), decimals = text[digits] == '.' ? strspn(text + digits + 1, "0123456789") : 0;

	if (digits < 1 || digits > 5 || text[digits + (text[digits] == '.') + decimals] != '\0')
		return 0;
	for (size_t i = 0; i < digits; i++)
		us = us * 10 + (uint64_t)(text[i] - '0');
	us *= unit_us;
	for (size_t i = 0; i < decimals && unit_us > 1; i++) {
		unit_us /= 10;
		us += (uint64_t)(text[digits + 1 + i] - '0') * unit_us;
	}
	return us <= (uint64_t)OBSERVATION_MS_MAX * 1000 ? (uint32_t)us : 0;
}

static int parse_client(const char *text, struct addr *ret_addr)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct addr addr;

	if (addr_parse(text, &addr) < 0)
		return E_INVAL;
	if (addr.family == ADDR_V6 && memcmp(addr.bytes, mapped, sizeof(mapped)) == 0) {
		*ret_addr = (struct addr){.family = ADDR_V4};
		memcpy(ret_addr->bytes, addr.bytes + sizeof(mapped), 4);
	} else {
		*ret_addr = addr;
	}
	return E_OK;
}

static int refuse(char *ret_why, const char *what, const char *word, const char *why)
{
	char shown[64];

	clean_copy(shown, sizeof(shown), word);
	snprintf(ret_why, OBSERVATION_WHY_LEN, "%s%s%s", what, shown, why);
	return E_INVAL;
}

int observation_parse(const char *line, size_t len, struct observation *ret_observation, char *ret_why)
{
	char text[OBSERVATION_LINE_MAX + 1], *words[WORDS_MAX];
	struct observation observation = {.host = 0};
	unsigned count;

	if (len > OBSERVATION_LINE_MAX || memchr(line, '\0', len))
		return refuse(ret_why, len > OBSERVATION_LINE_MAX ? "the line is longer than 256 octets" : "there is a zero octet", "", "");
	memcpy(text, line, len);
	text[len] = '\0';
	count = split(text, words);
	if (count == 0 || words[0][0] == '#')
		return 0;
	if (count < 3 || count > WORDS_MAX)
		return refuse(ret_why, count < 3 ? "there is a word missing; " : "there are too many words; ", "", FORM);
	if (parse_client(words[0], &observation.client) < 0)
		return refuse(ret_why, "'", words[0], "' is not an address; " FORM);
	if (!is_word(words[1]))
		return refuse(ret_why, "'", words[1], "' is not the name of a site; " FORM);
	observation.us = parse_ms(words[2]);
	if (observation.us == 0)
		return refuse(ret_why, "'", words[2], "' is not a round trip in milliseconds, from 0.001 to 60000");
	if (count == WORDS_MAX)
		observation.host = (uint32_t)hash_bytes(HOST_SEED, words[3], strlen(words[3])) | 1;
	memcpy(observation.site, words[1], strlen(words[1]) + 1);
	*ret_observation = observation;
	return 1;
}

_Static_assert(OBSERVATION_LINE_MAX == 256, "a message says so");
