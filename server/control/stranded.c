// Who a drain leaves with nothing; see stranded.h.
#include "control/stranded.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/names.h"
#include "control/reply.h"
#include "view/live.h"
#include "view/view.h"

enum { CARRIERS_TEXT_MAX = 512 };

static bool is_drained(const struct live *live, const struct app *app, unsigned slot)
{
	return (live->states[app->first_target + slot] & TARGET_DRAINED) != 0;
}

static const struct site *site_of(const struct live *live, const struct app *app, unsigned slot)
{
	return &live->view->sites[live->view->targets[app->first_target + slot].site];
}

static bool serves(const struct site *site, uint16_t carrier)
{
	for (unsigned i = 0; i < site->carrier_count; i++)
		if (site->carriers[i] == carrier)
			return true;
	return false;
}

static bool carrier_has_target(const struct live *live, const struct app *app, uint16_t carrier)
{
	for (unsigned slot = 0; slot < app->target_count; slot++)
		if (!is_drained(live, app, slot) && serves(site_of(live, app, slot), carrier))
			return true;
	return false;
}

// Whether a slot before this one serves the carrier too: it is in the list already.
static bool listed_before(const struct live *live, const struct app *app, unsigned slot, uint16_t carrier)
{
	for (unsigned i = 0; i < slot; i++)
		if (serves(site_of(live, app, i), carrier))
			return true;
	return false;
}

// The app's carriers whose clients have (or have not) a target left, "a, b". Returns how many.
static unsigned list_carriers(const struct live *live, const struct app *app, bool with_target, char *buf)
{
	unsigned count = 0;
	size_t at = 0;

	buf[0] = '\0';
	for (unsigned slot = 0; slot < app->target_count; slot++) {
		const struct site *site = site_of(live, app, slot);

		for (unsigned i = 0; i < site->carrier_count; i++) {
			uint16_t carrier = site->carriers[i];

			if (listed_before(live, app, slot, carrier) || carrier_has_target(live, app, carrier) != with_target)
				continue;
			if (at < CARRIERS_TEXT_MAX)
				at += (size_t)snprintf(buf + at, CARRIERS_TEXT_MAX - at, "%s%s", count ? ", " : "",
				                       names_text(live->view->places->carriers, carrier));
			count++;
		}
	}
	return count;
}

// One row of the table in stranded.h. False: nobody is left without.
static bool describe(const struct live *live, const struct app *app, char *buf, size_t size)
{
	char carriers[CARRIERS_TEXT_MAX];
	bool has_public = false;

	for (unsigned slot = 0; slot < app->target_count; slot++) {
		if (!site_of(live, app, slot)->is_public)
			continue;
		if (!is_drained(live, app, slot))
			return false;
		has_public = true;
	}
	if (list_carriers(live, app, true, carriers) == 0)
		snprintf(buf, size, "%s: no target is left; its clients get the last resort", app->name);
	else if (has_public)
		snprintf(buf, size, "%s: no target is left for clients other than those of %s", app->name, carriers);
	else if (list_carriers(live, app, false, carriers) > 0)
		snprintf(buf, size, "%s: no target is left for clients of %s", app->name, carriers);
	else
		return false;
	return true;
}

static bool concerns(const struct view *view, const struct app *app, int site)
{
	for (unsigned slot = 0; slot < app->target_count; slot++)
		if (view->targets[app->first_target + slot].site == site)
			return true;
	return false;
}

json_t *stranded_list(const struct live *live, int site, int app)
{
	const struct view *view = live->view;
	json_t *lines = json_array();
	size_t more = 0;

	for (uint32_t i = 0; lines && i < view->app_count; i++) {
		char text[CARRIERS_TEXT_MAX + 512];

		if ((app >= 0 && (uint32_t)app != i) || !concerns(view, &view->apps[i], site) ||
		    !describe(live, &view->apps[i], text, sizeof(text)))
			continue;
		if (json_array_size(lines) < STRANDED_MAX)
			lines = reply_append(lines, reply_text(text));
		else
			more++;
	}
	if (lines && more) {
		char text[64];

		snprintf(text, sizeof(text), "and %zu more apps", more);
		lines = reply_append(lines, reply_text(text));
	}
	return lines;
}
