// The checksum that rows of a store carry: FNV-1a of 64 bits over typed, length-prefixed fields. Part of the files'
// form, so it is the same on every machine and never changes.
#pragma once

#include <stdint.h>
#include <string.h>

static inline uint64_t sum_octets(uint64_t sum, const void *octets, size_t len)
{
	const uint8_t *p = octets;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ p[i]) * 0x100000001b3u;
	return sum;
}

static inline uint64_t sum_number(uint64_t sum, uint64_t number)
{
	uint8_t octets[8];

	for (unsigned i = 0; i < 8; i++)
		octets[i] = (uint8_t)(number >> 8 * i);
	return sum_octets(sum, octets, sizeof(octets));
}

// NULL and "" differ.
static inline uint64_t sum_text(uint64_t sum, const char *text)
{
	if (!text)
		return sum_number(sum, UINT64_MAX);

	size_t len = strlen(text);

	return sum_octets(sum_number(sum, len), text, len);
}

// Of the rows of one table: the same fields in another table have another sum.
static inline uint64_t sum_begin(const char *table)
{
	return sum_text(0xcbf29ce484222325u, table);
}
