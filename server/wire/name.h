// Domain names in wire form: length octets and labels, at most 255 octets with the root's zero (RFC 1035 section 2.3.4).
// Case is folded for ASCII letters only (RFC 4343). Pure, no allocation.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum { NAME_WIRE_MAX = 255, NAME_LABEL_MAX = 63, NAME_LABELS_MAX = 127, NAME_TEXT_MAX = 1024 };

// A name being looked up: folded, with what walking up its labels needs.
struct name {
	uint8_t wire[NAME_WIRE_MAX + 1]; // lower case
	uint8_t len;                     // octets, the root's zero included
	uint8_t labels;                  // the root's zero not counted
	uint8_t offset[NAME_LABELS_MAX + 1]; // where label i begins; offset[labels] is the root's zero
};

// Reads an uncompressed name from the question (a pointer in it is malformed: nothing stands before it, RFC 1035
// section 4.1.4). E_INVAL.
int name_read(const uint8_t *wire, size_t avail, struct name *ret_name) MUST_USE HOT;

// The hash of the suffix that begins at label `from` (0: the whole name). Equal to name_hash() of that suffix.
uint64_t name_suffix_hash(const struct name *name, unsigned from) PURE;
// The hash of a lower-case wire name.
uint64_t name_hash(const uint8_t *wire, size_t len) PURE;

// Presentation form, with or without final dot; \DDD and \X escapes (RFC 1035 section 5.1). Keeps case. E_INVAL.
int name_from_text(const char *text, uint8_t *wire, size_t *ret_len) MUST_USE;
// Writes presentation form without the final dot ("." for the root) into buf[NAME_TEXT_MAX]; returns buf.
const char *name_to_text(const uint8_t *wire, size_t len, char *buf);
// Folds A-Z in place. Length octets are below 64, so the whole name can be folded at once.
void name_fold(uint8_t *wire, size_t len);
// Labels of a valid wire name, the root's zero not counted.
unsigned name_labels(const uint8_t *wire) PURE;
// True when lower-case `name` is `suffix` or below it.
bool name_ends_with(const uint8_t *name, size_t len, const uint8_t *suffix, size_t suffix_len) PURE;
