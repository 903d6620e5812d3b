// must(): an assertion that stays on in production. A broken invariant stops the daemon. It is never a hint to the
// optimiser, and never checks input from outside, which is an E_* or an outcome: must() can fail only by a bug.
#pragma once

#include "base/attr.h"

// Writes the place and the text of the failed check to standard error, with journald's "<0>" (emergency), and aborts.
_Noreturn COLD void must_fail(const char *file, int line, const char *what);

#define must(x) (likely(x) ? (void)0 : must_fail(__FILE__, __LINE__, #x))

// The same in developers' builds only (--enable-dev): for checks whose cost every query would pay.
#ifdef DEV_BUILD
#define dev_must(x) must(x)
#else
#define dev_must(x) ((void)sizeof(x))
#endif
