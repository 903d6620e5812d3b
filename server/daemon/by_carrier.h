// Which targets' health differs by carrier: from what the judge says by names to what queries read by numbers. For serving.c.
#pragma once

#include "base/attr.h"

struct columns;
struct judge;
struct merge;
struct target_states;

// What is to be published beside the states of `merge`; *ret_columns is the caller's, NULL: nothing differs. E_NOMEM.
int by_carrier_make(const struct merge *merge, struct judge *judge, struct columns **ret_columns) MUST_USE;
// Marks the targets in the states that are published with it. Takes NULL.
void by_carrier_mark(const struct columns *columns, struct target_states *states);
