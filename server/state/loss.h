// What damage of the files of overrides has cost, as found at a start.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loss {
	int64_t found_s;   // when, by the wall clock; 0: there was no damage
	size_t kept, lost; // so many overrides were kept, so many at least were not
	bool is_unknown;   // whether there were more than these cannot be known
	bool is_set_aside; // a file was set aside for it; none when one was missing
};
