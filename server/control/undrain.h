// The verb undrain: takes back what was given by `drain` in the same words, at once or over a time. A part of a drain is
// not taken back: that is refused, with the drain that holds.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/override.h"

struct call;
struct control_ops;

struct undrain {
	struct override drain; // what is to be taken back, by its site and app
	bool every_app;        // with the drains of single apps there
	uint32_t over_s;       // 0: at once
};

// Answers the call later, from the loop, or at once when it is refused.
void undrain_remove(const struct call *call);
// What the call would take back, with its site or selector in sites[STATE_TEXT_MAX + 1]. False: it is refused, and
// *ret_refusal is the reply (NULL: out of memory). Whether there is such a drain is not looked at.
bool undrain_read(const struct call *call, char *sites, struct undrain *undrain, json_t **ret_refusal);
// The reply where there is no such drain. NULL: out of memory.
json_t *undrain_nothing(const struct control_ops *ops, const struct override *wanted) MUST_USE;
