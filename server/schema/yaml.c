// Builds a tree from libyaml's events; see yaml.h. Marks are kept in one array sorted by the address of their owner:
// the key as the object stores it, or the array and an index.
#include "schema/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "base/err.h"
#include "base/must.h"
#include "base/report.h"

struct spot {
	uint32_t line, column; // from 1
};

struct position {
	const void *owner; // a key inside its object, or an array
	size_t index;      // in the array; 0 for a key
	struct spot key, value;
};

struct yaml_tree {
	char *file;
	json_t *root;
	json_t *dropped; // values of duplicate keys: kept alive, so that no address in `places` is reused
	struct position *places;
	size_t place_count, place_cap;
};

struct frame {
	json_t *container; // owned by the tree
	char *key;         // in an object: of the next value; NULL: a key is next
	struct spot key_spot;
};

struct builder {
	struct yaml_tree *yaml;
	struct report *report;
	struct frame stack[YAML_DEPTH_MAX];
	unsigned depth;
	size_t nodes;
};

static struct spot spot_of(yaml_mark_t mark)
{
	return (struct spot){(uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

#define complain(b, spot, ...) report_error((b)->report, (b)->yaml->file, (spot).line, (spot).column, __VA_ARGS__)

static int add_place(struct yaml_tree *yaml, struct position place)
{
	if (yaml->place_count == yaml->place_cap) {
		size_t cap = yaml->place_cap ? yaml->place_cap * 2 : 64;
		struct position *places = realloc(yaml->places, cap * sizeof(*places));

		if (!places)
			return E_NOMEM;
		yaml->places = places;
		yaml->place_cap = cap;
	}
	yaml->places[yaml->place_count++] = place;
	return E_OK;
}

static int attach_member(struct builder *b, struct frame *frame, json_t *value, struct spot spot)
{
	struct yaml_tree *yaml = b->yaml;
	void *have = json_object_iter_at(frame->container, frame->key);
	int err = E_OK;

	must(frame->key);
	if (have) {
		complain(b, frame->key_spot, "%.64s: duplicate key, expected once", frame->key);
		err = json_array_append_new(yaml->dropped, value) < 0 ? E_NOMEM : E_OK;
	} else if (json_object_set_new(frame->container, frame->key, value) < 0) {
		err = E_NOMEM; // the only cause: libyaml has checked that it is UTF-8, and add_scalar() that it has no zero
	} else {
		const void *key = json_object_iter_key(json_object_iter_at(frame->container, frame->key));

		err = add_place(yaml, (struct position){key, 0, frame->key_spot, spot});
	}
	free(frame->key);
	frame->key = NULL;
	return err;
}

// Adds a value to the tree. Takes over the reference to `value` in every case.
static int attach(struct builder *b, json_t *value, struct spot spot)
{
	if (!value)
		return E_NOMEM;
	if (++b->nodes > YAML_NODES_MAX) {
		json_decref(value);
		complain(b, spot, "more than %d values, expected a smaller file", YAML_NODES_MAX);
		return E_INVAL;
	}
	if (b->depth == 0) {
		must(!b->yaml->root);
		b->yaml->root = value;
		return E_OK;
	}

	struct frame *frame = &b->stack[b->depth - 1];

	if (json_is_object(frame->container))
		return attach_member(b, frame, value, spot);
	if (json_array_append_new(frame->container, value) < 0)
		return E_NOMEM;
	return add_place(b->yaml, (struct position){frame->container, json_array_size(frame->container) - 1, spot, spot});
}

static bool key_is_due(const struct builder *b)
{
	return b->depth > 0 && json_is_object(b->stack[b->depth - 1].container) && !b->stack[b->depth - 1].key;
}

static int add_container(struct builder *b, json_t *container, struct spot spot)
{
	if (container && key_is_due(b)) {
		json_decref(container);
		complain(b, spot, "a mapping or list in place of a key, expected text");
		return E_INVAL;
	}
	if (container && b->depth == YAML_DEPTH_MAX) {
		json_decref(container);
		complain(b, spot, "nested more than %d deep, expected a flatter file", YAML_DEPTH_MAX);
		return E_INVAL;
	}

	int err = attach(b, container, spot);

	must(b->depth < YAML_DEPTH_MAX || err < 0);
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
	if (!key_is_due(b))
		return attach(b, means_null(event) ? json_null() : json_stringn(text, len), spot);

	struct frame *frame = &b->stack[b->depth - 1];

	if (len == 0)
		complain(b, spot, "an empty key, expected a name");
	frame->key_spot = spot;
	frame->key = strdup(text);
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
	return key_is_due(b) ? E_INVAL : attach(b, json_null(), spot);
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
		return add_container(b, json_array(), spot);
	case YAML_MAPPING_START_EVENT:
		refuse_decorations(b, event, event->data.mapping_start.anchor, event->data.mapping_start.tag);
		return add_container(b, json_object(), spot);
	case YAML_ALIAS_EVENT:
		return alias(b, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		must(b->depth > 0); // libyaml's events are balanced
		b->depth--;
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
// these are octets.
static bool tab_indents(const char *text, size_t len, yaml_mark_t mark)
{
	const char *at = text, *end = text + len;

	for (size_t line = 0; line < mark.line && at; line++) {
		at = memchr(at, '\n', (size_t)(end - at));
		at += at ? 1 : 0;
	}
	for (size_t column = 0; at && at < end && (*at == ' ' || *at == '\t'); column++)
		if (*at++ == '\t' && column == mark.column)
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
		free(b->stack[i].key);
	return state < 0 ? state : E_OK;
}

static int compare_places(const void *left, const void *right)
{
	const struct position *a = left, *b = right;
	uintptr_t owner_a = (uintptr_t)a->owner, owner_b = (uintptr_t)b->owner;

	if (owner_a != owner_b)
		return owner_a < owner_b ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

int yaml_tree_parse(const char *file, const char *text, size_t len, struct report *report, struct yaml_tree **ret_tree)
{
	struct yaml_tree *yaml = calloc(1, sizeof(*yaml));
	struct builder builder = {.yaml = yaml, .report = report};
	int err = E_NOMEM;

	if (!yaml)
		return E_NOMEM;
	yaml->file = strdup(file);
	yaml->dropped = json_array();
	if (!yaml->file || !yaml->dropped)
		goto out;
	if (len > YAML_BYTES_MAX) {
		report_error(report, file, 0, 0, "larger than %d MiB, expected a smaller file", YAML_BYTES_MAX >> 20);
		err = E_INVAL;
		goto out;
	}
	err = build(&builder, text, len);
	if (err < 0)
		goto out;
	if (!yaml->root)
		yaml->root = json_null();
	if (yaml->place_count > 0)
		qsort(yaml->places, yaml->place_count, sizeof(*yaml->places), compare_places);
	*ret_tree = yaml;
	yaml = NULL;
out:
	yaml_tree_free(yaml);
	return err;
}

static int read_all(int fd, char *buf, size_t cap, size_t *ret_len)
{
	size_t len = 0;

	while (len < cap) {
		ssize_t got = read(fd, buf + len, cap - len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return E_IO;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	*ret_len = len;
	return E_OK;
}

int yaml_tree_load(const char *path, struct report *report, struct yaml_tree **ret_tree)
{
	const size_t cap = YAML_BYTES_MAX + 1; // one more, to detect that the file is too large
	char *buf = malloc(cap);
	size_t len = 0;
	int err = E_NOMEM, fd = -1;

	if (!buf)
		return E_NOMEM;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	err = fd < 0 ? E_IO : read_all(fd, buf, cap, &len);
	if (err == E_IO)
		report_error(report, path, 0, 0, "cannot be read: %s", strerror(errno));
	else
		err = yaml_tree_parse(path, buf, len, report, ret_tree);
	if (fd >= 0)
		close(fd);
	free(buf);
	return err;
}

struct yaml_tree *yaml_tree_free(struct yaml_tree *yaml)
{
	if (!yaml)
		return NULL;
	json_decref(yaml->root);
	json_decref(yaml->dropped);
	free(yaml->places);
	free(yaml->file);
	free(yaml);
	return NULL;
}

json_t *yaml_tree_root(const struct yaml_tree *yaml)
{
	return yaml->root;
}

const char *yaml_tree_file(const struct yaml_tree *yaml)
{
	return yaml->file;
}

static const struct position *find_place(const struct yaml_tree *yaml, const void *owner, size_t index)
{
	struct position wanted = {.owner = owner, .index = index};

	if (!owner || yaml->place_count == 0)
		return NULL;
	return bsearch(&wanted, yaml->places, yaml->place_count, sizeof(wanted), compare_places);
}

static const struct position *find_member(const struct yaml_tree *yaml, const json_t *object, const char *key)
{
	void *iter = json_object_iter_at((json_t *)object, key); // jansson's iterators are not const-correct

	return iter ? find_place(yaml, json_object_iter_key(iter), 0) : NULL;
}

static struct mark mark_of(const struct yaml_tree *yaml, const struct spot *spot)
{
	return (struct mark){yaml->file, spot ? spot->line : 0, spot ? spot->column : 0};
}

struct mark yaml_tree_key_mark(const struct yaml_tree *yaml, const json_t *object, const char *key)
{
	const struct position *place = find_member(yaml, object, key);

	return mark_of(yaml, place ? &place->key : NULL);
}

struct mark yaml_tree_value_mark(const struct yaml_tree *yaml, const json_t *object, const char *key)
{
	const struct position *place = find_member(yaml, object, key);

	return mark_of(yaml, place ? &place->value : NULL);
}

struct mark yaml_tree_item_mark(const struct yaml_tree *yaml, const json_t *array, size_t index)
{
	const struct position *place = find_place(yaml, array, index);

	return mark_of(yaml, place ? &place->value : NULL);
}
