// Clients that an override leaves without a target, or without one that is up; see impact.h.
#include "control/impact.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/must.h"
#include "base/names.h"
#include "control/left.h"
#include "control/reply_json.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

enum { CARRIERS_TEXT_MAX = 512, CLIENTS_TEXT_MAX = CARRIERS_TEXT_MAX + 64, LINE_LEN = CLIENTS_TEXT_MAX + 512 };

// A count of some of an app's targets.
struct tally {
	unsigned all, undrained;
};

static void count(const struct live *live, const struct app *app, unsigned slot, struct tally *tally)
{
	uint8_t state = live_state(live, app->first_target + slot);

	tally->all++;
	tally->undrained += (state & (TARGET_DRAINED | TARGET_LEAVING)) == 0;
}

// The app's carriers whose clients have `left` (`wanted`) or something else left, as "a, b". Returns how many.
static unsigned list_carriers(const struct live *live, const struct app *app, enum left left, bool wanted, char *buf)
{
	unsigned listed = 0;
	size_t at = 0;

	buf[0] = '\0';
	for (unsigned slot = 0; slot < app->target_count; slot++) {
		const struct site *site = left_site(live, app, slot);

		for (unsigned i = 0; i < site->carrier_count; i++) {
			uint16_t carrier = site->carriers[i];

			if (left_was_met(live, app, slot, carrier) || (left_to(live, app, carrier) == left) != wanted)
				continue;
			if (at < CARRIERS_TEXT_MAX)
				at += (size_t)snprintf(buf + at, CARRIERS_TEXT_MAX - at, "%s%s", listed ? ", " : "",
				                       names_text(live->view->places->carriers, carrier));
			listed++;
		}
	}
	return listed;
}

enum clients { CLIENTS_NONE, CLIENTS_SOME, CLIENTS_ALL };

// The clients who have `left`, in words, into buf[CLIENTS_TEXT_MAX].
static enum clients describe_clients(const struct live *live, const struct app *app, enum left left, char *buf)
{
	char carriers[CARRIERS_TEXT_MAX];
	bool others = left_has_public(live, app), others_too = others && left_to(live, app, LEFT_OTHERS) == left;

	if (others == others_too && list_carriers(live, app, left, false, carriers) == 0) {
		snprintf(buf, CLIENTS_TEXT_MAX, "its clients");
		return CLIENTS_ALL;
	}
	if (others_too)
		snprintf(buf, CLIENTS_TEXT_MAX, "clients other than those of %s", carriers);
	else if (list_carriers(live, app, left, true, carriers) > 0)
		snprintf(buf, CLIENTS_TEXT_MAX, "clients of %s", carriers);
	else
		return CLIENTS_NONE;
	return CLIENTS_SOME;
}

static bool describe_nothing(const struct live *live, const struct app *app, char *buf)
{
	const char *instead = app->last_resort == LAST_RESORT_ADDRESSES ? "the last resort" : "SERVFAIL";
	char clients[CLIENTS_TEXT_MAX];

	switch (describe_clients(live, app, LEFT_NOTHING, clients)) {
	case CLIENTS_ALL:
		snprintf(buf, LINE_LEN, "%s: no target is left; its clients get %s", app->name, instead);
		return true;
	case CLIENTS_SOME:
		snprintf(buf, LINE_LEN, "%s: no target is left for %s; they get %s", app->name, clients, instead);
		return true;
	case CLIENTS_NONE:
		break;
	}
	return false;
}

// Whether clients whose every target is down can reach the site, if there are such clients at all.
static bool is_reached_by_down(const struct live *live, const struct app *app, const struct site *at)
{
	bool reaches = at->is_public;

	for (unsigned i = 0; i < at->carrier_count && !reaches; i++)
		reaches = left_to(live, app, at->carriers[i]) == LEFT_DOWN;
	return reaches;
}

// The targets within reach of the groups that are left with targets that are down. There is at least one such group.
static struct tally reached_by_down(const struct live *live, const struct app *app)
{
	struct tally tally = {0};

	for (unsigned slot = 0; slot < app->target_count; slot++) {
		if (is_reached_by_down(live, app, left_site(live, app, slot)))
			count(live, app, slot, &tally);
	}
	return tally;
}

static bool describe_down(const struct live *live, const struct app *app, const struct site *at, char *buf)
{
	char clients[CLIENTS_TEXT_MAX];

	if (!is_reached_by_down(live, app, at) || describe_clients(live, app, LEFT_DOWN, clients) == CLIENTS_NONE)
		return false;

	struct tally tally = reached_by_down(live, app);

	snprintf(buf, LINE_LEN, "%s: every target left for %s is down (%u left of %u): they are answered all the same",
	         app->name, clients, tally.undrained, tally.all);
	return true;
}

// The lines so far, and the number of apps left out beyond IMPACT_MAX lines.
struct lines {
	json_t *list;
	size_t more;
};

// Whether a target that every client can reach is up: then no client is left without one. A site may have very many
// apps, so for those with public targets only the index is enough.
static bool is_safe(const struct live *live, uint32_t number)
{
	const struct index_app *app = &live->view->index->brief_apps[number];

	if (!app->all_public)
		return left_to(live, &live->view->apps[number], LEFT_OTHERS) == LEFT_UP;
	for (unsigned slot = 0; slot < app->target_count; slot++)
		if (!(live_state(live, app->first_target + slot) & (TARGET_CLOSED | TARGET_LEAVING)))
			return true;
	return false;
}

// Looks for a group that has `left`.
struct looking {
	const struct live *live;
	const struct app *app;
	enum left left;
	bool found;
};

static void look_at(void *ctx, uint16_t carrier)
{
	struct looking *looking = ctx;

	looking->found = looking->found || left_to(looking->live, looking->app, carrier) == looking->left;
}

// Whether some group of the app's clients has `left`.
static bool is_left_to_some(const struct live *live, const struct app *app, enum left left)
{
	struct looking looking = {live, app, left, false};

	left_each_group(live, app, look_at, &looking);
	return looking.found;
}

// Whether the app would have a line, without its text.
static bool has_line(const struct live *live, const struct app *app, const struct site *at, bool of_drain)
{
	return (of_drain && is_left_to_some(live, app, LEFT_NOTHING)) ||
	       (is_reached_by_down(live, app, at) && is_left_to_some(live, app, LEFT_DOWN));
}

static void add_app(struct lines *lines, const struct live *live, uint32_t number, int site, bool of_drain)
{
	const struct app *app = &live->view->apps[number];
	const struct site *at = &live->view->sites[site];
	char of_nothing[LINE_LEN], of_down[LINE_LEN];

	if (json_array_size(lines->list) >= IMPACT_MAX) {
		lines->more += has_line(live, app, at, of_drain);
		return;
	}
	if (of_drain && describe_nothing(live, app, of_nothing))
		lines->list = reply_append(lines->list, reply_text(of_nothing));
	if (lines->list && describe_down(live, app, at, of_down))
		lines->list = reply_append(lines->list, reply_text(of_down));
}

static json_t *list(const struct live *live, int site, int app, bool of_drain)
{
	const struct view *view = live->view;
	struct lines lines = {.list = json_array()};
	const struct view_index *index = view->index;

	must(site >= 0 && (uint32_t)site < view->site_count && app < (int)view->app_count);
	if (app >= 0 && !is_safe(live, (uint32_t)app))
		add_app(&lines, live, (uint32_t)app, site, of_drain);
	for (uint32_t i = index->site_first[site]; app < 0 && lines.list && i < index->site_first[site + 1]; i++)
		if (!is_safe(live, index->site_apps[i]))
			add_app(&lines, live, index->site_apps[i], site, of_drain);
	if (lines.list && lines.more) {
		char text[64];

		snprintf(text, sizeof(text), "and %zu more app%s", lines.more, lines.more == 1 ? "" : "s");
		lines.list = reply_append(lines.list, reply_text(text));
	}
	return lines.list;
}

json_t *impact_by_drain(const struct live *live, int site, int app)
{
	return list(live, site, app, true);
}

json_t *impact_by_down(const struct live *live, int site, int app)
{
	return list(live, site, app, false);
}
