// discovery register: what is registered with the services of `discovery` is brought in step with the targets, or it is
// said what that would change. Main thread.
#pragma once

struct call;

// A verb's function, see struct verbs_row. The services are asked on a thread of their own; the call is answered then.
void register_begin(const struct call *call);
