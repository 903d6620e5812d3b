// The verb reload: builds a new generation and takes it into use.
#pragma once

struct call;

// Answers the call when the reload has finished or failed.
void reconfigure_reload(const struct call *call);
