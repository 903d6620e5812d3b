// What a config says, as a digest: for telling whether daemons have the same. Called by load.c.
#pragma once

#include "base/attr.h"

struct value;

// Of the joined tree, but for `server`, which is a daemon's own (its addresses, its folders), and `include`: how it is
// divided into files does not matter. Into buf[DIGEST_TEXT_LEN]. E_NOMEM.
int config_digest(const struct value *root, char *buf) MUST_USE;
