// Functions on a loaded configuration; see config.h. load.c makes it.
#include "config/config.h"

#include <stdatomic.h>

#include "base/arena.h"
#include "schema/reader.h"

const char *config_path(const struct config *config, const struct value *node, const char *written)
{
	return reader_path_beside(config->arena, node->file->path, written);
}

struct config *config_hold(struct config *config)
{
	users_add(&config->users);
	return config;
}

struct config *config_free(struct config *config)
{
	if (!config || !users_leave(&config->users))
		return NULL;

	struct config *base = config->base;

	arena_free(config->arena); // contains the config itself
	return config_free(base);
}

uint32_t config_target_weight(const struct config_target *target)
{
	return target->has_weight ? target->weight : 1;
}
