// Checks that need every entry of the config: references between sections. The last step of the schema's walk.
#pragma once

#include "config/schema.h"

// `target` is the struct config.
void whole_check(struct reader *reader, json_t *object, void *target);
