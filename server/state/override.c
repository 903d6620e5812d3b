// Checks, copies and JSON of one override; see override.h.
#include "state/override.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "state/selector.h"

const char *override_kind_text(enum override_kind kind)
{
	switch (kind) {
	case OVERRIDE_DRAIN: return "drain";
	case OVERRIDE_FORCE: return "force";
	case OVERRIDE_ADOPT: return "adopt";
	}
	return "override";
}

static const char *const force_texts[] = {[FORCE_AUTO] = "auto", [FORCE_UP] = "up", [FORCE_DOWN] = "down"};

const char *override_force_text(enum force_to to)
{
	must((size_t)to < ARRAY_LEN(force_texts));
	return force_texts[to];
}

const char *override_who_text(const struct override *override, char *buf)
{
	snprintf(buf, OVERRIDE_WHO_LEN, "%s%s%s", override->who, override->by ? " for " : "", override->by ? override->by : "");
	return buf;
}

bool override_force_read(const char *text, enum force_to *ret_to)
{
	for (size_t i = 0; i < ARRAY_LEN(force_texts); i++) {
		if (strcmp(force_texts[i], text) == 0) {
			*ret_to = (enum force_to)i;
			return true;
		}
	}
	return false;
}

// `text` may be NULL when it is not `needed`.
static int check_text(const char *text, bool needed)
{
	if (!text)
		return needed ? E_INVAL : E_OK;

	size_t len = strnlen(text, STATE_TEXT_MAX + 1);

	if (len > STATE_TEXT_MAX)
		return E_LIMIT;

	json_t *string = json_stringn(text, len); // what is not UTF-8 could not be exported

	json_decref(string);
	return string && (len > 0 || !needed) ? E_OK : E_INVAL;
}

// is_returning   over_s             ender      until_s
// no             any                NULL       any
// yes            more than 0        any        where the ramp ends
static bool has_a_ramp_that_fits(const struct override *override)
{
	if (override->over_s > OVERRIDE_OVER_MAX_S || override->whence > SHARE_WHOLE)
		return false;
	if (!override->is_returning)
		return !override->ender;
	return override->over_s > 0 && override->until_s == override_start_s(override) + override->over_s;
}

// kind    site       app        to                     ramp and start               share
// drain   any        any        FORCE_AUTO             any                          0
// force   a name     not NULL   FORCE_UP, FORCE_DOWN   none                         0
// adopt   ""         not NULL   FORCE_AUTO             a ramp, from when it is given   up to SHARE_WHOLE
static bool has_its_shape(const struct override *override)
{
	switch (override->kind) {
	case OVERRIDE_DRAIN: return override->to == FORCE_AUTO && has_a_ramp_that_fits(override) && !override->share;
	case OVERRIDE_FORCE:
		return !override->is_forced && override->app && (override->to == FORCE_UP || override->to == FORCE_DOWN) &&
		       !selector_is(override->site) && !override->start_s && !override->over_s && !override->is_returning &&
		       !override->ender && !override->share;
	case OVERRIDE_ADOPT:
		return !override->is_forced && override->app && !override->site[0] && override->to == FORCE_AUTO && !override->start_s &&
		       !override->until_s && !override->is_returning && has_a_ramp_that_fits(override) &&
		       override->share <= SHARE_WHOLE;
	}
	return false;
}

int override_check(const struct override *override)
{
	bool has_site = override->kind != OVERRIDE_ADOPT;
	int err = override->site ? check_text(override->site, has_site) : E_INVAL;

	if (err == E_OK && (!has_its_shape(override) || (has_site && !selector_is_sound(override->site))))
		err = E_INVAL;
	if (err == E_OK && override->app)
		err = check_text(override->app, true);
	if (err == E_OK)
		err = check_text(override->reason, false);
	if (err == E_OK)
		err = check_text(override->who, true);
	if (err == E_OK)
		err = check_text(override->by, false);
	if (err == E_OK)
		err = check_text(override->ender, false);
	return err;
}

int override_match_copy(const struct override_match *match, struct override_match *to)
{
	to->kind = match->kind;
	to->every_app = match->every_app;
	to->is_volatile = match->is_volatile;
	to->site = strdup(match->site);
	to->app = match->app && !match->every_app ? strdup(match->app) : NULL;
	return to->site && (to->app || !match->app || match->every_app) ? E_OK : E_NOMEM;
}

void override_match_done(struct override_match *match)
{
	free((char *)match->site);
	free((char *)match->app);
	*match = (struct override_match){0};
}

int override_check_match(const struct override_match *match)
{
	int err = (unsigned)match->kind < OVERRIDE_KINDS ? check_text(match->site, match->kind != OVERRIDE_ADOPT) : E_INVAL;

	return err == E_OK && match->app && !match->every_app ? check_text(match->app, true) : err;
}

bool override_turns(const struct override *override)
{
	return override->until_s && override->over_s && override->has_begun && !override->is_returning;
}

bool override_holds(const struct override *override, int64_t now_s)
{
	return !override->until_s || override->until_s > now_s || override_turns(override) ||
	       (override->is_returning && override->has_begun);
}

bool override_is_over(const struct override *override, int64_t wall_s, int64_t mono_ms)
{
	if (override->is_returning && override->has_begun)
		return mono_ms - override->begun_mono_ms >= (int64_t)override->over_s * 1000;
	return !override_holds(override, wall_s);
}

bool override_lasts_longer(const struct override *override, const struct override *other)
{
	return other->until_s && (!override->until_s || override->until_s > other->until_s);
}

int64_t override_start_s(const struct override *override)
{
	return override->start_s ? override->start_s : override->since_s;
}

void override_begin(struct override *override, int64_t wall_ms, int64_t mono_ms)
{
	int64_t since_ms = wall_ms - override_start_s(override) * 1000;

	override->has_begun = true;
	override->begun_mono_ms = mono_ms - (since_ms > 0 ? since_ms : 0);
	override_step(override, mono_ms);
}

void override_return(struct override *override, uint32_t over_s, int64_t wall_s, int64_t mono_ms)
{
	must(override->kind == OVERRIDE_DRAIN && override->has_begun && over_s > 0);
	override->whence = override->share_now;
	override->is_returning = true;
	override->start_s = wall_s;
	override->over_s = over_s;
	override->until_s = wall_s + over_s;
	override->safe_mono_s = 0;
	override->begun_mono_ms = mono_ms;
	override_step(override, mono_ms);
}

uint32_t override_share(const struct override *override, int64_t mono_ms)
{
	int64_t over_ms = (int64_t)override->over_s * 1000, passed_ms = mono_ms - override->begun_mono_ms;
	uint32_t whence = override->over_s ? override->whence : SHARE_WHOLE;
	uint32_t to = override->is_returning ? SHARE_WHOLE : override->share; // a drain's is 0

	if (!override->has_begun && override->kind != OVERRIDE_ADOPT)
		return SHARE_WHOLE;
	if (!override->has_begun) // it was given by a clock that has been set back since
		return override->over_s ? whence : to;
	if (passed_ms >= over_ms)
		return to;
	if (passed_ms <= 0)
		return whence;
	return (uint32_t)(whence + ((int64_t)to - whence) * passed_ms / over_ms);
}

void override_step(struct override *override, int64_t mono_ms)
{
	override->share_now = override_share(override, mono_ms);
}

int64_t override_ramp_left_ms(const struct override *override, int64_t mono_ms)
{
	int64_t end_ms = override->begun_mono_ms + (int64_t)override->over_s * 1000;

	return override->has_begun && override->over_s && end_ms > mono_ms ? end_ms - mono_ms : 0;
}

bool override_matches(const struct override *override, const struct override_match *match)
{
	if (override->kind != match->kind || strcmp(override->site, match->site) != 0)
		return false;
	if (match->every_app)
		return true;
	return override->app && match->app ? strcmp(override->app, match->app) == 0 : override->app == match->app;
}

struct override *override_free(struct override *override)
{
	if (!override)
		return NULL;
	free(override->site);
	free(override->app);
	free(override->reason);
	free(override->who);
	free(override->by);
	free(override->ender);
	free(override);
	return NULL;
}

// False: out of memory. NULL for NULL.
static bool copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return *to || !from;
}

struct override *override_copy(const struct override *from)
{
	struct override *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *from;
	copy->site = copy->app = copy->reason = copy->who = copy->by = copy->ender = NULL;
	if (copy_text(&copy->site, from->site) && copy_text(&copy->app, from->app) &&
	    copy_text(&copy->reason, from->reason) && copy_text(&copy->who, from->who) && copy_text(&copy->by, from->by) &&
	    copy_text(&copy->ender, from->ender))
		return copy;
	return override_free(copy);
}

bool override_is_plain(const struct override *override)
{
	return override->kind != OVERRIDE_ADOPT && !selector_is(override->site) && !override->start_s && !override->is_returning;
}

// Takes the object; returns NULL out of memory.
static json_t *set_number(json_t *object, const char *key, int64_t number)
{
	if (object && number && json_object_set_new(object, key, json_integer(number)) < 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

json_t *override_to_json(const struct override *override)
{
	json_t *object = json_pack("{s:s, s:s*, s:s*, s:s, s:s*, s:s*, s:I, s:I}", "site", override->site, "app",
	                           override->app, "reason", override->reason, "who", override->who, "by", override->by,
	                           "ender", override->ender, "since", (json_int_t)override->since_s, "until",
	                           (json_int_t)override->until_s);

	object = set_number(object, "start", override->start_s);
	object = set_number(object, "over", override->over_s);
	object = set_number(object, "whence", override->whence);
	object = set_number(object, "share", override->share);
	object = set_number(object, "returning", override->is_returning);
	object = set_number(object, "forced", override->is_forced);
	if (object && override->kind == OVERRIDE_FORCE &&
	    json_object_set_new(object, "to", json_string(override_force_text(override->to))) < 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

int override_from_json(enum override_kind kind, json_t *object, struct override **ret_override)
{
	// Older versions write no "until" for a force.
	const char *form = kind == OVERRIDE_FORCE ? "{s:s, s?s, s?s, s:s, s:I, s?I, s:s, s?s, s?s, s?I, s?I, s?I, s?I, s?I, s?I}" :
	                                            "{s:s, s?s, s?s, s:s, s:I, s:I, s?s, s?s, s?s, s?I, s?I, s?I, s?I, s?I, s?I}";
	const char *site, *app = NULL, *reason = NULL, *who, *to = "auto", *by = NULL, *ender = NULL;
	json_int_t since, until = 0, start = 0, over = 0, whence = 0, returning = 0, share = 0, forced = 0;

	if (json_unpack(object, form, "site", &site, "app", &app, "reason", &reason, "who", &who, "since", &since, "until",
	                &until, "to", &to, "by", &by, "ender", &ender, "start", &start, "over", &over, "whence", &whence,
	                "returning", &returning, "share", &share, "forced", &forced) < 0)
		return E_INVAL;
	if (over < 0 || over > OVERRIDE_OVER_MAX_S || whence < 0 || whence > SHARE_WHOLE || share < 0 || share > SHARE_WHOLE)
		return E_INVAL;

	struct override override = {.kind = kind, .site = (char *)site, .app = (char *)app, .reason = (char *)reason,
	                            .who = (char *)who, .by = (char *)by, .ender = (char *)ender, .since_s = since,
	                            .start_s = start, .until_s = until, .over_s = (uint32_t)over,
	                            .whence = (uint32_t)whence, .share = (uint32_t)share, .is_returning = returning != 0,
	                            .is_forced = forced != 0};

	if (!override_force_read(to, &override.to) || override_check(&override) < 0)
		return E_INVAL;

	struct override *copy = override_copy(&override);

	if (!copy)
		return E_NOMEM;
	*ret_override = copy;
	return E_OK;
}
