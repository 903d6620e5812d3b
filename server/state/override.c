// Checks, copies and JSON of one override; see override.h.
#include "state/override.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"

const char *override_kind_text(enum override_kind kind)
{
	switch (kind) {
	case OVERRIDE_DRAIN: return "drain";
	case OVERRIDE_FORCE: return "force";
	}
	return "override";
}

static const char *const force_texts[] = {[FORCE_AUTO] = "auto", [FORCE_UP] = "up", [FORCE_DOWN] = "down"};

const char *override_force_text(enum force_to to)
{
	must((size_t)to < ARRAY_LEN(force_texts));
	return force_texts[to];
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

// kind    app        to
// drain   any        FORCE_AUTO
// force   not NULL   FORCE_UP, FORCE_DOWN
static bool has_its_shape(const struct override *override)
{
	switch (override->kind) {
	case OVERRIDE_DRAIN: return override->to == FORCE_AUTO;
	case OVERRIDE_FORCE: return override->app && (override->to == FORCE_UP || override->to == FORCE_DOWN);
	}
	return false;
}

int override_check(const struct override *override)
{
	int err = has_its_shape(override) ? check_text(override->site, true) : E_INVAL;

	if (err == E_OK && override->app)
		err = check_text(override->app, true);
	if (err == E_OK)
		err = check_text(override->reason, false);
	if (err == E_OK)
		err = check_text(override->who, true);
	return err;
}

int override_match_copy(const struct override_match *match, struct override_match *to)
{
	to->kind = match->kind;
	to->every_app = match->every_app;
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
	int err = (unsigned)match->kind < OVERRIDE_KINDS ? check_text(match->site, true) : E_INVAL;

	return err == E_OK && match->app && !match->every_app ? check_text(match->app, true) : err;
}

bool override_holds(const struct override *override, int64_t now_s)
{
	return !override->until_s || override->until_s > now_s;
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
	copy->kind = from->kind;
	copy->since_s = from->since_s;
	copy->until_s = from->until_s;
	copy->to = from->to;
	copy->revision = from->revision;
	if (copy_text(&copy->site, from->site) && copy_text(&copy->app, from->app) &&
	    copy_text(&copy->reason, from->reason) && copy_text(&copy->who, from->who))
		return copy;
	return override_free(copy);
}

json_t *override_to_json(const struct override *override)
{
	json_t *object = json_pack("{s:s, s:s*, s:s*, s:s, s:I, s:I}", "site", override->site, "app", override->app,
	                           "reason", override->reason, "who", override->who, "since",
	                           (json_int_t)override->since_s, "until", (json_int_t)override->until_s);

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
	const char *form = kind == OVERRIDE_FORCE ? "{s:s, s?s, s?s, s:s, s:I, s?I, s:s}" :
	                                            "{s:s, s?s, s?s, s:s, s:I, s:I}";
	const char *site, *app = NULL, *reason = NULL, *who, *to = "auto";
	json_int_t since, until = 0;

	if (json_unpack(object, form, "site", &site, "app", &app, "reason", &reason, "who", &who, "since", &since, "until",
	                &until, "to", &to) < 0)
		return E_INVAL;

	struct override override = {.kind = kind, .site = (char *)site, .app = (char *)app, .reason = (char *)reason,
	                            .who = (char *)who, .since_s = since, .until_s = until};

	if (!override_force_read(to, &override.to) || override_check(&override) < 0)
		return E_INVAL;

	struct override *copy = override_copy(&override);

	if (!copy)
		return E_NOMEM;
	*ret_override = copy;
	return E_OK;
}
