// Loads a config: its files, then the rows, then the checks of the complete config; see load.h.
#include "config/load.h"

#include <jansson.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/dict.h"
#include "base/err.h"
#include "base/inputs.h"
#include "base/report.h"
#include "config/catalogue.h"
#include "config/config.h"
#include "config/config_digest.h"
#include "config/crosscheck.h"
#include "config/include.h"
#include "config/manual.h"
#include "config/options.h"
#include "config/scope.h"

#define ARENA_BYTES_MAX ((size_t)4 << 30) // some 600 octets a target

// The names of a mapping, numbered in their order, as their entries will be; none for a value that is no mapping, which the
// schema refuses.
static struct dict *number_names(struct reader *reader, const struct value *mapping)
{
	struct dict *names = dict_new();
	size_t i = 0;

	if (!names)
		reader->err = E_NOMEM;
	if (names && value_is(mapping, VALUE_MAP))
		value_foreach (member, mapping)
			reader_number(reader, names, member->key, i++);
	return names;
}

// Loads the operator's catalogue, or the built-in one if that has errors (*ret_instead), so that the rest can be checked
// too.
static int load_catalogue(struct reader *reader, const struct value *root, struct catalogue *ret_catalogue,
                          bool *ret_instead)
{
	const struct value *written = value_get(root, "catalogue");
	const char *path = value_text(written) && *written->text
	                       ? reader_path_beside(reader->arena, written->file->path, written->text)
	                       : NULL;
	int err = E_NOTFOUND;

	if (path)
		inputs_add(report_inputs(reader->report), path);
	if (path)
		err = catalogue_load(path, &options_catalogue, reader->arena, reader->report, ret_catalogue);
	*ret_instead = path && err < 0;
	if (err < 0 && err != E_NOMEM)
		err = catalogue_load(NULL, &options_catalogue, reader->arena, reader->report, ret_catalogue);
	return err;
}

static int read_tree(struct config *config, struct value *root, struct report *report)
{
	struct catalogue catalogue;
	struct scope scope = {.config = config};
	struct reader reader = {.arena = config->arena, .report = report, .file = config->file, .context = &scope,
	                        .here = {.file = root->file->name}};
	int err;

	if (value_is(root, VALUE_NULL)) {
		report_error(report, root->file->name, 0, 0, "is empty, expected a configuration");
		return E_INVAL;
	}
	err = load_catalogue(&reader, root, &catalogue, &scope.is_catalogue_instead);
	if (err < 0)
		return err;
	scope.catalogue = &catalogue;
	config->known_sites = catalogue.sites;
	config->known_site_count = catalogue.site_count;
	scope.sites = number_names(&reader, value_get(root, "sites"));
	scope.checks = number_names(&reader, value_get(root, "checks"));
	scope.domains = dict_new();
	scope.apps = dict_new();
	if (!scope.domains || !scope.apps)
		reader.err = E_NOMEM;
	if (reader.err == E_OK) {
		schema_defaults(&reader, &options_root, config);
		schema_read(&reader, &options_root, root, config);
	}
	dict_free(scope.sites);
	dict_free(scope.checks);
	dict_free(scope.domains);
	dict_free(scope.apps);
	return reader.err;
}

// With `text`, that instead of the file itself. `partly`: as config_load_partly().
static int load(const char *path, const char *text, size_t len, bool partly, struct report *report,
                struct config **ret_config)
{
	size_t wrong = report_count(report, REPORT_ERROR);
	struct arena *arena = arena_new(ARENA_BYTES_MAX);
	struct config *config = arena ? arena_take(arena, sizeof(*config)) : NULL;
	struct include *include = NULL;
	int err = config ? include_load(path, text, len, arena, report, &include) : E_NOMEM;

	if (err == E_OK) {
		struct value *root = include_root(include);

		config->arena = arena;
		users_start(&config->users);
		config->file = root->file->path;
		err = config_digest(root, config->digest);
		if (err == E_OK)
			err = read_tree(config, root, report);
	}
	include_free(include);
	if (err == E_OK && report_count(report, REPORT_ERROR) > wrong)
		err = crosscheck_salvage(config) < 0 ? E_NOMEM : partly ? E_OK : E_INVAL;
	if (err < 0)
		arena_free(arena);
	else
		*ret_config = config;
	return err;
}

int config_load(const char *path, struct report *report, struct config **ret_config)
{
	return load(path, NULL, 0, false, report, ret_config);
}

int config_load_partly(const char *path, struct report *report, struct config **ret_config)
{
	return load(path, NULL, 0, true, report, ret_config);
}

int config_parse(const char *path, const char *text, size_t len, struct report *report, struct config **ret_config)
{
	return load(path, text, len, false, report, ret_config);
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
