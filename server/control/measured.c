// Measured round trips at the control socket; see measured.h.
#include "control/measured.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "control/call.h"
#include "control/ops.h"
#include "control/reply_json.h"
#include "learn/hopper.h"
#include "learn/learner.h"
#include "learn/shown.h"

static json_t *count(uint64_t number)
{
	return json_integer((json_int_t)number);
}

json_t *measured_put(const struct call *call)
{
	const char *lines = call_text(call, "lines");
	json_t *errors = json_array(), *reply;
	struct hopper_result result;

	if (!call->ops.learner || learner_observe(call->ops.learner, call->who, lines, strlen(lines), &result) == E_STATE) {
		json_decref(errors);
		return reply_error(REPLY_REFUSED, "nothing is observed: the config has no section `observe`");
	}
	for (unsigned i = 0; i < result.error_count; i++)
		errors = reply_append(errors, reply_set(reply_set(json_object(), "line", count(result.errors[i].line)), "why",
		                                        reply_text(result.errors[i].why)));
	reply = reply_set(reply_set(reply_ok(), "used", count(result.used)), "lines", count(result.lines));
	return reply_set(reply_set(reply, "bad", count(result.bad)), "refused", errors);
}

json_t *measured_json(const struct shown_observe *observe)
{
	const struct hopper_counts *hopper = &observe->hopper;
	json_t *object = json_object();

	if (!observe->is_on) {
		json_decref(object);
		return json_null();
	}

	const struct {
		const char *key;
		uint64_t value;
	} counts[] = {
		{"lines", hopper->lines},      {"bad", hopper->bad},
		{"dropped", hopper->dropped},  {"taken", observe->taken},
		{"prefixes", observe->prefixes}, {"pairs", observe->pairs},
		{"octets", observe->octets},   {"evicted", observe->evicted},
		{"out_of_reach", observe->out_of_reach}, {"unknown_sites", observe->unknown_sites},
	};

	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		object = reply_set(object, counts[i].key, count(counts[i].value));
	object = reply_set(object, "socket", json_boolean(observe->has_socket));
	object = reply_set(object, "error", reply_text(hopper->error[0] ? hopper->error : NULL));
	return reply_set(object, "error_time", reply_time(hopper->error_s));
}

static json_t *one_json(const struct shown_measure *shown)
{
	const struct measure *measure = &shown->measure;
	json_t *object = reply_set(json_object(), "site", reply_text(shown->site));

	object = reply_set(object, "ms", json_real(measure->us / 1000.0));
	object = reply_set(object, "samples", count(measure->samples));
	object = reply_set(object, "hosts", count(measure->hosts));
	return reply_set(object, "enough", json_boolean(measure->is_enough));
}

static json_t *one_step(const struct shown_measure *shown)
{
	const struct measure *measure = &shown->measure;
	char text[NAME_MAX_LEN + 128];

	snprintf(text, sizeof(text), "observed: %s %.1f ms, by %u sample%s of %u host%s%s", shown->site, measure->us / 1000.0,
	         measure->samples, measure->samples == 1 ? "" : "s", measure->hosts, measure->hosts == 1 ? "" : "s",
	         measure->is_enough ? "" : ": not enough yet");
	return json_string(text);
}

void measured_explain(struct learner *learner, const struct addr *client, json_t *object, json_t *steps)
{
	struct shown_measure shown[OBSERVED_SITES];
	unsigned number = learner ? shown_measures(learner, client, shown) : 0;
	json_t *list = json_array();

	for (unsigned i = 0; i < number; i++) {
		json_array_append_new(list, one_json(&shown[i]));
		json_array_append_new(steps, one_step(&shown[i]));
	}
	if (number > 0)
		json_object_set_new(object, "observed", list);
	else
		json_decref(list);
}
