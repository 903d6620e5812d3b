// `edgesteerd -t --online`: asks the outside whether what the config says is so there. For each domain: what its parent
// zone has of it, and whether its name servers answer; for each target by host name: its addresses. Called by main.c, once; takes up to ONLINE_DOMAIN_MS for each
// ONLINE_TOGETHER domains.
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"

struct asking;
struct config;
struct view;

enum { ONLINE_DOMAIN_MS = 30000, ONLINE_TOGETHER = 8 };

// Prints what is found, for people or as one JSON object per app or domain and line. *ret_good: resolvers get answers for
// all of them. Where `asking` has no resolvers, those of the config are added, or the system's. E_NOTFOUND: there are none;
// E_NOMEM; E_IO: there is no asking, or no printing.
int online_check(const struct config *config, const struct view *view, struct asking *asking, bool as_json, FILE *out,
                 bool *ret_good) MUST_USE;
