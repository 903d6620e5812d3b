// Domain names in wire form: length octets and labels, at most 255 octets including the root's zero (RFC 1035 section
// 2.3.4). Case is folded for ASCII letters only (RFC 4343). Pure, no allocation.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum { NAME_WIRE_MAX = 255, NAME_LABEL_MAX = 63, NAME_LABELS_MAX = 127, NAME_TEXT_MAX = 1024 };

// A name being looked up: folded, with the offsets for walking up its labels.
struct name {
	uint8_t wire[NAME_WIRE_MAX + 1]; // lower case
	uint8_t len;                     // octets, the root's zero included
	uint8_t labels;                  // not counting the root's zero
	uint8_t offset[NAME_LABELS_MAX + 1]; // of label i in `wire`; offset[labels] is the root's zero
};

// A name as it is written, in any case.
struct wire_name {
	uint8_t wire[NAME_WIRE_MAX];
	size_t len; // octets, the root's zero included; 0: none
};

// Reads the name of the question from at most `avail` octets. A compression pointer in it is malformed: there is no
// earlier name to point to (RFC 1035 section 4.1.4). E_INVAL; *ret_name is then undefined.
int name_read(const uint8_t *wire, size_t avail, struct name *ret_name) MUST_USE HOT;

// Reads the name at *at of a message of `len` octets in lower case, and moves *at past it. Compression pointers are followed,
// backwards only, so that names end (RFC 1035 section 4.1.4), and no more than a name can have labels: else each record of a
// hostile message could lead through thousands. E_INVAL; *ret_name is then undefined.
int name_unpack(const uint8_t *message, size_t len, size_t *at, struct wire_name *ret_name) MUST_USE;

// The hash of the suffix that starts at label `from` (0: the full name), equal to name_hash() of that suffix.
uint64_t name_suffix_hash(const struct name *name, unsigned from) PURE;
// The hash of a lower-case wire name of `len` octets.
uint64_t name_hash(const uint8_t *wire, size_t len) PURE;

// Reads presentation form, with or without the final dot, with \DDD and \X escapes (RFC 1035 section 5.1), into
// wire[NAME_WIRE_MAX]. Keeps case. E_INVAL when malformed or too long.
int name_from_text(const char *text, uint8_t *wire, size_t *ret_len) MUST_USE;
// Writes presentation form without the final dot ("." for the root) into buf[NAME_TEXT_MAX]; returns buf.
const char *name_to_text(const uint8_t *wire, size_t len, char *buf);
// Folds A-Z in place. Length octets are below 64 and so never letters: a name can be folded without parsing it.
void name_fold(uint8_t *wire, size_t len);
// The number of labels of a valid wire name, not counting the root's zero.
unsigned name_labels(const uint8_t *wire) PURE;
// True when `name` is `suffix` or below it. Both are valid and lower-case; lengths in octets.
bool name_ends_with(const uint8_t *name, size_t len, const uint8_t *suffix, size_t suffix_len) PURE;
