// Groups that are left with nothing, and where their clients are; see uncovered.h.
#include "control/uncovered.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/names.h"
#include "control/left.h"
#include "control/reply_json.h"
#include "view/learned.h"
#include "view/live.h"
#include "view/view.h"

enum { NAMED_MAX = 3, REACH_TEXT_MAX = 160 };

struct group {
	uint32_t app;     // number in the view
	uint16_t carrier; // or LEFT_OTHERS
};

// Where a carrier's clients are.
struct whereabouts {
	bool is_wanted, is_learned;
	uint64_t prefixes;
	unsigned example_count;
	struct prefix examples[UNCOVERED_EXAMPLES];
};

struct uncovered {
	const struct live *before, *after;
	struct group *groups;
	size_t count, room;
	struct whereabouts *carriers; // by number
	bool is_short;                // of memory
	uint32_t app;                 // that is looked at
};

// ---- the groups -----------------------------------------------------------------------------------------------------

static void look_at(void *ctx, uint16_t carrier)
{
	struct uncovered *found = ctx;
	const struct app *app = &found->after->view->apps[found->app];

	if (left_to(found->after, app, carrier) != LEFT_NOTHING || left_to(found->before, app, carrier) == LEFT_NOTHING)
		return;
	if (found->count == found->room) {
		size_t room = found->room ? 2 * found->room : 64;
		struct group *groups = reallocarray(found->groups, room, sizeof(*groups));

		if (!groups) {
			found->is_short = true;
			return;
		}
		found->groups = groups;
		found->room = room;
	}
	found->groups[found->count++] = (struct group){found->app, carrier};
	found->carriers[carrier].is_wanted = true;
}

// Whether one of the app's targets is drained by the change: else nobody loses anything.
static bool is_concerned(const struct uncovered *found, const struct app *app)
{
	enum { TAKEN = TARGET_DRAINED | TARGET_LEAVING };

	for (uint32_t i = app->first_target; i < app->first_target + app->target_count; i++)
		if (live_state(found->after, i) & TAKEN && !(live_state(found->before, i) & TAKEN))
			return true;
	return false;
}

// ---- where their clients are ----------------------------------------------------------------------------------------

static void look_at_leaf(void *ctx, const struct prefix *prefix, const struct place *place)
{
	struct uncovered *found = ctx;
	struct whereabouts *where = &found->carriers[place_carrier(found->after->view->places, place)];

	if (!where->is_wanted)
		return;
	where->prefixes++;
	if (where->example_count < UNCOVERED_EXAMPLES)
		where->examples[where->example_count++] = *prefix;
}

static void look_at_row(void *ctx, const struct learned_row *row)
{
	struct uncovered *found = ctx;

	found->carriers[row->carrier].is_learned = true;
}

static void look_for_clients(struct uncovered *found)
{
	const struct learned *learned = found->after->learned;

	places_each(found->after->view->places, look_at_leaf, found);
	if (learned)
		learned_each_row(learned, look_at_row, found);
}

static void leave_out_empty(struct uncovered *found)
{
	size_t kept = 0;

	for (size_t i = 0; i < found->count; i++) {
		const struct whereabouts *where = &found->carriers[found->groups[i].carrier];

		// Of others there are always some: what no source knows.
		if (found->groups[i].carrier == LEFT_OTHERS || where->prefixes > 0 || where->is_learned)
			found->groups[kept++] = found->groups[i];
	}
	found->count = kept;
}

struct uncovered *uncovered_find(const struct live *before, const struct live *after)
{
	const struct view *view = after->view;
	struct uncovered *found = calloc(1, sizeof(*found));

	must(before->view == view);
	if (!found)
		return NULL;
	*found = (struct uncovered){.before = before,
	                            .after = after,
	                            .carriers = calloc(names_count(view->places->carriers), sizeof(*found->carriers))};
	for (uint32_t i = 0; found->carriers && i < view->app_count; i++) {
		found->app = i;
		if (is_concerned(found, &view->apps[i]))
			left_each_group(after, &view->apps[i], look_at, found);
	}
	if (!found->carriers || found->is_short)
		return uncovered_free(found);
	if (found->count > 0)
		look_for_clients(found);
	leave_out_empty(found);
	return found;
}

struct uncovered *uncovered_free(struct uncovered *uncovered)
{
	if (uncovered) {
		free(uncovered->groups);
		free(uncovered->carriers);
	}
	free(uncovered);
	return NULL;
}

size_t uncovered_count(const struct uncovered *uncovered)
{
	return uncovered->count;
}

// ---- shown ----------------------------------------------------------------------------------------------------------

static const struct app *app_of(const struct uncovered *uncovered, const struct group *group)
{
	return &uncovered->after->view->apps[group->app];
}

// The sites in the group's reach, "a, b".
static void list_reach(const struct uncovered *uncovered, const struct group *group, char *buf)
{
	const struct app *app = app_of(uncovered, group);
	unsigned listed = 0;
	size_t at = 0;

	for (unsigned slot = 0; slot < app->target_count; slot++) {
		const struct site *site = left_site(uncovered->after, app, slot);

		if (site_reached_by(site, group->carrier) && listed++ < NAMED_MAX && at < REACH_TEXT_MAX)
			at += (size_t)snprintf(buf + at, REACH_TEXT_MAX - at, "%s%s", listed > 1 ? ", " : "", site->name);
	}
	if (listed > NAMED_MAX && at < REACH_TEXT_MAX)
		snprintf(buf + at, REACH_TEXT_MAX - at, " and %u more", listed - NAMED_MAX);
}

// Whether it has public sites alone.
static bool is_for_all(const struct uncovered *uncovered, const struct app *app)
{
	for (unsigned slot = 0; slot < app->target_count; slot++)
		if (!left_site(uncovered->after, app, slot)->is_public)
			return false;
	return true;
}

const char *uncovered_text(const struct uncovered *uncovered, char *buf)
{
	const struct group *first = &uncovered->groups[0];
	const struct app *app = app_of(uncovered, first);
	const struct whereabouts *where = &uncovered->carriers[first->carrier];
	const char *carrier = names_text(uncovered->after->view->places->carriers, first->carrier);
	char reach[REACH_TEXT_MAX], example[ADDR_TEXT_LEN + 16] = "", prefix[ADDR_TEXT_LEN], more[64] = "";

	must(uncovered->count > 0);
	if (where->example_count > 0)
		snprintf(example, sizeof(example), " (as in %s)", prefix_format(&where->examples[0], prefix));
	if (uncovered->count > 1)
		snprintf(more, sizeof(more), "; and %zu more group%s of clients", uncovered->count - 1,
		         uncovered->count == 2 ? "" : "s");
	list_reach(uncovered, first, reach);
	snprintf(buf, UNCOVERED_TEXT_MAX, "%.255s: %s%s%s, who can reach only %s%s", app->name,
	         carrier[0]                   ? "clients of "
	         : is_for_all(uncovered, app) ? "all clients"
	                                      : "all other clients",
	         carrier, example, reach, more);
	return buf;
}

static json_t *group_json(const struct uncovered *uncovered, const struct group *group)
{
	const struct app *app = app_of(uncovered, group);
	const struct whereabouts *where = &uncovered->carriers[group->carrier];
	const char *carrier = names_text(uncovered->after->view->places->carriers, group->carrier);
	json_t *object = reply_set(json_object(), "app", reply_text(app->name));
	json_t *reach = json_array(), *examples = json_array();
	char text[ADDR_TEXT_LEN];

	for (unsigned slot = 0; slot < app->target_count && json_array_size(reach) < UNCOVERED_REACH_MAX; slot++)
		if (site_reached_by(left_site(uncovered->after, app, slot), group->carrier))
			reach = reply_append(reach, reply_text(left_site(uncovered->after, app, slot)->name));
	for (unsigned i = 0; i < where->example_count; i++)
		examples = reply_append(examples, json_string(prefix_format(&where->examples[i], text)));
	object = reply_set(object, "carrier", reply_text(carrier[0] ? carrier : NULL));
	object = reply_set(object, "gets",
	                   json_string(app->last_resort == LAST_RESORT_ADDRESSES ? "the last resort" : "SERVFAIL"));
	object = reply_set(object, "reach", reach);
	object = reply_set(object, "prefixes", json_integer((json_int_t)where->prefixes));
	return reply_set(object, "examples", examples);
}

json_t *uncovered_json(const struct uncovered *uncovered, json_t *object)
{
	size_t shown = uncovered->count < UNCOVERED_SHOWN_MAX ? uncovered->count : UNCOVERED_SHOWN_MAX;
	json_t *list = json_array();

	for (size_t i = 0; i < shown; i++)
		list = reply_append(list, group_json(uncovered, &uncovered->groups[i]));
	object = reply_set(object, "nothing", list);
	return reply_set(object, "nothing_more", json_integer((json_int_t)(uncovered->count - shown)));
}
