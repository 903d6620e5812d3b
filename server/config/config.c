// Functions on a loaded configuration; see config.h. load.c makes it.
#include "config/config.h"

#include "base/arena.h"
#include "schema/reader.h"
#include "schema/yaml.h"

const char *config_path(const struct config *config, const char *written)
{
	return reader_path_beside(config->arena, config->file, written);
}

struct config *config_free(struct config *config)
{
	if (!config)
		return NULL;
	yaml_tree_free(config->documents);
	arena_free(config->arena); // contains the config itself
	return NULL;
}

struct mark config_mark(const struct config *config, const json_t *object, const char *key)
{
	return yaml_tree_key_mark(config->documents, object, key);
}
