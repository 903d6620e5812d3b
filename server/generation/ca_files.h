// The CA files of a config's checks, read when a generation is built: the main thread, which probes, never waits for a
// file. Called by generation.c.
#pragma once

#include "base/attr.h"

struct config;
struct report;

// Reads the checks' `ca-file`s into the config. Files that cannot be read, or have no certificate, are errors in the
// report. E_NOMEM.
int ca_files_read(struct config *config, struct report *report) MUST_USE;
