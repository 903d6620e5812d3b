// The settings that take effect only when the daemon starts: their values at the start, so that each reload can warn of
// those that have changed since. Owned by the daemon; main thread.
#pragma once

#include "base/attr.h"

struct config;
struct report;
struct restart;

// Copies the values that the daemon starts with. NULL: out of memory.
struct restart *restart_new(const struct config *config) MUST_USE;
// Takes NULL; returns NULL.
struct restart *restart_free(struct restart *restart);

// Adds a warning to the report for each setting whose value differs from that at the start.
void restart_warn(const struct restart *restart, const struct config *config, struct report *report);
