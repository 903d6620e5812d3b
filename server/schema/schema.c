// Walks a YAML tree along the rows of the schema; see schema.h. Knows no option by name.
#include "schema/schema.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "base/nearest.h"
#include "schema/yaml.h"

static void join_words(const struct option *option, char *buf)
{
	size_t at = 0;

	for (const struct option_word *word = option->words; word->text && at < SCHEMA_EXPECTS_MAX; word++) {
		const char *comma = word == option->words ? "" : word[1].text ? ", " : " or ";

		at += (size_t)snprintf(buf + at, SCHEMA_EXPECTS_MAX - at, "%s%s", comma, word->text);
	}
}

const char *schema_expects(const struct option *option, char *buf)
{
	const struct option_type *type = option->type;
	const char *space = *type->limits ? " " : "";

	if (option->words)
		join_words(option, buf);
	else if (option->min && option->max)
		snprintf(buf, SCHEMA_EXPECTS_MAX, "%s, %s to %s%s%s", type->expects, option->min, option->max, space,
		         type->limits);
	else if (option->max)
		snprintf(buf, SCHEMA_EXPECTS_MAX, "%s, at most %s%s%s", type->expects, option->max, space, type->limits);
	else
		snprintf(buf, SCHEMA_EXPECTS_MAX, "%s", type->expects);
	return buf;
}

void schema_refuse(struct reader *reader, const struct option *option, const struct value *value)
{
	char quote[READER_QUOTE_MAX], expects[SCHEMA_EXPECTS_MAX];

	reader_error(reader, "cannot be %s, expected %s", reader_quote_value(value, quote),
	             schema_expects(option, expects));
}

const char *schema_text(struct reader *reader, const struct option *option, const struct value *value)
{
	if (!value_is(value, VALUE_TEXT))
		schema_refuse(reader, option, value);
	return value_text(value);
}

void schema_store_list(const struct option *option, void *field, const void *items, size_t count)
{
	char *base = (char *)field - option->offset;

	memcpy(field, &items, sizeof(items));
	memcpy(base + option->count_offset, &count, sizeof(count));
}

const void *schema_load_list(const struct option *option, const void *field, size_t *ret_count)
{
	const char *base = (const char *)field - option->offset;
	const void *items;

	memcpy(&items, field, sizeof(items));
	memcpy(ret_count, base + option->count_offset, sizeof(*ret_count));
	return items;
}

static const struct option *find_option(const struct schema *schema, const char *key)
{
	for (size_t i = 0; i < schema->option_count; i++)
		if (strcmp(schema->options[i].key, key) == 0)
			return &schema->options[i];
	return NULL;
}

static void refuse_key(struct reader *reader, const struct schema *schema, const struct value *member)
{
	struct nearest nearest = nearest_begin(member->key);
	char meant[NEAREST_MEANT_MAX];

	if (reader_may_help(reader))
		for (size_t i = 0; i < schema->option_count; i++)
			nearest_offer(&nearest, schema->options[i].key);
	reader_error_at(reader, member, "unknown key%s", nearest_meant(&nearest, '`', meant));
}

static bool holds_options(const struct option_type *type)
{
	return type == &schema_mapping || type == &schema_map || type == &schema_list;
}

static void read_member(struct reader *reader, const struct option *option, const struct value *value, void *target)
{
	struct reader_place place = reader_place(reader);

	reader_enter_key(reader, value);
	// An empty `sites:` with all its entries commented out is usual; an empty `ttl:` is a mistake.
	if (value_is(value, VALUE_NULL) && !holds_options(option->type))
		schema_refuse(reader, option, value);
	else
		option->type->read(reader, option, value, (char *)target + option->offset);
	reader_leave(reader, place);
}

void schema_read(struct reader *reader, const struct schema *schema, struct value *value, void *target)
{
	struct value *object = value_is(value, VALUE_MAP) ? value : NULL;
	char quote[READER_QUOTE_MAX], expects[SCHEMA_EXPECTS_MAX];

	if (!object && !value_is(value, VALUE_NULL)) {
		// A text that is all of a file may be a key or a token, whose path was given by mistake, or by somebody curious.
		reader_error(reader, "cannot be %s, expected a mapping",
		             value_is(value, VALUE_TEXT) && reader->path_len == 0 ? "a text" : reader_quote_value(value, quote));
		return;
	}
	value_foreach (member, object) {
		const struct option *option = find_option(schema, member->key);

		if (option)
			read_member(reader, option, member, target);
		else if (!schema->open)
			refuse_key(reader, schema, member);
	}
	for (size_t i = 0; i < schema->option_count; i++)
		if (schema->options[i].required && !value_get(object, schema->options[i].key))
			reader_error(reader, "%s is missing, expected %s", schema->options[i].key,
			             schema_expects(&schema->options[i], expects));
	if (schema->finish)
		schema->finish(reader, object, target);
}

bool schema_restarts(const struct option *option)
{
	for (size_t i = 0; option->type == &schema_list && i < option->schema->option_count; i++)
		if (option->schema->options[i].restart)
			return true;
	return option->restart;
}

void schema_each(const struct schema *schema, const void *target,
                 void (*fn)(void *ctx, const struct schema *schema, const struct option *option, const void *field),
                 void *ctx)
{
	for (size_t i = 0; i < schema->option_count; i++) {
		const struct option *option = &schema->options[i];
		const void *field = (const char *)target + option->offset;

		if (option->type == &schema_mapping)
			schema_each(option->schema, field, fn, ctx);
		else if (!option->schema || schema_restarts(option))
			fn(ctx, schema, option, field);
	}
}

// Reads the row's default, a text or a list of texts in JSON.
static void read_fallback(struct reader *reader, const struct option *option, void *field)
{
	static const struct value_file file = {"default", "/"};
	const struct value text = {.kind = VALUE_TEXT, .text = option->fallback, .file = &file};
	struct yaml_tree *yaml = NULL;
	int err = E_OK;

	if (option->fallback[0] == '[')
		err = yaml_tree_parse(&file, option->fallback, strlen(option->fallback), &YAML_BUDGET, reader->report, &yaml);
	if (err == E_OK)
		option->type->read(reader, option, yaml ? yaml_tree_root(yaml) : &text, field);
	else
		reader->err = E_NOMEM;
	yaml_tree_free(yaml);
}

void schema_defaults(struct reader *reader, const struct schema *schema, void *target)
{
	for (size_t i = 0; i < schema->option_count; i++) {
		const struct option *option = &schema->options[i];
		void *field = (char *)target + option->offset;

		if (option->type == &schema_mapping)
			schema_defaults(reader, option->schema, field);
		if (!option->fallback)
			continue;

		read_fallback(reader, option, field);
	}
}

static void read_mapping(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	must(option->schema);
	schema_read(reader, option->schema, (struct value *)value, field);
}

// Allocates the entries of a map or list. NULL when there are none, or after an error.
static char *take_entries(struct reader *reader, const struct option *option, size_t count, void *field)
{
	const struct schema *schema = option->schema;

	must(schema && schema->size > 0);
	schema_store_list(option, field, NULL, 0);
	if (count > schema->max_entries)
		reader_error(reader, "has %zu entries, expected at most %zu", count, schema->max_entries);
	if (count == 0 || count > schema->max_entries)
		return NULL;

	char *entries = reader_take(reader, count, schema->size);

	if (entries)
		schema_store_list(option, field, entries, count);
	return entries;
}

static void read_entry(struct reader *reader, const struct schema *schema, struct value *value, void *entry)
{
	if (schema->mark_offset)
		memcpy((char *)entry + schema->mark_offset, &reader->here, sizeof(reader->here));
	schema_read(reader, schema, value, entry);
}

static void read_map(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	const struct schema *schema = option->schema;

	if (!value_is(value, VALUE_MAP) && !value_is(value, VALUE_NULL)) {
		schema_refuse(reader, option, value);
		return;
	}

	char *entries = take_entries(reader, option, value_count(value), field);

	if (!entries)
		return;
	must(schema->name);
	schema_defaults(reader, schema, entries);
	for (size_t i = value_count(value); --i > 0;)
		memcpy(entries + i * schema->size, entries, schema->size);
	value_foreach (member, value) {
		struct reader_place place = reader_place(reader);

		reader_enter_key(reader, member);
		schema->name(reader, member->key, entries);
		read_entry(reader, schema, member, entries);
		reader_leave(reader, place);
		entries += schema->size;
	}
}

static void read_list(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	const struct schema *schema = option->schema;
	size_t i = 0;

	if (!value_is(value, VALUE_LIST) && !value_is(value, VALUE_NULL)) {
		schema_refuse(reader, option, value);
		return;
	}

	char *entries = take_entries(reader, option, value_count(value), field);

	if (!entries)
		return;
	value_foreach (element, value) {
		struct reader_place place = reader_place(reader);

		reader_enter_item(reader, element, i++);
		schema_defaults(reader, schema, entries);
		read_entry(reader, schema, element, entries);
		reader_leave(reader, place);
		entries += schema->size;
	}
}

// Of each entry, what a reload does not change: [{listen: 127.0.0.1@9153}].
static void format_list(const struct option *option, const void *field, FILE *out)
{
	const struct schema *schema = option->schema;
	size_t count, written = 0;
	const char *entries = schema_load_list(option, field, &count);

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < schema->option_count; j++) {
			const struct option *row = &schema->options[j];

			if (!row->restart)
				continue;
			must(row->type->format);
			fprintf(out, "%s%s: ", written++ ? ", " : "[{", row->key);
			row->type->format(row, entries + i * schema->size + row->offset, out);
		}
	if (written)
		fputs("}]", out);
}

json_t *schema_describe(const struct schema *schema)
{
	json_t *object = json_pack("{s:[ss], s:{}, s:b}", "type", "object", "null", "properties", "additionalProperties",
	                           schema->open);
	json_t *required = json_array();

	for (size_t i = 0; object && required && i < schema->option_count; i++) {
		const struct option *option = &schema->options[i];
		json_t *member = option->type->describe(option);

		if (member)
			json_object_set_new(member, "description",
			                    json_sprintf("%s%s", option->help, option->restart ? " " SCHEMA_RESTART : ""));
		if (member && option->fallback)
			json_object_set_new(member, "default", option->fallback[0] == '['
			                                           ? json_loads(option->fallback, 0, NULL)
			                                           : json_string(option->fallback));
		json_object_set_new(json_object_get(object, "properties"), option->key, member);
		if (option->required)
			json_array_append_new(required, json_string(option->key));
	}
	if (json_array_size(required) > 0)
		json_object_set(object, "required", required);
	json_decref(required);
	return object;
}

static json_t *describe_mapping(const struct option *option)
{
	return schema_describe(option->schema);
}

static json_t *describe_map(const struct option *option)
{
	return json_pack("{s:[ss], s:o, s:I}", "type", "object", "null", "additionalProperties",
	                 schema_describe(option->schema), "maxProperties", (json_int_t)option->schema->max_entries);
}

static json_t *describe_list(const struct option *option)
{
	return json_pack("{s:[ss], s:o, s:I}", "type", "array", "null", "items", schema_describe(option->schema),
	                 "maxItems", (json_int_t)option->schema->max_entries);
}

const struct option_type schema_mapping = {"a mapping", "", read_mapping, describe_mapping, NULL};
const struct option_type schema_map = {"a mapping of names", "", read_map, describe_map, NULL};
const struct option_type schema_list = {"a list of mappings", "", read_list, describe_list,
                                        format_list};
