// Builds a tree from libyaml's events; see yaml.h.
#include "schema/yaml.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/dict.h"
#include "base/err.h"
#include "base/infile.h"
#include "base/must.h"
#include "base/report.h"

enum {
	POOL_LEN = 32 << 10, // of texts, which need no alignment
	FEW_KEYS = 16,       // a mapping with more is searched by a dictionary
};

// Nodes, and twice the file for texts: the size of what is parsed limits what a tree takes.
#define TREE_BYTES_MAX ((size_t)YAML_NODES_MAX * (sizeof(struct value) + 32) + 2 * (size_t)YAML_BYTES_MAX)

struct spot {
	uint32_t line, column; // from 1
};

struct yaml_tree {
	struct arena *arena;
	struct value *root;
};

struct frame {
	struct value *container; // owned by the tree
	struct value *last;      // its last child
	const char *key;        // in a mapping: of the next value; NULL: a key is next
	struct spot key_spot;
	struct dict *keys;      // of a mapping with more than FEW_KEYS: key -> node
};

struct builder {
	struct yaml_tree *yaml;
	const struct value_file *file;
	struct report *report;
	struct frame stack[YAML_DEPTH_MAX];
	unsigned depth;
	size_t nodes_left;
	char *pool; // where the next text goes
	size_t pool_left;
};

static struct spot spot_of(yaml_mark_t mark)
{
	return (struct spot){(uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

#define complain(b, spot, ...) report_error((b)->report, (b)->file->name, (spot).line, (spot).column, __VA_ARGS__)

// A copy of a text without zero octets; NULL when out of memory.
static const char *take_text(struct builder *b, const char *text, size_t len)
{
	if (len >= POOL_LEN / 8)
		return arena_copy(b->yaml->arena, text, len + 1);
	if (len + 1 > b->pool_left) {
		b->pool = arena_take(b->yaml->arena, POOL_LEN);
		if (!b->pool)
			return NULL;
		b->pool_left = POOL_LEN;
	}

	char *copy = b->pool;

	memcpy(copy, text, len);
	copy[len] = '\0';
	b->pool += len + 1;
	b->pool_left -= len + 1;
	return copy;
}

static int index_keys(struct frame *frame)
{
	int err = (frame->keys = dict_new()) ? E_OK : E_NOMEM;

	for (struct value *member = frame->container->first; member && err == E_OK; member = member->next)
		err = dict_add(frame->keys, member->key, (uintptr_t)member);
	return err;
}

// The member that has the frame's key already; NULL: none.
static const struct value *find_key(const struct frame *frame)
{
	if (!frame->keys)
		return value_get(frame->container, frame->key);

	const struct dict_entry *entry = dict_find(frame->keys, frame->key);

	return entry ? (const struct value *)entry->value : NULL;
}

static void append(struct frame *frame, struct value *value)
{
	if (frame->last)
		frame->last->next = value;
	else
		frame->container->first = value;
	frame->last = value;
	frame->container->count++;
}

static int attach_member(struct builder *b, struct frame *frame, struct value *value)
{
	int err = !frame->keys && frame->container->count == FEW_KEYS ? index_keys(frame) : E_OK;
	const struct value *have = err == E_OK ? find_key(frame) : NULL;

	must(frame->key);
	value->key = frame->key;
	value->key_line = frame->key_spot.line;
	value->key_column = frame->key_spot.column;
	frame->key = NULL;
	if (err < 0)
		return err;
	if (have) { // the value stays in the arena, unused
		complain(b, ((struct spot){value->key_line, value->key_column}),
		         "%.64s: duplicate key, expected once: it is on line %u already", value->key, have->key_line);
		return E_OK;
	}
	if (frame->keys)
		err = dict_add(frame->keys, value->key, (uintptr_t)value);
	append(frame, value);
	return err;
}

// Adds a value to the tree.
static int attach(struct builder *b, enum value_kind kind, struct spot spot, struct value **ret_node)
{
	if (b->nodes_left == 0) {
		complain(b, spot, "more than %d values, with the files before this one, expected fewer", YAML_NODES_MAX);
		return E_INVAL;
	}
	b->nodes_left--;

	struct value *value = arena_take(b->yaml->arena, sizeof(*value));

	if (!value)
		return E_NOMEM;
	*value = (struct value){.file = b->file, .line = spot.line, .column = spot.column, .key_line = spot.line,
	                       .key_column = spot.column, .kind = (uint8_t)kind};
	*ret_node = value;
	if (b->depth == 0) {
		must(!b->yaml->root);
		b->yaml->root = value;
		return E_OK;
	}

	struct frame *frame = &b->stack[b->depth - 1];

	if (value_is(frame->container, VALUE_MAP))
		return attach_member(b, frame, value);
	append(frame, value);
	return E_OK;
}

static bool key_is_due(const struct builder *b)
{
	return b->depth > 0 && value_is(b->stack[b->depth - 1].container, VALUE_MAP) && !b->stack[b->depth - 1].key;
}

static int add_container(struct builder *b, enum value_kind kind, struct spot spot)
{
	struct value *container;

	if (key_is_due(b)) {
		complain(b, spot, "a mapping or list in place of a key, expected text");
		return E_INVAL;
	}
	if (b->depth == YAML_DEPTH_MAX) {
		complain(b, spot, "nested more than %d deep, expected a flatter file", YAML_DEPTH_MAX);
		return E_INVAL;
	}

	int err = attach(b, kind, spot, &container);

	if (err == E_OK)
		b->stack[b->depth++] = (struct frame){.container = container};
	return err;
}

static bool means_null(const yaml_event_t *event)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		    strcmp((const char *)event->data.scalar.value, words[i]) == 0)
			return true;
	return false;
}

static int add_scalar(struct builder *b, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	struct spot spot = spot_of(event->start_mark);

	if (memchr(text, '\0', len)) {
		complain(b, spot, "a zero octet in a text, expected none");
		return E_INVAL;
	}
	if (!key_is_due(b)) {
		bool null = means_null(event);
		const char *copy = null ? NULL : take_text(b, text, len);
		struct value *value;
		int err = null || copy ? attach(b, null ? VALUE_NULL : VALUE_TEXT, spot, &value) : E_NOMEM;

		if (err == E_OK && !null)
			value->text = copy;
		return err;
	}

	struct frame *frame = &b->stack[b->depth - 1];

	if (len == 0)
		complain(b, spot, "an empty key, expected a name");
	frame->key_spot = spot;
	frame->key = take_text(b, text, len);
	return frame->key ? E_OK : E_NOMEM;
}

// Anchors and tags are reported and otherwise ignored, so that further errors are reported too.
static void refuse_decorations(struct builder *b, const yaml_event_t *event, const yaml_char_t *anchor,
                               const yaml_char_t *tag)
{
	struct spot spot = spot_of(event->start_mark);

	if (anchor)
		complain(b, spot, "anchors and aliases are not supported, expected the value itself");
	if (tag)
		complain(b, spot, "tags are not supported, expected a plain value");
}

static int alias(struct builder *b, const yaml_event_t *event)
{
	struct spot spot = spot_of(event->start_mark);

	complain(b, spot, "anchors and aliases are not supported, expected the value itself");

	struct value *unused;

	return key_is_due(b) ? E_INVAL : attach(b, VALUE_NULL, spot, &unused);
}

// Returns 0, or 1 when the stream has ended.
static int take(struct builder *b, const yaml_event_t *event)
{
	struct spot spot = spot_of(event->start_mark);

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (!b->yaml->root)
			return E_OK;
		complain(b, spot, "a second document starts here, expected one per file");
		return 1;
	case YAML_SCALAR_EVENT:
		refuse_decorations(b, event, event->data.scalar.anchor, event->data.scalar.tag);
		return add_scalar(b, event);
	case YAML_SEQUENCE_START_EVENT:
		refuse_decorations(b, event, event->data.sequence_start.anchor, event->data.sequence_start.tag);
		return add_container(b, VALUE_LIST, spot);
	case YAML_MAPPING_START_EVENT:
		refuse_decorations(b, event, event->data.mapping_start.anchor, event->data.mapping_start.tag);
		return add_container(b, VALUE_MAP, spot);
	case YAML_ALIAS_EVENT:
		return alias(b, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		must(b->depth > 0); // libyaml's events are balanced
		b->depth--;
		dict_free(b->stack[b->depth].keys);
		return E_OK;
	case YAML_STREAM_END_EVENT:
		return 1;
	default:
		return E_OK;
	}
}

// libyaml's reader errors (broken UTF-8, control characters) have an offset instead of a line.
static struct spot spot_at(const char *text, size_t len, size_t offset)
{
	struct spot spot = {1, 1};

	for (size_t i = 0; i < offset && i < len; i++) {
		if (text[i] == '\n') {
			spot.line++;
			spot.column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) { // columns count characters, not octets
			spot.column++;
		}
	}
	return spot;
}

// Whether there is a tab at the mark, in the line's leading white space. A mark counts characters, but in white space
// these are octets. A mark may be past the text's end.
static bool tab_indents(const char *text, size_t len, yaml_mark_t mark)
{
	size_t at = 0;

	for (size_t line = 0; line < mark.line; line++) {
		const char *newline = memchr(text + at, '\n', len - at);

		if (!newline)
			return false;
		at = (size_t)(newline - text) + 1;
	}
	for (size_t column = 0; at < len && (text[at] == ' ' || text[at] == '\t'); column++)
		if (text[at++] == '\t' && column == mark.column)
			return true;
	return false;
}

// What was probably meant, for errors that libyaml words in terms of its grammar; or "".
static const char *expected_instead(const char *problem)
{
	static const struct {
		const char *problem, *expected;
	} rows[] = {
		{"mapping values are not allowed in this context", ", expected `key: value`, indented as its neighbours are"},
		{"did not find expected key", ", expected `key: value`, indented as its neighbours are"},
		{"could not find expected ':'", ", expected `key: value`"},
		{"found character that cannot start any token", ", expected text that begins with it in quotes"},
		{"found unexpected ':'", ", expected text with it in quotes"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(problem, rows[i].problem) == 0)
			return rows[i].expected;
	return "";
}

static int syntax_error(struct builder *b, const yaml_parser_t *parser, const char *text, size_t len)
{
	const char *problem = parser->problem ? parser->problem : "not YAML";

	if (parser->error == YAML_MEMORY_ERROR)
		return E_NOMEM;
	if (parser->error == YAML_READER_ERROR) {
		struct spot spot = spot_at(text, len, parser->problem_offset);

		complain(b, spot, "not text: %s, expected YAML in UTF-8", problem);
		return E_INVAL;
	}

	struct spot spot = spot_of(parser->problem_mark);

	if (tab_indents(text, len, parser->problem_mark))
		complain(b, spot, "a tab cannot indent YAML: use spaces");
	else if (parser->context)
		complain(b, spot, "not YAML: %s (%s on line %zu)%s", problem, parser->context,
		         parser->context_mark.line + 1, expected_instead(problem));
	else
		complain(b, spot, "not YAML: %s%s", problem, expected_instead(problem));
	return E_INVAL;
}

static int build(struct builder *b, const char *text, size_t len)
{
	yaml_parser_t parser;
	int state = E_OK; // 1: done

	if (!yaml_parser_initialize(&parser))
		return E_NOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	while (state == E_OK) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			state = syntax_error(b, &parser, text, len);
			break;
		}
		state = take(b, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	for (unsigned i = 0; i < b->depth; i++)
		dict_free(b->stack[i].keys);
	return state < 0 ? state : E_OK;
}

static int too_large(const struct value_file *file, struct report *report)
{
	report_error(report, file->name, 0, 0, "cannot be read: larger than %d MiB, with the files before this one",
	             YAML_BYTES_MAX >> 20);
	return E_INVAL;
}

int yaml_tree_parse(const struct value_file *file, const char *text, size_t len, struct yaml_budget *budget,
                    struct report *report, struct yaml_tree **ret_tree)
{
	struct yaml_tree *yaml = calloc(1, sizeof(*yaml));
	struct builder builder = {.yaml = yaml, .file = file, .report = report, .nodes_left = budget->nodes};
	struct value *null;
	int err = E_NOMEM;

	if (!yaml)
		return E_NOMEM;
	yaml->arena = arena_new(TREE_BYTES_MAX);
	if (!yaml->arena)
		goto out;
	if (len > budget->octets) {
		err = too_large(file, report);
		goto out;
	}
	err = build(&builder, text, len);
	if (err == E_OK && !yaml->root) {
		builder.depth = 0;
		err = attach(&builder, VALUE_NULL, (struct spot){0, 0}, &null);
	}
	if (err < 0)
		goto out;
	*budget = (struct yaml_budget){budget->octets - len, builder.nodes_left};
	*ret_tree = yaml;
	yaml = NULL;
out:
	yaml_tree_free(yaml);
	return err;
}

int yaml_tree_load(const struct value_file *file, struct yaml_budget *budget, struct report *report,
                   struct yaml_tree **ret_tree)
{
	char why[INFILE_WHY_LEN], *text;
	size_t len;
	int err = infile_read(file->path, budget->octets, &text, &len, why);

	if (err == E_NOMEM)
		return err;
	if (err == E_LIMIT)
		return too_large(file, report);
	if (err < 0) {
		report_error(report, file->name, 0, 0, "%s", why);
		return E_IO;
	}
	err = yaml_tree_parse(file, text, len, budget, report, ret_tree);
	free(text);
	return err;
}

struct yaml_tree *yaml_tree_free(struct yaml_tree *yaml)
{
	if (yaml)
		arena_free(yaml->arena);
	free(yaml);
	return NULL;
}

struct value *yaml_tree_root(const struct yaml_tree *yaml)
{
	return yaml->root;
}
