// Reads lines of a type and words as records' data: an error with a reason or octets come of each, and these octets are data
// of the type (RFC 3597) and nothing else.
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "zone/mnemonic.h"
#include "zone/rdata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct wire_name origin = {"\7example", 9};
static uint8_t rdata[ZONE_RDATA_MAX], again[ZONE_RDATA_MAX];
static char why[ZONE_CONVERT_WHY_MAX];

// Puts a zero for each blank that is not in quotes, as the scanner does, in text[len] and at text[len]. Returns the number of
// words.
static size_t split(char *text, size_t len)
{
	size_t to = 0, count = 0;
	bool quoted = false;

	for (size_t at = 0; at < len; at++) {
		const bool blank = !quoted && (text[at] == ' ' || text[at] == '\t' || text[at] == '\0');

		if (blank && (to == 0 || text[to - 1] == '\0'))
			continue;
		quoted ^= text[at] == '"';
		text[to++] = blank ? '\0' : text[at];
		count += blank;
		if (text[at] == '\\' && at + 1 < len && text[at + 1] != '\0')
			text[to++] = text[++at];
	}
	if (to > 0 && text[to - 1] != '\0')
		count++;
	text[to] = '\0';
	return count;
}

// In RFC 3597 form it is the same.
static void read_back(uint16_t type, size_t rdata_len)
{
	char *text = malloc(16 + 2 * rdata_len);
	size_t len;

	must(text);
	memcpy(text, "\\#", 3);

	int at = 3 + sprintf(text + 3, "%zu", rdata_len) + 1;

	for (size_t i = 0; i < rdata_len; i++)
		sprintf(text + at + 2 * i, "%02x", rdata[i]);
	must(zone_rdata_parse(type, text, rdata_len ? 3 : 2, &origin, again, &len, why) == 0);
	must(len == rdata_len && memcmp(rdata, again, len) == 0);
	free(text);
}

static void read_line(const uint8_t *line, size_t len)
{
	char *text = malloc(len + 1); // of exactly its size, so that a read behind it is seen
	size_t rdata_len;

	must(text);
	memcpy(text, line, len);

	const size_t count = split(text, len);
	const int type = count > 0 ? zone_mnemonic_type(text) : -1;

	if (type >= 0) {
		if (zone_rdata_parse((uint16_t)type, text + strlen(text) + 1, count - 1, &origin, rdata, &rdata_len, why) == 0)
			read_back((uint16_t)type, rdata_len);
		else
			must(*why);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	while (len > 0) {
		const uint8_t *newline = memchr(data, '\n', len);
		const size_t line_len = newline ? (size_t)(newline - data) : len;

		read_line(data, line_len);
		data += line_len + (newline != NULL);
		len -= line_len + (newline != NULL);
	}
	return 0;
}
