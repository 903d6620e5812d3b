// Checks that need every entry of the config: references between sections. The last step of the schema's walk.
#pragma once

#include "schema/schema.h"

// `target` is the struct config.
void crosscheck_config(struct reader *reader, json_t *object, void *target);

struct config;

// Takes out of a config with errors what zones and sources cannot be looked for more errors with: domains that are none or
// have no data, apps that are in none of the others, sources without a plugin.
void crosscheck_salvage(struct config *config);
