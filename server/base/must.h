// must(): an assertion that stays on in production. A broken invariant stops the daemon; it is never a hint to the
// optimiser, and never checks what came from outside (that is an E_* or an outcome, not a bug of ours).
#pragma once

#include "base/attr.h"

_Noreturn COLD void must_fail(const char *file, int line, const char *what);

#define must(x) (likely(x) ? (void)0 : must_fail(__FILE__, __LINE__, #x))

// The same in developers' builds only (--enable-dev): for what every query would pay.
#ifdef DEV_BUILD
#define dev_must(x) must(x)
#else
#define dev_must(x) ((void)sizeof(x))
#endif
