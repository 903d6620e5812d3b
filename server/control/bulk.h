// The verbs `learned export` and `learned import`: what is learned, a part at a time, in the order of addresses, and the same
// rows back. Walks over the book and checks are on the background thread. Main thread.
//
// A row: {"prefix", "sites" [best first], "carrier", "class", "learned", "heard", "fresh_until", "held_until", "samples",
// "weight", "confidence"}, times in seconds since 1970; besides "prefix" any may be missing. `learned export` adds "source".
#pragma once

struct call;

// About how many rows `learned export` gives in a reply. Its "next" is the "after" of the next part; there is none in the last.
enum { BULK_PART = 2000 };

// {"rows", "next"}.
void bulk_export(const struct call *call);
// Takes "rows", all or, when something is wrong with any, none: then "refused" has [{"row" (of the list, from 0), "field",
// "why"}] and "wrong" how many there are. "total" is how many rows the whole file has; with "dry_run" only what would come of
// it is told. The reply has the counts of importing.h, and "queued", "written" and "lost" of state_progress():
// what was imported is on disk when "written" is as much as "queued" was then. An empty list only asks for these.
void bulk_import(const struct call *call);
