// A delegation: the name servers of a domain with their addresses, as the zone has them or as its parent does; and how
// two of them differ. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "wire/name.h"

enum { DELEGATION_SERVERS_MAX = 32, DELEGATION_ADDRESSES_MAX = 32 };

struct delegation_server {
	struct wire_name name;  // lower case
	struct addr addresses[DELEGATION_ADDRESSES_MAX];
	size_t address_count;
	uint32_t ttl_s[2];      // of A, AAAA
	bool is_inside;         // the name is in the domain: nobody finds it without addresses from the parent (glue)
	bool is_steered;        // ours only: it is an app, answered with one of `addresses`, as far as they are known
};

struct delegation {
	struct delegation_server servers[DELEGATION_SERVERS_MAX];
	size_t count;
	uint32_t ttl_s;         // of the NS records
	bool is_cut;            // there are more servers, or addresses
};

enum difference_kind { DIFFERENCE_LACKS_NS, DIFFERENCE_EXTRA_NS, DIFFERENCE_LACKS_GLUE, DIFFERENCE_EXTRA_GLUE };

struct difference {
	enum difference_kind kind;
	const struct delegation_server *server; // ours; of DIFFERENCE_EXTRA_NS, the parent's
	struct addr address;                    // of glue; family ADDR_NONE: any will do
};

// The server of that name, or NULL.
const struct delegation_server *delegation_find(const struct delegation *delegation, const struct wire_name *name);
// The server of that name, added if there is room. NULL: there is none.
struct delegation_server *delegation_add(struct delegation *delegation, const struct wire_name *name,
                                         const struct wire_name *domain);
// Adds an address unless it is there; past DELEGATION_ADDRESSES_MAX the delegation is cut.
void delegation_add_address(struct delegation *delegation, struct delegation_server *server, const struct addr *address,
                            uint32_t ttl_s);

// Calls each() for every difference, and returns how many there are.
//
//   server                      in ours  parent's
//   any                         yes      no        LACKS_NS
//   any                         no       yes       EXTRA_NS
//   outside the domain          yes      yes       its addresses are another zone's: none
//   inside, an address          yes      no        LACKS_GLUE
//   inside, an address          no       yes       EXTRA_GLUE
//   inside and steered: of its addresses, the parent needs any one; where they are not known, whatever it has is right
size_t delegation_compare(const struct delegation *ours, const struct delegation *parents,
                          void (*each)(void *ctx, const struct difference *difference), void *ctx);
