// Functions on a loaded configuration; see config.h. load.c makes it.
#include "config/config.h"

#include "base/arena.h"
#include "schema/reader.h"

const char *config_path(const struct config *config, const struct value *node, const char *written)
{
	return reader_path_beside(config->arena, node->file->path, written);
}

struct config *config_free(struct config *config)
{
	if (config)
		arena_free(config->arena); // contains the config itself
	return NULL;
}
