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
	atomic_fetch_add_explicit(&config->holders, 1, memory_order_relaxed);
	return config;
}

struct config *config_free(struct config *config)
{
	while (config && atomic_fetch_sub_explicit(&config->holders, 1, memory_order_acq_rel) == 0) {
		struct config *base = config->base;

		arena_free(config->arena); // contains the config itself
		config = base;
	}
	return NULL;
}
