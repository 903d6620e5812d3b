// Overrides that match nothing in the view; see dangling.h.
#include "control/dangling.h"

#include "base/report.h"
#include "control/cover.h"
#include "state/selector.h"
#include "state/state.h"
#include "view/index.h"
#include "view/view.h"

const char *dangling_why(const struct view *view, const struct override *override)
{
	bool is_selector = selector_is(override->site);
	int site = is_selector ? cover_next_site(view, override, 0) : index_find_site(view, override->site);
	int app = override->app ? index_find_spelled(view, override->app) : -1;

	if (override->app && app < 0)
		return "no such app";
	if (override->kind == OVERRIDE_ADOPT)
		return NULL;
	if (site < 0)
		return is_selector ? "no site matches" : "no such site";
	if (is_selector)
		return override->app && cover_count(view, override) == 0 ? "the app has no target there" : NULL;
	if (override->app && index_target_at(view, (uint32_t)app, (uint32_t)site) < 0)
		return "the app has no target there";
	return NULL;
}

void dangling_warn(const struct state *state, const struct view *view, struct report *report)
{
	for (size_t i = 0; i < state_override_count(state); i++) {
		const struct override *override = state_override_at(state, i);
		const char *why = dangling_why(view, override);

		if (why && override->kind == OVERRIDE_DRAIN)
			report_warning(report, NULL, 0, 0, "the drain of %s%s%s has no effect: %s; given by %s, reason: %s",
			               override->app ? override->app : "", override->app ? " at " : "", override->site, why,
			               override->who, override->reason ? override->reason : "none given");
		else if (why && override->kind == OVERRIDE_ADOPT)
			report_warning(report, NULL, 0, 0, "the adoption of %s has no effect: %s; given by %s, reason: %s", override->app,
			               why, override->who, override->reason ? override->reason : "none given");
		else if (why)
			report_warning(report, NULL, 0, 0, "the force of %s at %s to %s has no effect: %s; given by %s",
			               override->app, override->site, override_force_text(override->to), why,
			               override->who);
	}
}
