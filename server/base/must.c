// The end of the road for a broken invariant: says where, then aborts so that a core is left.
#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>

void must_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "<0>%s:%d: invariant broken: %s\n", file, line, what);
	abort();
}
