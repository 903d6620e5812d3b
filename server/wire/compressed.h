// Records in wire form whose names are compressed (RFC 1035 section 4.1.4) before the reply that they will be in is known.
// zone/referral.c makes them, reply_add_compressed() copies them.
#pragma once

#include <stdint.h>

// A compression pointer: where it is, in octets from the first part, and where it leads, in octets from a place that is
// known only in the reply. With the CNAMEs before it, it is below 0x4000 there (RFC 1035 section 4.1.4).
enum compressed_origin { COMPRESSED_OWNER, COMPRESSED_RECORDS }; // a name of the question or the answer; the first part

struct compressed_pointer {
	uint32_t at;
	uint16_t to;
	uint8_t from; // enum compressed_origin
};

// Records in wire form with compressed names. Several parts of one RRset, or of several, may share their origins.
struct compressed {
	const uint8_t *wire;
	const struct compressed_pointer *pointers;
	uint32_t len; // octets
	uint32_t pointer_count;
	uint16_t count; // of records
};
