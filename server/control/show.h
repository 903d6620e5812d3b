// The verbs that only show something. Each returns the reply, owned by the caller; NULL: out of memory. Main thread.
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/attr.h"

struct call;
struct shown_entry;

// About how many targets `apps` and `targets` show in one reply, how many overrides `status` and `drains` do, and how many
// zones `zones` does; a reply's "next" is the "from" of the next part. The parts form one consistent list if "generation" of
// `apps`, `targets` and `zones`, or "overrides_revision" of `status` and `drains`, is the same in all of them.
enum { SHOW_TARGETS_MAX = 2000, SHOW_OVERRIDES_MAX = 2000, SHOW_ZONES_MAX = 5000 };
// How many entries `learned` shows, of "count" that there are.
enum { SHOW_LEARNED_MAX = 1000 };

json_t *show_status(const struct call *call) MUST_USE;
json_t *show_drains(const struct call *call) MUST_USE;
json_t *show_sites(const struct call *call) MUST_USE;
json_t *show_apps(const struct call *call) MUST_USE;
json_t *show_targets(const struct call *call) MUST_USE;
json_t *show_explain(const struct call *call) MUST_USE;
json_t *show_sources(const struct call *call) MUST_USE;
json_t *show_discovery(const struct call *call) MUST_USE;
json_t *show_learned(const struct call *call) MUST_USE;
// The sites of an entry, best first, as a list of names.
json_t *show_learned_sites(const struct shown_entry *shown) MUST_USE;
json_t *show_zones(const struct call *call) MUST_USE;
json_t *show_stats(const struct call *call) MUST_USE;
json_t *show_version(const struct call *call) MUST_USE;
