// The verb drain, for a site, a selector of sites, or an app's targets there. A change is durable and published before it
// is acknowledged; with "volatile", where it cannot be durable, published alone.
#pragma once

struct call;

// Answers the call later, from the loop, or at once when it is refused.
void drain_put(const struct call *call);
