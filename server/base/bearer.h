// Tokens that clients show to a daemon's HTTP door (RFC 6750). Called by edgesteerctl and edgesteer-probe.
#pragma once

#include "base/attr.h"

enum { BEARER_MAX = 256 }; // octets

// Reads a token, the first line of a file that nobody but its owner and its group may read or write, into
// token[BEARER_MAX + 1]. E_IO, E_LIMIT and E_INVAL (it is no token), with the reason as the end of a sentence about the file
// in why[INFILE_WHY_LEN]; E_NOMEM.
int bearer_read(const char *path, char *token, char *why) MUST_USE NONNULL(1, 2, 3);
