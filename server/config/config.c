// Loads a config file: YAML, then the rows, then the checks over the whole; see config.h.
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/report.h"
#include "config/catalogue.h"
#include "config/manual.h"
#include "config/options.h"
#include "config/whole.h"
#include "config/yaml.h"

enum { ARENA_BYTES_MAX = 512 << 20 }; // of which a file of YAML_BYTES_MAX cannot need a half

// The file's path, absolute. Symbolic links stay: a deployment may change what they point to.
static const char *absolute(struct arena *arena, const char *path)
{
	if (path[0] == '/')
		return arena_strdup(arena, path);

	char *folder = getcwd(NULL, 0);
	size_t size = folder ? strlen(folder) + 1 + strlen(path) + 1 : 0;
	char *joined = folder ? arena_take(arena, size) : NULL;

	if (joined)
		snprintf(joined, size, "%s/%s", folder, path);
	free(folder);
	return joined;
}

const char *config_path(const struct config *config, const char *written)
{
	if (written[0] == '/')
		return arena_strdup(config->arena, written);

	size_t folder_len = (size_t)(strrchr(config->file, '/') + 1 - config->file);
	size_t size = folder_len + strlen(written) + 1;
	char *path = arena_take(config->arena, size);

	if (path)
		snprintf(path, size, "%.*s%s", (int)folder_len, config->file, written);
	return path;
}

// The names of a mapping, numbered in the order written, as the walk will number their entries.
static json_t *number_names(struct reader *reader, const json_t *mapping)
{
	json_t *names = json_object();
	const char *name;
	json_t *unused;
	size_t i = 0;

	if (!names)
		reader->err = E_NOMEM;
	json_object_foreach ((json_t *)mapping, name, unused)
		reader_number(reader, names, name, i++);
	return names;
}

// The operator's catalogue when it is good, else the built-in one, so that the rest can be checked too.
static int load_catalogue(struct reader *reader, const json_t *root, struct catalogue *ret_catalogue)
{
	const char *written = json_string_value(json_object_get(root, "catalogue"));
	const char *path = written && *written ? reader_path(reader, written) : NULL;
	int err = E_NOTFOUND;

	if (path)
		err = catalogue_load(path, reader->arena, reader->report, ret_catalogue);
	if (err < 0 && err != E_NOMEM)
		err = catalogue_load(NULL, reader->arena, reader->report, ret_catalogue);
	return err;
}

static int read_tree(struct config *config, const struct yaml_tree *yaml, struct report *report)
{
	json_t *root = yaml_tree_root(yaml);
	struct catalogue catalogue;
	struct reader reader = {.arena = config->arena, .report = report, .yaml = yaml, .config = config,
	                        .here = {.file = yaml_tree_file(yaml)}};
	int err;

	if (json_is_null(root)) {
		report_error(report, yaml_tree_file(yaml), 0, 0, "is empty, expected a configuration");
		return E_INVAL;
	}
	err = load_catalogue(&reader, root, &catalogue);
	if (err < 0)
		return err;
	reader.catalogue = &catalogue;
	reader.sites = number_names(&reader, json_object_get(root, "sites"));
	reader.checks = number_names(&reader, json_object_get(root, "checks"));
	reader.domains = json_object();
	reader.apps = json_object();
	if (!reader.domains || !reader.apps)
		reader.err = E_NOMEM;
	if (reader.err == E_OK) {
		schema_defaults(&reader, &options_root, config);
		schema_read(&reader, &options_root, root, config);
	}
	json_decref(reader.sites);
	json_decref(reader.checks);
	json_decref(reader.domains);
	json_decref(reader.apps);
	return reader.err;
}

// Takes the ownership of `yaml` in every case. `wrong`: errors that were in the report before it was parsed. `partly`: as
// config_load_partly().
static int build(const char *path, struct yaml_tree *yaml, size_t wrong, bool partly, struct report *report,
                 struct config **ret_config)
{
	struct arena *arena = arena_new(ARENA_BYTES_MAX);
	struct config *config = arena ? arena_take(arena, sizeof(*config)) : NULL;

	if (!config) {
		arena_free(arena);
		yaml_tree_free(yaml);
		return E_NOMEM;
	}
	config->arena = arena;
	config->documents = yaml;
	config->file = absolute(arena, path);

	int err = config->file ? read_tree(config, yaml, report) : E_NOMEM;

	if (err == E_OK && report_count(report, REPORT_ERROR) > wrong) {
		err = partly ? E_OK : E_INVAL;
		whole_salvage(config);
	}
	if (err < 0)
		config_free(config);
	else
		*ret_config = config;
	return err;
}

static int load(const char *path, bool partly, struct report *report, struct config **ret_config)
{
	size_t wrong = report_count(report, REPORT_ERROR);
	struct yaml_tree *yaml;
	int err = yaml_tree_load(path, report, &yaml);

	return err < 0 ? err : build(path, yaml, wrong, partly, report, ret_config);
}

int config_load(const char *path, struct report *report, struct config **ret_config)
{
	return load(path, false, report, ret_config);
}

int config_load_partly(const char *path, struct report *report, struct config **ret_config)
{
	return load(path, true, report, ret_config);
}

int config_parse(const char *path, const char *text, size_t len, struct report *report, struct config **ret_config)
{
	size_t wrong = report_count(report, REPORT_ERROR);
	struct yaml_tree *yaml;
	int err = yaml_tree_parse(path, text, len, report, &yaml);

	return err < 0 ? err : build(path, yaml, wrong, false, report, ret_config);
}

struct config *config_free(struct config *config)
{
	if (!config)
		return NULL;
	yaml_tree_free(config->documents);
	arena_free(config->arena); // the config itself stands in it
	return NULL;
}

struct mark config_mark(const struct config *config, const json_t *object, const char *key)
{
	return yaml_tree_key_mark(config->documents, object, key);
}

void config_print_manual(void)
{
	manual_print(stdout);
}

void config_print_schema(void)
{
	json_t *schema = schema_describe(&options_root);

	json_object_set_new(schema, "$schema", json_string("http://json-schema.org/draft-07/schema#"));
	json_object_set_new(schema, "title", json_string("edgesteer.yaml"));
	if (schema)
		json_dumpf(schema, stdout, JSON_INDENT(2));
	fputc('\n', stdout);
	json_decref(schema);
}
