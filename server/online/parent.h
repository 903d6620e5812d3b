// What a domain's parent zone says of it: finds the zone and asks one of its name servers, without recursion. Any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "online/ask.h"
#include "online/delegation.h"
#include "online/recursor.h"

// How everything outside is asked.
struct asking {
	struct recursors recursors;
	uint16_t port; // of name servers: 53, but in trials
};

enum parent_outcome {
	PARENT_DELEGATES,
	PARENT_HAS_NOTHING,  // no NS records: the domain is not delegated
	PARENT_SERVES_IT,    // the parent's servers have the domain as well, and answer from it: what its parent zone has
	                     // cannot be seen, nor does anybody follow it
	PARENT_UNASKED,      // nobody could be asked, or said anything of use
};

struct parent {
	enum parent_outcome outcome;
	struct wire_name zone;      // length 0: it was not found
	struct wire_name server;    // who answered, and at which address; length 0: nobody
	struct addr address;
	struct delegation delegation;
	bool has_ds;                // it says that the domain is signed
	char why[ASK_WHY_LEN];      // PARENT_UNASKED
};

// E_NOMEM.
int parent_ask(const struct asking *asking, const struct wire_name *domain, int64_t deadline_ms,
               struct parent *ret_parent) MUST_USE;

// Asks the server at an address, without recursion. As ask().
int parent_ask_server(const struct asking *asking, const struct addr *address, const struct wire_name *name,
                      uint16_t type, int64_t deadline_ms, struct message *ret_message,
                      char why[static ASK_WHY_LEN]) MUST_USE;
