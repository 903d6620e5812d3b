// Opens the files that master files include. Called by file.c; owns nothing.
#pragma once

#include "base/attr.h"

enum { ZONE_BENEATH_WHY_MAX = 160 };

// Opens `name` for reading, a path relative to the folder of the master file `zone_file`, without waiting for anything.
// Neither ".." nor symbolic links lead out of that folder. The caller closes *ret_fd. E_IO with the reason in
// ret_why[ZONE_BENEATH_WHY_MAX].
int zone_beneath_open(const char *zone_file, const char *name, int *ret_fd, char *ret_why) MUST_USE;
