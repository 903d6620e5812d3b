// What a joined config does not use of what providers gave, logged once: not again while it stays so. Main thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct config;
struct merged_group;

// Zero-initialised is a valid, empty one.
struct refusals {
	uint64_t *hashes; // of what was refused by the config in use, sorted
	size_t count;
};

// Takes over those of a config that is in use now, and logs what is new.
void refusals_log(struct refusals *refusals, const struct config *config);
// Logs which objects of a group are not used because another one is, each once.
void refusals_log_conflicts(const struct merged_group *group);
void refusals_done(struct refusals *refusals);
