// Options of plugins; see values.h.
#include "plugin/values.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/nearest.h"
#include "base/report.h"
#include "plugin/plugin.h"
#include "schema/reader.h"
#include "schema/value.h"

// What the functions below share while one entry is read.
struct reading {
	const struct plugin_entry *entry;
	const char *beside;
	struct arena *arena;
	struct report *report;
	struct values values;
};

#define refuse(reading, node, ...) plugin_refuse((reading)->report, (reading)->entry, node, __VA_ARGS__)

static size_t find_row(const struct values *values, const char *name)
{
	size_t i = 0;

	while (i < values->count && strcmp(values->rows[i].name, name) != 0)
		i++;
	return i;
}

static void refuse_unknown(const struct reading *reading, const struct value *member)
{
	struct nearest nearest = nearest_begin(member->key);
	char meant[NEAREST_MEANT_MAX];

	for (size_t i = 0; i < reading->values.count; i++)
		nearest_offer(&nearest, reading->values.rows[i].name);
	refuse(reading, member, "unknown key `%.60s`%s", member->key, nearest_meant(&nearest, '`', meant));
}

static int read_map(const struct reading *reading, const struct value *member)
{
	if (!value_is(member, VALUE_MAP)) {
		refuse(reading, member, "`%s` is not a mapping", member->key);
		return E_INVAL;
	}
	value_foreach (text, member)
		if (!value_is(text, VALUE_TEXT))
			refuse(reading, text, "`%s.%.60s` is not text", member->key, text->key);
	return E_OK;
}

// Every scalar is a text, as everywhere in the config; NULL when out of memory.
static json_t *to_json(const struct value *node)
{
	json_t *json = value_is(node, VALUE_MAP) ? json_object() : value_is(node, VALUE_LIST) ? json_array() : NULL;
	int err = 0;

	if (value_is(node, VALUE_TEXT))
		return json_string(node->text);
	if (value_is(node, VALUE_NULL))
		return json_null();
	value_foreach (child, node) {
		if (!json || err < 0)
			break;
		if (value_is(node, VALUE_MAP))
			err = json_object_set_new(json, child->key, to_json(child));
		else
			err = json_array_append_new(json, to_json(child));
	}
	if (err < 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

char *values_json(const struct value *node)
{
	json_t *json = to_json(node);
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	json_decref(json);
	return text;
}

static const char *read_json(const struct reading *reading, const struct value *member)
{
	char *text = values_json(member);
	const char *kept = text ? arena_strdup(reading->arena, text) : NULL;

	free(text);
	return kept;
}

static int read_option(struct reading *reading, size_t row, const struct value *member)
{
	const struct edgesteer_option *option = &reading->values.rows[row];
	const char *text = value_text(member);

	switch (option->type) {
	case EDGESTEER_MAP:
	case EDGESTEER_SITES: return read_map(reading, member);
	case EDGESTEER_JSON: text = read_json(reading, member); break;
	case EDGESTEER_TEXT:
	case EDGESTEER_FILE:
		if (!text || !*text) {
			refuse(reading, member, "`%s` is not %s", option->name, option->type == EDGESTEER_FILE ? "a path" : "text");
			return E_INVAL;
		}
		if (option->type == EDGESTEER_FILE)
			text = reader_path_beside(reading->arena, reading->beside, text);
		break;
	default: // of a later version
		refuse(reading, member, "`%s` is of a type that this daemon does not know: it is older than the plugin", option->name);
		return E_INVAL;
	}
	reading->values.texts[row] = text;
	return text ? E_OK : E_NOMEM;
}

static int read_default(struct reading *reading, size_t row)
{
	const struct edgesteer_option *option = &reading->values.rows[row];
	const char *text = option->fallback;

	if (option->required)
		refuse(reading, NULL, "`%s` is missing: %s", option->name, option->help ? option->help : "");
	if (option->type == EDGESTEER_FILE && text) {
		text = reader_path_beside(reading->arena, reading->beside, text);
		if (!text)
			return E_NOMEM;
	}
	reading->values.texts[row] = text;
	return E_OK;
}

static int read_all(struct reading *reading)
{
	const struct edgesteer_option *rows = reading->values.rows;
	const struct value *given = reading->entry->options;
	int err = E_OK;

	while (rows && rows[reading->values.count].name)
		if (++reading->values.count > VALUES_MAX) {
			refuse(reading, NULL, "the plugin has more than %d options", VALUES_MAX);
			return E_INVAL;
		}
	value_foreach (member, given) {
		size_t row = find_row(&reading->values, member->key);

		if (row == reading->values.count)
			refuse_unknown(reading, member);
		else if (err != E_NOMEM)
			err = read_option(reading, row, member);
	}
	for (size_t i = 0; i < reading->values.count && err != E_NOMEM; i++)
		if (!value_get(given, rows[i].name))
			err = read_default(reading, i);
	return err == E_NOMEM ? E_NOMEM : E_OK; // what is invalid has been reported
}

int values_read(const struct edgesteer_option *rows, const struct plugin_entry *entry, const char *beside,
                struct arena *arena, struct report *report, struct values *ret_values)
{
	struct reading reading = {entry, beside, arena, report, {.rows = rows}};
	size_t errors = report_count(report, REPORT_ERROR);
	int err = read_all(&reading);

	if (err == E_OK && report_count(report, REPORT_ERROR) != errors)
		err = E_INVAL;
	*ret_values = reading.values;
	return err;
}

const char *values_text(const struct values *values, const char *name)
{
	size_t row = find_row(values, name);

	return row < values->count ? values->texts[row] : NULL;
}

const char *values_first_path(const struct values *values)
{
	for (size_t i = 0; i < values->count; i++)
		if (values->rows[i].type == EDGESTEER_FILE && values->texts[i])
			return values->texts[i];
	return NULL;
}
