// Verbs that change something: orders, which are saved before they are acknowledged, and the reload. Each gives the
// reply (verbs.h), the reload gives it later.
#pragma once

#include <jansson.h>

#include "base/attr.h"

struct call;

json_t *command_drain(const struct call *call) MUST_USE;
json_t *command_undrain(const struct call *call) MUST_USE;
json_t *command_force(const struct call *call) MUST_USE;
void command_reload(const struct call *call);
