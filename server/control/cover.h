// What an override covers in a view: the sites that its selector matches there, and its app's targets at these. For the
// verbs and for what publishes.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct override;
struct state;
struct view;

// Whether the override is for the site with that number, of every app or of its own.
bool cover_site(const struct view *view, const struct override *override, uint32_t site);
// The next site that the override is for, from number `site` on; -1: there is no other.
int cover_next_site(const struct view *view, const struct override *override, int site);
// Calls `each` for every target that the override is for, once.
void cover_each(const struct view *view, const struct override *override, void (*each)(void *ctx, uint32_t target),
                void *ctx);
// The same by lists, each for a site, of which none is empty: for what does little with each of very many.
void cover_lists(const struct view *view, const struct override *override,
                 void (*each)(void *ctx, const uint32_t *targets, uint32_t count), void *ctx);
// How many these are.
size_t cover_count(const struct view *view, const struct override *override);
// The drain that has taken effect for a site (`app` NULL) or for the app's target there, and holds; NULL: none does. Of
// several, the one that lasts longest. `now_s`: those whose until_s has passed do not hold.
const struct override *cover_drained(const struct state *state, const struct view *view, const char *app, uint32_t site,
                                     int64_t now_s);
