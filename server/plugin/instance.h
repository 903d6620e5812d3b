// An instance of a plugin: the entry of the config that made it, its options, and what every instance is lent. Owns
// copies of all of it, so that it may outlive the config. For discovery/host.c and provide/, whose structs begin with it
// and which add the functions of their job.
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/report.h"
#include "plugin/plugin.h"
#include "plugin/values.h"

struct arena;
struct value;

struct instance {
	struct edgesteer_host lent; // first, so that the plugin's pointer to it is also one to the struct that begins with it
	struct plugin_entry entry;  // copied to the arena
	const char *beside;         // the file that the entry is in: relative paths start in its folder
	struct plugin plugin;
	struct values values;
	struct arena *arena;
	struct report *report;      // of the current call; NULL between calls
	// Messages while there is no report; NULL: they are ignored. `file` may be NULL, `line` 0.
	void (*say)(struct instance *instance, enum report_level level, const char *file, size_t line, const char *text);
	void *self;                 // the plugin's
};

enum { INSTANCE_LABEL_LEN = 256 };

// Loads the plugin from `folder` (see plugin_load()), checks the entry and opens an instance. `job` has the functions
// of a job, the others NULL; those are lent as ones that refuse. The config is borrowed during the call only. E_INVAL
// (reported) and E_NOMEM: there is no instance. A plugin may report an error and still open, so that errors found later
// are reported too: the caller checks the report.
int instance_open(struct instance *instance, const struct edgesteer_host *job, const char *folder,
                  const struct plugin_entry *entry, struct report *report) MUST_USE;
// The next option, from row *at on, that maps to names of sites, as it was written; NULL: there is none. While the config is
// there that it was opened with.
const struct value *instance_next_sites(const struct instance *instance, size_t *at);
// Closes it and unloads its plugin.
void instance_close(struct instance *instance, struct report *report);

// The result of a call to the plugin, before which the report had `errors` errors. A plugin may report an error and
// return success, or the reverse.
int instance_outcome(struct instance *instance, int err, size_t errors);
// Reports at the entry, in the current call.
void instance_error(struct instance *instance, const char *fmt, ...) PRINTF(2, 3);

// What tells an operator which one it is: the plugin and, of a service, the host that `base-url` has, else the file given by
// the first option that is one. "verizon-eds 5gedge.verizon.com", "ranges carriers.csv". Writes into
// buf[INSTANCE_LABEL_LEN] and returns it.
const char *instance_label(const struct instance *instance, char *buf);
