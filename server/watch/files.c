// The state of each file; see files.h.
#include "watch/files.h"

#include <stdlib.h>
#include <string.h>

#include "base/inputs.h"
#include "base/must.h"
#include "base/report.h"

struct files {
	struct inputs *list;
	struct files_state *states; // of each
	char **whys;                // of each: its state's `why`, or NULL
	bool *blamed;               // of each: the last load has refused it
};

struct files *files_free(struct files *files)
{
	if (!files)
		return NULL;
	for (size_t i = 0; files->whys && i < inputs_count(files->list); i++)
		free(files->whys[i]);
	free(files->whys);
	free(files->blamed);
	free(files->states);
	inputs_free(files->list);
	free(files);
	return NULL;
}

// ---- after a load ---------------------------------------------------------------------------------------------------

static const struct input *find(const struct files *files, const char *path)
{
	int number = files ? inputs_find(files->list, path) : -1;

	return number < 0 ? NULL : inputs_at(files->list, (size_t)number);
}

static void list_all(struct inputs *list, const struct files *before, const struct inputs *read, bool taken,
                     bool config_watched)
{
	for (size_t i = 0; i < inputs_count(read); i++) {
		struct input input = *inputs_at(read, i);
		const struct input *known = taken ? NULL : find(before, input.path);

		input.watched = known ? known->watched : input.kind == INPUT_CONFIG ? config_watched : input.watched;
		inputs_put(list, &input);
	}
	for (size_t i = 0; before && !taken && i < inputs_count(before->list); i++)
		if (inputs_find(read, inputs_at(before->list, i)->path) < 0)
			inputs_put(list, inputs_at(before->list, i));
}

static void take_all(struct files *files, int64_t now_s)
{
	for (size_t i = 0; i < inputs_count(files->list); i++) {
		files->states[i].taken_s = now_s;
		files->states[i].is_refused = false;
	}
}

static void set_why(struct files *files, size_t i, const char *why)
{
	free(files->whys[i]);
	files->whys[i] = why ? strdup(why) : NULL; // out of memory: it is not known
	files->states[i].why = files->whys[i];
}

static void inherit(struct files *files, const struct files *before)
{
	for (size_t i = 0; before && i < inputs_count(files->list); i++) {
		int number = inputs_find(before->list, inputs_at(files->list, i)->path);

		if (number < 0)
			continue;
		files->states[i] = before->states[number];
		files->states[i].why = NULL;
		set_why(files, i, before->whys[number]);
	}
}

struct blame {
	struct files *files;
	int64_t now_s;
	char *first; // error; owned
};

static void refuse(const struct blame *blame, size_t i, const char *why)
{
	if (blame->files->blamed[i])
		return; // its first error says most
	blame->files->blamed[i] = true;
	blame->files->states[i].refused_s = blame->now_s;
	blame->files->states[i].is_refused = true;
	set_why(blame->files, i, why);
}

// An error begins with the path of the file it is in, and a colon.
static void blame_line(void *ctx, enum report_level level, const char *text)
{
	struct blame *blame = ctx;
	char *path = level == REPORT_ERROR ? strdup(text) : NULL;

	if (path && !blame->first)
		blame->first = strdup(text);
	for (const char *colon = path ? strchr(text, ':') : NULL; colon; colon = strchr(colon + 1, ':')) {
		path[colon - text] = '\0';

		int number = inputs_find(blame->files->list, path);

		path[colon - text] = ':';
		if (number >= 0) {
			refuse(blame, (size_t)number, text);
			break;
		}
	}
	free(path);
}

// Files with errors were refused, and, in case that errors are reported elsewhere, all that had changed.
static void blame_all(struct files *files, const struct files *before, const struct report *report, int64_t now_s)
{
	struct blame blame = {files, now_s, NULL};

	report_each(report, blame_line, &blame);
	for (size_t i = 0; i < inputs_count(report_inputs(report)); i++) {
		const struct input *read = inputs_at(report_inputs(report), i), *known = find(before, read->path);
		int number = inputs_find(files->list, read->path);

		if (number >= 0 && (!known || !inputs_same_stamp(&known->stamp, &read->stamp)))
			refuse(&blame, (size_t)number, blame.first);
	}
	free(blame.first);
}

struct files *files_loaded(const struct files *before, const struct report *report, bool taken, bool config_watched,
                           int64_t now_s)
{
	const struct inputs *read = report_inputs(report);
	struct files *files = calloc(1, sizeof(*files));

	if (!files || !(files->list = inputs_new()))
		return files_free(files);
	list_all(files->list, before, read, taken, config_watched);
	files->states = calloc(inputs_count(files->list) + 1, sizeof(*files->states));
	files->whys = calloc(inputs_count(files->list) + 1, sizeof(*files->whys));
	files->blamed = calloc(inputs_count(files->list) + 1, sizeof(*files->blamed));
	if (!files->states || !files->whys || !files->blamed)
		return files_free(files);
	inherit(files, before);
	if (taken)
		take_all(files, now_s);
	else
		blame_all(files, before, report, now_s);
	return files;
}

// ---- later ----------------------------------------------------------------------------------------------------------

void files_changed(struct files *files, const struct inputs *changed, int64_t now_s)
{
	for (size_t i = 0; i < inputs_count(changed); i++) {
		int number = inputs_find(files->list, inputs_at(changed, i)->path);

		if (number >= 0)
			files->states[number].changed_s = now_s;
	}
}

const struct inputs *files_list(const struct files *files)
{
	return files->list;
}

const struct files_state *files_state(const struct files *files, size_t i)
{
	must(i < inputs_count(files->list));
	return &files->states[i];
}

struct inputs *files_watched(const struct files *files)
{
	struct inputs *watched = inputs_new();

	for (size_t i = 0; watched && i < inputs_count(files->list); i++)
		if (inputs_at(files->list, i)->watched)
			inputs_put(watched, inputs_at(files->list, i));
	return watched;
}
