// conf/carriers.yaml and conf/wavelength-blocks.csv as tables; the build generates builtin.c from them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct builtin_asn {
	uint32_t asn;
	const char *carrier;
	bool mixed; // fixed lines have addresses of the same AS
};

extern const struct builtin_asn builtin_asns[];
extern const size_t builtin_asns_count;

extern const char *const builtin_blocks[]; // prefixes as text
extern const size_t builtin_blocks_count;
