// Running the providers of a config; see provide.h. The main thread's half: what a provider's thread has committed
// arrives by the inbox, goes into its roll, and from there into the merged list.
#include "provide/provide.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "config/config.h"
#include "provide/batch.h"
#include "provide/changes.h"
#include "provide/inbox.h"
#include "provide/keep.h"
#include "provide/merged.h"
#include "provide/object.h"
#include "provide/plan.h"
#include "provide/provider.h"
#include "provide/refusals.h"
#include "provide/snapshot.h"

enum { LEAVING_MAX = 4096, LOOK_MS = 250 };

struct provide {
	struct state *state;
	struct provide_ops ops;
	struct inbox *inbox;
	struct event *tell;         // timer: ops.changed()
	struct event *look;         // timer: for what has vanished long enough, and what does not stop
	struct merged merged;
	struct provider *running[PROVIDERS_MAX]; // by rank
	size_t running_count;
	struct provider *leaving[LEAVING_MAX];   // told to stop
	_Atomic size_t leaving_count;            // read by the builder, see provide_prepare()
	struct keep_found found[KEEP_FOUND_MAX]; // saved before the start, until the first plan
	size_t found_count;
	bool is_loading;            // what is added is in the state already
	bool is_other;              // something that was used is gone, or is to be used by another rule
	struct refusals refusals;   // of the config in use
	size_t unused[PROVIDERS_MAX];
};

// ---- telling --------------------------------------------------------------------------------------------------------

static void arm(struct event *event, int64_t ms)
{
	const struct timeval wait = {ms / 1000, ms % 1000 * 1000};

	if (event_add(event, &wait) < 0)
		event_active(event, EV_TIMEOUT, 0); // too early is better than never
}

static void on_tell(evutil_socket_t fd, short what, void *arg)
{
	const struct provide *provide = arg;

	(void)fd;
	(void)what;
	provide->ops.changed(provide->ops.ctx);
}

static void tell_ready(const struct provide *provide, const struct object *used)
{
	if (provide->ops.ready_changed)
		provide->ops.ready_changed(provide->ops.ctx, used->app, used->site, (enum edgesteer_health)used->told_ready);
}

// Notes whether an object is the one used of its group. What was told of the group moves to that one.
static void use(struct object *object, struct object *used)
{
	object->is_used = object == used;
	if (object == used || object->told_ready == EDGESTEER_HEALTH_UNKNOWN)
		return;
	used->told_ready = object->told_ready;
	object->told_ready = EDGESTEER_HEALTH_UNKNOWN;
}

// After every change: compares each target with what was told of it. Returns whether the structure is another one.
static bool look_at_all(struct provide *provide)
{
	struct merged_group group;
	bool is_new = provide->is_other;

	provide->is_other = false;
	for (size_t at = 0; merged_next(&provide->merged, &at, &group);) {
		bool was_used = group.used->is_used;

		if (group.count > 1)
			refusals_log_conflicts(&group);
		for (size_t i = 0; i < group.count; i++)
			use(group.objects[i], group.used);
		group.used->is_told = false;
		is_new |= !was_used;
		if (group.used->told_ready == group.ready)
			continue;
		group.used->told_ready = group.ready;
		tell_ready(provide, group.used);
	}
	return is_new;
}

static void settle(struct provide *provide)
{
	merged_settle(&provide->merged);
	if (look_at_all(provide) && !event_pending(provide->tell, EV_TIMEOUT, NULL))
		arm(provide->tell, PROVIDE_GATHER_MS);
}

// ---- changes of a roll ----------------------------------------------------------------------------------------------

// For roll_ops.
struct changing {
	struct provide *provide;
	struct provider *provider;
	bool is_old;            // what was there before it ran: not news
};

static void note(const struct changing *changing, enum change_kind kind, const struct object *object)
{
	if (!changing->is_old)
		changes_note(&changing->provider->changes, kind, object);
}

static void add(const struct changing *changing, struct object *object)
{
	object->provider = changing->provider;
	merged_add(&changing->provide->merged, object);
	if (!changing->provide->is_loading)
		keep_write(changing->provide->state, changing->provider->id, object);
}

static void on_added(void *ctx, struct object *object)
{
	note(ctx, CHANGE_ADDED, object);
	add(ctx, object);
}

static void on_removed(void *ctx, struct object *object)
{
	const struct changing *changing = ctx;

	changing->provide->is_other |= object->is_used;
	if (object->told_ready != EDGESTEER_HEALTH_UNKNOWN) {
		object->told_ready = EDGESTEER_HEALTH_UNKNOWN;
		tell_ready(changing->provide, object);
	}
	note(changing, CHANGE_REMOVED, object);
	keep_forget(changing->provide->state, changing->provider->id, object->key);
	merged_remove(&changing->provide->merged, object);
}

// What was told of a target stays told of it.
static void on_replaced(void *ctx, struct object *old, struct object *given)
{
	const struct changing *changing = ctx;
	bool is_one = strcmp(old->app, given->app) == 0 && strcmp(old->site, given->site) == 0;

	if (!is_one) {
		on_removed(ctx, old);
		on_added(ctx, given);
		return;
	}
	given->told_ready = old->told_ready;
	note(changing, CHANGE_REPLACED, given);
	changing->provide->is_other |= old->is_used;
	merged_remove(&changing->provide->merged, old);
	add(changing, given);
}

// The rest of these two is look_at_all()'s.
static void on_vanished(void *ctx, struct object *object)
{
	const struct changing *changing = ctx;

	if (changing->provider->grace_s > 0)
		note(changing, CHANGE_VANISHED, object);
}

static void on_returned(void *ctx, struct object *object)
{
	note(ctx, CHANGE_RETURNED, object);
}

static struct roll_ops roll_ops(struct changing *changing)
{
	return (struct roll_ops){changing, on_added, on_removed, on_replaced, on_vanished, on_returned};
}

// While there is something to wait for.
static void look_later(struct provide *provide)
{
	if (!event_pending(provide->look, EV_TIMEOUT, NULL))
		arm(provide->look, LOOK_MS);
}

static void expire(struct provide *provide, struct provider *provider)
{
	struct changing changing = {provide, provider, false};
	const struct roll_ops ops = roll_ops(&changing);

	roll_expire(&provider->roll, clock_mono_ms(), (int64_t)provider->grace_s * 1000, &ops);
	if (changes_tell(&provider->changes, provider->label, clock_mono_ms()) || provider->roll.vanished > 0)
		look_later(provide);
}

static bool is_over_all(const struct provide *provide, const struct provider *provider, const struct batch *batch)
{
	size_t others = provide->merged.count - (batch->is_whole ? provider->roll.count : 0);

	return others + batch->count > MERGED_MAX;
}

// Takes ownership of the batch.
static void apply(struct provide *provide, struct provider *provider, struct batch *batch)
{
	struct changing changing = {provide, provider, false};
	const struct roll_ops ops = roll_ops(&changing);
	int err = is_over_all(provide, provider, batch) ? E_LIMIT : merged_reserve(&provide->merged, batch->count);

	if (err == E_OK)
		err = roll_apply(&provider->roll, batch, clock_mono_ms(), &ops);
	if (err == E_LIMIT)
		log_error("providers: %s: over the limit of %d targets of all providers: %zu of it are not taken, what it "
		          "committed before goes on serving", provider->label, MERGED_MAX, batch->count);
	else if (err < 0)
		log_error("providers: %s: %s: what it committed before goes on serving", provider->label, err_text(err));
	batch_free(batch);
	expire(provide, provider); // a grace of none
	settle(provide);
}

// ---- the end of a provider ------------------------------------------------------------------------------------------

static void join_ended(struct provide *provide, struct provider *provider)
{
	size_t i = 0;

	while (i < provide->leaving_count && provide->leaving[i] != provider)
		i++;
	must(i < provide->leaving_count); // threads end when they are told to
	provide->leaving[i] = provide->leaving[--provide->leaving_count];
	must(pthread_join(provider->thread, NULL) == 0);
	provider_free(provider);
}

static void on_arrived(void *ctx, struct provider *provider, struct batch *batch)
{
	struct provide *provide = ctx;

	if (!batch)
		join_ended(provide, provider);
	else if (provider->left_ms)
		batch_free(batch); // from before it was told to stop
	else
		apply(provide, provider, batch);
}

// Whether any is still waited for.
static bool look_at_leaving(struct provide *provide)
{
	int64_t now_ms = clock_mono_ms();
	bool waits = false;

	for (size_t i = 0; i < provide->leaving_count; i++) {
		struct provider *provider = provide->leaving[i];

		if (provider->is_late)
			continue;
		provider->is_late = now_ms - provider->left_ms >= provide->ops.stop_ms;
		waits |= !provider->is_late;
		if (provider->is_late)
			log_error("providers: %s: has not stopped within %u ms: it is left running, and what it tells is ignored",
			          provider->label, provide->ops.stop_ms);
	}
	return waits;
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct provide *provide = arg;

	(void)fd;
	(void)what;
	if (look_at_leaving(provide))
		look_later(provide);
	for (size_t i = 0; i < provide->running_count; i++)
		expire(provide, provide->running[i]);
	if (provide->merged.gone > 0)
		settle(provide);
}

static void leave(struct provide *provide, struct provider *provider)
{
	if (!provider->is_started) { // there was no thread for it
		provider_free(provider);
		return;
	}
	must(provide->leaving_count < LEAVING_MAX);
	provide->leaving[provide->leaving_count++] = provider;
	provider->left_ms = clock_mono_ms();
	provider_stop(provider);
	look_later(provide);
}

// ---- taking a plan --------------------------------------------------------------------------------------------------

int provide_prepare(const struct provide *provide, const struct config *config, struct report *report,
                    struct provide_plan **ret_plan)
{
	if (provide && provide->leaving_count + PROVIDERS_MAX > LEAVING_MAX)
		return E_LIMIT;
	return plan_make(provide ? provide->running : NULL, provide ? provide->running_count : 0,
	                 provide ? provide->inbox : NULL, config, report, ret_plan);
}

struct provide_plan *provide_discard(struct provide_plan *plan)
{
	return plan_discard(plan);
}

// The new one serves what another one gave, until it knows better.
static void inherit_roll(struct provide *provide, struct provider *from, struct provider *to)
{
	provide->is_other |= from->rule != to->rule;
	to->roll = from->roll;
	from->roll = (struct roll){0};
	for (size_t i = 0; i < to->roll.count; i++) {
		struct object *object = to->roll.objects[i];

		keep_forget(provide->state, from->id, object->key);
		object->provider = to;
		keep_write(provide->state, to->id, object);
	}
	roll_mark_stale(&to->roll);
}

static void inherit_found(struct provide *provide, struct keep_found *found, struct provider *to)
{
	struct changing changing = {provide, to, true};
	const struct roll_ops ops = roll_ops(&changing);

	provide->is_loading = strcmp(found->id, to->id) == 0;
	for (size_t i = 0; i < found->objects->count && !provide->is_loading; i++)
		keep_forget(provide->state, found->id, found->objects->objects[i]->key);
	if (merged_reserve(&provide->merged, found->objects->count) == E_OK &&
	    roll_apply(&to->roll, found->objects, clock_mono_ms(), &ops) == E_OK)
		roll_mark_stale(&to->roll);
	else
		log_error("providers: %s: %s: its saved targets are not served", to->label, err_text(E_NOMEM));
	provide->is_loading = false;
	keep_found_free(found);
}

// By its id, else any of its plugin.
static struct keep_found *find_found(struct provide *provide, const struct provider *provider, bool by_id)
{
	for (size_t i = 0; i < provide->found_count; i++) {
		struct keep_found *found = &provide->found[i];

		if (found->id && (by_id ? strcmp(found->id, provider->id) == 0 : keep_is_of(found, provider->plugin)))
			return found;
	}
	return NULL;
}

// Whose entry is gone or has changed, of the same plugin, and whose objects nobody has inherited.
static struct provider *find_left(struct provider *const *left, size_t count, const struct provider *heir)
{
	for (size_t i = 0; i < count; i++)
		if (left[i]->roll.count > 0 && strcmp(left[i]->plugin, heir->plugin) == 0)
			return left[i];
	return NULL;
}

static void inherit_all(struct provide *provide, const struct provide_plan *plan, struct provider *const *left,
                        size_t left_count)
{
	struct keep_found *found;
	struct provider *from;

	for (size_t i = 0; i < plan->count; i++)
		if (plan->rows[i].is_new && (found = find_found(provide, plan->rows[i].provider, true)))
			inherit_found(provide, found, plan->rows[i].provider);
	for (size_t i = 0; i < plan->count; i++) {
		struct provider *heir = plan->rows[i].provider;

		if (!plan->rows[i].is_new || heir->roll.count > 0)
			continue;
		if ((from = find_left(left, left_count, heir)))
			inherit_roll(provide, from, heir);
		else if ((found = find_found(provide, heir, false)))
			inherit_found(provide, found, heir);
	}
}

// What nobody has inherited.
static void forget_rest(struct provide *provide, struct provider *const *left, size_t left_count)
{
	for (size_t i = 0; i < left_count; i++) {
		struct changing changing = {provide, left[i], true};
		const struct roll_ops ops = roll_ops(&changing);

		roll_clear(&left[i]->roll, &ops);
	}
	for (size_t i = 0; i < provide->found_count; i++) {
		struct keep_found *found = &provide->found[i];

		for (size_t j = 0; found->id && j < found->objects->count; j++)
			keep_forget(provide->state, found->id, found->objects->objects[j]->key);
		keep_found_free(found);
	}
	provide->found_count = 0;
}

// Puts the plan's into the place of those that run. Returns how many of the latter are in `left`.
static size_t replace_running(struct provide *provide, const struct provide_plan *plan, struct provider **left)
{
	size_t left_count = 0;

	for (size_t i = 0; i < plan->count; i++) {
		const struct provide_plan_row *row = &plan->rows[i];

		row->provider->rank = i;
		row->provider->grace_s = row->grace_s;
		provide->is_other |= !row->is_new && row->provider->rule != row->rule;
		row->provider->rule = row->rule;
		row->provider->is_known = true;
		row->provider->line = row->mark.line;
		row->provider->column = row->mark.column;
	}
	for (size_t i = 0; i < provide->running_count; i++)
		if (!provide->running[i]->is_known)
			left[left_count++] = provide->running[i];
	provide->running_count = plan->count;
	for (size_t i = 0; i < plan->count; i++) {
		provide->running[i] = plan->rows[i].provider;
		provide->running[i]->is_known = false;
	}
	return left_count;
}

void provide_take(struct provide *provide, struct provide_plan *plan)
{
	struct provider *left[PROVIDERS_MAX];
	size_t left_count = replace_running(provide, plan, left);

	memset(provide->unused, 0, sizeof(provide->unused)); // until provide_joined() counts anew
	inherit_all(provide, plan, left, left_count);
	forget_rest(provide, left, left_count);
	merged_sort(&provide->merged);
	for (size_t i = 0; i < left_count; i++)
		leave(provide, left[i]);
	for (size_t i = 0; i < plan->count; i++)
		if (plan->rows[i].is_new && !provider_start(plan->rows[i].provider))
			log_error("providers: %s: there is no thread for it: only its saved targets are served, until the next start",
			          plan->rows[i].provider->label);
	for (size_t i = 0; i < provide->running_count; i++)
		expire(provide, provide->running[i]); // by another grace time
	settle(provide);
	free(plan);
}

// ---- reading --------------------------------------------------------------------------------------------------------

struct snapshot *provide_snapshot(struct provide *provide)
{
	return snapshot_new(&provide->merged);
}

bool provide_has_targets(const struct provide *provide)
{
	return provide->merged.count > 0;
}

enum edgesteer_health provide_ready(const struct provide *provide, const char *app, const char *site)
{
	struct merged_group group;

	return merged_find(&provide->merged, app, site, &group) ? (enum edgesteer_health)group.ready
	                                                        : EDGESTEER_HEALTH_UNKNOWN;
}

size_t provide_count(const struct provide *provide)
{
	return provide->running_count + provide->leaving_count;
}

void provide_status(const struct provide *provide, size_t number, struct provide_status *ret_status,
                    struct provider_report *ret_report)
{
	bool is_stopping = number >= provide->running_count;

	must(number < provide_count(provide));

	struct provider *provider =
		is_stopping ? provide->leaving[number - provide->running_count] : provide->running[number];

	*ret_status = (struct provide_status){
		.label = provider->label,
		.plugin = provider->plugin,
		.targets = provider->roll.count,
		.vanished = provider->roll.vanished,
		.stale = provider->roll.stale,
		.unused = is_stopping ? 0 : provide->unused[number],
		.is_stopping = is_stopping,
	};
	provider_read_report(provider, ret_report);
}

void provide_joined(struct provide *provide, const struct config *config)
{
	memset(provide->unused, 0, sizeof(provide->unused));
	for (size_t i = 0; i < config->refused_count; i++)
		for (size_t j = 0; j < provide->running_count; j++)
			provide->unused[j] += strcmp(provide->running[j]->label, config->refused[i].provider) == 0;
	refusals_log(&provide->refusals, config);
}

// ---- start and stop -------------------------------------------------------------------------------------------------

int provide_new(struct event_base *base, struct state *state, const struct provide_ops *ops,
                struct provide **ret_provide)
{
	struct provide *provide = calloc(1, sizeof(*provide));
	const struct inbox_ops inbox_ops = {provide, on_arrived};
	int err;

	if (!provide)
		return E_NOMEM;
	provide->state = state;
	provide->ops = *ops;
	if (!provide->ops.stop_ms)
		provide->ops.stop_ms = PROVIDE_STOP_MS;
	provide->tell = evtimer_new(base, on_tell, provide);
	provide->look = evtimer_new(base, on_look, provide);
	err = provide->tell && provide->look ? inbox_new(base, &inbox_ops, &provide->inbox) : E_NOMEM;
	if (err == E_OK)
		err = keep_load(state, provide->found, &provide->found_count);
	if (err < 0) {
		(void)provide_free(provide); // no thread runs
		return err;
	}
	*ret_provide = provide;
	return E_OK;
}

// Bounded. Whether all have ended.
static bool wait_for_leaving(struct provide *provide)
{
	enum { TURN_US = 5000 };

	while (provide->leaving_count > 0) {
		bool waits = look_at_leaving(provide);

		inbox_handle(provide->inbox);
		if (!waits && provide->leaving_count > 0)
			return false;
		if (provide->leaving_count > 0)
			usleep(TURN_US);
	}
	return true;
}

struct provide *provide_free(struct provide *provide)
{
	if (!provide)
		return NULL;
	provide->state = NULL; // what is there stays there
	provide->ops.ready_changed = NULL; // nothing is said of what goes
	for (size_t i = 0; i < provide->running_count; i++) {
		struct changing changing = {provide, provide->running[i], true};
		const struct roll_ops ops = roll_ops(&changing);

		roll_clear(&provide->running[i]->roll, &ops);
		leave(provide, provide->running[i]);
	}
	provide->running_count = 0;
	merged_settle(&provide->merged);
	if (!wait_for_leaving(provide))
		return provide;
	if (provide->inbox)
		inbox_handle(provide->inbox);
	for (size_t i = 0; i < provide->found_count; i++)
		keep_found_free(&provide->found[i]);
	merged_done(&provide->merged);
	inbox_free(provide->inbox);
	if (provide->tell)
		event_free(provide->tell);
	if (provide->look)
		event_free(provide->look);
	refusals_done(&provide->refusals);
	free(provide);
	return NULL;
}
