// One target as a provider told of it, checked as far as that needs no config: made on the provider's thread, then owned
// by the main thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "edgesteer-plugin.h"

enum {
	OBJECT_KEY_MAX_LEN = 511,
	OBJECT_ADDRESSES_MAX = 32,
	OBJECT_WHY_LEN = 192,
};

struct provider;

// One block of memory with all it points to but its provider.
struct object {
	const char *key, *app, *site; // the app as a name in canonical form
	const char *alias;            // a host's name in canonical form; NULL: `addresses`
	const struct addr *addresses;
	const char *check_name;       // a host's name; NULL: `check_address`
	struct addr check_address;    // family ADDR_NONE: each of the addresses is probed
	int64_t created_s;            // 0: not known
	size_t address_count;
	size_t size;                  // octets of the block
	bool is_drop;                 // in a batch: the one with this key is to go, and there is nothing but the key
	// The main thread's.
	bool is_stale;                // not confirmed since the start
	bool is_told;                 // that another one is used in its place
	bool is_used;                 // it was, when the daemon was told last
	bool is_gone;                 // to be taken out of the merged list, and freed
	uint8_t ready;                // enum edgesteer_health
	uint8_t told_ready;           // of all that are one target with it, as last told; of the one that is used
	int64_t vanished_ms;          // since when the source has it no more, monotonic; 0: it is there
	struct provider *provider;
};

// Checks what a plugin put. E_INVAL, with why not in why[OBJECT_WHY_LEN], for after the key; E_NOMEM.
int object_make(const struct edgesteer_target *target, struct object **ret_object, char *why) MUST_USE;
// An `is_drop`. E_INVAL: the key is none; E_NOMEM.
int object_make_drop(const char *key, struct object **ret_object, char *why) MUST_USE;
// Takes NULL.
void object_free(struct object *object);

// Whether two are the same but for readiness and the main thread's fields.
bool object_same(const struct object *a, const struct object *b) PURE;
// Whether they mean the same load balancer: equal aliases, or equal sets of addresses.
bool object_same_balancer(const struct object *a, const struct object *b) PURE;
// For qsort() of pointers: by key.
int object_by_key(const void *a, const void *b);
