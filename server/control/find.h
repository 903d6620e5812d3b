// Finds what a request names, or suggests what was probably meant; for the verbs. Main thread.
#pragma once

#include <jansson.h>

#include "base/attr.h"
#include "base/nearest.h"

struct live;
struct view;

// The published live part; NULL before anything is served, and then *ret_refusal is the reply.
const struct live *find_live(json_t **ret_refusal);
// Numbers in the view; -1 when there is none, and then *ret_refusal is the reply (NULL: out of memory).
int find_site(const struct view *view, const char *name, json_t **ret_refusal);
// Ignores case and a final dot.
int find_app(const struct view *view, const char *name, json_t **ret_refusal);
// The app's name nearest to `name`, owned by the view.
struct nearest find_near_app(const struct view *view, const char *name);
// `app` and `site` are numbers in the view.
int find_target(const struct view *view, int app, int site, json_t **ret_refusal);
