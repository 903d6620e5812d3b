// An index for interning: finds the number of an equal thing among those that the owner keeps in an array of its own.
// Open addressing, at most half full; it stores hashes and numbers only, and grows without the things themselves. Only
// for builders, and keys that no attacker chooses (see hash.h).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

// Empty when zeroed.
struct intern {
	struct intern_slot *slots;
	size_t slot_count; // a power of two, or 0
	size_t count;
};

// Whether thing number `number` equals `key`.
typedef bool intern_equal(const void *ctx, uint32_t number, const void *key);

// The number of the thing with that hash that equals `key`; -1: there is none.
int64_t intern_find(const struct intern *intern, uint64_t hash, intern_equal *equal, const void *ctx, const void *key);
// Adds a thing that intern_find() did not find. E_NOMEM.
int intern_add(struct intern *intern, uint64_t hash, uint32_t number) MUST_USE;
// Frees its contents and leaves it empty.
void intern_wipe(struct intern *intern);
