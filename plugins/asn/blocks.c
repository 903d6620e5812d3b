// Finds prefixes in the blocks of Wavelength Zones; see blocks.h. A carrier announces its zones' blocks from the AS of
// its clients. To an address there, which is a server's, another server in the zone would be the nearest of all.
#include "blocks.h"

#include <math.h>
#include <string.h>

#include "builtin.h"
#include "lib/parse.h"

static bool is_inside(const struct edgesteer_prefix *inner, const struct edgesteer_prefix *outer)
{
	unsigned whole = outer->length / 8, rest = outer->length % 8;

	return inner->family == outer->family && inner->length >= outer->length &&
	       memcmp(inner->address, outer->address, whole) == 0 &&
	       (rest == 0 || (inner->address[whole] ^ outer->address[whole]) >> (8 - rest) == 0);
}

static struct edgesteer_prefix block_at(size_t i)
{
	struct edgesteer_prefix block = {.family = 0};
	bool tail;

	parse_prefix(builtin_blocks[i], &block, &tail); // test_asn reads them all
	return block;
}

bool blocks_contain(const struct edgesteer_prefix *prefix)
{
	for (size_t i = 0; i < builtin_blocks_count; i++) {
		struct edgesteer_prefix block = block_at(i);

		if (is_inside(prefix, &block))
			return true;
	}
	return false;
}

int blocks_add(const struct edgesteer_host *host)
{
	const struct edgesteer_place nothing = {.size = sizeof(nothing), .latitude = NAN, .longitude = NAN};
	int err = 0;

	for (size_t i = 0; i < builtin_blocks_count && err == 0; i++) {
		struct edgesteer_prefix block = block_at(i);

		err = host->add(host, &block, &nothing);
	}
	return err;
}
