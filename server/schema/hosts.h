// The option type for hosts with their addresses: domain names, each alone or as `NAME: [ADDRESS, ...]`, in a list or a
// mapping. A list of one may be written without brackets. Duplicate names are errors.
#pragma once

#include <stddef.h>

#include "base/addr.h"
#include "schema/mark.h"

struct option_type;

enum { HOSTS_ADDRESSES_MAX = 16 }; // of one host

struct hosts_host {
	const char *name; // in canonical form
	struct addr *addresses;
	size_t address_count; // 0: the name alone
	struct mark mark;
};

// struct hosts_host; the row's `min` and `max` limit the number of hosts.
extern const struct option_type hosts_list;
