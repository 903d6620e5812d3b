// Whether a drain may be given: who is left with nothing by it, what goes over its ceiling, and how many of a carrier's
// sites are drained then. From two live parts of one view, without the change and with it; both are looked at by the
// functions that answer. Any thread that may read them.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct control_ceiling;
struct effect;
struct live;
struct sample_set;

enum { SAFETY_SHOWN_MAX = 100 }; // of each list; all is judged

struct safety_case {
	const struct live *before, *after;
	const struct effect *effect; // of all demand: as if nothing spilled; NULL: there are no samples
	const struct sample_set *samples;
	const char *app; // the app whose targets alone are drained, as the view spells it; NULL: all are
	const struct control_ceiling *ceilings;
	size_t ceiling_count;
	unsigned max_drained; // percent of a carrier's sites; 0: any number
};

// The truth table; a drain is refused if a row holds:
//
//   a group of an app's clients (left.h) that has some by the     had a target, has none
//   prefix table or by what is learned
//   a client of the samples                                       had a target, has none
//   a site or target with a ceiling                               gets more than before, and more than its ceiling
//   a carrier's sites (of the app), drained ones of them          more than before, and more than `max_drained`
//
// Adds to the object, which it takes, and returns it (NULL: out of memory):
//
//   "nothing": [{"app", "carrier" (null: all others, who reach its public sites alone), "gets", "reach" (sites),
//     "prefixes" (how many of the table have such clients), "examples" (prefixes)}]
//   "nothing_more": how many more of these groups there are
//   "ceilings": [{"site", "app" (null: of the whole site), "ceiling", "before", "after" (answers a second), "over"}],
//     those whose rate changes, or that are over, these first; without samples none
//   "carriers": [{"carrier", "sites", "before", "after" (drained ones), "most" (percent; null: any), "over"}], those
//     that change, those that are over first
//   "refusals": lines, each a part of a sentence that begins with "it"
//   "warnings": lines, of what could not be looked at
json_t *safety_judge(const struct safety_case *given, json_t *object) MUST_USE;
