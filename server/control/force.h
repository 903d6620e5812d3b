// The verb that says whether a target counts as up, whatever its probes say.
#pragma once

struct call;

void force_give(const struct call *call);
