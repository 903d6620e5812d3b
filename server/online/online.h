// `edgesteerd -t --online`: asks the outside whether what the config says is so there. For each domain: what its parent
// zone has of it, and whether its name servers answer; what each provider gives; for each target by host name: its
// addresses. Called by main.c, once; takes up to ONLINE_DOMAIN_MS for each
// ONLINE_TOGETHER domains.
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"

struct asking;
struct config;
struct report;
struct view;

enum { ONLINE_DOMAIN_MS = 30000, ONLINE_TOGETHER = 8 };

struct online_outcome {
	bool breaks;   // resolvers get no answers for some app or domain
	bool is_stuck; // a provider's thread does not end: the process is to _exit()
};

// Prints what is found, for people or as one JSON object per provider, app or domain and line. Where `asking` has no
// resolvers, those of the config are added, or the system's. E_INVAL: a provider cannot be opened (reported); E_NOTFOUND:
// there is no resolver; E_NOMEM; E_IO: there is no asking, or no printing. *ret_outcome is set in every case.
int online_check(struct config *config, const struct view *view, struct asking *asking, bool as_json, FILE *out,
                 struct report *report, struct online_outcome *ret_outcome) MUST_USE;
