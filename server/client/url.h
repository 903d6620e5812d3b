// Addresses of HTTP doors, as they are given to edgesteerctl.
#pragma once

#include <stdbool.h>

#include "base/attr.h"

struct arena;

// Whether an address is one, right or wrong, and not the path of a socket.
bool client_url_is(const char *address) PURE;
// What is wrong with a URL, as the end of a sentence about it; NULL: nothing. It is https://HOST[:PORT] or, of this
// machine alone, http://HOST[:PORT].
const char *client_url_fault(const char *url);
// A copy in the arena without a final slash.
const char *client_url_trim(struct arena *arena, const char *url);
