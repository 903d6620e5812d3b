// The verb compare: what the recent queries would have been answered by another config, or by plain weighted records.
#pragma once

struct call;

// Answers the call later, or at once when it is refused.
void compare_start(const struct call *call);
