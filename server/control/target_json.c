// JSON of addresses; see target_json.h.
#include "control/target_json.h"

#include "base/addr.h"
#include "base/clock.h"
#include "config/config.h"
#include "control/reply_json.h"
#include "health/health.h"
#include "health/judge.h"
#include "health/warmup.h"
#include "provide/provide.h"
#include "state/state.h"
#include "view/answers.h"
#include "view/live.h"
#include "view/view.h"

json_t *target_json_vantages(struct judge *judge, uint32_t number)
{
	struct matrix *matrix = judge_matrix(judge);
	json_t *list = json_array();
	int64_t now_ms = clock_mono_ms();

	for (const struct matrix_cell *cell = matrix_first(matrix, number); cell; cell = matrix_next(matrix, cell)) {
		const struct vantage *vantage = matrix_vantage_at(matrix, cell->vantage);
		json_t *object = reply_set(json_object(), "vantage", reply_text(vantage->name));

		object = reply_set(object, "carrier", *vantage->carrier ? reply_text(vantage->carrier) : json_null());
		object = reply_set(object, "who", reply_text(vantage->who));
		object = reply_set(object, "up", json_boolean(cell->up));
		object = reply_set(object, "age_s", json_integer((now_ms - cell->observed_ms) / 1000));
		object = reply_set(object, "for_s", json_integer((now_ms - cell->since_ms) / 1000));
		object = reply_set(object, "fresh_for_s", json_integer(cell->until_ms > now_ms ? (cell->until_ms - now_ms) / 1000 : 0));
		list = reply_append(list, object);
	}
	return list;
}

static json_t *set_judged(json_t *object, struct judge *judge, uint32_t number)
{
	struct judge_shown shown;

	judge_shown(judge, number, &shown);
	if (shown.unready)
		object = reply_set(object, "unready", json_true());
	if (shown.held)
		object = reply_set(object, "held", json_true());
	if (shown.panics)
		object = reply_set(object, "panic", json_true());
	if (shown.damped)
		object = reply_set(object, "damped_for_s", json_integer(shown.damped_for_ms / 1000));
	if (shown.penalty >= 1)
		object = reply_set(object, "penalty", json_integer((json_int_t)shown.penalty));
	if (shown.share < WARMUP_WHOLE)
		object = reply_set(object, "slow_start", json_integer(shown.share * 100 / WARMUP_WHOLE));
	return object;
}

json_t *target_json_state(json_t *object, const struct live *live, const struct state *state, struct judge *judge,
                          uint32_t number)
{
	const struct target *target = &live->view->targets[number];
	enum force_to forced = state_forced(state, target->app->name, live->view->sites[target->site].name);

	object = reply_set(object, "state", json_string(live_state_text(live_state(live, number))));
	if (live_state_is_part(live_state(live, number)))
		object = reply_set(object, "share", json_real((double)live_share(live, number) / SHARE_ALL));
	if (forced != FORCE_AUTO)
		object = reply_set(object, "forced", json_string(override_force_text(forced)));
	if (!judge || judge_count(judge) != live->states->count)
		return object;
	if (forced == FORCE_AUTO)
		object = set_judged(object, judge, number);
	if (matrix_first(judge_matrix(judge), number))
		object = reply_set(object, "vantages", target_json_vantages(judge, number));
	return object;
}

json_t *target_json_shown(json_t *object, const struct health_target *shown)
{
	object = reply_set(object, "up", json_boolean(shown->up));
	object = reply_set(object, "layer", reply_text(health_layer_text(shown->layer)));
	object = reply_set(object, "text", reply_text(shown->text));
	object = reply_set(object, "since", reply_time(shown->since_s));
	object = reply_set(object, "probes", json_integer(shown->probes));
	object = reply_set(object, "failures", json_integer(shown->failures));
	object = reply_set(object, "streak", json_integer(shown->streak));
	object = reply_set(object, "last_probe", reply_time(shown->last_probe_s));
	return reply_set(object, "took_ms", json_real(shown->took_us / 1000.0));
}

json_t *target_json_probed(const struct health *health, uint32_t number)
{
	struct health_address probed[CONFIG_ADDRESSES_MAX];
	size_t count = health_addresses(health, number, probed);
	json_t *list = json_array();
	char text[ADDR_TEXT_LEN];

	for (size_t i = 0; i < count; i++) {
		json_t *object = reply_set(json_object(), "address", reply_text(addr_format(&probed[i].addr, text)));

		list = reply_append(list, target_json_shown(object, probed[i].shown));
	}
	return list;
}

// Those that are probed, where these are its own, else those that it is answered with, which then are all.
size_t target_json_list(const struct live *live, const struct health *health, uint32_t number, struct addr *list)
{
	struct health_address probed[CONFIG_ADDRESSES_MAX];
	size_t count;

	if (live_state(live, number) & TARGET_EMPTY)
		return 0;
	if (health_whole(health, number))
		return answers_addresses(answers_of(&live->view->targets[number]), list);
	count = health_addresses(health, number, probed);
	for (size_t i = 0; i < count; i++)
		list[i] = probed[i].addr;
	return count;
}

json_t *target_json_addresses(const struct live *live, const struct health *health, uint32_t number)
{
	struct addr list[CONFIG_ADDRESSES_MAX];
	size_t count = target_json_list(live, health, number, list);
	json_t *texts = json_array();
	char text[ADDR_TEXT_LEN];

	for (size_t i = 0; i < count; i++)
		texts = reply_append(texts, reply_text(addr_format(&list[i], text)));
	return texts;
}

json_t *target_json_ready(const struct provide *provide, const char *app, const char *site)
{
	enum edgesteer_health ready = provide ? provide_ready(provide, app, site) : EDGESTEER_HEALTH_UNKNOWN;

	return ready == EDGESTEER_HEALTH_UNKNOWN ? json_null()
	                                         : json_string(ready == EDGESTEER_HEALTH_READY ? "ready" : "unready");
}
