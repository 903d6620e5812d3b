// Generations, reports, and what comes as time passes; see judge.h.
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "config/config.h"
#include "health/health.h"
#include "health/judge_inner.h"
#include "health/warmup.h"

enum {
	TICK_MS = 1000,          // how late what comes with time may be noticed
	SLACK_MS = 1000,         // of an interval, in which all of a group falls
	INTERVAL_MS = 10000,     // of a config without checks
	SKEW_EVERY_MS = 60000,   // a wrong clock is told so often
	COURSE_LEAST = 10,       // a penalty below this is forgotten
};

// ---- frames ---------------------------------------------------------------------------------------------------------

// The number of a region, which is added when it is new.
static uint16_t region_of(struct judge_frame *frame, const char *name)
{
	if (!*name)
		return JUDGE_NO_REGION;
	for (uint16_t i = 0; i < frame->region_count; i++)
		if (strcmp(frame->regions[i], name) == 0)
			return i;
	frame->regions[frame->region_count] = name;
	return frame->region_count++;
}

// A Region is under itself.
static const char *region_name(const struct config_site *site)
{
	return *site->region || site->kind != SITE_REGION ? site->region : site->name;
}

static void number_targets(struct judge_frame *frame, const uint16_t *region_of_site)
{
	const struct config *config = frame->config;
	uint32_t target = 0;

	for (size_t i = 0; i < config->app_count; i++) {
		const struct config_app *app = &config->apps[i];

		frame->first_of[i] = target;
		for (size_t k = 0; k < app->target_count; k++, target++) {
			const struct config_target *written = &app->targets[k];

			if (written->from && written->ready != READY_PROBE)
				frame->marks[target] = MARK_HEEDED;
			frame->app_of[target] = (uint32_t)i;
			frame->region_of[target] = region_of_site[written->site];
			frame->is_plain[target] = app->panic_percent == 0 && app->quorum == 1;
		}
	}
	for (size_t i = 0; i < config->check_count; i++)
		if (config->checks[i].interval_ms > frame->interval_ms)
			frame->interval_ms = config->checks[i].interval_ms;
	if (config->check_count == 0)
		frame->interval_ms = INTERVAL_MS;
}

static int number(struct judge_frame *frame)
{
	const struct config *config = frame->config;
	uint16_t *region_of_site = calloc(config->site_count + 1, sizeof(*region_of_site));

	if (!region_of_site)
		return E_NOMEM;
	for (size_t i = 0; i < config->site_count; i++)
		region_of_site[i] = region_of(frame, region_name(&config->sites[i]));
	number_targets(frame, region_of_site);
	free(region_of_site);
	return E_OK;
}

struct judge_frame *judge_frame_new(const struct config *config)
{
	struct judge_frame *frame = calloc(1, sizeof(*frame));

	if (!frame)
		return NULL;
	frame->config = config;
	for (size_t i = 0; i < config->app_count; i++)
		frame->count += (uint32_t)config->apps[i].target_count;
	frame->first_of = calloc(config->app_count + 1, sizeof(*frame->first_of));
	frame->app_of = calloc((size_t)frame->count + 1, sizeof(*frame->app_of));
	frame->course_of = calloc((size_t)frame->count + 1, sizeof(*frame->course_of));
	frame->cells_of = calloc((size_t)frame->count + 1, sizeof(*frame->cells_of));
	frame->marks = calloc((size_t)frame->count + 1, 1);
	frame->region_of = calloc((size_t)frame->count + 1, sizeof(*frame->region_of));
	frame->is_plain = calloc((size_t)frame->count + 1, sizeof(*frame->is_plain));
	frame->regions = calloc(config->site_count + 1, sizeof(char *));
	if (!frame->first_of || !frame->app_of || !frame->course_of || !frame->cells_of || !frame->marks ||
	    !frame->region_of || !frame->is_plain || !frame->regions || number(frame) < 0)
		return judge_frame_free(frame);
	frame->brake = brake_new(frame->count, GROUP_REGIONS + frame->region_count);
	return frame->brake ? frame : judge_frame_free(frame);
}

struct judge_frame *judge_frame_free(struct judge_frame *frame)
{
	if (!frame)
		return NULL;
	free(frame->first_of);
	free(frame->app_of);
	free(frame->course_of);
	free(frame->cells_of);
	free(frame->marks);
	free(frame->region_of);
	free(frame->is_plain);
	free(frame->regions);
	brake_free(frame->brake);
	free(frame);
	return NULL;
}

// ---- the brake ------------------------------------------------------------------------------------------------------

static bool is_member(void *ctx, uint32_t group, uint32_t target)
{
	struct judge *judge = ctx;
	const struct judge_frame *frame = judge->frame;

	if (group >= GROUP_REGIONS)
		return frame->region_of[target] == group - GROUP_REGIONS;
	if (group == GROUP_PROBE)
		return health_checked(judge->health, target) && !health_up(judge->health, target);
	for (const struct matrix_cell *cell = matrix_first(judge->matrix, target); cell; cell = matrix_next(judge->matrix, cell))
		if (cell->vantage == group - GROUP_VANTAGES)
			return !cell->up;
	return false;
}

static uint32_t site_number(void *ctx, uint32_t target)
{
	const struct judge *judge = ctx;
	uint32_t app = judge->frame->app_of[target];

	return judge->frame->config->apps[app].targets[target - judge->frame->first_of[app]].site;
}

static void hold_changed(void *ctx, uint32_t target, bool held)
{
	(void)held;
	judge_apply(ctx, target);
}

enum { WHAT_LEN = MATRIX_NAME_LEN + 128 };

static const char *group_text(const struct judge *judge, uint32_t group, char *buf)
{
	if (group >= GROUP_REGIONS)
		snprintf(buf, WHAT_LEN, "the region %.150s", judge->frame->regions[group - GROUP_REGIONS]);
	else if (group == GROUP_PROBE)
		snprintf(buf, WHAT_LEN, "what our own probes see");
	else
		snprintf(buf, WHAT_LEN, "what vantage %s sees", matrix_vantage_at(judge->matrix, group - GROUP_VANTAGES)->name);
	return buf;
}

static void brake_told(void *ctx, uint32_t group, const struct brake_group *state)
{
	static const char *const ends[] = {
		[BRAKE_BY_ITSELF] = "its targets are up again, or a second vantage says that they are down",
		[BRAKE_BY_OPERATOR] = "by an operator",
		[BRAKE_BY_TIME] = "after `brake-max`: they count as down",
	};
	struct judge *judge = ctx;
	char what[WHAT_LEN];

	if (state->phase == BRAKE_HOLDS) {
		judge->stats.holds++;
		log_error("health: everything in %s has failed at once, by the word of one vantage: %u targets are held as they were, "
		          "for at most %u s, until a second vantage says so or `edgesteerctl brake release`",
		          group_text(judge, group, what), state->held, judge->frame->config->health.brake_max_ms / 1000);
	} else {
		log_notice("health: the brake no longer holds %s: %s", group_text(judge, group, what), ends[state->end]);
	}
}

// The vantages' members that are up, as the matrix counts them.
static void count_vantages(struct judge *judge)
{
	for (uint32_t i = 0; i < MATRIX_VANTAGES_MAX; i++) {
		uint32_t up = matrix_has_vantage(judge->matrix, i) ? matrix_vantage_at(judge->matrix, i)->up : 0;
		uint32_t counted = brake_group_at(judge->frame->brake, GROUP_VANTAGES + i)->up;

		if (up != counted)
			brake_count(judge->frame->brake, GROUP_VANTAGES + i, (int)up - (int)counted);
	}
}

void judge_settle(struct judge *judge)
{
	judge->now_ms = clock_mono_ms();
	count_vantages(judge);
	brake_look(judge->frame->brake, judge->now_ms, judge->frame->interval_ms + SLACK_MS,
	           judge->frame->config->health.brake_max_ms);
}

unsigned judge_release(struct judge *judge)
{
	unsigned count = 0;

	judge->now_ms = clock_mono_ms();
	for (uint32_t i = 0; i < (uint32_t)GROUP_REGIONS + judge->frame->region_count; i++)
		count += brake_release(judge->frame->brake, i, judge->now_ms);
	if (count > 0)
		judge->ops.moved(judge->ops.ctx);
	return count;
}

void judge_brakes(const struct judge *judge,
                  void (*each)(void *ctx, const char *what, const struct brake_group *group), void *ctx)
{
	char what[WHAT_LEN];

	for (uint32_t i = 0; i < (uint32_t)GROUP_REGIONS + judge->frame->region_count; i++) {
		const struct brake_group *group = brake_group_at(judge->frame->brake, i);

		if (group->phase == BRAKE_HOLDS)
			each(ctx, group_text(judge, i, what), group);
	}
}

// ---- courses --------------------------------------------------------------------------------------------------------

static void forget_course(struct judge *judge, size_t number)
{
	struct course *last = &judge->courses[judge->course_count - 1];

	judge->frame->course_of[judge->courses[number].target] = 0;
	if (number + 1 < judge->course_count) {
		judge->courses[number] = *last;
		judge->frame->course_of[last->target] = (uint32_t)number + 1;
	}
	judge->course_count--;
}

static void pass_course(struct judge *judge, size_t number)
{
	const struct config_health *health = &judge->frame->config->health;
	struct damping_rule rule = {health->half_life_ms, health->suppress, health->reuse, health->longest_ms};
	struct course *course = &judge->courses[number];
	uint32_t target = course->target, app = judge->frame->app_of[target];
	bool was = course->damping.suppressed;

	if (course->warms) {
		uint32_t share = warmup_share(course->up_ms, judge->frame->config->apps[app].slow_start_ms, judge->now_ms);

		course->warms = share < WARMUP_WHOLE;
		judge->ops.eased(judge->ops.ctx, target, share);
		judge->stats.warming += course->warms;
	}
	if (was && !damping_holds(&course->damping, &rule, judge->now_ms)) {
		log_notice("health: %s has been still for long enough: its health counts again", judge->frame->config->apps[app].name);
		judge_apply(judge, target);
	}
	judge->stats.damped += course->damping.suppressed;
	if (!course->warms && !course->damping.suppressed &&
	    damping_penalty(&course->damping, &rule, judge->now_ms) < COURSE_LEAST)
		forget_course(judge, number);
}

// ---- generations ----------------------------------------------------------------------------------------------------

static void carry_brake(struct judge_frame *frame, const struct judge_frame *old, const struct brake_ops *ops,
                        const uint32_t *old_of_new)
{
	uint32_t *new_of_group = old ? malloc((GROUP_REGIONS + old->region_count) * sizeof(*new_of_group)) : NULL;

	for (uint32_t i = 0; new_of_group && i < (uint32_t)GROUP_REGIONS + old->region_count; i++) {
		new_of_group[i] = i < GROUP_REGIONS ? i : UINT32_MAX;
		for (uint16_t k = 0; i >= GROUP_REGIONS && k < frame->region_count; k++)
			if (strcmp(frame->regions[k], old->regions[i - GROUP_REGIONS]) == 0)
				new_of_group[i] = GROUP_REGIONS + (uint32_t)k;
	}
	// Out of memory, what is held is let go.
	brake_begin(frame->brake, ops, new_of_group ? old->brake : NULL, old_of_new, new_of_group);
	free(new_of_group);
}

static void carry(struct judge *judge, struct judge_frame *frame, const uint32_t *old_of_new)
{
	const struct judge_frame *old = judge->frame;
	size_t kept = 0;

	for (uint32_t i = 0; i < frame->count; i++) {
		if (old_of_new[i] >= old->count)
			continue;
		// What is counted by group is counted again.
		frame->marks[i] |= old->marks[old_of_new[i]] & (MARK_SEEN | MARK_RAW | MARK_UP | MARK_UNREADY);
		if (!(frame->marks[i] & MARK_HEEDED))
			frame->marks[i] &= (uint8_t)~MARK_UNREADY;
		frame->course_of[i] = old->course_of[old_of_new[i]];
		if (frame->course_of[i])
			judge->courses[frame->course_of[i] - 1].target = i;
	}
	for (size_t i = 0; i < judge->course_count; i++) {
		struct course course = judge->courses[i];

		if (course.target >= frame->count || frame->course_of[course.target] != i + 1)
			continue; // its target is gone
		judge->courses[kept++] = course;
		frame->course_of[course.target] = (uint32_t)kept;
	}
	judge->course_count = kept;
}

// What judge_look() does for a target of which nothing but its probes tells anything, if they say what they said before, or it
// is new. Nearly all are such; a reload may not take long for each. False: it is not such a one.
static bool look_fast(struct judge *judge, uint32_t target)
{
	const struct judge_frame *frame = judge->frame;
	uint8_t was = frame->marks[target];
	bool up = health_up(judge->health, target), probe = up && health_checked(judge->health, target);
	bool watched = up && judge_watched(judge, target);

	if (!judge->started || !frame->is_plain[target] || was & MARK_UNREADY || frame->course_of[target] ||
	    matrix_first(judge->matrix, target) || brake_held(frame->brake, target) ||
	    (was & MARK_SEEN && up != ((was & MARK_RAW) != 0)))
		return false;
	frame->marks[target] = (uint8_t)((was & MARK_HEEDED) | MARK_SEEN | (up ? MARK_RAW | MARK_UP : 0) | (probe ? MARK_PROBE : 0) |
	                                 (watched ? MARK_WATCHED : 0));
	if (watched && frame->region_of[target] != JUDGE_NO_REGION)
		brake_count(frame->brake, GROUP_REGIONS + frame->region_of[target], 1);
	if (probe)
		brake_count(frame->brake, GROUP_PROBE, 1);
	if (!up)
		judge->ops.judged(judge->ops.ctx, target, false);
	return true;
}

void judge_take(struct judge *judge, struct judge_frame *frame, const struct health *health, const uint32_t *old_of_new)
{
	const struct brake_ops ops = {is_member, site_number, hold_changed, brake_told, judge};
	struct judge_frame *old = judge->frame;

	judge->now_ms = clock_mono_ms();
	judge->health = health;
	if (old)
		carry(judge, frame, old_of_new);
	carry_brake(frame, old, &ops, old_of_new);
	judge->frame = frame;
	matrix_renumber(judge->matrix, old_of_new, frame->cells_of, frame->count);
	frame->cells_of = NULL;
	judge->stats.panicking = 0;
	judge->columns_moved = true;
	for (uint32_t i = 0; i < frame->count; i++)
		if (!look_fast(judge, i))
			judge_look(judge, i);
	for (size_t i = judge->course_count; i > 0; i--) // shares are kept by whoever has the generation
		if (judge->courses[i - 1].warms)
			pass_course(judge, i - 1);
	judge_frame_free(old);
}

void judge_start(struct judge *judge)
{
	judge->started = true;
	judge->now_ms = clock_mono_ms();
	for (uint32_t i = 0; i < judge->frame->count; i++)
		if (!health_known(judge->health, i)) {
			judge->frame->marks[i] &= (uint8_t)~MARK_SEEN; // not a fall
			judge_look(judge, i);
		}
}

// ---- time -----------------------------------------------------------------------------------------------------------

static void expired(void *ctx, uint32_t target)
{
	judge_look(ctx, target);
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
	static const struct timeval again = {TICK_MS / 1000, TICK_MS % 1000 * 1000};
	struct judge *judge = ctx;

	(void)fd;
	(void)what;
	if (judge->frame) {
		judge->now_ms = clock_mono_ms();
		judge->stats.warming = judge->stats.damped = 0;
		judge->moved = false;
		matrix_expire(judge->matrix, judge->now_ms, expired, judge);
		for (size_t i = judge->course_count; i > 0; i--)
			pass_course(judge, i - 1);
		judge_settle(judge);
		if (judge->moved)
			judge->ops.moved(judge->ops.ctx);
	}
	if (evtimer_add(&judge->tick, &again) < 0)
		event_active(&judge->tick, EV_TIMEOUT, 0);
}

// ---- reports --------------------------------------------------------------------------------------------------------

bool judge_is_name(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:");

	return len > 0 && len < MATRIX_NAME_LEN && text[len] == '\0';
}

static void tell_skew(struct judge *judge, struct vantage *vantage, const struct judge_report *report)
{
	bool is_ahead = report->ahead_ms > JUDGE_SKEW_MS, is_old = -report->ahead_ms >= report->ttl_ms;

	vantage->skew_ms = is_ahead || is_old ? report->ahead_ms : 0;
	if (!vantage->skew_ms || (vantage->skew_told_ms && judge->now_ms - vantage->skew_told_ms < SKEW_EVERY_MS))
		return;
	vantage->skew_told_ms = judge->now_ms;
	if (is_ahead)
		log_warning("health: vantage %s (%s) reports what it sees %" PRId64 " s from now: its clock, or ours, is wrong; it counts "
		            "as seen now", vantage->name, vantage->who, report->ahead_ms / 1000);
	else
		log_warning("health: vantage %s (%s) reports what it saw %" PRId64 " s ago, which is older than its ttl of %" PRId64
		            " s, and not taken: it is late, or its clock, or ours, is wrong",
		            vantage->name, vantage->who, -report->ahead_ms / 1000, report->ttl_ms / 1000);
}

int judge_open(struct judge *judge, const struct judge_report *report, unsigned *ret_vantage)
{
	struct vantage *vantage;
	int err = matrix_vantage(judge->matrix, report->vantage, report->carrier, ret_vantage);

	if (err < 0) {
		judge->stats.full++;
		return err;
	}
	judge->now_ms = clock_mono_ms();
	vantage = matrix_vantage_at(judge->matrix, *ret_vantage);
	vantage->heard_ms = judge->now_ms;
	strncpy(vantage->who, report->who, sizeof(vantage->who) - 1);
	tell_skew(judge, vantage, report);
	return E_OK;
}

int judge_report(struct judge *judge, const struct judge_report *report, unsigned number, uint32_t target, bool up)
{
	struct vantage *vantage = matrix_vantage_at(judge->matrix, number);
	int64_t age_ms = report->ahead_ms < 0 ? -report->ahead_ms : 0;
	bool changed = false;
	int err = E_STATE;

	if (age_ms < report->ttl_ms)
		err = matrix_put(judge->matrix, number, target, up, judge->now_ms - age_ms, judge->now_ms + report->ttl_ms - age_ms,
		                 &changed);
	judge->stats.reports += err == E_OK;
	judge->stats.stale += err == E_STATE;
	judge->stats.full += err == E_LIMIT;
	vantage->reports += err == E_OK;
	vantage->stale += err == E_STATE;
	if (!changed)
		return err;
	judge_look(judge, target);
	if (!up)
		brake_suspect(judge->frame->brake, GROUP_VANTAGES + number);
	if (!up && *vantage->carrier && judge->frame->marks[target] & MARK_RAW)
		judge_fell(judge, target); // for the carrier's clients alone
	judge->ops.moved(judge->ops.ctx);
	return err;
}

uint32_t judge_count(const struct judge *judge)
{
	return judge->frame ? judge->frame->count : 0;
}

// ---- the whole ------------------------------------------------------------------------------------------------------

void judge_stats(const struct judge *judge, struct judge_stats *ret_stats)
{
	*ret_stats = judge->stats;
	ret_stats->cells = (uint32_t)matrix_count(judge->matrix);
	for (uint32_t i = 0; judge->frame && i < (uint32_t)GROUP_REGIONS + judge->frame->region_count; i++)
		ret_stats->held += brake_group_at(judge->frame->brake, i)->held;
	for (unsigned i = 0; i < MATRIX_VANTAGES_MAX; i++)
		ret_stats->vantages += matrix_has_vantage(judge->matrix, i) &&
		                       matrix_vantage_at(judge->matrix, i)->up + matrix_vantage_at(judge->matrix, i)->down > 0;
}

struct judge *judge_new(struct event_base *base, const struct judge_ops *ops)
{
	struct judge *judge = calloc(1, sizeof(*judge));

	if (!judge)
		return NULL;
	judge->ops = *ops;
	judge->matrix = matrix_new();
	evtimer_assign(&judge->tick, base, on_tick, judge);
	if (!judge->matrix)
		return judge_free(judge);
	on_tick(-1, 0, judge);
	return judge;
}

struct judge *judge_free(struct judge *judge)
{
	if (!judge)
		return NULL;
	event_del(&judge->tick);
	judge_frame_free(judge->frame);
	matrix_free(judge->matrix);
	free(judge->courses);
	free(judge);
	return NULL;
}
