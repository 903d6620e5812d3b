// Providers as the daemon runs them, with a folder and an event loop of the test's own; what the log says is kept.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "provide/provide.h"

struct config;
struct event_base;

extern char providing_folder[256];
extern struct provide *providing;             // NULL: not started
extern struct config *providing_config;       // of the last providing_load() that succeeded
extern unsigned providing_changes;            // calls of ops.changed()
extern char providing_ready[4096];            // "APP SITE ready;" for each call of ops.ready_changed()
extern unsigned providing_stop_ms;            // for ops.stop_ms

int providing_setup(void **unused);
int providing_teardown(void **unused);

// Writes a file of the folder; a script is executable.
void providing_write(const char *name, const char *text);
void providing_write_script(const char *name, const char *text);
// Starts or reloads with these entries of `providers`. The error; *ret_reported, if not NULL, gets the report, with the
// folder written as DIR, for free().
int providing_load(const char *providers, char **ret_reported);
// As after a restart: closes all of it. Returns whether every thread has ended.
bool providing_close(void);
// Turns the loop for so long.
void providing_turn(int ms);
// Turns it until the snapshot is this: "APP SITE ALIAS-or-ADDRESSES[ ready| unready][ stale];" for each target. Fails the
// test after a minute.
void providing_expect(const char *snapshot);
// Turns it until the log has the text.
void providing_expect_log(const char *text);
// How often the log has it.
unsigned providing_logged(const char *text);
