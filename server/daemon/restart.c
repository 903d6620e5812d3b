// Compares settings as texts, which is also how a warning shows them; see restart.h. The rows of config/options*.c say
// which settings need a restart.
#include "daemon/restart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/report.h"
#include "config/config.h"
#include "config/options.h"
#include "schema/schema.h"

struct restart {
	size_t count;
	bool failed;    // out of memory
	char *values[]; // of the rows that need a restart, in their order
};

// Owned by the caller; NULL: out of memory.
static char *value_of(const struct option *option, const void *field)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	option->type->format(option, field, out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static void count(void *ctx, const struct schema *schema, const struct option *option, const void *field)
{
	size_t *rows = ctx;

	(void)schema;
	(void)field;
	must(!schema_restarts(option) || option->type->format);
	*rows += schema_restarts(option);
}

static void keep(void *ctx, const struct schema *schema, const struct option *option, const void *field)
{
	struct restart *restart = ctx;

	(void)schema;
	if (!schema_restarts(option))
		return;
	restart->values[restart->count] = value_of(option, field);
	restart->failed |= !restart->values[restart->count++];
}

struct restart *restart_new(const struct config *config)
{
	size_t rows = 0;
	struct restart *restart;

	schema_each(&options_root, config, count, &rows);
	restart = calloc(1, sizeof(*restart) + rows * sizeof(restart->values[0]));
	if (!restart)
		return NULL;
	schema_each(&options_root, config, keep, restart);
	must(restart->count == rows);
	return restart->failed ? restart_free(restart) : restart;
}

struct restart *restart_free(struct restart *restart)
{
	if (!restart)
		return NULL;
	for (size_t i = 0; i < restart->count; i++)
		free(restart->values[i]);
	free(restart);
	return NULL;
}

struct comparison {
	const struct restart *restart;
	size_t at; // the next of its values
	const char *file;
	struct report *report;
};

static void compare(void *ctx, const struct schema *schema, const struct option *option, const void *field)
{
	struct comparison *comparison = ctx;

	if (!schema_restarts(option))
		return;

	must(comparison->at < comparison->restart->count);

	const char *before = comparison->restart->values[comparison->at++];
	char *now = value_of(option, field);

	if (now && strcmp(now, before) != 0)
		report_warning(comparison->report, comparison->file, 0, 0,
		               "%s%s%s: takes effect when the daemon is restarted; until then it is %s", schema->path,
		               *schema->path ? "." : "", option->key, *before ? before : "not given");
	free(now);
}

void restart_warn(const struct restart *restart, const struct config *config, struct report *report)
{
	struct comparison comparison = {restart, 0, config->file, report};

	schema_each(&options_root, config, compare, &comparison);
}
