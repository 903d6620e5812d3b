// The option type that refers to another entry of the config: a check.
#pragma once

#include "schema/schema.h"

extern const struct option_type reference_check; // int: the number of a check, CONFIG_CHECK_NONE for `none`
