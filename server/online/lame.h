// Whether the name servers of a domain answer for it: each of those that the parent or our zone lists is asked for the
// domain's SOA and NS. Any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "online/apex.h"
#include "online/parent.h"

enum { LAME_ADDRESSES_MAX = 8, LAME_SERVERS_MAX = 2 * DELEGATION_SERVERS_MAX };

struct lame_probe {
	struct addr address;
	bool is_found;          // by resolvers, as the parent lists the server and, where it must, this address
	bool was_asked;         // it could be, from here and in time
	bool answers;           // for the domain, with authority
	bool has_same_ns;       // if it answers: as our zone
	uint32_t serial;        // if it answers
	char why[ASK_WHY_LEN];  // if it does not
};

struct lame_server {
	struct wire_name name;
	bool is_listed;         // by the parent
	struct lame_probe probes[LAME_ADDRESSES_MAX];
	size_t count;           // of probes
	size_t left_out;        // addresses past them
	char why[ASK_WHY_LEN];  // if there are none
};

struct lame {
	struct lame_server servers[LAME_SERVERS_MAX];
	size_t count;
};

// Where the parent's list is not known, ours stands for it. E_NOMEM.
int lame_ask(const struct asking *asking, const struct apex *ours, const struct parent *parent, int64_t deadline_ms,
             struct lame *ret_lame) MUST_USE;

// Whether a resolver that follows the delegation finds a server that answers.
bool lame_finds_answer(const struct lame *lame) PURE;
