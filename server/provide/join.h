// A config as it was read, joined with what providers give. The builder's thread.
//
// What becomes of a provided target; the first row that fits counts:
//
//   its site is neither in `sites` nor in the catalogue       refused
//   its app is in the config, which has a target at the site  refused: the config's is used
//   its alias or check address is a name of ours              refused
//   there is no room: targets of the app, names looked up     refused
//   all its addresses are outside of the site's block         refused
//   its app is in the config                                  the app's, after those of the config, with the app's check
//   its app cannot be one (see overlay_refusal())             refused
//   else                                                      an app made from `defaults`, after those of the config
//
// Those of an app are in the order of the config's sites; at other sites behind these, by the sites' names.
//
// An app's check of a name that is no Host header refuses its targets, as it does for the config's own.
#pragma once

#include "base/attr.h"

struct config;
struct report;
struct zonedb;

// Makes the joined config, which uses `read`, or is `read` where nothing is provided; `snapshot` is a struct snapshot, and
// is borrowed (NULL: there was no memory for it). The first apps and sites are those of `read`, in its order. What is
// refused is listed in the result; nothing is reported. As generation_joiner.join(). E_NOMEM.
int join_config(void *snapshot, struct config *read, const struct zonedb *zones, struct report *report,
                struct config **ret_config) MUST_USE;
