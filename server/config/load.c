// Loads a config file: YAML, then the rows, then the checks of the complete config; see load.h.
#include "config/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/report.h"
#include "config/catalogue.h"
#include "config/config.h"
#include "config/crosscheck.h"
#include "config/manual.h"
#include "config/options.h"
#include "config/scope.h"
#include "schema/yaml.h"

enum { ARENA_BYTES_MAX = 512 << 20 }; // more than twice what a file of YAML_BYTES_MAX can need

// The file's absolute path. Symbolic links are not resolved, as a deployment may change their targets.
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

// The names of a mapping, numbered in their order, as their entries will be.
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

// Loads the operator's catalogue, or the built-in one if that has errors, so that the rest can be checked too.
static int load_catalogue(struct reader *reader, const json_t *root, struct catalogue *ret_catalogue)
{
	const char *written = json_string_value(json_object_get(root, "catalogue"));
	const char *path = written && *written ? reader_path(reader, written) : NULL;
	int err = E_NOTFOUND;

	if (path)
		err = catalogue_load(path, &options_catalogue, reader->arena, reader->report, ret_catalogue);
	if (err < 0 && err != E_NOMEM)
		err = catalogue_load(NULL, &options_catalogue, reader->arena, reader->report, ret_catalogue);
	return err;
}

static int read_tree(struct config *config, const struct yaml_tree *yaml, struct report *report)
{
	json_t *root = yaml_tree_root(yaml);
	struct catalogue catalogue;
	struct scope scope = {.config = config};
	struct reader reader = {.arena = config->arena, .report = report, .yaml = yaml, .file = config->file,
	                        .context = &scope, .here = {.file = yaml_tree_file(yaml)}};
	int err;

	if (json_is_null(root)) {
		report_error(report, yaml_tree_file(yaml), 0, 0, "is empty, expected a configuration");
		return E_INVAL;
	}
	err = load_catalogue(&reader, root, &catalogue);
	if (err < 0)
		return err;
	scope.catalogue = &catalogue;
	scope.sites = number_names(&reader, json_object_get(root, "sites"));
	scope.checks = number_names(&reader, json_object_get(root, "checks"));
	scope.domains = json_object();
	scope.apps = json_object();
	if (!scope.domains || !scope.apps)
		reader.err = E_NOMEM;
	if (reader.err == E_OK) {
		schema_defaults(&reader, &options_root, config);
		schema_read(&reader, &options_root, root, config);
	}
	json_decref(scope.sites);
	json_decref(scope.checks);
	json_decref(scope.domains);
	json_decref(scope.apps);
	return reader.err;
}

// Takes ownership of `yaml` in every case. `wrong`: how many errors the report had before it was parsed. `partly`: as
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
		crosscheck_salvage(config);
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
