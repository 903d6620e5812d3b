// SHA-256 of what comes in pieces, as text. Slow side.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum { DIGEST_OCTETS = 32, DIGEST_TEXT_LEN = 2 * DIGEST_OCTETS + 1 };

struct digest;

// NULL when out of memory. Ended with digest_end().
struct digest *digest_begin(void) MUST_USE;
void digest_add(struct digest *digest, const void *octets, size_t len) NONNULL(1);
// The same with its length before it, so that what follows cannot be mistaken for a part of it.
void digest_add_text(struct digest *digest, const char *text) NONNULL(1, 2);
// Frees it. Into ret_octets[DIGEST_OCTETS]; E_NOMEM: something failed on the way.
int digest_end(struct digest *digest, uint8_t *ret_octets) MUST_USE NONNULL(1, 2);
// In hexadecimal, into buf[DIGEST_TEXT_LEN], which it returns.
const char *digest_text(const uint8_t *octets, char *buf) NONNULL(1, 2);
