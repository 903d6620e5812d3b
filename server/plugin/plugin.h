// Finds a plugin by name, among the built-in ones, else as NAME.so in the config's `plugin-dir`, and checks that it can
// do what an entry of the config needs. For instance.c.
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/report.h"
#include "edgesteer-plugin.h"
#include "schema/mark.h"

struct value;

// The plugins that are part of the daemon.
extern const struct edgesteer_plugin *const plugin_built_in[];
extern const size_t plugin_built_in_count;

// The list of the config that an entry is in, and so the job that its plugin must be able to do.
enum plugin_list { PLUGIN_LOCATE, PLUGIN_PROVIDERS, PLUGIN_DISCOVERY, PLUGIN_LISTS };

// An entry of the config that names a plugin. Borrowed texts.
struct plugin_entry {
	enum plugin_list list;
	const char *plugin;
	const struct value *options; // a mapping: the entry's other keys; NULL: none
	struct mark mark;
};

// A plugin that has passed the checks.
struct plugin {
	const struct edgesteer_plugin *methods;
	void *library; // the handle from dlopen(); NULL: built in
};

// "locate", "providers" or "discovery", for messages.
const char *plugin_list_text(enum plugin_list list);

// Reports "LIST: PLUGIN: text" at a key of the entry's options, or with a NULL `node` at the entry itself.
void plugin_say(struct report *report, enum report_level level, const struct plugin_entry *entry,
                const struct value *node, const char *fmt, ...) PRINTF(5, 6);
#define plugin_refuse(report, entry, node, ...) plugin_say(report, REPORT_ERROR, entry, node, __VA_ARGS__)

// Finds and checks the plugin named by an entry; `folder` is the config's `plugin-dir`, or NULL. The caller unloads it
// when no instance is left. E_INVAL, with the reason reported at the entry.
int plugin_load(const char *folder, const struct plugin_entry *entry, struct report *report,
                struct plugin *ret_plugin) MUST_USE;
void plugin_unload(struct plugin *plugin);
