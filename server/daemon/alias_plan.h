// Which targets of a generation use which names of hosts. Made on the builder's thread, used by aliases.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct config;
struct dict;

enum { ALIAS_PLAN_NONE = UINT32_MAX };

// A target that has a name in the place of addresses, to be answered or to be probed.
struct alias_user {
	uint32_t target;
	bool is_probed;          // the addresses to probe
	uint32_t app, slot;      // in the config
	uint32_t next;           // the next user of the name; ALIAS_PLAN_NONE: there is none
};

struct alias_plan {
	const struct config *config;
	struct dict *first;      // name -> its first user + 1
	const char **names;      // the config's
	size_t name_count;
	struct alias_user *users;
	size_t user_count;
	uint64_t *told;          // by target: a hash of the addresses that were told as refused; aliases.c's
	size_t target_count;
};

// `config` must outlive it. NULL: out of memory.
struct alias_plan *alias_plan_new(const struct config *config) MUST_USE;
// Takes NULL; returns NULL.
struct alias_plan *alias_plan_free(struct alias_plan *plan);

// A user's name.
const char *alias_plan_name(const struct alias_plan *plan, const struct alias_user *user);
