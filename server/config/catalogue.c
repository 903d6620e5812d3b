// Looks sites up by AWS's names; see catalogue.h.
#include "config/catalogue.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/nearest.h"
#include "base/report.h"
#include "config/catalogue-data.h"
#include "config/config.h"
#include "config/scope.h"
#include "schema/text.h"
#include "schema/yaml.h"

static int compare_names(const void *left, const void *right)
{
	const struct config_site *a = left, *b = right;

	return strcmp(a->name, b->name);
}

int catalogue_load(const char *path, const struct schema *schema, struct arena *arena, struct report *report,
                   struct catalogue *ret_catalogue)
{
	struct scope scope = {.catalogue = NULL};
	const struct value_file source = {path ? path : "built-in catalogue", path ? path : "/"};
	struct reader reader = {.arena = arena, .report = report, .file = source.path, .context = &scope};
	struct catalogue_file file = {0};
	struct yaml_tree *yaml = NULL;
	size_t wrong = report_count(report, REPORT_ERROR);
	int err;

	if (path)
		err = yaml_tree_load(&source, &YAML_BUDGET, report, &yaml);
	else
		err = yaml_tree_parse(&source, (const char *)catalogue_data, catalogue_data_len, &YAML_BUDGET, report, &yaml);
	if (err < 0)
		return err;
	reader.here = (struct mark){.file = source.name};
	schema_read(&reader, schema, yaml_tree_root(yaml), &file);
	yaml_tree_free(yaml);
	if (reader.err < 0)
		return reader.err;
	if (report_count(report, REPORT_ERROR) > wrong)
		return E_INVAL;
	if (file.site_count > 0)
		qsort(file.sites, file.site_count, sizeof(*file.sites), compare_names);
	*ret_catalogue = (struct catalogue){file.sites, file.site_count};
	return E_OK;
}

static const struct config_site *find_exactly(const struct catalogue *catalogue, const char *name)
{
	struct config_site wanted = {.name = name};

	if (catalogue->site_count == 0)
		return NULL;
	return bsearch(&wanted, catalogue->sites, catalogue->site_count, sizeof(wanted), compare_names);
}

// Finds a zone by its parent's name and a letter.
static bool find_zone(const struct catalogue *catalogue, const char *name, struct config_site *ret_site)
{
	char parent_name[TEXT_WORD_MAX + 1];
	size_t len = strlen(name);

	if (len < 2 || len > TEXT_WORD_MAX || name[len - 1] < 'a' || name[len - 1] > 'z' || name[len - 2] < '0' ||
	    name[len - 2] > '9')
		return false;
	memcpy(parent_name, name, len - 1);
	parent_name[len - 1] = '\0';

	const struct config_site *parent = find_exactly(catalogue, parent_name);

	if (!parent || (parent->kind != SITE_REGION && parent->kind != SITE_LOCAL_ZONE))
		return false;
	*ret_site = *parent;
	if (parent->kind == SITE_REGION) {
		ret_site->kind = SITE_AZ;
		ret_site->region = parent->name;
	}
	return true;
}

bool catalogue_find(const struct catalogue *catalogue, const char *name, struct config_site *ret_site)
{
	const struct config_site *site = find_exactly(catalogue, name);

	if (!site)
		return find_zone(catalogue, name, ret_site);
	*ret_site = *site;
	return true;
}

void catalogue_offer(const struct catalogue *catalogue, struct nearest *nearest)
{
	for (size_t i = 0; i < catalogue->site_count; i++)
		nearest_offer(nearest, catalogue->sites[i].name);
}
