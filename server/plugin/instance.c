// Opening plugins, and what every instance is lent; see instance.h. Plugins of third parties are not trusted: a call at
// the wrong time is refused with a message.
#include "plugin/instance.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/inputs.h"
#include "base/must.h"
#include "schema/reader.h"
#include "schema/value.h"

enum { MESSAGE_MAX_LEN = 768, ARENA_BYTES_MAX = 256 << 20 };

_Static_assert(offsetof(struct instance, lent) == 0, "a pointer to `lent` is one to its struct instance");

// ---- messages -------------------------------------------------------------------------------------------------------

static void say(struct instance *instance, enum report_level level, const char *file, size_t line, const char *text)
{
	if (!instance->report && instance->say)
		instance->say(instance, level, file, line, text);
	else if (instance->report && file)
		report_add(instance->report, level, file, line, 0, "%s", text);
	else if (instance->report)
		plugin_say(instance->report, level, &instance->entry, NULL, "%s", text);
}

void instance_error(struct instance *instance, const char *fmt, ...)
{
	char text[MESSAGE_MAX_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say(instance, REPORT_ERROR, NULL, 0, text);
}

int instance_outcome(struct instance *instance, int err, size_t errors)
{
	if (err < 0 && report_count(instance->report, REPORT_ERROR) == errors)
		instance_error(instance, "failed without reporting an error");
	return report_count(instance->report, REPORT_ERROR) == errors ? err : err == E_NOMEM ? E_NOMEM : E_INVAL;
}

// ---- what is lent ---------------------------------------------------------------------------------------------------

static const char *lent_option(const struct edgesteer_host *lent, const char *name)
{
	return values_text(&((const struct instance *)lent)->values, name);
}

static int lent_option_map(const struct edgesteer_host *lent, const char *name,
                           int (*each)(void *ctx, const char *key, const char *value), void *ctx)
{
	const struct instance *instance = (const struct instance *)lent;
	int stop = 0;

	value_foreach (pair, value_get(instance->entry.options, name))
		if ((stop = each(ctx, pair->key, value_text(pair))) != 0)
			break;
	return stop;
}

static void lent_report(const struct edgesteer_host *lent, enum edgesteer_level level, const char *file, size_t line,
                        const char *fmt, ...) PRINTF(5, 6);

static void lent_report(const struct edgesteer_host *lent, enum edgesteer_level level, const char *file, size_t line,
                        const char *fmt, ...)
{
	enum report_level said = level == EDGESTEER_WARNING ? REPORT_WARNING
	                         : level == EDGESTEER_NOTE  ? REPORT_NOTE
	                                                    : REPORT_ERROR;
	char text[MESSAGE_MAX_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say((struct instance *)lent, said, file, line, text);
}

static const char *lent_path(const struct edgesteer_host *lent, const char *written)
{
	const struct instance *instance = (const struct instance *)lent;

	return written ? reader_path_beside(instance->arena, instance->beside, written) : NULL;
}

// Providers watch their files themselves.
static struct inputs *inputs_of(const struct instance *instance)
{
	return instance->report && instance->entry.list == PLUGIN_LOCATE ? report_inputs(instance->report) : NULL;
}

static void lent_reads(const struct edgesteer_host *lent, const char *path)
{
	struct inputs *inputs = inputs_of((const struct instance *)lent);

	if (inputs && path)
		inputs_add(inputs, path);
}

static int refuse_call(const struct edgesteer_host *lent, const char *call, const char *job)
{
	instance_error((struct instance *)lent, "breaks the plugin contract: %s() outside of %s()", call, job);
	return E_INVAL;
}

static int refuse_add(const struct edgesteer_host *lent, const struct edgesteer_prefix *prefix,
                      const struct edgesteer_place *place)
{
	(void)prefix, (void)place;
	return refuse_call(lent, "add", "enumerate");
}

static int refuse_begin(const struct edgesteer_host *lent)
{
	return refuse_call(lent, "begin", "provide");
}

static int refuse_put(const struct edgesteer_host *lent, const struct edgesteer_target *target)
{
	(void)target;
	return refuse_call(lent, "put", "provide");
}

static int refuse_drop(const struct edgesteer_host *lent, const char *key)
{
	(void)key;
	return refuse_call(lent, "drop", "provide");
}

static int refuse_commit(const struct edgesteer_host *lent)
{
	return refuse_call(lent, "commit", "provide");
}

static void refuse_source(const struct edgesteer_host *lent, const char *part, enum edgesteer_source state,
                          const char *text)
{
	(void)part, (void)state, (void)text;
	refuse_call(lent, "source", "provide");
}

static int refuse_stop_fd(const struct edgesteer_host *lent)
{
	return refuse_call(lent, "stop_fd", "provide");
}

static int refuse_question_fd(const struct edgesteer_host *lent)
{
	return refuse_call(lent, "question_fd", "look_up");
}

static int refuse_take(const struct edgesteer_host *lent, struct edgesteer_question *ret_question)
{
	(void)ret_question;
	return refuse_call(lent, "take", "look_up");
}

static void refuse_answer(const struct edgesteer_host *lent, uint64_t id, const struct edgesteer_finding *finding)
{
	(void)id, (void)finding;
	refuse_call(lent, "answer", "look_up");
}

static void refuse_step(const struct edgesteer_host *lent, const struct edgesteer_step *step)
{
	(void)step;
	refuse_call(lent, "step", "register_targets");
}

static int refuse_pace(const struct edgesteer_host *lent)
{
	return refuse_call(lent, "pace", "look_up") < 0 ? 1000 : 0;
}

static struct edgesteer_host lend(const struct edgesteer_host *job)
{
	return (struct edgesteer_host){
		.size = sizeof(struct edgesteer_host),
		.option = lent_option,
		.option_map = lent_option_map,
		.report = lent_report,
		.path = lent_path,
		.reads = lent_reads,
		.add = job->add ? job->add : refuse_add,
		.begin = job->begin ? job->begin : refuse_begin,
		.put = job->put ? job->put : refuse_put,
		.drop = job->drop ? job->drop : refuse_drop,
		.commit = job->commit ? job->commit : refuse_commit,
		.source = job->source ? job->source : refuse_source,
		.stop_fd = job->stop_fd ? job->stop_fd : refuse_stop_fd,
		.question_fd = job->question_fd ? job->question_fd : refuse_question_fd,
		.take = job->take ? job->take : refuse_take,
		.answer = job->answer ? job->answer : refuse_answer,
		.step = job->step ? job->step : refuse_step,
		.pace = job->pace ? job->pace : refuse_pace,
	};
}

// ---- an instance ----------------------------------------------------------------------------------------------------

// The files that options name are read by the plugin, which says itself what else it reads.
static void note_files(const struct instance *instance)
{
	const struct values *values = &instance->values;
	struct inputs *inputs = inputs_of(instance);

	for (size_t i = 0; inputs && i < values->count; i++)
		if (values->rows[i].type == EDGESTEER_FILE && values->texts[i])
			inputs_add(inputs, values->texts[i]);
}

// Copies what the instance needs of the entry. Positions in files other than the entry's own are used during the call
// only, and need no copy.
static int copy_entry(struct instance *instance, const struct plugin_entry *entry)
{
	struct arena *arena = instance->arena;

	instance->entry = (struct plugin_entry){
		.list = entry->list,
		.plugin = arena_strdup(arena, entry->plugin),
		.options = entry->options ? value_copy(arena, entry->options) : NULL,
		.mark = {entry->mark.file ? arena_strdup(arena, entry->mark.file) : NULL, entry->mark.line, entry->mark.column},
	};
	instance->beside = arena_strdup(arena, entry->options ? entry->options->file->path : "/");
	return !instance->entry.plugin || (entry->options && !instance->entry.options) || !instance->beside ||
	               (entry->mark.file && !instance->entry.mark.file) ? E_NOMEM : E_OK;
}

static int open_loaded(struct instance *instance, const struct plugin_entry *entry)
{
	size_t errors = report_count(instance->report, REPORT_ERROR);
	int err = copy_entry(instance, entry);

	if (err == E_OK) // messages about options are at their place in the files, which are the config's
		err = values_read(instance->plugin.methods->options, &instance->entry, instance->beside, instance->arena,
		                  instance->report, &instance->values);
	note_files(instance);
	if (err == E_OK && instance->plugin.methods->open(&instance->lent, &instance->self) < 0)
		err = instance_outcome(instance, E_INVAL, errors);
	return err;
}

int instance_open(struct instance *instance, const struct edgesteer_host *job, const char *folder,
                  const struct plugin_entry *entry, struct report *report)
{
	struct plugin plugin;
	int err = plugin_load(folder, entry, report, &plugin);

	if (err < 0)
		return err;
	*instance = (struct instance){
		.lent = lend(job),
		.plugin = plugin,
		.arena = arena_new(ARENA_BYTES_MAX),
		.report = report,
	};
	err = instance->arena ? open_loaded(instance, entry) : E_NOMEM;
	instance->report = NULL;
	if (err < 0) {
		plugin_unload(&instance->plugin);
		instance->arena = arena_free(instance->arena);
	}
	return err;
}

const struct value *instance_next_sites(const struct instance *instance, size_t *at)
{
	const struct values *values = &instance->values;
	const struct value *sites = NULL;

	for (; *at < values->count && !sites; ++*at)
		if (values->rows[*at].type == EDGESTEER_SITES && instance->entry.options)
			sites = value_get(instance->entry.options, values->rows[*at].name);
	return sites;
}

void instance_close(struct instance *instance, struct report *report)
{
	instance->report = report;
	if (instance->plugin.methods->close)
		instance->plugin.methods->close(instance->self);
	plugin_unload(&instance->plugin);
	instance->arena = arena_free(instance->arena);
}

// The host of a URL, with its port; "" when it has none.
static int host_of(const char *url, const char **ret_host)
{
	const char *host = strstr(url, "://");

	*ret_host = host ? host + 3 : "";
	return (int)strcspn(*ret_host, "/?#");
}

const char *instance_label(const struct instance *instance, char *buf)
{
	const char *url = values_text(&instance->values, "base-url"), *path = values_first_path(&instance->values), *what = path;
	int len;

	if (url)
		len = host_of(url, &what);
	else
		what = path && strrchr(path, '/') ? strrchr(path, '/') + 1 : path ? path : "", len = (int)strlen(what);
	snprintf(buf, INSTANCE_LABEL_LEN, "%s%s%.*s", instance->plugin.methods->name, len > 0 ? " " : "", len, what);
	return buf;
}
