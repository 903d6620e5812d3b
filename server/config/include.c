// Joins the files of a config; see include.h.
#include "config/include.h"

#include <glob.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/dict.h"
#include "base/err.h"
#include "base/inputs.h"
#include "base/must.h"
#include "base/report.h"
#include "schema/reader.h"
#include "schema/yaml.h"

// A member of the joined root.
struct section {
	struct value *node;
	struct value *last;  // its last child
	struct dict *names; // of a mapping that another one was joined to: key -> node; else NULL
};

struct include {
	struct arena *arena;
	struct report *report;
	struct yaml_tree *trees[INCLUDE_FILES_MAX];
	size_t count;
	struct yaml_budget budget;
	bool lacks_files;         // some could not be read, which is reported: what would follow from that is not
	struct value *root, *last; // and its last member
	struct dict *sections;    // key -> struct section
};

// The files that are being read, innermost first.
struct chain {
	const struct chain *outer;
	const struct value_file *file;
	dev_t device;
	ino_t inode;
	unsigned depth;
};

#define complain(include, mark, ...) \
	report_error((include)->report, (mark).file, (mark).line, (mark).column, __VA_ARGS__)

// ---- joining ----

static struct value *last_child(const struct value *node)
{
	struct value *last = NULL;

	value_foreach (child, node)
		last = child;
	return last;
}

static void append(struct value *parent, struct value **last, struct value *child)
{
	child->next = NULL;
	if (*last)
		(*last)->next = child;
	else
		parent->first = child;
	*last = child;
	parent->count++;
}

static int add_section(struct include *include, struct value *member)
{
	struct section *section = arena_take(include->arena, sizeof(*section));

	if (!section)
		return E_NOMEM;
	*section = (struct section){member, last_child(member), NULL};
	return dict_add(include->sections, member->key, (uintptr_t)section);
}

static int join_map(struct include *include, struct section *section, const struct value *map)
{
	int err = E_OK;

	if (!section->names) {
		section->names = dict_new();
		err = section->names ? E_OK : E_NOMEM;
		for (struct value *entry = section->node->first; entry && err == E_OK; entry = entry->next)
			err = dict_add(section->names, entry->key, (uintptr_t)entry);
	}
	for (struct value *entry = map->first, *next; entry && err == E_OK; entry = next) {
		next = entry->next;
		err = dict_add(section->names, entry->key, (uintptr_t)entry);
		if (err == E_OK) {
			append(section->node, &section->last, entry);
		} else if (err == E_EXISTS) {
			struct mark first = value_key_mark((struct value *)dict_find(section->names, entry->key)->value);

			complain(include, value_key_mark(entry), "%.64s.%.64s: is given at %s:%zu:%zu too, expected once", map->key,
			         entry->key, first.file, first.line, first.column);
			err = E_OK;
		}
	}
	return err;
}

static int join_member(struct include *include, struct value *member)
{
	const struct dict_entry *entry = dict_find(include->sections, member->key);
	struct section *section = entry ? (struct section *)entry->value : NULL;

	if (!section) {
		append(include->root, &include->last, member);
		return add_section(include, member);
	}
	if (value_is(member, VALUE_NULL)) // an empty `sites:`
		return E_OK;
	if (value_is(section->node, VALUE_NULL) && value_has_children(member)) {
		section->node->kind = member->kind;
		section->node->first = NULL;
	}
	if (value_is(section->node, VALUE_MAP) && value_is(member, VALUE_MAP))
		return join_map(include, section, member);
	if (value_is(section->node, VALUE_LIST) && value_is(member, VALUE_LIST)) {
		for (struct value *element = member->first, *next; element; element = next) {
			next = element->next;
			append(section->node, &section->last, element);
		}
		return E_OK;
	}

	struct mark first = value_key_mark(section->node);

	complain(include, value_key_mark(member), "%.64s: is given at %s:%zu:%zu too, expected in one file", member->key,
	         first.file, first.line, first.column);
	return E_OK;
}

// ---- reading ----

static int read_file(struct include *include, const struct chain *chain, const char *text, size_t len);

// The file in a message: its path as its includer's name and pattern have it.
static const struct value_file *make_file(struct include *include, const struct value_file *from, const char *pattern,
                                         const char *path)
{
	struct value_file *file = arena_take(include->arena, sizeof(*file));
	const char *slash = strrchr(from->path, '/');

	must(slash);
	if (!file)
		return NULL;
	file->path = arena_strdup(include->arena, path);
	file->name = file->path;
	if (pattern[0] != '/' && strrchr(from->name, '/'))
		file->name = reader_path_beside(include->arena, from->name, path + (slash + 1 - from->path));
	else if (pattern[0] != '/')
		file->name = file->path ? file->path + (slash + 1 - from->path) : NULL;
	return file->path && file->name ? file : NULL;
}

// One file that a pattern at `mark` named. Errors other than E_NOMEM are in the report, and the rest can be read.
static int take_file(struct include *include, const struct chain *outer, struct mark mark,
                     const struct value_file *file)
{
	struct chain chain = {.outer = outer, .file = file, .depth = outer->depth + 1};
	struct stat status;

	if (chain.depth > INCLUDE_DEPTH_MAX) {
		complain(include, mark, "include: %s would be %u files deep, expected at most %d", file->name, chain.depth,
		         INCLUDE_DEPTH_MAX);
		return E_INVAL;
	}
	if (stat(file->path, &status) == 0) { // else it cannot be read either, which is reported there
		if (S_ISDIR(status.st_mode)) {
			const char *slash = file->name[strlen(file->name) - 1] == '/' ? "" : "/";

			complain(include, mark, "include: %s is a folder, expected its files, as in `%s%s*.yaml`", file->name, file->name,
			         slash);
			return E_INVAL;
		}
		chain.device = status.st_dev;
		chain.inode = status.st_ino;
		for (const struct chain *at = outer; at; at = at->outer)
			if (at->device == chain.device && at->inode == chain.inode) {
				complain(include, mark, "include: %s includes itself this way, expected another file", at->file->name);
				return E_OK;
			}
	}

	return read_file(include, &chain, NULL, 0);
}

// As above, of a path. Errors but E_NOMEM only leave the file out.
static int take_path(struct include *include, const struct chain *chain, const struct value *node, const char *path)
{
	const struct value_file *file = path ? make_file(include, chain->file, node->text, path) : NULL;
	int err = file ? take_file(include, chain, value_mark(node), file) : E_NOMEM;

	if (err == E_OK || err == E_NOMEM)
		return err;
	include->lacks_files = true;
	return E_OK;
}

// The pattern as an absolute path, where the folder of the including file is taken literally. NULL when out of memory.
static char *absolute_pattern(const struct value_file *from, const char *pattern)
{
	size_t pattern_size = strlen(pattern) + 1;
	size_t folder_len = pattern[0] == '/' ? 0 : (size_t)(strrchr(from->path, '/') + 1 - from->path);
	char *path = malloc(2 * folder_len + pattern_size), *to = path;

	for (size_t i = 0; path && i < folder_len; i++) {
		if (strchr("*?[\\", from->path[i]))
			*to++ = '\\';
		*to++ = from->path[i];
	}
	if (path)
		memcpy(to, pattern, pattern_size);
	return path;
}

static int take_pattern(struct include *include, const struct chain *chain, const struct value *node)
{
	char *pattern = absolute_pattern(chain->file, node->text);
	glob_t found;

	if (pattern)
		inputs_add_pattern(report_inputs(include->report), pattern);

	int outcome = pattern ? glob(pattern, GLOB_ERR, NULL, &found) : GLOB_NOSPACE;
	int err = outcome == GLOB_NOSPACE ? E_NOMEM : E_OK;

	free(pattern);
	if (outcome == GLOB_ABORTED) {
		complain(include, value_mark(node), "include: the folder of `%.64s` cannot be read", node->text);
		include->lacks_files = true;
	}
	for (size_t i = 0; outcome == 0 && err == E_OK && i < found.gl_pathc; i++)
		err = take_path(include, chain, node, found.gl_pathv[i]);
	if (outcome == 0)
		globfree(&found);
	return err;
}

// What an `include` names: a path, or a pattern of some.
static int take(struct include *include, const struct chain *chain, const struct value *node)
{
	const char *text = node->text, *slash = strrchr(text, '/');
	size_t wild = strcspn(text, "*?[");

	if (*text && !text[wild])
		return take_path(include, chain, node, reader_path_beside(include->arena, chain->file->path, text));
	if (*text && (!slash || wild > (size_t)(slash - text)))
		return take_pattern(include, chain, node);
	complain(include, value_mark(node), "include: cannot be `%.64s`, expected a path with `*`, `?` and `[...]` in its last "
	                                    "part only", text);
	return E_OK;
}

static int follow(struct include *include, const struct chain *chain, const struct value *value)
{
	int err = E_OK;

	if (value_is(value, VALUE_TEXT))
		return take(include, chain, value);
	// In the first file, the schema reports what is no path.
	if (chain->outer && value && !value_is(value, VALUE_LIST))
		complain(include, value_key_mark(value), "include: expected a list of paths");
	for (const struct value *item = value_is(value, VALUE_LIST) ? value->first : NULL; item && err == E_OK;
	     item = item->next)
		if (value_is(item, VALUE_TEXT))
			err = take(include, chain, item);
		else if (chain->outer)
			complain(include, value_mark(item), "include: expected a path");
	return err;
}

static int join_root(struct include *include, const struct chain *chain, struct value *root)
{
	int err = E_OK;

	if (!include->root) {
		include->root = root;
		include->last = last_child(root);
		for (struct value *member = value_is(root, VALUE_MAP) ? root->first : NULL; member && err == E_OK;
		     member = member->next)
			err = add_section(include, member);
		return err;
	}
	if (!value_is(root, VALUE_MAP) && !value_is(root, VALUE_NULL))
		report_error(include->report, chain->file->name, root->line, root->column, "expected a mapping");
	for (struct value *member = value_is(root, VALUE_MAP) ? root->first : NULL, *next; member && err == E_OK;
	     member = next) {
		next = member->next;
		if (strcmp(member->key, "include") != 0)
			err = join_member(include, member);
	}
	return err;
}

// Reads a file, joins it and reads what it includes.
static int read_file(struct include *include, const struct chain *chain, const char *text, size_t len)
{
	struct yaml_tree *tree;
	int err;

	if (include->count == INCLUDE_FILES_MAX) {
		report_error(include->report, chain->file->name, 0, 0, "is one of more than %d files, expected fewer",
		             INCLUDE_FILES_MAX);
		return E_INVAL;
	}
	inputs_add(report_inputs(include->report), chain->file->path);
	err = text ? yaml_tree_parse(chain->file, text, len, &include->budget, include->report, &tree)
	           : yaml_tree_load(chain->file, &include->budget, include->report, &tree);
	if (err < 0)
		return err;
	include->trees[include->count++] = tree;

	struct value *root = yaml_tree_root(tree);
	const struct value *more = value_get(root, "include");

	err = join_root(include, chain, root);
	return err == E_OK ? follow(include, chain, more) : err;
}

// Symbolic links are not resolved, as a deployment may change their targets.
static const char *make_absolute(struct arena *arena, const char *path)
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

int include_load(const char *path, const char *text, size_t len, struct arena *arena, struct report *report,
                 struct include **ret_include)
{
	struct include *include = calloc(1, sizeof(*include));
	struct value_file *file = arena_take(arena, sizeof(*file));
	struct chain chain = {.file = file};
	struct stat status;
	int err = E_NOMEM;

	if (!include || !file)
		goto out;
	include->arena = arena;
	include->budget = YAML_BUDGET;
	include->report = report;
	include->sections = dict_new();
	file->name = arena_strdup(arena, path);
	file->path = make_absolute(arena, path);
	if (!include->sections || !file->name || !file->path)
		goto out;
	if (!text && stat(path, &status) == 0) {
		chain.device = status.st_dev;
		chain.inode = status.st_ino;
	}
	err = read_file(include, &chain, text, len);
	if (err == E_OK && include->lacks_files)
		err = E_INVAL;
	if (err == E_OK)
		*ret_include = include;
out:
	if (err < 0)
		include_free(include);
	return err;
}

struct include *include_free(struct include *include)
{
	size_t count = 0;
	const struct dict_entry *sections = include && include->sections ? dict_entries(include->sections, &count) : NULL;

	if (!include)
		return NULL;
	for (size_t i = 0; i < count; i++)
		dict_free(((struct section *)sections[i].value)->names);
	dict_free(include->sections);
	for (size_t i = 0; i < include->count; i++)
		yaml_tree_free(include->trees[i]);
	free(include);
	return NULL;
}

struct value *include_root(const struct include *include)
{
	return include->root;
}
