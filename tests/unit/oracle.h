// RDATA as ldns makes it, beside ours: shared by test_zone_rdata.c and test_zone_octets.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/convert.h"
#include "zone/rdata.h"

enum { ORACLE_TEXT_MAX = 8192, ORACLE_HEX_MAX = 1024, ORACLE_REFUSED = -1 };

struct oracle_words {
	char text[ORACLE_TEXT_MAX]; // as struct zone_scan_entry has them
	size_t len, count;
};

// Data as the RFCs and operators have it. ldns reads all of it in the same way.
struct oracle_sample {
	const char *type, *text;
};

extern const struct oracle_sample oracle_samples[];
extern const size_t oracle_sample_count;

void oracle_add_word(struct oracle_words *words, const char *word, size_t len);
// Splits a text at blanks that are not in quotes.
struct oracle_words oracle_words_of(const char *text);
// Joins them with blanks in text[ORACLE_TEXT_MAX + 1], which it returns.
const char *oracle_text_of(const struct oracle_words *words, char *text);

// What was made of the words last, by us and by ldns, and why we refused them.
extern uint8_t oracle_ours[ZONE_RDATA_MAX], oracle_theirs[ZONE_RDATA_MAX + 1];
extern char oracle_why[ZONE_CONVERT_WHY_MAX];

// Convert words of the zone "example"; the length in octets, or ORACLE_REFUSED. Ours fails the test when it allocates.
int oracle_parse(uint16_t type, const struct oracle_words *words);
int oracle_ldns(uint16_t type, const struct oracle_words *words);

// Whether both have made the same of it.
bool oracle_is_same(int our_len, int their_len);
// In hexadecimal, in hex[ORACLE_HEX_MAX]; "refused".
const char *oracle_hex_of(const uint8_t *wire, int len, char *hex);
// Fails the test, with what both have made of it.
void oracle_fail(const char *type, const struct oracle_words *words, int our_len, int their_len);
