// Files that are watched, and reloads for their changes; see watching.h.
#include "daemon/watching.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/inputs.h"
#include "base/log.h"
#include "base/report.h"
#include "config/config.h"
#include "generation/reload.h"
#include "watch/files.h"
#include "watch/lookout.h"
#include "watch/filewatch.h"

static const struct lookout_times times = {.quiet_ms = 1000, .quiet_max_ms = 10000, .stat_ms = 30000};

// What the last reload was for.
struct cause {
	char *path;    // the first file; NULL: there was none
	size_t more;   // files
	int64_t ended_s;
	char *refused; // the first error; NULL: it was taken, or something was since
	bool under_way;
};

struct watching {
	struct reload *reload;
	struct filewatch *watch;
	struct files *files;
	struct cause cause;
	bool is_held;
};

static void watch_files(struct watching *watching)
{
	struct inputs *watched = files_watched(watching->files);

	if (inputs_count(files_list(watching->files)) == INPUTS_MAX)
		log_warning("watching files: the list of %d is full: changes of others are not noticed", INPUTS_MAX);
	if (watched)
		filewatch_set(watching->watch, watched);
}

static void keep_error(void *ctx, enum report_level level, const char *text)
{
	struct cause *cause = ctx;

	if (level == REPORT_ERROR && !cause->refused)
		cause->refused = strdup(text);
}

static void reloaded(void *ctx, int err, const struct report *report)
{
	struct watching *watching = ctx;
	struct cause *cause = &watching->cause;

	cause->under_way = false;
	cause->ended_s = clock_wall_s();
	free(cause->refused);
	cause->refused = NULL;
	if (err < 0 && report)
		report_each(report, keep_error, cause);
	if (err < 0 && !cause->refused)
		cause->refused = strdup(err_text(err));
}

static void changed(void *ctx, const struct inputs *files)
{
	static const struct input_stamp gone;
	struct watching *watching = ctx;
	struct cause *cause = &watching->cause;
	const struct input *first = inputs_at(files, 0);
	size_t more = inputs_count(files) - 1;

	files_changed(watching->files, files, clock_wall_s());
	if (watching->is_held) {
		log_warning("%s has changed, and is not taken: the daemon is rolled back until `edgesteerctl reload`", first->path);
		return;
	}
	if (reload_began_s(watching->reload))
		return; // if that one has read another version, this is told again
	free(cause->path);
	cause->path = strdup(first->path);
	cause->more = more;
	cause->under_way = true;
	if (more)
		log_notice("%s and %zu more %s changed: reloading", first->path, more, more == 1 ? "file" : "files");
	else
		log_notice("%s %s: reloading", first->path,
		           inputs_same_stamp(&first->stamp, &gone) ? "is gone" : "has changed");
	reload_begin_unasked(watching->reload, reloaded, watching);
}

struct watching *watching_new(struct event_base *base, const struct report *first, const struct config *config,
                              struct reload *reload)
{
	struct watching *watching = calloc(1, sizeof(*watching));

	if (!watching)
		return NULL;

	struct filewatch_ops watch_ops = {changed, watching};

	watching->reload = reload;
	watching->files = files_loaded(NULL, first, true, config->server.watch == CONFIG_WATCH_ON, clock_wall_s());
	if (watching->files)
		watching->watch = filewatch_new(base, &times, &watch_ops);
	if (!watching->watch)
		return watching_free(watching);
	watch_files(watching);
	return watching;
}

bool watching_stop(struct watching *watching, int patience_ms)
{
	return !watching || filewatch_stop(watching->watch, patience_ms);
}

struct watching *watching_free(struct watching *watching)
{
	if (!watching)
		return NULL;
	filewatch_free(watching->watch);
	files_free(watching->files);
	free(watching->cause.path);
	free(watching->cause.refused);
	free(watching);
	return NULL;
}

// Nobody may have thought of these.
static void tell_unwatched(const struct inputs *before, const struct inputs *read)
{
	for (size_t i = 0; i < inputs_count(read); i++) {
		const struct input *input = inputs_at(read, i);
		int number = inputs_find(before, input->path);

		if (number < 0 || inputs_at(before, (size_t)number)->watched ||
		    inputs_same_stamp(&inputs_at(before, (size_t)number)->stamp, &input->stamp))
			continue;
		log_notice("%s has changed too, and is taken with it", input->path);
	}
}

void watching_loaded(struct watching *watching, int err, const struct report *report, const struct config *config)
{
	struct files *files = files_loaded(watching->files, report, err == E_OK, config->server.watch == CONFIG_WATCH_ON,
	                                   clock_wall_s());

	if (err == E_OK && watching->cause.under_way)
		tell_unwatched(files_list(watching->files), report_inputs(report));
	if (err == E_OK) {
		free(watching->cause.refused);
		watching->cause.refused = NULL;
	}
	if (!files)
		return; // out of memory: those before are watched
	files_free(watching->files);
	watching->files = files;
	watch_files(watching);
}

void watching_hold(struct watching *watching, bool holds)
{
	watching->is_held = holds;
}

void watching_again(struct watching *watching)
{
	watch_files(watching);
}

const struct files *watching_files(const struct watching *watching)
{
	return watching->files;
}

json_t *watching_status(const struct watching *watching)
{
	const struct cause *cause = &watching->cause;
	const struct inputs *list = files_list(watching->files);
	json_int_t watched = 0;

	for (size_t i = 0; i < inputs_count(list); i++)
		watched += inputs_at(list, i)->watched;

	json_t *status = json_pack("{s:I}", "files", watched);

	if (status && watching->is_held)
		json_object_set_new(status, "held", json_true());
	if (status && cause->ended_s) {
		json_object_set_new(status, "last", json_integer(cause->ended_s));
		json_object_set_new(status, "file", cause->path ? json_string(cause->path) : NULL);
		json_object_set_new(status, "more", json_integer((json_int_t)cause->more));
		if (cause->refused)
			json_object_set_new(status, "refused", json_string(cause->refused));
	}
	return status;
}
