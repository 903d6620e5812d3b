// What providers give: each is run until it has committed for the first time, then stopped. Called by online.c; an event
// loop of its own, and the providers' threads.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"

struct config;
struct report;
struct zonedb;

struct provided_result {
	json_t *providers;     // the caller's
	struct config *config; // joined with what they give; for config_free()
	bool is_stuck;         // a provider's thread does not end: the process is to _exit()
};

// For each provider: {"provider", "plugin", "committed", "targets": [{"app", "site", "alias" or "addresses"}],
// "refused": [{"app", "site", "from", "text"}], "malformed", "error", "parts": [{"name", "text"}]}. "refused": those that
// the config cannot use; "malformed": how many the provider gave that are no targets (logged); "parts": those of its source
// that are not read. Waits PROVIDERS_MS at most. E_INVAL (reported), E_IO, E_NOMEM: then of *ret_result only `is_stuck` is set.
enum { PROVIDERS_MS = 10000 };
int providers_check(struct config *config, const struct zonedb *zones, struct report *report,
                   struct provided_result *ret_result) MUST_USE;
