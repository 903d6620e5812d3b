// Refuses sources that have lost most of their prefixes since they were loaded for the generation in use: a truncated
// download or an empty export would otherwise send clients elsewhere without a word. Called by the daemon when a
// generation has been built for a reload.
#pragma once

#include "base/attr.h"

struct config;
struct report;
struct view;

// Compares each source of `locate`, and the latency table, with the one in use that has the same plugin and the same
// options; what has none there is new and is taken as it is. E_INVAL when one lost a larger share than its
// `shrink-limit`, with the numbers in the report. Any thread; all four must stay as they are meanwhile.
int shrink_check(const struct config *used, const struct view *used_view, const struct config *next,
                 const struct view *next_view, struct report *report) MUST_USE;
