// When no correct cache hands out what a drain takes away any more.
#pragma once

#include <stdint.h>

struct control_ops;
struct override;

// In how many seconds that is, if the drain has just taken effect: an answer from a moment ago lives for its TTL, one
// from before a reload for the TTL it had then, one from before the start for that of the process before.
int64_t safe_left_s(const struct control_ops *ops, const struct override *drain);
// The time by the wall clock, of a drain that holds: as noted when it took effect; while it has not taken all clients
// away, what that will be. 0: not known.
int64_t safe_after_s(const struct control_ops *ops, const struct override *drain);
