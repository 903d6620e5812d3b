// The verbs `plan drain`, `plan undrain` and `plan force`: what these would do, from what is asked lately and from the
// prefix table, and whether it would be refused. Nothing is changed. Each answers the call later, from the loop, or at
// once when it is refused as the verb itself would be.
#pragma once

struct call;

void plans_drain(const struct call *call);
void plans_undrain(const struct call *call);
void plans_force(const struct call *call);
