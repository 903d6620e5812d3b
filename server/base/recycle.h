// Large blocks that are taken and given back again and again, such as an octet for each of very many targets: they are kept, as a
// fresh one costs more in page faults than what is written to it.
#pragma once

#include <stddef.h>

#include "base/attr.h"

// As malloc(). Any thread.
void *recycle_take(size_t size) MUST_USE;
// Gives a block back that recycle_take() has made; NULL is fine. Any thread.
void recycle_put(void *block);
// Frees what is kept: at the end, when nobody takes any more.
void recycle_clear(void);
