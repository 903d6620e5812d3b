// An instance of a plugin, from an entry of `locate:` to its prefixes in the place builder: what the plugin is lent, and
// the checks of what it hands over. For discovery.c.
#pragma once

#include "base/attr.h"

struct config;
struct config_locate;
struct host;
struct place_builder;
struct report;

// What goes wrong, or what the plugin has to say, goes into the report of the call it happens in; between calls a plugin
// is not heard. One instance is used by one thread at a time.

// Checks the entry against the plugin's rows and opens an instance. Config and entry are borrowed until host_close().
// E_INVAL (reported), E_NOMEM; then there is no instance. A plugin may report an error and open all the same, so that
// what is wrong with its prefixes is reported too: the caller asks the report.
int host_open(const struct config *config, const struct config_locate *locate, struct report *report,
              struct host **ret_host) MUST_USE;
// Lets it list its prefixes into the builder as one source. Once for each instance: the contract does not say that a
// plugin can list twice (`ranges` reads on in the file it opened). E_INVAL after anything that went into the report as an
// error, E_NOMEM; what was listed by then stays in the builder.
int host_enumerate(struct host *host, struct place_builder *builder, struct report *report) MUST_USE;
// Closes the instance and unloads its plugin. Takes NULL; returns NULL.
struct host *host_close(struct host *host, struct report *report);
