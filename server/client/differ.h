// The verb `diff` of edgesteerctl: where several daemons differ.
#pragma once

#include <stdbool.h>

#include "base/attr.h"

struct client_members;

// Asks all members, at the same time, and prints what is not the same on all that answer; each request is waited for
// `timeout_s` seconds at most. The exit code: 0 the same, 1 different, 2 there is one daemon only, 4 none could be
// reached, 5 not all have answered.
int client_differ(bool json, const struct client_members *members, unsigned timeout_s) MUST_USE;
