// The running daemon: started by main, run by the main thread's event loop. Owns the config in use, health, state and
// workers; publishes the live part whenever one of them changes. Main thread only.
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "generation/generation.h"

struct daemon;
struct report;

// Takes ownership of the first generation in every case, whose build reported to `first_report`, binds the sockets,
// drops privileges, opens the state and the control socket. Nothing is served yet. `config_path` must outlive the
// daemon. E_IO, E_INVAL (a provider cannot be used), E_NOTFOUND (no such user), E_EXISTS (another daemon), E_STATE,
// E_NOMEM; all but E_NOMEM are reported or logged.
int daemon_new(const char *config_path, struct generation *first, const struct report *first_report,
               struct report *report, struct daemon **ret_daemon) MUST_USE;
// Waits for the first round of health checks, then serves until SIGTERM or SIGINT. 0; E_NOMEM: the workers could not be
// started. Once.
int daemon_run(struct daemon *daemon);
// Finishes TCP queries in progress, saves the state, frees everything. Takes NULL. Returns NULL, or `daemon` if a
// build, a look at the files or a provider does not stop: its thread still uses memory of the daemon, so the caller
// must _exit().
struct daemon *daemon_free(struct daemon *daemon);
