// The verb that builds and serves a new generation.
#pragma once

struct call;

void reconfigure_reload(const struct call *call);
