// Reading and checking arguments; see arguments.h.
#include "control/arguments.h"

#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/when.h"
#include "config/config.h"
#include "control/call.h"
#include "control/cover.h"
#include "control/find.h"
#include "control/reply_json.h"
#include "schema/units.h"
#include "state/selector.h"
#include "view/index.h"
#include "view/view.h"

// ---- what for -------------------------------------------------------------------------------------------------------

bool arguments_sites(const struct call *call, char *buf, json_t **ret_refusal)
{
	const char *site = call_text(call, "site"), *region = call_text(call, "region"), *carrier = call_text(call, "carrier");
	int err;

	if (!site && !region && !carrier) {
		*ret_refusal = reply_error(REPLY_USAGE, "a site, a pattern of sites ('us-east-1-wl1-*'), a region or a carrier is "
		                                        "needed");
		return false;
	}
	err = selector_make(site, region, carrier, buf, STATE_TEXT_MAX + 1);
	if (err == E_OK)
		return true;
	if (err == E_LIMIT)
		*ret_refusal = reply_error(REPLY_REFUSED, "no site '%.255s...': longer than %d bytes", site ? site : region,
		                           STATE_TEXT_MAX);
	else
		*ret_refusal = reply_error(REPLY_USAGE, "the sites '%.64s'%s%.64s%s%.64s cannot be read: expected NAME-OR-PATTERN, "
		                           "region:NAME and carrier:NAME at most once each, in this order, with commas between, each "
		                           "of up to %d bytes", site ? site : "", region ? ", region " : "", region ? region : "",
		                           carrier ? ", carrier " : "", carrier ? carrier : "", SELECTOR_PART_MAX);
	return false;
}

// The app's number, or -1 for every app. False: it is refused.
static bool find_the_app(const struct view *view, struct override *override, int *ret_app, json_t **ret_refusal)
{
	*ret_app = -1;
	if (!override->app)
		return true;
	*ret_app = find_app(view, override->app, ret_refusal);
	if (*ret_app < 0)
		return false;
	override->app = (char *)view->apps[*ret_app].name;
	return true;
}

bool arguments_find(const struct view *view, struct override *override, json_t **ret_refusal)
{
	bool is_selector = selector_is(override->site);
	int site = is_selector ? -1 : find_site(view, override->site, ret_refusal), app;

	if ((!is_selector && site < 0) || !find_the_app(view, override, &app, ret_refusal))
		return false;
	if (!is_selector)
		return app < 0 || find_target(view, app, site, ret_refusal) >= 0;
	if (cover_next_site(view, override, 0) < 0) {
		*ret_refusal = reply_error(REPLY_REFUSED, "no site matches '%s' (edgesteerctl sites)", override->site);
		return false;
	}
	if (override->app && cover_count(view, override) == 0) {
		*ret_refusal = reply_error(REPLY_REFUSED, "%s has no target at a site that matches '%s'", override->app,
		                           override->site);
		return false;
	}
	return true;
}

// ---- when -----------------------------------------------------------------------------------------------------------

// A span of time, in whole seconds. 0 when the request has none of that name.
static bool read_span(const struct call *call, const char *field, int64_t longest_s, const char *instead, int64_t *ret_s,
                      json_t **ret_refusal)
{
	const char *text = call_text(call, field);
	char longest[UNITS_TEXT_LEN];
	uint64_t ms = 0;

	*ret_s = 0;
	if (!text)
		return true;
	if (units_parse_duration_ms(text, &ms) < 0 || ms == 0) {
		*ret_refusal = reply_error(REPLY_USAGE, "%s: '%.64s' is not a time like 30m, 2h or 1d12h", field, text);
		return false;
	}
	if (ms > (uint64_t)longest_s * 1000) {
		*ret_refusal = reply_error(REPLY_USAGE, "%s: %.64s is longer than %s%s", field, text,
		                           units_format_duration_ms((uint64_t)longest_s * 1000, longest), instead);
		return false;
	}
	*ret_s = (int64_t)((ms + 999) / 1000);
	return true;
}

// A point in time after `after_s`. 0 when the request has none of that name.
static bool read_time(const struct call *call, const char *field, int64_t after_s, const char *after, int64_t *ret_s,
                      json_t **ret_refusal)
{
	const char *text = call_text(call, field);
	int64_t now_s = clock_wall_s();
	char is[WHEN_TEXT_LEN];

	*ret_s = 0;
	if (!text)
		return true;
	if (when_parse(text, now_s, false, ret_s) < 0) {
		*ret_refusal = reply_error(REPLY_USAGE, "%s: '%.64s' is not a time like 2026-08-09T14:03:00Z, "
		                           "2026-08-09T16:03:00+02:00 or @1786284180", field, text);
		return false;
	}
	if (*ret_s <= after_s) {
		*ret_refusal = reply_error(REPLY_USAGE, "%s: %.64s is not after %s, %s", field, text, after,
		                           when_format(after_s, is));
		return false;
	}
	if (*ret_s > now_s + (int64_t)ARGUMENTS_DAYS_MAX * 86400) {
		*ret_refusal = reply_error(REPLY_USAGE, "%s: %.64s is more than %d days away", field, text, ARGUMENTS_DAYS_MAX);
		return false;
	}
	return true;
}

bool arguments_over(const struct call *call, uint32_t *ret_over_s, json_t **ret_refusal)
{
	int64_t over_s;

	if (!read_span(call, "over", OVERRIDE_OVER_MAX_S, "", &over_s, ret_refusal))
		return false;
	*ret_over_s = (uint32_t)over_s;
	return true;
}

bool arguments_times(const struct call *call, struct override *override, json_t **ret_refusal)
{
	int64_t for_s, until_s, start_s;

	if (call_text(call, "for") && call_text(call, "until")) {
		*ret_refusal = reply_error(REPLY_USAGE, "'for' and 'until' cannot be given together: both say when it ends");
		return false;
	}
	if (!read_time(call, "at", override->since_s, "now", &override->start_s, ret_refusal) ||
	    !read_span(call, "for", (int64_t)ARGUMENTS_DAYS_MAX * 86400, "; leave it out to drain until undrain", &for_s,
	               ret_refusal) ||
	    !arguments_over(call, &override->over_s, ret_refusal))
		return false;
	start_s = override_start_s(override);
	if (!read_time(call, "until", start_s, override->start_s ? "its start" : "now", &until_s, ret_refusal))
		return false;
	override->until_s = for_s ? start_s + for_s : until_s;
	if (override->until_s && override->over_s > override->until_s - start_s) {
		*ret_refusal = reply_error(REPLY_USAGE, "over: the ramp of %u s would end after the drain, which holds for %lld s",
		                           override->over_s, (long long)(override->until_s - start_s));
		return false;
	}
	return true;
}

// ---- who ------------------------------------------------------------------------------------------------------------

bool arguments_texts(const struct call *call, bool needs_reason, struct override *override, json_t **ret_refusal)
{
	const struct config *config = call->ops.config(call->ops.ctx);
	static const char *const fields[] = {"reason", "by"};

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const char *text = call_text(call, fields[i]);

		if (text && strlen(text) > STATE_TEXT_MAX) {
			*ret_refusal = reply_error(REPLY_USAGE, "%s: longer than %d bytes", fields[i], STATE_TEXT_MAX);
			return false;
		}
	}
	override->reason = (char *)call_text(call, "reason");
	override->by = (char *)call_text(call, "by");
	if (needs_reason && call->changes && !override->reason && config && config->server.require_reason) {
		*ret_refusal = reply_error(REPLY_USAGE, "a reason is needed: the config has `require-reason: on`");
		return false;
	}
	return true;
}
