// The running daemon: what main starts and the main thread's loop keeps going. Owns the current config, health, state and
// workers; publishes the live part whenever one of them moves.
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "generation/generation.h"

struct daemon;
struct report;

// Takes over the first generation (ownership passes in every case): binds the sockets, drops privileges, opens state and
// control. Nothing is served yet. Failures are reported; E_IO and others.
int daemon_new(const char *config_path, struct generation *first, struct report *report,
               struct daemon **ret_daemon) MUST_USE;
// Runs until SIGTERM or SIGINT: first round of health checks, then service. Returns 0 for an orderly end.
int daemon_run(struct daemon *daemon);
// Finishes TCP in flight, saves the state, frees everything. Takes NULL; returns NULL, or `daemon` when a reload under way
// does not come to an end: then nothing is left to do but _exit().
struct daemon *daemon_free(struct daemon *daemon);
