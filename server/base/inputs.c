// Lists of files with their stamps; see inputs.h.
#include "base/inputs.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/dict.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"

#define PATH_BYTES_MAX ((size_t)INPUTS_MAX * 1024)

struct inputs {
	struct arena *arena;  // paths
	struct dict *numbers; // path -> its number
	struct input *items;
	size_t count, cap;
	enum input_kind kind; // of what is added
	bool watched;
};

struct inputs *inputs_new(void)
{
	struct inputs *inputs = calloc(1, sizeof(*inputs));

	if (!inputs)
		return NULL;
	inputs->arena = arena_new(PATH_BYTES_MAX);
	inputs->numbers = dict_new();
	return inputs->arena && inputs->numbers ? inputs : inputs_free(inputs);
}

struct inputs *inputs_free(struct inputs *inputs)
{
	if (!inputs)
		return NULL;
	dict_free(inputs->numbers);
	arena_free(inputs->arena);
	free(inputs->items);
	free(inputs);
	return NULL;
}

// ---- stamps ---------------------------------------------------------------------------------------------------------

static int64_t nanoseconds(struct timespec time)
{
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static struct input_stamp stamp_of_file(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return (struct input_stamp){0};
	return (struct input_stamp){status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim),
	                            nanoseconds(status.st_ctim)};
}

static struct input_stamp stamp_of_pattern(const char *pattern)
{
	struct input_stamp stamp = {0};
	glob_t found;

	if (glob(pattern, GLOB_ERR, NULL, &found) != 0)
		return stamp;
	for (size_t i = 0; i < found.gl_pathc; i++)
		stamp.inode = hash_bytes(stamp.inode, found.gl_pathv[i], strlen(found.gl_pathv[i]) + 1);
	stamp.size = (int64_t)found.gl_pathc;
	globfree(&found);
	return stamp;
}

struct input_stamp inputs_stamp(const char *path, bool pattern)
{
	return pattern ? stamp_of_pattern(path) : stamp_of_file(path);
}

bool inputs_same_stamp(const struct input_stamp *a, const struct input_stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size && a->mtime_ns == b->mtime_ns &&
	       a->ctime_ns == b->ctime_ns;
}

// ---- lists ----------------------------------------------------------------------------------------------------------

void inputs_section(struct inputs *inputs, enum input_kind kind, bool watched)
{
	inputs->kind = kind;
	inputs->watched = watched;
}

static bool grow(struct inputs *inputs)
{
	size_t cap = inputs->cap ? 2 * inputs->cap : 16;
	struct input *items = reallocarray(inputs->items, cap, sizeof(*items));

	if (!items)
		return false;
	inputs->items = items;
	inputs->cap = cap;
	return true;
}

void inputs_put(struct inputs *inputs, const struct input *input)
{
	int known = inputs_find(inputs, input->path);

	if (known >= 0) {
		inputs->items[known].watched |= input->watched;
		return;
	}
	if (input->path[0] != '/' || strlen(input->path) > INPUTS_PATH_MAX || inputs->count == INPUTS_MAX)
		return;
	if (inputs->count == inputs->cap && !grow(inputs))
		return;

	struct input *item = &inputs->items[inputs->count];

	*item = *input;
	item->path = arena_strdup(inputs->arena, input->path);
	if (item->path && dict_add(inputs->numbers, item->path, inputs->count) == E_OK)
		inputs->count++;
}

static void add(struct inputs *inputs, const char *path, bool pattern)
{
	struct input input = {.path = path, .kind = inputs->kind, .pattern = pattern, .watched = inputs->watched};

	if (inputs_find(inputs, path) < 0)
		input.stamp = inputs_stamp(path, pattern);
	inputs_put(inputs, &input);
}

void inputs_add(struct inputs *inputs, const char *path)
{
	add(inputs, path, false);
}

void inputs_add_pattern(struct inputs *inputs, const char *pattern)
{
	add(inputs, pattern, true);
}

size_t inputs_count(const struct inputs *inputs)
{
	return inputs->count;
}

struct input *inputs_at(const struct inputs *inputs, size_t i)
{
	must(i < inputs->count);
	return &inputs->items[i];
}

int inputs_find(const struct inputs *inputs, const char *path)
{
	const struct dict_entry *entry = dict_find(inputs->numbers, path);

	return entry ? (int)entry->value : -1;
}
