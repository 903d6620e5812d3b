// Settings that take hold when the daemon starts, and not before: what they were then, so that each reload can warn of
// those that are others now. Owned by the daemon.
#pragma once

#include "base/attr.h"

struct config;
struct report;
struct restart;

// Keeps the settings that the daemon starts with. NULL without memory.
struct restart *restart_new(const struct config *config) MUST_USE;
// Takes NULL; returns NULL.
struct restart *restart_free(struct restart *restart);

// Warns of each setting that is another one than the daemon was started with.
void restart_warn(const struct restart *restart, const struct config *config, struct report *report);
