// The verbs that take traffic away from a site or one target, and give it back. What they change is durable and published
// before it is acknowledged.
#pragma once

struct call;

void drain_give(const struct call *call);
void drain_lift(const struct call *call);
