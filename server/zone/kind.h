// What a kind of field is; see field.h. Shared by field.c and the files of single kinds.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zone/mnemonic.h"

struct zone_convert;

// Octets that are being recognized: a field's, up to the end of the data.
struct zone_octets {
	const uint8_t *wire; // the data's first
	size_t at, len;      // the field's first; of all the data
};

struct zone_kind {
	const char *expected; // for messages
	// Takes the field's words and appends its octets; false when they are not right.
	bool (*read)(struct zone_convert *convert, const struct zone_kind *kind);
	// The number of the field's octets; -1 when they are none of this kind.
	int (*check)(const struct zone_octets *octets, const struct zone_kind *kind);
	size_t len;                  // octets that it has; at least, where that varies. A gateway's: the bits of its type
	enum zone_registry registry; // of the names of its numbers
};
