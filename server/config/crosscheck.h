// Checks that need the complete config, such as references between sections. The last step of the schema's walk.
#pragma once

#include "base/attr.h"
#include "schema/schema.h"

// Checks the config in the root mapping `object`; `target` is the struct config. Errors go into the report.
void crosscheck_config(struct reader *reader, struct value *object, void *target);

struct config;
struct config_check;
struct config_target;
struct dict;

// Whether a check of an app's targets needs a `host` of its own, as the app's name is not a Host header.
bool crosscheck_needs_host(const struct config_check *check, const char *app) PURE;

// Adds the names of hosts that are looked up for a target: of all targets of a config there are CONFIG_HOSTS_MAX at most.
// E_NOMEM.
int crosscheck_add_hosts(const struct config_target *target, struct dict *hosts) MUST_USE;

// Removes from a config with errors the entries that its zones and sources cannot be loaded with: domains that are
// invalid or have no data, apps in none of the remaining domains, sources without a plugin. E_NOMEM.
int crosscheck_salvage(struct config *config) MUST_USE;
