// What is believed of one target; see judge.h. Its way, each step with what the one before says:
//   the column    up or down, by what vantages say (column.h); with nothing said, up where it has no check
//   damping       up, but it has fallen too often: down (damping.h)
//   the brake     down by one vantage's word alone, and so is everything else: as it was (brake.h)
//   panic         down, and so are too many targets of the app: up
#include "health/judge.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "config/config.h"
#include "health/damping.h"
#include "health/health.h"
#include "health/judge_inner.h"
#include "health/warmup.h"

// ---- what is said ---------------------------------------------------------------------------------------------------

static const struct config_app *app_of(const struct judge *judge, uint32_t target)
{
	return &judge->frame->config->apps[judge->frame->app_of[target]];
}

static const struct config_target *written_of(const struct judge *judge, uint32_t target)
{
	const struct judge_frame *frame = judge->frame;
	uint32_t app = frame->app_of[target];

	return &frame->config->apps[app].targets[target - frame->first_of[app]];
}

static const struct config_site *site_of(const struct judge *judge, uint32_t target)
{
	return &judge->frame->config->sites[written_of(judge, target)->site];
}

static enum word probe_word(const struct judge *judge, uint32_t target)
{
	if (!health_checked(judge->health, target) || (!judge->started && !health_known(judge->health, target)))
		return WORD_NONE;
	return health_up(judge->health, target) ? WORD_UP : WORD_DOWN;
}

// With a quorum of 1 a provider that says "ready" changes nothing, so it is not asked.
static enum word endpoints_word(const struct judge *judge, uint32_t target)
{
	if (judge->frame->marks[target] & MARK_UNREADY)
		return WORD_DOWN;
	if (!(judge->frame->marks[target] & MARK_HEEDED) || app_of(judge, target)->quorum == 1)
		return WORD_NONE;
	return judge->ops.endpoints(judge->ops.ctx, app_of(judge, target)->name, site_of(judge, target)->name);
}

// The one carrier whose clients alone reach the target; NULL: there are several, or everybody does.
static const char *sole_carrier(const struct judge *judge, uint32_t target)
{
	const struct config_site *site = site_of(judge, target);

	return !site->is_public && site->carrier_count == 1 ? site->carriers[0] : NULL;
}

static struct tally general_tally(const struct judge *judge, uint32_t target)
{
	struct tally tally = matrix_tally(judge->matrix, target, "", judge->now_ms);

	tally_add(&tally, probe_word(judge, target));
	tally_add(&tally, endpoints_word(judge, target));
	return tally;
}

// `carrier` NULL: of none that has vantages.
static bool column_up(const struct judge *judge, uint32_t target, const char *carrier)
{
	unsigned quorum = app_of(judge, target)->quorum;
	enum word word = WORD_NONE;

	if (carrier)
		word = tally_word(matrix_tally(judge->matrix, target, carrier, judge->now_ms), quorum);
	if (word == WORD_NONE)
		word = tally_word(general_tally(judge, target), quorum);
	return word != WORD_DOWN;
}

// Whether no second vantage, of whatever column, says that it is down.
static bool is_alone(const struct judge *judge, uint32_t target)
{
	unsigned down = (probe_word(judge, target) == WORD_DOWN) + (endpoints_word(judge, target) == WORD_DOWN);

	for (const struct matrix_cell *cell = matrix_first(judge->matrix, target); cell; cell = matrix_next(judge->matrix, cell))
		down += !cell->up && cell->until_ms > judge->now_ms;
	return down < 2;
}

// ---- what is believed -----------------------------------------------------------------------------------------------

static struct damping_rule rule_of(const struct judge *judge)
{
	const struct config_health *health = &judge->frame->config->health;

	return (struct damping_rule){health->half_life_ms, health->suppress, health->reuse, health->longest_ms};
}

static struct course *course_of(const struct judge *judge, uint32_t target)
{
	uint32_t number = judge->frame->course_of[target];

	return number ? &judge->courses[number - 1] : NULL;
}

// Out of memory, the target is neither damped nor started slowly.
static struct course *course_make(struct judge *judge, uint32_t target)
{
	struct course *at = course_of(judge, target), *more;
	size_t room = judge->course_room ? judge->course_room * 2 : 64;

	if (at)
		return at;
	if (judge->course_count == judge->course_room) {
		more = realloc(judge->courses, room * sizeof(*more));
		if (!more)
			return NULL;
		judge->courses = more;
		judge->course_room = room;
	}
	judge->courses[judge->course_count++] = (struct course){.target = target};
	judge->frame->course_of[target] = (uint32_t)judge->course_count;
	return &judge->courses[judge->course_count - 1];
}

// What follows for a column of a target, but for panic.
static bool believed(const struct judge *judge, uint32_t target, bool column)
{
	struct course *course = course_of(judge, target);
	struct damping_rule rule = rule_of(judge);

	if (column)
		return !course || !damping_holds(&course->damping, &rule, judge->now_ms);
	return brake_held(judge->frame->brake, target);
}

static void tell(struct judge *judge, uint32_t target)
{
	uint8_t marks = judge->frame->marks[target];

	judge->moved = true;
	judge->ops.judged(judge->ops.ctx, target, marks & (MARK_UP | MARK_PANIC));
}

// Whether health is ignored for an app follows from all of its targets.
static void look_for_panic(struct judge *judge, uint32_t number)
{
	const struct config_app *app = &judge->frame->config->apps[number];
	uint32_t first = judge->frame->first_of[number];
	uint8_t *marks = judge->frame->marks;
	size_t up = 0;
	bool was, is;

	if (app->target_count == 0)
		return;
	for (uint32_t i = first; i < first + app->target_count; i++) {
		if (!(marks[i] & MARK_SEEN))
			return; // at a start or a reload they are judged one after another
		up += (marks[i] & MARK_UP) != 0;
	}
	was = marks[first] & MARK_PANIC;
	is = up * 100 < app->panic_percent * app->target_count;
	if (was == is)
		return;
	for (uint32_t i = first; i < first + app->target_count; i++) {
		marks[i] = (uint8_t)(is ? marks[i] | MARK_PANIC : marks[i] & ~MARK_PANIC);
		tell(judge, i);
	}
	judge->stats.panicking = (uint32_t)(is ? judge->stats.panicking + app->target_count
	                                       : judge->stats.panicking - app->target_count);
	log_line(is ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTICE, "health: %s is %s panic: %zu of its %zu targets are up, and `panic` is %u%%%s",
	         app->name, is ? "in" : "no longer in", up, app->target_count, app->panic_percent,
	         is ? "; all are answered as if they were up" : "");
}

void judge_apply(struct judge *judge, uint32_t target)
{
	uint8_t *marks = &judge->frame->marks[target];
	bool up = believed(judge, target, *marks & MARK_RAW);

	*marks = (uint8_t)(up ? *marks | MARK_UP : *marks & ~MARK_UP);
	tell(judge, target);
	if (app_of(judge, target)->panic_percent > 0 || *marks & MARK_PANIC)
		look_for_panic(judge, judge->frame->app_of[target]);
	judge->columns_moved = judge->columns_moved || matrix_first(judge->matrix, target);
}

void judge_fell(struct judge *judge, uint32_t target)
{
	struct course *course = course_make(judge, target);
	struct damping_rule rule = rule_of(judge);
	bool was = course && course->damping.suppressed;

	judge->stats.falls++;
	if (!course)
		return;
	damping_fell(&course->damping, &rule, judge->now_ms);
	if (!was && course->damping.suppressed)
		log_warning("health: %s at %s has fallen too often and stays down: its penalty of %.0f has reached `suppress`, %u; its "
		            "health counts again when that is below `reuse`, %u", app_of(judge, target)->name,
		            site_of(judge, target)->name, course->damping.penalty, rule.suppress, rule.reuse);
}

static void rose(struct judge *judge, uint32_t target)
{
	struct course *course = app_of(judge, target)->slow_start_ms ? course_make(judge, target) : NULL;

	brake_rose(judge->frame->brake, target);
	if (!course)
		return;
	course->warms = true;
	course->up_ms = judge->now_ms;
	judge->ops.eased(judge->ops.ctx, target, warmup_share(course->up_ms, app_of(judge, target)->slow_start_ms, judge->now_ms));
}

bool judge_watched(const struct judge *judge, uint32_t target)
{
	return health_checked(judge->health, target) || judge->frame->marks[target] & MARK_HEEDED ||
	       matrix_first(judge->matrix, target);
}

// Counts a target among those of its region, and of the probes, that are up.
static void count(struct judge *judge, uint32_t target, uint8_t was, uint8_t is)
{
	struct brake *brake = judge->frame->brake;
	uint32_t region = judge->frame->region_of[target];

	if ((was ^ is) & MARK_WATCHED && region != JUDGE_NO_REGION)
		brake_count(brake, GROUP_REGIONS + region, is & MARK_WATCHED ? 1 : -1);
	if (was & ~is & MARK_RAW && region != JUDGE_NO_REGION) // the first that is said of it may be that it is down
		brake_suspect(brake, GROUP_REGIONS + region);
	if ((was ^ is) & MARK_PROBE)
		brake_count(brake, GROUP_PROBE, is & MARK_PROBE ? 1 : -1);
}

void judge_look(struct judge *judge, uint32_t target)
{
	uint8_t *marks = &judge->frame->marks[target], was = *marks, is = was | MARK_SEEN;
	bool up = column_up(judge, target, sole_carrier(judge, target));
	bool probe = probe_word(judge, target) == WORD_UP;

	is = (uint8_t)(up ? is | MARK_RAW : is & ~MARK_RAW);
	is = (uint8_t)(probe ? is | MARK_PROBE : is & ~MARK_PROBE);
	is = (uint8_t)(up && judge_watched(judge, target) ? is | MARK_WATCHED : is & ~MARK_WATCHED);
	*marks = is;
	count(judge, target, was, is);
	if (!judge->started || !(was & MARK_SEEN)) {
		; // what is found at first is no change
	} else if (was & MARK_RAW && !up) {
		brake_fell(judge->frame->brake, target, is_alone(judge, target), judge->now_ms);
		judge_fell(judge, target);
	} else if (!(was & MARK_RAW) && up) {
		rose(judge, target);
	} else if (!up && brake_held(judge->frame->brake, target) && !is_alone(judge, target)) {
		brake_rose(judge->frame->brake, target);
	}
	judge_apply(judge, target);
}

void judge_probed(struct judge *judge, uint32_t target)
{
	judge->now_ms = clock_mono_ms();
	judge_look(judge, target);
}

void judge_told(struct judge *judge, uint32_t target, bool unready)
{
	uint8_t *marks = &judge->frame->marks[target];

	*marks = (uint8_t)(unready ? *marks | MARK_UNREADY : *marks & ~MARK_UNREADY);
	judge_probed(judge, target);
}

// ---- columns --------------------------------------------------------------------------------------------------------

bool judge_columns_moved(struct judge *judge)
{
	bool moved = judge->columns_moved;

	judge->columns_moved = false;
	return moved;
}

// Whether an earlier cell of the chain is of the same carrier.
static bool is_repeated(struct judge *judge, const struct matrix_cell *cell)
{
	const char *carrier = matrix_vantage_at(judge->matrix, cell->vantage)->carrier;

	for (const struct matrix_cell *at = matrix_first(judge->matrix, cell->target); at != cell;
	     at = matrix_next(judge->matrix, at))
		if (strcmp(matrix_vantage_at(judge->matrix, at->vantage)->carrier, carrier) == 0)
			return true;
	return false;
}

void judge_columns(struct judge *judge, void (*each)(void *ctx, uint32_t target, const char *carrier, bool up), void *ctx)
{
	judge->now_ms = clock_mono_ms();
	for (size_t i = 0; i < matrix_count(judge->matrix); i++) {
		const struct matrix_cell *cell = matrix_cell_at(judge->matrix, i);
		const char *carrier = matrix_vantage_at(judge->matrix, cell->vantage)->carrier, *sole;
		uint8_t marks = judge->frame->marks[cell->target];
		bool up;

		if (!*carrier || marks & MARK_PANIC || is_repeated(judge, cell))
			continue;
		sole = sole_carrier(judge, cell->target);
		if (sole && strcmp(sole, carrier) == 0)
			continue;
		up = believed(judge, cell->target, column_up(judge, cell->target, carrier));
		if (up != ((marks & MARK_UP) != 0))
			each(ctx, cell->target, carrier, up);
	}
}

void judge_shown(const struct judge *judge, uint32_t target, struct judge_shown *ret_shown)
{
	uint8_t marks = judge->frame->marks[target];
	const struct course *course = course_of(judge, target);
	struct damping_rule rule = rule_of(judge);
	int64_t now_ms = clock_mono_ms();

	*ret_shown = (struct judge_shown){
		.unready = marks & MARK_UNREADY,
		.held = brake_held(judge->frame->brake, target),
		.panics = marks & MARK_PANIC && !(marks & MARK_UP),
		.damped = course && course->damping.suppressed && !(marks & MARK_UP) && marks & MARK_RAW,
		.share = WARMUP_WHOLE,
	};
	if (!course)
		return;
	ret_shown->penalty = damping_penalty(&course->damping, &rule, now_ms);
	ret_shown->damped_for_ms = damping_ends_ms(&course->damping, &rule, now_ms) - now_ms;
	if (course->warms)
		ret_shown->share = warmup_share(course->up_ms, app_of(judge, target)->slow_start_ms, now_ms);
}

struct matrix *judge_matrix(struct judge *judge)
{
	return judge->matrix;
}
