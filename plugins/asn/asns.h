// AS numbers and the carriers they belong to: the built-in table with the rows of the `asns` option; for asn.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edgesteer-plugin.h"

enum { ASNS_MAX = 4096 };

struct asns_row {
	uint32_t asn;
	const char *carrier; // NULL: no carrier's, by the option
	size_t carrier_len;
	bool mixed;          // fixed lines have addresses of the same AS
	size_t prefixes;     // how many the source had; counted by asn.c
};

struct asns;

// Reads the option. NULL after an error, which is reported.
struct asns *asns_new(const struct edgesteer_host *host);
// Takes NULL.
void asns_free(struct asns *asns);

// The row of a carrier's AS; NULL for any other.
struct asns_row *asns_find(struct asns *asns, uint32_t asn);

// The short name with a final zero, in buf.
const char *asns_carrier(const struct asns_row *row, char buf[64]);

// Reports in one note how many prefixes of which AS each carrier has; a row of the option without any is warned of.
void asns_report(const struct asns *asns, const char *file);
