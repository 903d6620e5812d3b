// What is in the files that a generation was built from, as a digest. Called by generation.c.
#pragma once

#include "base/attr.h"

struct config;
struct inputs;

// Of zones, tables, databases and certificates, and the catalogue, wherever they are and in whatever order; the config
// itself has a digest of its own. Reads them a second time: where one has changed since it was read, nobody can say any
// more what it was, and the text is empty. Into buf[DIGEST_TEXT_LEN]. E_NOMEM.
int feeds_digest(const struct config *config, const struct inputs *inputs, char *buf) MUST_USE;
