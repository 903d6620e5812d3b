// Option types that are lists of one-word values; the row's `min` and `max` limit the number of entries. A list of one
// may be written without brackets. Duplicate entries are errors.
#pragma once

#include "schema/schema.h"

extern const struct option_type list_endpoints;   // const char *: "ADDRESS@PORT"
extern const struct option_type list_texts;       // const char *: no control characters
extern const struct option_type list_command;     // const char *: no control characters; may be there twice
extern const struct option_type list_prefixes;    // struct prefix
extern const struct option_type list_addresses;   // struct addr
extern const struct option_type list_hosts;       // const char *: addresses, or one domain name; in canonical form
extern const struct option_type list_status;      // pairs of uint16_t: from, to
extern const struct option_type list_carriers;    // const char *: in small letters
extern const struct option_type list_reach;       // const char *: carriers; none for `public`
extern const struct option_type list_last_resort; // struct addr; none for `servfail`
