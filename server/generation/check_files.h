// The files of a config's checks: CA certificates, and the certificates and keys to show. They are read when a generation
// is built: the main thread, which probes, never waits for a file. Called by generation.c and by the agent.
#pragma once

#include "base/attr.h"

struct config;
struct report;

// Reads them into the config. Files that cannot be read, are no PEM, or (keys) may be read by everybody, and keys that do
// not belong to their certificate are errors in the report; programs that cannot be run are warnings. E_NOMEM.
int check_files_read(struct config *config, struct report *report) MUST_USE;
