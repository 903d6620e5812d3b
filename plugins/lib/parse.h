// The values in a row of a table: prefixes, decimals, countries. Pure functions of texts, which are not trusted.
#pragma once

#include <stdbool.h>

#include "edgesteer-plugin.h"

enum { PARSE_PREFIX_TEXT_LEN = 64 }; // room for a prefix as text, with the final zero

// Parses ADDRESS/LENGTH or a bare ADDRESS, which is a prefix of full length. Bits past the length are cleared;
// *ret_tail is set to whether any was set. False: it is neither.
bool parse_prefix(const char *text, struct edgesteer_prefix *ret_prefix, bool *ret_tail);

// Writes into buf[PARSE_PREFIX_TEXT_LEN] and returns it.
const char *parse_format_prefix(const struct edgesteer_prefix *prefix, char *buf);

// Reads an ISO 3166-1 alpha-2 code from two octets, capitals or not, into buf and returns it. NULL where these are not
// two letters, or a code that stands for no country (AA, ZZ, and those from XA to XZ but XK, for Kosovo).
const char *parse_country(const char *octets, char buf[3]);

// Parses the number of an AS, with or without "AS" before it, from 1 to 4294967295. False: it is none.
bool parse_asn(const char *text, uint32_t *ret_asn);

// Parses a plain decimal such as -122.31, independently of the locale. False: it is not one.
bool parse_decimal(const char *text, double *ret_value);
