// Finding what a request names, and saying what was probably meant when it is not there; for the verbs.
#pragma once

#include <jansson.h>

#include "base/attr.h"

struct live;
struct call;
struct view;

// The live part, or NULL and *ret_refusal before anything is served.
const struct live *find_live(json_t **ret_refusal);
// Numbers in the view, or -1 and *ret_refusal.
int find_site(const struct view *view, const char *name, json_t **ret_refusal);
// The final dot is not looked at, nor is case.
int find_app(const struct view *view, const char *name, json_t **ret_refusal);
// The app whose name is near, or NULL. The view's.
const char *find_near_app(const struct view *view, const char *name);
int find_target(const struct view *view, int app, int site, json_t **ret_refusal);
