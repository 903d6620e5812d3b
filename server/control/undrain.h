// The verb undrain: takes back what was given by `drain` in the same words, at once or over a time. A part of a drain is
// not taken back: that is refused, with the drain that holds.
#pragma once

struct call;

// Answers the call later, from the loop, or at once when it is refused.
void undrain_remove(const struct call *call);
