// Effects as JSON; see effect_json.h.
#include "control/effect_json.h"

#include <math.h>

#include "control/reply_json.h"
#include "traffic/effect.h"
#include "traffic/samples.h"
#include "view/index.h"
#include "view/view.h"

static json_t *site_name(const struct view *view, int site)
{
	return site == EFFECT_NOWHERE ? json_null() : reply_text(view->sites[site].name);
}

static json_t *milliseconds(const struct effect_part *part)
{
	double ms = effect_ms(part);

	return isnan(ms) ? json_null() : json_real(round(ms * 1000) / 1000);
}

static json_t *move_json(const struct effect_move *move, const struct view *before, const struct view *after)
{
	json_t *object = json_object(), *examples = json_array();
	char text[ADDR_TEXT_LEN];

	for (size_t i = 0; i < move->example_count; i++)
		examples = reply_append(examples, json_string(addr_format(&move->examples[i], text)));
	object = reply_set(object, "from", site_name(before, move->from));
	object = reply_set(object, "to", site_name(after, move->to));
	object = reply_set(object, "queries", json_integer((json_int_t)move->before.weight));
	object = reply_set(object, "clients", json_integer((json_int_t)move->before.clients));
	object = reply_set(object, "ms_before", milliseconds(&move->before));
	object = reply_set(object, "ms_after", milliseconds(&move->after));
	return reply_set(object, "examples", examples);
}

static json_t *rate(uint64_t queries, const struct sample_set *samples)
{
	return json_real(samples->weight ? round((double)queries / (double)samples->weight * samples->rate * 1000) / 1000 : 0);
}

static json_t *add_site(json_t *list, const char *name, uint64_t before, uint64_t after, const struct sample_set *samples)
{
	json_t *site;

	if (before == 0 && after == 0)
		return list;
	site = reply_set(json_object(), "site", reply_text(name));
	site = reply_set(site, "before", rate(before, samples));
	site = reply_set(site, "after", rate(after, samples));
	return reply_append(list, site);
}

// Those of the view after, then those that it has not got.
static json_t *sites_json(const struct effect *effect, const struct sample_set *samples, const struct view *before,
                          const struct view *after)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < after->site_count; i++) {
		int old = before == after ? (int)i : index_find_site(before, after->sites[i].name);

		list = add_site(list, after->sites[i].name, old < 0 ? 0 : effect->before[old], effect->after[i], samples);
	}
	for (uint32_t i = 0; before != after && i < before->site_count; i++)
		if (effect->before[i] && index_find_site(after, before->sites[i].name) < 0)
			list = add_site(list, before->sites[i].name, effect->before[i], 0, samples);
	return list;
}

json_t *effect_json(const struct effect *effect, const struct sample_set *samples, const struct view *before,
                    const struct view *after)
{
	size_t shown = effect->move_count < EFFECT_MOVES_SHOWN ? effect->move_count : EFFECT_MOVES_SHOWN;
	json_t *object = json_object(), *moves = json_array(), *apps = json_array();

	for (size_t i = 0; i < shown; i++)
		moves = reply_append(moves, move_json(&effect->moves[i], before, after));
	for (size_t i = 0; i < effect->lost_app_count; i++)
		apps = reply_append(apps, reply_text(before->apps[effect->lost_apps[i]].name));
	object = reply_set(object, "seconds", json_real(round(samples->seconds * 10) / 10));
	object = reply_set(object, "samples", json_integer((json_int_t)samples->count));
	object = reply_set(object, "queries", json_integer((json_int_t)effect->all.weight));
	object = reply_set(object, "clients", json_integer((json_int_t)effect->all.clients));
	object = reply_set(object, "ms_before", milliseconds(&effect->all));
	object = reply_set(object, "ms_after", milliseconds(&effect->then));
	object = reply_set(object, "moved", json_integer((json_int_t)effect->moved));
	object = reply_set(object, "lost", json_integer((json_int_t)effect->lost));
	object = reply_set(object, "lost_clients", json_integer((json_int_t)effect->lost_part.clients));
	object = reply_set(object, "found", json_integer((json_int_t)effect->found));
	object = reply_set(object, "gone", json_integer((json_int_t)effect->gone));
	object = reply_set(object, "moves", moves);
	object = reply_set(object, "moves_left_out", json_integer((json_int_t)(effect->move_count - shown)));
	object = reply_set(object, "sites", sites_json(effect, samples, before, after));
	if (effect->beyond) {
		object = reply_set(object, "beyond", json_integer((json_int_t)effect->beyond));
		object = reply_set(object, "beyond_clients", json_integer((json_int_t)effect->beyond_clients));
	}
	return reply_set(object, "lost_apps", apps);
}
