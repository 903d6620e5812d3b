// The verb force: a target counts as up or down whatever its probes find.
#pragma once

struct call;

// Answers the call later, from the loop, or at once when it is refused.
void force_put(const struct call *call);
