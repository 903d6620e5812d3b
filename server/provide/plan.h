// The providers of a config: those that run already, and those that would have to be started. For provide.c.
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "config/config.h"

struct inbox;
struct provider;
struct report;

struct provide_plan_row {
	struct provider *provider;
	bool is_new;            // opened for this plan, which owns it
	unsigned grace_s;
	enum ready_rule rule;
	struct mark mark;       // in the config
};

struct provide_plan {
	struct provide_plan_row rows[PROVIDERS_MAX];
	size_t count;
};

// The functions of provide.h, with those that run.
int plan_make(struct provider *const *running, size_t running_count, struct inbox *inbox, const struct config *config,
              struct report *report, struct provide_plan **ret_plan) MUST_USE;
struct provide_plan *plan_discard(struct provide_plan *plan);
