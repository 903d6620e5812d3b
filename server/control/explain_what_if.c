// Explains on a copy of the live part; see explain_what_if.h.
#include "control/explain_what_if.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/recycle.h"
#include "control/call.h"
#include "control/cover.h"
#include "control/explain.h"
#include "control/find.h"
#include "control/reply_json.h"
#include "state/override.h"
#include "state/selector.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

// Drains the sites that a name or a pattern stands for, and names them. False: it is none, and *ret_refusal is the
// reply.
static bool drain_word(const struct view *view, char *word, struct target_states *states, json_t **names,
                       json_t **ret_refusal)
{
	const struct override drain = {.kind = OVERRIDE_DRAIN, .site = word};
	int site = 0;

	if (!selector_is(word) && find_site(view, word, ret_refusal) < 0)
		return false;
	if (!selector_is_sound(word) || cover_next_site(view, &drain, 0) < 0) {
		*ret_refusal = reply_error(REPLY_REFUSED, "no site matches '%.255s' (edgesteerctl sites)", word);
		return false;
	}
	for (; (site = cover_next_site(view, &drain, site)) >= 0; site++) {
		json_t *name = reply_text(view->sites[site].name);
		uint32_t count;
		const uint32_t *targets = index_targets_of(view, (uint32_t)site, &count);

		for (uint32_t i = 0; i < count; i++)
			states->octets[targets[i]] = (uint8_t)((states->octets[targets[i]] & ~TARGET_PARTS) | TARGET_DRAINED);
		if (reply_has(*names, name))
			json_decref(name);
		else
			*names = reply_append(*names, name);
	}
	return true;
}

static bool drain_words(const struct live *live, const char *words, struct target_states *states, json_t **names,
                        json_t **ret_refusal)
{
	char *copy = strdup(words), *rest = NULL;
	bool good = copy != NULL;

	for (char *word = good ? strtok_r(copy, ",", &rest) : NULL; good && word; word = strtok_r(NULL, ",", &rest)) {
		if (strlen(word) > STATE_TEXT_MAX) {
			*ret_refusal =
				reply_error(REPLY_USAGE, "without: '%.64s...' is longer than %d bytes", word, STATE_TEXT_MAX);
			good = false;
		} else {
			good = drain_word(live->view, word, states, names, ret_refusal);
		}
	}
	if (good && json_array_size(*names) == 0) {
		*ret_refusal = reply_error(REPLY_USAGE, "without: '%.64s' names no site", words);
		good = false;
	}
	free(copy);
	return good;
}

static json_t *explain(const struct call *call, const struct live *live, const struct prefix *client)
{
	return explain_query(live, call->ops.state, call->ops.health, call->ops.judge, call->ops.learner,
	                     call_text(call, "name"), client);
}

static const char *site_of(const json_t *explained)
{
	return json_string_value(json_object_get(json_object_get(explained, "decision"), "site"));
}

// Says what is assumed before the steps, and what is so behind them.
static json_t *add_today(json_t *then, const json_t *today, json_t *names)
{
	json_t *steps = json_object_get(then, "steps");
	const json_t *name;
	size_t i;

	json_array_foreach(names, i, name)
	{
		if (json_array_insert_new(steps, i, json_sprintf("without: as if %s were drained", json_string_value(name))) < 0)
			break;
	}
	if (json_object_get(then, "decision"))
		(void)json_array_append_new(
			steps, json_sprintf("today: the answer is %s", site_of(today) ? site_of(today) : "no target"));
	then = reply_set(then, "today", reply_text(site_of(today)));
	return reply_set(then, "without", json_incref(names));
}

json_t *explain_what_if(const struct call *call, const struct live *live, const struct prefix *client,
                        json_t **ret_refusal)
{
	struct target_states *states = recycle_take(sizeof(*states) + live->states->count);
	json_t *names = json_array(), *today, *then = NULL;
	struct live drained = *live;

	*ret_refusal = NULL;
	if (states && names) {
		memcpy(states, live->states, sizeof(*states) + live->states->count);
		drained.states = states;
		if (drain_words(live, call_text(call, "without"), states, &names, ret_refusal)) {
			then = explain(call, &drained, client);
			today = explain(call, live, client);
			then = then && today ? add_today(then, today, names) : then;
			json_decref(today);
		}
	}
	json_decref(names);
	recycle_put(states);
	return then;
}
