// Who can change a file: for paths that somebody names who could not change the config itself. What is in a config can
// start programs and load libraries (`plugin-dir`, exec). Slow side.
#pragma once

#include <stddef.h>

#include "base/attr.h"

enum { WRITERS_WHY_LEN = 512 };

// Whether nobody could put something else at `path`, an absolute one, who could not change the file `like`: it and
// every folder on the way to where it really is belong to root or to the owner of `like`, and nobody else may write
// there; a folder where others may only add files of their own (mode 1777) will do. *ret_real, the caller's to free, is
// where it really is: what is named beside it is to be looked for there, not beside a link. E_INVAL: that is not so,
// E_IO: it cannot be looked at; both with the reason, as the end of a sentence about the file, in why[WRITERS_WHY_LEN].
int writers_check(const char *path, const char *like, char **ret_real, char *why) MUST_USE NONNULL(1, 2, 3, 4);
