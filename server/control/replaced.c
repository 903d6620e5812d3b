// What is lost of a drain that another takes the place of; see replaced.h.
#include "control/replaced.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/when.h"
#include "control/reply_json.h"
#include "schema/units.h"
#include "state/override.h"
#include "state/state.h"

enum { SPAN_LEN = 2 * WHEN_TEXT_LEN + 32, GIVEN_LEN = OVERRIDE_WHO_LEN + STATE_TEXT_MAX + 64, LINE_LEN = GIVEN_LEN + 3 * SPAN_LEN + 256 };

const struct override *replaced_by(const struct state *state, const struct override *drain)
{
	const struct override *old = state_drain_given(state, drain->app, drain->site);

	return old && override_holds(old, drain->since_s) ? old : NULL;
}

static int64_t end_of(const struct override *drain)
{
	return drain->until_s ? drain->until_s : INT64_MAX;
}

// "by uid 7 (carol), pid 9 for Bob, reason: disk".
static const char *given_text(const struct override *old, char *buf)
{
	char who[OVERRIDE_WHO_LEN];

	snprintf(buf, GIVEN_LEN, "by %s, reason: %s", override_who_text(old, who), old->reason ? old->reason : "none given");
	return buf;
}

// "from 2026-08-09T14:03:20Z until 2026-08-09T15:03:20Z".
static const char *span_text(int64_t from_s, int64_t until_s, char *buf)
{
	char from[WHEN_TEXT_LEN], until[WHEN_TEXT_LEN];

	snprintf(buf, SPAN_LEN, "from %s until %s", when_format(from_s, from),
	         until_s == INT64_MAX ? "undrain" : when_format(until_s, until));
	return buf;
}

// Of one that drains already.
static json_t *warn_of_sooner_end(json_t *warnings, const struct override *drain, const struct override *old)
{
	char text[LINE_LEN], given[GIVEN_LEN], span[UNITS_TEXT_LEN] = "";

	if (end_of(old) <= end_of(drain))
		return warnings;
	if (old->until_s)
		units_format_duration_ms((uint64_t)(old->until_s - drain->until_s) * 1000, span);
	snprintf(text, sizeof(text),
	         "this drain ends sooner than the one it replaces, which would have held %s%s; that was %s",
	         old->until_s ? span : "until undrain", old->until_s ? " longer" : "", given_text(old, given));
	return reply_append(warnings, reply_text(text));
}

// Of one that has not begun: what of it lies before the new one's start, and what behind its end.
static json_t *warn_of_scheduled(json_t *warnings, const struct override *drain, const struct override *old)
{
	int64_t start_s = override_start_s(drain), old_start_s = override_start_s(old);
	bool is_lost_before = old_start_s < start_s, is_lost_behind = end_of(drain) < end_of(old);
	bool is_lost_whole = end_of(old) <= start_s || end_of(drain) <= old_start_s;
	char text[LINE_LEN], given[GIVEN_LEN], whole[SPAN_LEN], before[SPAN_LEN] = "", behind[SPAN_LEN] = "";

	if (!is_lost_before && !is_lost_behind)
		return warnings;
	if (!is_lost_whole && is_lost_before)
		span_text(old_start_s, start_s, before);
	if (!is_lost_whole && is_lost_behind)
		span_text(end_of(drain), end_of(old), behind);
	snprintf(text, sizeof(text),
	         "this drain takes the place of the one scheduled %s, %s: of that one %s%s%s%s is lost, as of the same site and app "
	         "there is one drain at a time",
	         span_text(old_start_s, end_of(old), whole), given_text(old, given), is_lost_whole ? "all" : "what it has ", before,
	         *before && *behind ? " and " : "", behind);
	return reply_append(warnings, reply_text(text));
}

json_t *replaced_warn(json_t *warnings, const struct override *drain, const struct override *old)
{
	if (!old)
		return warnings;
	return old->has_begun ? warn_of_sooner_end(warnings, drain, old) : warn_of_scheduled(warnings, drain, old);
}
