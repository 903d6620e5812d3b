// A folder of a test's own for its files, under TMPDIR.
#pragma once

#include <stdio.h>
#include <stdlib.h>

enum { TEMPDIR_LEN = 256 };

// Makes it and writes its path into `buf`. -1 when it cannot be made. The test empties it and calls rmdir().
static inline int tempdir_make(char buf[static TEMPDIR_LEN])
{
	const char *parent = getenv("TMPDIR");

	snprintf(buf, TEMPDIR_LEN, "%s/edgesteer-test.XXXXXX", parent && *parent ? parent : "/tmp");
	return mkdtemp(buf) ? 0 : -1;
}
