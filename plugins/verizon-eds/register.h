// register_targets() of the `verizon-eds` plugin.
#pragma once

#include "edgesteer-plugin.h"
#include "eds.h"
#include "lib/keyring.h"
#include "registry.h"

// As register_targets() in edgesteer-plugin.h. `options` are complete.
int register_targets(const struct eds *eds, const struct inquiry *inquiry, const struct registry_options *options,
                     const struct edgesteer_registration *registration);
