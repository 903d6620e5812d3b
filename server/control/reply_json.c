// Making replies; see reply_json.h.
#include "control/reply_json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/must.h"
#include "base/report.h"
#include "state/override.h"

json_t *reply_ok(void)
{
	return json_pack("{s:b}", "ok", 1);
}

json_t *reply_error(enum reply_code code, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);

	int len = vasprintf(&text, fmt, ap);

	va_end(ap);
	if (len < 0)
		return NULL;

	json_t *reply = json_pack("{s:b, s:o, s:i}", "ok", 0, "error", reply_text(clean_text(text)), "code", code); // it may quote

	free(text);
	return reply;
}

json_t *reply_set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) == 0)
		return object;
	json_decref(object);
	return NULL;
}

json_t *reply_append(json_t *list, json_t *value)
{
	if (json_array_append_new(list, value) == 0)
		return list;
	json_decref(list);
	return NULL;
}

json_t *reply_text(const char *text)
{
	if (!text)
		return json_null();

	json_t *string = json_string(text);

	if (string)
		return string;

	char *clean = strdup(text);

	string = clean ? json_string(clean_text(clean)) : NULL;
	free(clean);
	return string;
}

json_t *reply_time(int64_t time_s)
{
	return time_s ? json_integer(time_s) : json_null();
}

// What a drain does at the moment.
static const char *phase_of(const struct override *drain)
{
	if (!drain->has_begun)
		return "scheduled";
	if (drain->is_returning)
		return "returning";
	return drain->share_now > 0 ? "draining" : "drained";
}

json_t *reply_given(json_t *object, const struct override *override)
{
	object = reply_set(object, "site", reply_text(override->site));
	object = reply_set(object, "app", reply_text(override->app));
	object = reply_set(object, "reason", reply_text(override->reason));
	object = reply_set(object, "who", reply_text(override->who));
	object = reply_set(object, "by", reply_text(override->by));
	object = reply_set(object, "since", reply_time(override->since_s));
	object = reply_set(object, "until", reply_time(override->until_s));
	object = reply_set(object, "start", reply_time(override_start_s(override)));
	if (override->over_s)
		object = reply_set(object, "over_s", json_integer(override->over_s));
	if (override->is_forced)
		object = reply_set(object, "forced", json_true());
	if (override->ender)
		object = reply_set(object, "ender", reply_text(override->ender));
	return override->is_volatile ? reply_set(object, "volatile", json_true()) : object;
}

json_t *reply_drain_into(json_t *object, const struct override *drain)
{
	object = reply_given(object, drain);
	object = reply_set(object, "phase", json_string(phase_of(drain)));
	return reply_set(object, "moved", json_real(1 - (double)drain->share_now / SHARE_WHOLE));
}

json_t *reply_drain(const struct override *drain)
{
	return drain ? reply_drain_into(json_object(), drain) : json_null();
}

bool reply_has(const json_t *list, const json_t *value)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_equal(json_array_get(list, i), value))
			return true;
	return false;
}

static void add_line(void *ctx, enum report_level level, const char *text)
{
	static const char *const keys[] = {
		[REPORT_ERROR] = "errors", [REPORT_WARNING] = "warnings", [REPORT_NOTE] = "notes",
	};
	json_t **object = ctx;
	json_t *lines;

	must((size_t)level < ARRAY_LEN(keys));
	lines = json_object_get(*object, keys[level]);
	if (*object && !lines) {
		*object = reply_set(*object, keys[level], json_array());
		lines = json_object_get(*object, keys[level]);
	}
	if (lines && json_array_append_new(lines, reply_text(text)) < 0) {
		json_decref(*object);
		*object = NULL;
	}
}

json_t *reply_report(json_t *object, const struct report *report)
{
	report_each(report, add_line, &object);
	return object;
}
