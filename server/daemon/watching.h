// Which files the daemon watches, what it knows of them, and the reloads that their changes start. Called by daemon.c,
// which starts them; main thread only.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"

struct config;
struct event_base;
struct files;
struct reload;
struct report;
struct watching;

// `first`: the report of the generation in use, with the files that it read; `config`: its config. `base` and `reload`
// are borrowed. NULL when out of memory, descriptors or threads.
struct watching *watching_new(struct event_base *base, const struct report *first, const struct config *config,
                              struct reload *reload) MUST_USE;
// Ends its thread. False: it hangs, as in filewatch_stop(). Takes NULL.
bool watching_stop(struct watching *watching, int patience_ms) MUST_USE;
// After that. Takes NULL; returns NULL.
struct watching *watching_free(struct watching *watching);

// When a reload has finished, whoever asked for it: its report, and the config in use since. With `err` nothing was taken.
void watching_loaded(struct watching *watching, int err, const struct report *report, const struct config *config);

// While held, no change starts a reload: what is served is not what the files had last. Changes are noted and logged.
void watching_hold(struct watching *watching, bool holds);
// Files that are not as they were read last are told again.
void watching_again(struct watching *watching);

// The state of each file.
const struct files *watching_files(const struct watching *watching);
// For `status`, the caller's: "files" (watched), "held" (true while it is), and after the first reload by a change "last" (when it ended, in Unix
// time), "file" (that changed), "more" (how many changed with it) and, until something is taken, "refused" (the first
// error). NULL: out of memory.
json_t *watching_status(const struct watching *watching);
