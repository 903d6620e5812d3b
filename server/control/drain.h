// The verbs drain and undrain, for a site or one target. A change is durable and published before it is acknowledged.
#pragma once

struct call;

// Each answers the call later, from the loop, or at once when it is refused.
void drain_put(const struct call *call);
void drain_remove(const struct call *call);
