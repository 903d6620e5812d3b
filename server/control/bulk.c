// Learned prefixes as rows, out and in; see bulk.h.
#include "control/bulk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "control/background.h"
#include "control/call.h"
#include "control/ops.h"
#include "control/reply_json.h"
#include "control/show.h"
#include "learn/importing.h"
#include "learn/learner.h"
#include "learn/shown.h"
#include "state/provided.h"
#include "state/state.h"
#include "view/live.h"

enum { REFUSED_MAX = 100 };

static const int64_t time_max_s = 253402300799; // of the year 9999

static json_t *count(uint64_t number)
{
	return json_integer((json_int_t)number);
}

static void run(const struct call *call, struct background_job *job)
{
	if (call->ops.background) {
		background_run(call->ops.background, job);
		return;
	}
	job->work(job);
	job->done(job);
}

// ---- export ---------------------------------------------------------------------------------------------------------

struct export_job {
	struct background_job job; // first
	struct call *call;
	struct shown_page page;
	json_t *reply;
};

static json_t *row_json(const struct shown_entry *shown)
{
	const struct book_entry *entry = &shown->entry;
	char text[ADDR_TEXT_LEN];
	json_t *object = json_object();

	object = reply_set(object, "prefix", json_string(prefix_format(&entry->prefix, text)));
	object = reply_set(object, "sites", show_learned_sites(shown));
	object = reply_set(object, "carrier", reply_text(shown->carrier));
	object = reply_set(object, "class", reply_text(shown->class_));
	object = reply_set(object, "source", reply_text(shown->source));
	object = reply_set(object, "learned", count((uint64_t)entry->learned_s));
	object = reply_set(object, "heard", count((uint64_t)entry->heard_s));
	object = reply_set(object, "fresh_until", count((uint64_t)entry->fresh_until_s));
	object = reply_set(object, "held_until", count((uint64_t)entry->held_until_s));
	object = reply_set(object, "confidence", count(entry->opinion.confidence));
	object = reply_set(object, "samples", count(entry->samples));
	return reply_set(object, "weight", count(entry->weight));
}

static void export_work(struct background_job *base)
{
	struct export_job *job = (struct export_job *)base;
	const struct call *call = job->call;
	struct shown_page *page = &job->page;
	json_t *rows = json_array();
	const struct shown_filter filter = {.site = call_text(call, "site"), .source = call_text(call, "source")};
	char text[ADDR_TEXT_LEN];
	int err;

	page->entries = calloc(BULK_PART, sizeof(*page->entries));
	page->max = BULK_PART;
	page->is_last = true;
	err = page->entries ? E_OK : E_NOMEM;
	if (err == E_OK && call->ops.learner)
		err = shown_page(call->ops.learner, &filter, page);
	for (size_t i = 0; i < page->count; i++)
		rows = reply_append(rows, row_json(&page->entries[i]));
	if (err == E_OK)
		job->reply = reply_set(reply_ok(), "rows", rows);
	else
		json_decref(rows);
	if (!page->is_last)
		job->reply = reply_set(job->reply, "next", json_string(prefix_format(&page->after, text)));
	free(page->entries);
}

static void export_done(struct background_job *base)
{
	struct export_job *job = (struct export_job *)base;

	call_finish(job->call, job->reply);
	free(job);
}

void bulk_export(const struct call *call)
{
	const char *after = call_text(call, "after");
	struct export_job *job;
	struct prefix prefix = {{0}, 0};

	if (after && prefix_parse(after, &prefix, NULL) < 0) {
		call_answer(call, reply_error(REPLY_USAGE, "after: '%.64s' is not a prefix like 192.0.2.0/24", after));
		return;
	}
	job = calloc(1, sizeof(*job));
	if (!job) {
		call_answer(call, NULL);
		return;
	}
	*job = (struct export_job){.job = {.work = export_work, .done = export_done}, .page = {.after = prefix, .has_after = after}};
	job->call = call_keep(call);
	if (job->call)
		run(job->call, &job->job);
	else
		free(job);
}

// ---- import: a row --------------------------------------------------------------------------------------------------

PRINTF(3, 4) static bool fail(struct importing_fault *fault, const char *field, const char *fmt, ...)
{
	va_list ap;

	fault->field = field;
	va_start(ap, fmt);
	vsnprintf(fault->why, sizeof(fault->why), fmt, ap);
	va_end(ap);
	return false;
}

static bool take_name(const json_t *value, char *ret_name)
{
	const char *text = json_string_value(value);
	size_t len = text ? json_string_length(value) : 0;

	if (!text || len > NAME_MAX_LEN)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	memcpy(ret_name, text, len + 1);
	return true;
}

static bool take_prefix(const json_t *value, struct importing_row *row, struct importing_fault *fault)
{
	const char *text = json_string_value(value);
	bool has_tail = false;

	if (!text || prefix_parse(text, &row->prefix, &has_tail) < 0)
		return fail(fault, "prefix", "it is not a prefix like 192.0.2.0/24");
	return !has_tail || fail(fault, "prefix", "it has bits past its length");
}

static bool take_sites(const json_t *list, struct importing_row *row, struct importing_fault *fault)
{
	size_t number = json_array_size(list);

	if (!json_is_array(list) || number > FINDING_SITES_MAX)
		return fail(fault, "site", "it is not a list of up to 4 names");
	for (size_t i = 0; i < number; i++) {
		if (!take_name(json_array_get(list, i), row->sites[i]) || !row->sites[i][0])
			return fail(fault, "site", "one is not a name of up to 63 printable ASCII characters");
		for (size_t k = 0; k < i; k++)
			if (strcmp(row->sites[k], row->sites[i]) == 0)
				return fail(fault, "site", "one is there twice");
	}
	return true;
}

_Static_assert(FINDING_SITES_MAX == 4 && NAME_MAX_LEN == 63, "messages say so");

// False: it is no number up to `max`.
static bool take_number(const json_t *value, int64_t max, int64_t *ret_number)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || number > max)
		return false;
	*ret_number = number;
	return true;
}

static bool take_lower(const json_t *value, const char *field, char *ret_name, struct importing_fault *fault)
{
	if (!take_name(value, ret_name))
		return fail(fault, field, "it is not a name of up to 63 printable ASCII characters");
	names_lower(ret_name, ret_name, strlen(ret_name));
	return true;
}

static bool take_field(const char *key, const json_t *value, struct importing_row *row, struct importing_fault *fault)
{
	int64_t samples = row->samples, weight = row->weight, confidence = row->confidence;
	const struct {
		const char *key, *field;
		int64_t max, *to;
	} numbers[] = {
		{"learned", "learned", time_max_s, &row->learned_s},
		{"heard", "heard", time_max_s, &row->heard_s},
		{"fresh_until", "fresh-until", time_max_s, &row->fresh_until_s},
		{"held_until", "held-until", time_max_s, &row->held_until_s},
		{"samples", "samples", UINT32_MAX, &samples},
		{"weight", "weight", UINT32_MAX, &weight},
		{"confidence", "confidence", UINT8_MAX, &confidence},
	};

	if (strcmp(key, "prefix") == 0)
		return take_prefix(value, row, fault);
	if (strcmp(key, "sites") == 0)
		return take_sites(value, row, fault);
	if (strcmp(key, "carrier") == 0)
		return take_lower(value, "carrier", row->carrier, fault);
	if (strcmp(key, "class") == 0)
		return take_lower(value, "class", row->class_, fault);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		if (strcmp(key, numbers[i].key) != 0)
			continue;
		if (!take_number(value, numbers[i].max, numbers[i].to))
			return fail(fault, numbers[i].field, "it is not a whole number in its range");
		row->samples = (uint32_t)samples;
		row->weight = (uint32_t)weight;
		row->confidence = (uint8_t)confidence;
		return true;
	}
	return fail(fault, "", "the row has a field that is not known: %.40s", key);
}

static bool take_row(json_t *object, struct importing_row *row, struct importing_fault *fault)
{
	const char *key;
	json_t *value;

	*row = (struct importing_row){0};
	if (!json_is_object(object) || !json_object_get(object, "prefix"))
		return fail(fault, "", "it is not an object with a \"prefix\"");
	json_object_foreach(object, key, value)
		if (!take_field(key, value, row, fault))
			return false;
	return true;
}

// ---- import: a batch ------------------------------------------------------------------------------------------------

struct import_job {
	struct background_job job; // first
	struct call *call;
	struct importing_row *rows;
	size_t count, wrong;
	bool is_dry, is_serving;   // is_serving: there is a view
	int err;
	struct importing_counts counts;
	json_t *refused;           // [{"row", "field", "why"}]
};

static void refuse(struct import_job *job, size_t row, const struct importing_fault *fault)
{
	json_t *object;

	if (job->wrong++ >= REFUSED_MAX)
		return;
	object = reply_set(json_object(), "row", count(row));
	object = reply_set(object, "field", json_string(fault->field));
	job->refused = reply_append(job->refused, reply_set(object, "why", reply_text(fault->why)));
}

static void import_work(struct background_job *base)
{
	struct import_job *job = (struct import_job *)base;
	struct learner *learner = job->call->ops.learner;
	const json_t *list = json_object_get(job->call->request, "rows");
	const struct live *live = live_read();
	struct importing_fault fault;

	job->is_serving = live;
	for (size_t i = 0; i < job->count && live; i++)
		if (!take_row(json_array_get(list, i), &job->rows[i], &fault) ||
		    !importing_check(learner, live->view, &job->rows[i], &fault))
			refuse(job, i, &fault);
	if (live && job->wrong == 0)
		job->err = importing_take(learner, live->view, job->rows, job->count, job->is_dry, &job->counts);
}

static json_t *set_counts(const struct import_job *job, json_t *reply)
{
	const struct importing_counts *counts = &job->counts;
	struct provided_progress progress;

	state_progress(job->call->ops.state, &progress);

	const struct {
		const char *key;
		uint64_t value;
	} list[] = {
		{"imported", counts->imported}, {"same", counts->same},       {"newer", counts->newer},
		{"expired", counts->expired},   {"no_room", counts->refused}, {"ignored", counts->ignored},
		{"out_of_reach", counts->out_of_reach}, {"queued", progress.queued}, {"written", progress.written},
		{"lost", progress.lost},
	};

	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		reply = reply_set(reply, list[i].key, count(list[i].value));
	return reply;
}

static json_t *import_reply(struct import_job *job)
{
	json_t *refused = job->refused;

	job->refused = NULL;
	if (job->wrong > 0)
		return reply_set(reply_set(reply_error(REPLY_USAGE, "%zu of %zu rows are wrong; none of them was imported", job->wrong,
		                                       job->count), "refused", refused), "wrong", count(job->wrong));
	json_decref(refused);
	if (!job->is_serving)
		return reply_error(REPLY_REFUSED, "the daemon does not serve yet");
	if (job->err < 0)
		return reply_error(REPLY_REFUSED, "%s: %zu of %zu rows were imported", err_text(job->err), job->counts.imported,
		                   job->count);
	return set_counts(job, reply_ok());
}

static void import_done(struct background_job *base)
{
	struct import_job *job = (struct import_job *)base;
	bool has_any = !job->is_dry && job->counts.imported > 0;

	if (has_any) {
		learner_imported(job->call->ops.learner);
		log_notice("control: %s: learned import: %zu prefixes", job->call->who, job->counts.imported);
	}
	call_finish(job->call, import_reply(job));
	free(job->rows);
	free(job);
}

// NULL, or the refusal.
static json_t *check_batch(const struct call *call, size_t number)
{
	struct importing_fault fault;

	if (!call->ops.learner)
		return reply_error(REPLY_REFUSED, "nothing can be learned");
	if (number > IMPORTING_BATCH_MAX)
		return reply_error(REPLY_USAGE, "%zu rows, at most %d are taken at a time", number, IMPORTING_BATCH_MAX);
	if (!importing_fits(call->ops.learner, (size_t)call_number(call, "total"), &fault))
		return reply_error(REPLY_USAGE, "%s", fault.why);
	return NULL;
}

void bulk_import(const struct call *call)
{
	size_t number = json_array_size(json_object_get(call->request, "rows"));
	json_t *refusal = check_batch(call, number);
	struct import_job *job = refusal ? NULL : calloc(1, sizeof(*job));
	struct importing_row *rows = job ? calloc(number + 1, sizeof(*rows)) : NULL;

	if (!rows) {
		free(job);
		call_answer(call, refusal);
		return;
	}
	*job = (struct import_job){.job = {.work = import_work, .done = import_done}, .rows = rows, .count = number,
	                           .is_dry = json_is_true(json_object_get(call->request, "dry_run")), .refused = json_array()};
	job->call = call_keep(call);
	if (job->call) {
		job->call->changes = false; // it is logged in short: a file has many batches
		run(job->call, &job->job);
		return;
	}
	json_decref(job->refused);
	free(rows);
	free(job);
}
