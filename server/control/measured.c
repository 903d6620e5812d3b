// Measured round trips at the control socket; see measured.h.
#include "control/measured.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/nearest.h"
#include "control/call.h"
#include "control/ops.h"
#include "control/reply_json.h"
#include "learn/hopper.h"
#include "learn/learner.h"
#include "learn/shown.h"
#include "learn/sightings.h"
#include "view/live.h"
#include "view/view.h"

enum { REFUSED_MAX = 10 };

static json_t *count(uint64_t number)
{
	return json_integer((json_int_t)number);
}

// What came of lines, for who sent them: the hopper's reader is a thread of its own, and tells nobody.
struct reading {
	const struct live *live; // NULL: nothing is published, and sites are not looked at
	unsigned line, empty, no_site, out_of_reach;
	json_t *refused; // the first REFUSED_MAX that teach nothing, with the reason
};

static void refuse(struct reading *reading, const char *why)
{
	if (json_array_size(reading->refused) < REFUSED_MAX)
		reading->refused = reply_append(reading->refused, reply_set(reply_set(json_object(), "line", count(reading->line)),
		                                                            "why", reply_text(why)));
}

static void explain_site(struct reading *reading, const char *name)
{
	const struct view *view = reading->live->view;
	struct nearest nearest = nearest_begin(name);
	char meant[NEAREST_MEANT_MAX], why[OBSERVATION_WHY_LEN + NEAREST_MEANT_MAX];

	for (uint32_t i = 0; i < view->site_count && json_array_size(reading->refused) < REFUSED_MAX; i++)
		nearest_offer(&nearest, view->sites[i].name);
	snprintf(why, sizeof(why), "the config has no site '%.128s'%s", name, nearest_meant(&nearest, '\'', meant));
	refuse(reading, why);
}

static void read_line(struct reading *reading, const char *line, size_t len)
{
	struct observation observation;
	char why[OBSERVATION_WHY_LEN];
	int read = observation_parse(line, len, &observation, why);
	enum sightings_use use = read > 0 && reading->live ? sightings_use(reading->live, &observation) : SIGHTINGS_USABLE;

	reading->line++;
	reading->empty += read == 0;
	reading->no_site += use == SIGHTINGS_NO_SITE;
	reading->out_of_reach += use == SIGHTINGS_OUT_OF_REACH;
	if (read < 0)
		refuse(reading, why);
	else if (use == SIGHTINGS_NO_SITE)
		explain_site(reading, observation.site);
	else if (use == SIGHTINGS_OUT_OF_REACH)
		refuse(reading, "its client cannot reach the site");
}

json_t *measured_put(const struct call *call)
{
	const char *lines = call_text(call, "lines");
	struct reading reading = {.live = call->ops.live(call->ops.ctx)};
	struct hopper_result result;
	json_t *reply;

	if (!call->ops.learner || learner_observe(call->ops.learner, call->who, lines, strlen(lines), &result) == E_STATE)
		return reply_error(REPLY_REFUSED, "nothing is observed: the config has no section `observe`");
	reading.refused = json_array();
	for (size_t at = 0, len; at < result.used; at += len + 1) {
		const char *end = memchr(lines + at, '\n', result.used - at);

		len = end ? (size_t)(end - lines) - at : result.used - at;
		read_line(&reading, lines + at, len);
	}
	reply = reply_set(reply_set(reply_ok(), "used", count(result.used)), "lines", count(result.lines));
	reply = reply_set(reply_set(reply, "bad", count(result.bad)), "empty", count(reading.empty));
	reply = reply_set(reply_set(reply, "no_site", count(reading.no_site)), "out_of_reach", count(reading.out_of_reach));
	return reply_set(reply, "refused", reading.refused);
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
