// sources: where targets and places come from; see show.h.
#include "control/show.h"

#include "base/inputs.h"
#include "control/call.h"
#include "control/ops.h"
#include "control/reply_json.h"
#include "provide/provide.h"
#include "provide/provider.h"
#include "view/ground.h"
#include "view/live.h"
#include "view/tables.h"
#include "view/view.h"
#include "watch/files.h"

enum { FILES_SHOWN_MAX = 500 };

static const char *state_text(enum edgesteer_source state)
{
	return state == EDGESTEER_SOURCE_CURRENT ? "current" : state == EDGESTEER_SOURCE_AWAY ? "away" : "connecting";
}

// Of all parts, the worst.
static enum edgesteer_source whole_state(const struct provider_report *report)
{
	enum edgesteer_source state = report->part_count ? EDGESTEER_SOURCE_CURRENT : EDGESTEER_SOURCE_CONNECTING;

	for (size_t i = 0; i < report->part_count; i++)
		if (report->parts[i].state != EDGESTEER_SOURCE_CURRENT && state != EDGESTEER_SOURCE_AWAY)
			state = report->parts[i].state;
	return state;
}

static json_t *parts_json(const struct provider_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->part_count; i++) {
		const struct provider_part *part = &report->parts[i];

		list = reply_append(list, json_pack("{s:o, s:s, s:o, s:o}", "name", reply_text(part->name[0] ? part->name : NULL),
		                                    "state", state_text(part->state), "since", reply_time(part->since_s), "text",
		                                    reply_text(part->text[0] ? part->text : NULL)));
	}
	return list;
}

static json_t *provider_json(const struct provide_status *status, const struct provider_report *report)
{
	json_t *object = json_object();

	object = reply_set(object, "name", reply_text(status->label));
	object = reply_set(object, "kind", json_string("provider"));
	object = reply_set(object, "plugin", reply_text(status->plugin));
	object = reply_set(object, "state", json_string(status->is_stopping     ? "stopping"
	                                                : report->is_waiting    ? "failed"
	                                                                        : state_text(whole_state(report))));
	object = reply_set(object, "last_good", reply_time(report->committed_s));
	object = reply_set(object, "targets", json_integer((json_int_t)status->targets));
	object = reply_set(object, "vanished", json_integer((json_int_t)status->vanished));
	object = reply_set(object, "stale", json_integer((json_int_t)status->stale));
	object = reply_set(object, "refused", json_integer((json_int_t)report->refused));
	object = reply_set(object, "unused", json_integer((json_int_t)status->unused));
	object = reply_set(object, "error", reply_text(report->error[0] ? report->error : NULL));
	object = reply_set(object, "error_time", reply_time(report->error_s));
	return reply_set(object, "parts", parts_json(report));
}

static json_t *providers_json(const struct provide *provide, json_t *list)
{
	for (size_t i = 0; provide && i < provide_count(provide); i++) {
		struct provider_report report;
		struct provide_status status;

		provide_status(provide, i, &status, &report);
		list = reply_append(list, provider_json(&status, &report));
	}
	return list;
}

// A locate source is read when a generation is built, and then it is what it is.
static json_t *locates_json(const struct view *view, json_t *list)
{
	const struct places *places = view->places;

	for (size_t i = 0; i < places->sources; i++)
		list = reply_append(list, json_pack("{s:o, s:s, s:s, s:o, s:I}", "name", reply_text(places->source_names[i]),
		                                    "kind", "locate", "state", "current", "last_good", reply_time(view->tables->ground->loaded_s),
		                                    "prefixes", (json_int_t)places->source_prefixes[i]));
	return list;
}

// ---- files ----------------------------------------------------------------------------------------------------------

static json_t *file_json(const struct input *input, const struct files_state *state)
{
	const char *text = state->is_refused ? "refused" : state->changed_s > state->taken_s ? "changed" : "current";
	json_t *object = json_object();

	object = reply_set(object, "name", reply_text(input->path));
	object = reply_set(object, "kind", json_string("file"));
	object = reply_set(object, "state", json_string(text));
	object = reply_set(object, "watched", json_boolean(input->watched));
	object = reply_set(object, "last_good", reply_time(state->taken_s));
	object = reply_set(object, "changed", reply_time(state->changed_s));
	object = reply_set(object, "error", reply_text(state->is_refused ? state->why : NULL));
	return reply_set(object, "error_time", reply_time(state->refused_s));
}

// Those that were refused, or the others, as long as there is room. Returns how many there was none for.
static size_t add_files(const struct files *files, bool refused, json_t **list, size_t *room)
{
	const struct inputs *inputs = files_list(files);
	size_t left_out = 0;

	for (size_t i = 0; i < inputs_count(inputs); i++) {
		const struct files_state *state = files_state(files, i);

		if (state->is_refused != refused)
			continue;
		if (*room == 0) {
			left_out++;
			continue;
		}
		*list = reply_append(*list, file_json(inputs_at(inputs, i), state));
		--*room;
	}
	return left_out;
}

json_t *show_sources(const struct call *call)
{
	const struct live *live = call->ops.live(call->ops.ctx);
	const struct files *files = call->ops.files ? call->ops.files(call->ops.ctx) : NULL;
	json_t *list = providers_json(call->ops.provide, json_array());
	size_t room = FILES_SHOWN_MAX, left_out = 0;

	if (live)
		list = locates_json(live->view, list);
	if (files) {
		left_out = add_files(files, true, &list, &room);
		left_out += add_files(files, false, &list, &room);
	}
	return reply_set(reply_set(reply_ok(), "sources", list), "more_files", json_integer((json_int_t)left_out));
}
