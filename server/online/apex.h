// What our zone says of its own delegation: its name servers, and the addresses of those in it, as it answers them. Main
// thread; reads a view that is not published.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "online/delegation.h"

struct view;
struct zone;

struct apex {
	struct wire_name name;
	struct delegation delegation;
	uint32_t serial;
	bool is_signed;          // it has keys
};

void apex_read(const struct view *view, const struct zone *zone, struct apex *ret_apex);
