// Finds a plugin by name: among the built-in ones, else as NAME.so in the config's `plugin-dir`. For host.c.
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "edgesteer-plugin.h"

struct config;
struct config_locate;
struct report;

// The plugins that are part of the daemon.
extern const struct edgesteer_plugin *const plugin_built_in[];
extern const size_t plugin_built_in_count;

// A plugin that has passed the checks.
struct plugin {
	const struct edgesteer_plugin *methods;
	void *library; // the handle from dlopen(); NULL: built in
};

// Finds and checks the plugin named by an entry. The caller unloads it when no instance is left. E_INVAL, with the
// reason reported at the entry.
int plugin_load(const struct config *config, const struct config_locate *locate, struct report *report,
                struct plugin *ret_plugin) MUST_USE;
void plugin_unload(struct plugin *plugin);
