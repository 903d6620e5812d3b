// Reports a broken invariant and aborts, which leaves a core dump.
#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>

void must_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "<0>%s:%d: invariant broken: %s\n", file, line, what);
	abort();
}
