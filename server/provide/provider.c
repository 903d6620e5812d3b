// A provider's thread and what provide() is lent; see provider.h. What a plugin passes is checked, and what it has not
// committed when provide() returns is as if it had not been said.
#include "provide/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clean.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/must.h"
#include "config/site_names.h"
#include "provide/batch.h"
#include "provide/object.h"

_Static_assert(offsetof(struct provider, base) == 0, "a pointer to what is lent is one to its struct provider");

// The size of the struct in ABI 1.2, the first that has it.
enum { TARGET_SIZE_MIN = offsetof(struct edgesteer_target, health) + sizeof(enum edgesteer_health) };

static struct provider *of(const struct edgesteer_host *lent)
{
	return (struct provider *)lent;
}

// ---- messages -------------------------------------------------------------------------------------------------------

static void note_error(struct provider *provider, const char *text)
{
	pthread_mutex_lock(&provider->mutex);
	clean_copy(provider->report.error, sizeof(provider->report.error), text);
	provider->report.error_s = clock_wall_s();
	pthread_mutex_unlock(&provider->mutex);
}

static void say(struct instance *instance, enum report_level level, const char *file, size_t line, const char *text)
{
	static const enum log_level levels[] = {[REPORT_ERROR] = LOG_LEVEL_ERROR, [REPORT_WARNING] = LOG_LEVEL_WARNING,
	                                        [REPORT_NOTE] = LOG_LEVEL_NOTICE};
	struct provider *provider = (struct provider *)instance;
	char at[32] = "";

	if (line)
		snprintf(at, sizeof(at), ":%zu", line);
	log_line(levels[level], "providers: %s: %s%s%s%s", provider->label, file ? file : "", at, file ? ": " : "", text);
	if (level == REPORT_ERROR)
		note_error(provider, text);
}

// ---- what is lent to provide() --------------------------------------------------------------------------------------

static struct batch *batch_of(struct provider *provider)
{
	if (!provider->batch)
		provider->batch = batch_new();
	if (!provider->batch)
		instance_error(&provider->base, "out of memory");
	return provider->batch;
}

static void forget_batch(struct provider *provider)
{
	provider->batch = batch_free(provider->batch);
	provider->is_over = false;
}

static int lent_begin(const struct edgesteer_host *lent)
{
	struct provider *provider = of(lent);
	struct batch *batch = batch_of(provider);

	if (!batch)
		return E_NOMEM;
	batch_begin(batch);
	provider->is_over = false;
	provider->refused = 0;
	return E_OK;
}

// Whether an object's refusal is new. When there are too many, none is.
static bool is_news(struct provider *provider, const char *key, const char *why)
{
	uint64_t hash = hash_bytes(hash_bytes(0, key, strlen(key)), why, strlen(why));

	for (size_t i = 0; i < provider->told_count; i++)
		if (provider->told[i] == hash)
			return false;
	if (provider->told_count == PROVIDER_TOLD_MAX)
		return false;
	provider->told[provider->told_count++] = hash;
	return true;
}

static void refuse(struct provider *provider, const char *key, const char *why)
{
	char shown[OBJECT_KEY_MAX_LEN + 1];

	snprintf(shown, sizeof(shown), "%s", key ? key : "");
	provider->refused++;
	if (!is_news(provider, shown, why))
		return;
	log_warning("providers: %s: %s %s: it is not used", provider->label, *shown ? shown : "a target", why);
	if (provider->told_count == PROVIDER_TOLD_MAX)
		log_warning("providers: %s: %d targets have been refused: further ones are counted only", provider->label,
		            PROVIDER_TOLD_MAX);
}

// Adds to the batch, or frees. Errors are reported, once for each batch.
static int stage(struct provider *provider, struct object *object)
{
	struct batch *batch = batch_of(provider);
	int err = !batch ? E_NOMEM : provider->is_over ? E_LIMIT : batch_add(batch, object);

	if (err == E_OK)
		return E_OK;
	object_free(object);
	if (!provider->is_over)
		instance_error(&provider->base, err == E_LIMIT ? "over the limit of %d targets, or %d MiB of them, in one list or "
		               "before a commit: what was committed before goes on serving" : "out of memory",
		               BATCH_OBJECTS_MAX, BATCH_BYTES_MAX >> 20);
	provider->is_over = true;
	return err;
}

static int lent_drop(const struct edgesteer_host *lent, const char *key)
{
	struct provider *provider = of(lent);
	char why[OBJECT_WHY_LEN];
	struct object *object;
	int err = object_make_drop(key, &object, why);

	if (err == E_INVAL)
		return E_OK; // there is no target with such a key
	return err < 0 ? err : stage(provider, object);
}

static int lent_put(const struct edgesteer_host *lent, const struct edgesteer_target *given)
{
	struct provider *provider = of(lent);
	struct edgesteer_target target = {0};
	char why[OBJECT_WHY_LEN];
	struct object *object;

	if (!given || given->size < TARGET_SIZE_MIN) {
		instance_error(&provider->base, "breaks the plugin contract: put() without a complete target");
		return E_INVAL;
	}
	memcpy(&target, given, given->size < sizeof(target) ? given->size : sizeof(target));

	int err = object_make(&target, &object, why);

	if (err == E_INVAL) {
		refuse(provider, target.key, why);
		err = lent_drop(lent, target.key);
		return err < 0 ? err : EDGESTEER_REFUSED;
	}
	if (err < 0) {
		instance_error(&provider->base, "%s", err_text(err));
		return err;
	}
	return stage(provider, object);
}

static int lent_commit(const struct edgesteer_host *lent)
{
	struct provider *provider = of(lent);
	struct batch *batch = batch_of(provider);

	if (!batch || provider->is_over) {
		forget_batch(provider);
		return batch ? E_LIMIT : E_NOMEM;
	}
	bool is_whole = batch->is_whole;
	size_t doubles = batch_seal(batch);

	provider->batch = NULL;
	if (is_whole && doubles != provider->doubles && doubles > 0)
		log_warning("providers: %s: its list has %zu %s with the key of another one: the last of each key is used",
		            provider->label, doubles, doubles == 1 ? "target" : "targets");
	if (is_whole)
		provider->doubles = doubles;
	if (inbox_put(provider->inbox, &provider->sender, batch) < 0)
		return E_STATE; // it is to stop, or there is no memory for a few octets
	pthread_mutex_lock(&provider->mutex);
	provider->report.committed_s = clock_wall_s();
	provider->report.refused = provider->refused;
	pthread_mutex_unlock(&provider->mutex);
	return E_OK;
}

// Under the mutex. NULL: there are too many parts.
static struct provider_part *find_part(struct provider_report *report, const char *name)
{
	struct provider_part *part = report->parts;

	for (; part < report->parts + report->part_count; part++)
		if (strcmp(part->name, name) == 0)
			return part;
	if (report->part_count == PROVIDER_PARTS_MAX)
		return NULL;
	report->part_count++;
	clean_copy(part->name, sizeof(part->name), name);
	part->state = EDGESTEER_SOURCE_CONNECTING;
	part->since_s = clock_wall_s();
	return part;
}

static void log_source(const struct provider *provider, const struct provider_part *part)
{
	const char *in = part->name[0] ? ": " : "", *why = part->text[0] ? ": " : "";

	if (part->state == EDGESTEER_SOURCE_AWAY)
		log_warning("providers: %s%s%s: the source cannot be reached, its last targets serve on%s%s", provider->label, in,
		            part->name, why, part->text);
	else if (part->state == EDGESTEER_SOURCE_CURRENT)
		log_notice("providers: %s%s%s: the source is up to date%s%s", provider->label, in, part->name, why, part->text);
}

static void set_source(struct provider *provider, const char *name, enum edgesteer_source state, const char *text)
{
	char cleaned[PROVIDER_TEXT_LEN], why[PROVIDER_TEXT_LEN];
	struct provider_part *part, copy = {0};
	bool is_new = false;

	clean_copy(why, sizeof(why), text ? text : "");
	clean_copy(cleaned, sizeof(cleaned), name ? name : "");
	pthread_mutex_lock(&provider->mutex);
	part = find_part(&provider->report, cleaned);
	if (part) {
		is_new = part->state != state || (state == EDGESTEER_SOURCE_AWAY && strcmp(part->text, why) != 0);
		if (part->state != state)
			part->since_s = clock_wall_s();
		part->state = state;
		memcpy(part->text, why, sizeof(why));
		copy = *part;
	}
	pthread_mutex_unlock(&provider->mutex);
	if (is_new)
		log_source(provider, &copy);
}

static void lent_source(const struct edgesteer_host *lent, const char *part, enum edgesteer_source state,
                        const char *text)
{
	if ((unsigned)state > EDGESTEER_SOURCE_AWAY)
		instance_error(&of(lent)->base, "breaks the plugin contract: source() with a state there is none of");
	else
		set_source(of(lent), part, state, text);
}

static int lent_stop_fd(const struct edgesteer_host *lent)
{
	return of(lent)->chore.stop_fd;
}

// ---- the thread -----------------------------------------------------------------------------------------------------

static void set_waiting(struct provider *provider, bool is_waiting)
{
	pthread_mutex_lock(&provider->mutex);
	provider->report.is_waiting = is_waiting;
	pthread_mutex_unlock(&provider->mutex);
}

static void call_provide(void *ctx)
{
	struct provider *provider = ctx;

	(void)provider->base.plugin.methods->provide(provider->base.self); // any result is a failure, unless it is to stop
	forget_batch(provider);
}

static void pausing(void *ctx, int for_s)
{
	struct provider *provider = ctx;

	log_warning("providers: %s: has stopped by itself: it is called again in %d s, its last targets serve on",
	            provider->label, for_s);
	set_waiting(provider, true);
}

static void resuming(void *ctx)
{
	set_waiting(ctx, false);
}

static void ended(void *ctx)
{
	struct provider *provider = ctx;

	instance_close(&provider->base, NULL);
	provider->is_open = false;
	inbox_end(provider->inbox, &provider->sender);
}

bool provider_start(struct provider *provider)
{
	must(provider->inbox);
	return chore_start(&provider->chore, "provider");
}

void provider_stop(struct provider *provider)
{
	inbox_close(provider->inbox, &provider->sender);
	chore_stop(&provider->chore);
}

void provider_read_report(struct provider *provider, struct provider_report *ret_report)
{
	pthread_mutex_lock(&provider->mutex);
	*ret_report = provider->report;
	pthread_mutex_unlock(&provider->mutex);
}

// ---- making one -----------------------------------------------------------------------------------------------------

char *provider_key(const struct config_provider *entry)
{
	char *key = NULL, *options = values_json(entry->options);

	// Relative paths start in the folder of the file.
	if (options && asprintf(&key, "%s %s %s", entry->plugin, options, entry->options->file->path) < 0)
		key = NULL;
	free(options);
	return key;
}

// Everything but the instance.
static struct provider *make(const struct config *config, const struct config_provider *entry, const char *key,
                             int *ret_err)
{
	static const struct chore_ops ops = {call_provide, pausing, resuming, ended};
	struct provider *provider = calloc(1, sizeof(*provider));

	if (!provider)
		return NULL;
	must(pthread_mutex_init(&provider->mutex, NULL) == 0);
	*ret_err = chore_init(&provider->chore, &ops, provider);
	provider->told = calloc(PROVIDER_TOLD_MAX, sizeof(*provider->told));
	provider->key = strdup(key);
	provider->plugin = strdup(entry->plugin);
	provider->file = strdup(entry->mark.file ? entry->mark.file : config->file);
	if (!provider->told || !provider->key || !provider->plugin || !provider->file)
		return provider_free(provider);
	provider->sender.provider = provider;
	provider->line = entry->mark.line;
	provider->column = entry->mark.column;
	snprintf(provider->id, sizeof(provider->id), "%s %016llx", entry->plugin,
	         (unsigned long long)hash_mix(hash_bytes(0, key, strlen(key))));
	return provider;
}

int provider_open(const struct config *config, const struct config_provider *entry, const char *key, struct inbox *inbox,
                  struct report *report, struct provider **ret_provider)
{
	static const struct edgesteer_host job = {
		.begin = lent_begin, .put = lent_put, .drop = lent_drop, .commit = lent_commit, .source = lent_source,
		.stop_fd = lent_stop_fd,
	};
	const struct plugin_entry at = {PLUGIN_PROVIDERS, entry->plugin, entry->options, entry->mark};
	int err = E_NOMEM;
	struct provider *provider = make(config, entry, key, &err);
	const struct value *sites;

	if (!provider)
		return E_NOMEM;
	if (err == E_OK)
		err = instance_open(&provider->base, &job, config->server.plugin_dir, &at, report);
	if (err < 0) {
		provider_free(provider);
		return err;
	}
	for (size_t row = 0; (sites = instance_next_sites(&provider->base, &row));)
		site_names_check(config, sites, report);
	provider->base.say = say;
	provider->is_open = true;
	provider->inbox = inbox;
	instance_label(&provider->base, provider->label);
	*ret_provider = provider;
	return E_OK;
}

struct provider *provider_free(struct provider *provider)
{
	if (!provider)
		return NULL;
	must(provider->roll.count == 0 && !provider->batch);
	free(provider->roll.objects);
	if (provider->is_open)
		instance_close(&provider->base, NULL);
	chore_wipe(&provider->chore);
	pthread_mutex_destroy(&provider->mutex);
	free(provider->told);
	free(provider->key);
	free(provider->plugin);
	free(provider->file);
	free(provider);
	return NULL;
}
