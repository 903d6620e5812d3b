// The agent: the daemon's own probes, run elsewhere, whose results go to one or more daemons. Main thread.
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "probe/push.h"

enum { AGENT_DAEMONS_MAX = 16, AGENT_SITES_MAX = 64 };

struct config;

struct agent_config {
	struct push_config push;
	const char *urls[AGENT_DAEMONS_MAX];
	size_t url_count;
	const char *sites[AGENT_SITES_MAX]; // whose targets alone are probed
	size_t site_count;                  // 0: all
};

// Probes the config's targets until a signal. Returns 0, E_NOTFOUND: there is nothing to be probed, E_NOMEM.
int agent_run(struct config *config, const struct agent_config *agent) MUST_USE;
