// The arguments that the verbs which set and remove overrides share: what they are for, when, how fast, and who is
// behind them. Each refuses what is wrong: false, and *ret_refusal is the reply.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "state/override.h"

struct call;
struct view;

enum { ARGUMENTS_DAYS_MAX = 3650 };

// "site", "region" and "carrier" as one selector, or the name of a site, into buf[STATE_TEXT_MAX + 1].
bool arguments_sites(const struct call *call, char *buf, json_t **ret_refusal);
// The site or selector in the view, and the app there; override->app becomes the view's spelling.
bool arguments_find(const struct view *view, struct override *override, json_t **ret_refusal);
// "at", "for", "until" and "over" into the override, whose since_s is now.
bool arguments_times(const struct call *call, struct override *override, json_t **ret_refusal);
// "over" alone.
bool arguments_over(const struct call *call, uint32_t *ret_over_s, json_t **ret_refusal);
// "reason" and "by". `needs_reason`: where the config requires one, it must be there, unless the call changes nothing.
bool arguments_texts(const struct call *call, bool needs_reason, struct override *override, json_t **ret_refusal);
