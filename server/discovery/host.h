// An instance of a plugin, from an entry of `locate:` to its prefixes in the place builder: the functions passed to the
// plugin, and the checks of what it passes back. For discovery.c.
#pragma once

#include "base/attr.h"

struct config;
struct config_locate;
struct host;
struct place_builder;
struct report;

// Errors and the plugin's messages go into the report of the call they occur in; messages between calls are ignored. An
// instance is used by one thread at a time.

// Checks the entry against the plugin's rows and opens an instance. Config and entry are borrowed until host_close().
// E_INVAL (reported) and E_NOMEM: there is no instance. A plugin may report an error and still open, so that errors in
// its prefixes are reported too: the caller checks the report.
int host_open(const struct config *config, const struct config_locate *locate, struct report *report,
              struct host **ret_host) MUST_USE;
// Adds the plugin's prefixes to the builder as one source. At most once per instance: the contract does not require
// that a plugin can enumerate twice (`ranges` reads on in the file it opened). E_INVAL after any error in the report,
// E_NOMEM; prefixes added by then stay in the builder.
int host_enumerate(struct host *host, struct place_builder *builder, struct report *report) MUST_USE;
// Closes the instance and unloads its plugin. Takes NULL; returns NULL.
struct host *host_close(struct host *host, struct report *report);
