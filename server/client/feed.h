// The verb `observe` of edgesteerctl: passes lines with measured round trips to the daemon, as they come.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "client/link.h"

// Reads the file ("-" or NULL: standard input) to its end, and sends its lines; waits when the daemon has no room. Lines that
// are not taken are printed on standard error, the first ones. Returns the whole's reply: "lines", "bad". NULL: `error` says
// why. Owned by the caller.
json_t *client_feed(const char *socket, const char *file, unsigned timeout_s, struct client_link_error *error);
// Prints it for people.
void client_show_observe(const json_t *reply);
// Of `discovery`: what is observed. Nothing where that is off.
void client_show_observed(const json_t *observed);
