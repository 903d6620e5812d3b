// check; see verdict.h. The truth table, the worst row that holds decides:
//
//     critical  nothing is served yet
//     critical  an app has no target that is up, so that it is answered by fail-open or with its last resort
//     warning   a target is down, or has no address, that is not drained
//     warning   overrides are refused, as the state cannot be saved; or health and what is learned is not; or some overrides
//               are in memory only, or were lost with a damaged file  (not of one app)
//     warning   the brake holds targets, apps are in panic, or targets flap                                (not of one app)
//     warning   the last reload failed, or was held                                                        (not of one app)
//     warning   what is served is rolled back, so that files are not followed                               (not of one app)
//     ok        else. Drains are no fault: somebody wants them
#include "control/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "control/call.h"
#include "control/find.h"
#include "control/ops.h"
#include "control/reply_json.h"
#include "health/judge.h"
#include "state/override.h"
#include "state/state.h"
#include "view/live.h"
#include "view/view.h"

enum level { LEVEL_OK, LEVEL_WARNING, LEVEL_CRITICAL };
enum { TEXT_MAX = 1024, NAMED_MAX = 3 }; // octets of what is said of one level; apps, and targets, by name

// What is wrong, with "; " between.
struct found {
	size_t len;
	char text[TEXT_MAX];
};

struct verdict {
	enum level level;
	struct found of[LEVEL_CRITICAL + 1]; // by level, as the worst is told first
	json_int_t targets, up, down, drained, apps, dark; // the last: without a target that is up
};

static void find(struct verdict *verdict, enum level level, const char *fmt, ...) PRINTF(3, 4);

// Adds what was found, of whatever level; what does not fit is cut.
static void find(struct verdict *verdict, enum level level, const char *fmt, ...)
{
	struct found *found = &verdict->of[level];
	size_t room = sizeof(found->text) - found->len;
	va_list ap;
	int len;

	if (level > verdict->level)
		verdict->level = level;
	len = snprintf(found->text + found->len, room, "%s", found->len ? "; " : "");
	found->len += (size_t)len < room ? (size_t)len : room - 1;
	room = sizeof(found->text) - found->len;
	va_start(ap, fmt);
	len = vsnprintf(found->text + found->len, room, fmt, ap);
	va_end(ap);
	found->len += (size_t)len < room ? (size_t)len : room - 1;
}

// Of one that is down: whether somebody wants that.
static const char *why_down(const struct state *state, const char *app, const char *site)
{
	return state_forced(state, app, site) == FORCE_DOWN ? " (forced)" : "";
}

static void count_app(struct verdict *verdict, const struct control_ops *ops, const struct live *live, const struct app *app)
{
	const struct view *view = live->view;
	json_int_t up_before = verdict->up;

	for (uint32_t i = app->first_target; i < app->first_target + app->target_count; i++) {
		uint8_t state = live_state(live, i);
		bool is_down = !live_state_is_up(state) && !(state & TARGET_DRAINED);

		verdict->targets++;
		verdict->up += live_state_is_up(state);
		verdict->drained += (state & TARGET_DRAINED) != 0;
		verdict->down += is_down;
		if (is_down && verdict->down <= NAMED_MAX)
			find(verdict, LEVEL_WARNING, "%s/%s %s%s", app->name, view->sites[view->targets[i].site].name,
			     live_state_text(state), why_down(ops->state, app->name, view->sites[view->targets[i].site].name));
	}
	verdict->apps++;
	if (verdict->up > up_before)
		return;
	verdict->dark++;
	if (verdict->dark <= NAMED_MAX)
		find(verdict, LEVEL_CRITICAL, "%s has no target that is up", app->name);
}

static void count_rest(struct verdict *verdict)
{
	if (verdict->down > NAMED_MAX)
		find(verdict, LEVEL_WARNING, "%lld more targets down", (long long)verdict->down - NAMED_MAX);
	if (verdict->dark > NAMED_MAX)
		find(verdict, LEVEL_CRITICAL, "%lld more apps without a target that is up", (long long)verdict->dark - NAMED_MAX);
}

static void judge_health(struct verdict *verdict, const struct judge *judge)
{
	struct judge_stats stats;

	judge_stats(judge, &stats);
	if (stats.held)
		find(verdict, LEVEL_WARNING, "the brake holds %u targets that have failed all at once", stats.held);
	if (stats.panicking)
		find(verdict, LEVEL_WARNING, "%u targets of apps in panic are answered whatever their health", stats.panicking);
	if (stats.damped)
		find(verdict, LEVEL_WARNING, "%u targets flap and stay down", stats.damped);
}

static void judge_daemon(struct verdict *verdict, const struct control_ops *ops)
{
	json_t *facts = ops->status(ops->ctx);
	struct state_trouble trouble;
	struct state_damage damage;

	if (state_trouble(ops->state, &trouble))
		find(verdict, LEVEL_WARNING, "overrides are refused: %.200s", trouble.why);
	if (state_failing_s(ops->state))
		find(verdict, LEVEL_WARNING, "health and what is learned cannot be saved");
	if (state_volatile_count(ops->state))
		find(verdict, LEVEL_WARNING, "%zu changes of drains are in memory only", state_volatile_count(ops->state));
	if (state_damage(ops->state, &damage) == 0) {
		if (damage.is_counted && (damage.lost || damage.is_lost_unknown))
			find(verdict, LEVEL_WARNING, "a damaged state file was set aside, and %s%zu overrides with it",
			     damage.is_lost_unknown ? "at least " : "", (size_t)damage.lost);
		free(damage.path);
	}
	if (json_is_true(json_object_get(facts, "last_reload_held")))
		find(verdict, LEVEL_WARNING, "the last reload is held");
	else if (json_is_false(json_object_get(facts, "last_reload_ok")))
		find(verdict, LEVEL_WARNING, "the last reload failed");
	if (json_object_get(facts, "rolled_back"))
		find(verdict, LEVEL_WARNING, "rolled back: files are not followed until a reload");
	json_decref(facts);
}

static json_t *reply_of(const struct verdict *verdict)
{
	static const char *const levels[] = {[LEVEL_OK] = "ok", [LEVEL_WARNING] = "warning", [LEVEL_CRITICAL] = "critical"};
	const char *worst = verdict->of[LEVEL_CRITICAL].text, *others = verdict->of[LEVEL_WARNING].text;
	char text[2 * TEXT_MAX + 2];
	json_t *reply = reply_ok();

	snprintf(text, sizeof(text), "%s%s%s", worst, *worst && *others ? "; " : "", others);
	reply = reply_set(reply, "level", json_string(levels[verdict->level]));
	reply = reply_set(reply, "found", reply_text(text));
	reply = reply_set(reply, "targets", json_integer(verdict->targets));
	reply = reply_set(reply, "up", json_integer(verdict->up));
	reply = reply_set(reply, "down", json_integer(verdict->down));
	reply = reply_set(reply, "drained", json_integer(verdict->drained));
	reply = reply_set(reply, "apps", json_integer(verdict->apps));
	return reply_set(reply, "apps_without_target", json_integer(verdict->dark));
}

json_t *verdict_check(const struct call *call)
{
	const struct live *live = live_current();
	const char *name = call_text(call, "app");
	struct verdict verdict = {0};
	json_t *refusal = NULL;
	int only = -1;

	if (live && name) {
		only = find_app(live->view, name, &refusal);
		if (only < 0)
			return refusal;
	}
	if (!live)
		find(&verdict, LEVEL_CRITICAL, "nothing is served yet: the first round of health checks has not finished");
	for (uint32_t i = 0; live && i < live->view->app_count; i++)
		if (only < 0 || (uint32_t)only == i)
			count_app(&verdict, &call->ops, live, &live->view->apps[i]);
	count_rest(&verdict);
	if (only < 0 && call->ops.judge)
		judge_health(&verdict, call->ops.judge);
	if (only < 0)
		judge_daemon(&verdict, &call->ops);
	return reply_of(&verdict);
}
