// What is left to the clients of an app when some of its targets are drained or down. The clients form groups: those of
// each carrier that one of its sites is for, who can reach its public targets and that carrier's, and all others, who
// can reach its public targets only (a group where it has one). Reach is nothing but that (site_reached_by), so a group
// stands for all rankings and place classes of its clients. Any thread; where a live part is published, by an online
// reader.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct app;
struct live;
struct site;

enum left { LEFT_UP, LEFT_DOWN, LEFT_NOTHING };
enum { LEFT_OTHERS = 0 }; // in the place of a carrier

// For a group of clients. By the targets that it can reach:
//
//   one is neither drained nor without an address, and up   LEFT_UP
//   one is neither drained nor without an address           LEFT_DOWN: fail-open answers it
//   else                                                    LEFT_NOTHING
//
// A target that is leaving counts as drained: it takes no more clients than it has.
enum left left_to(const struct live *live, const struct app *app, uint16_t carrier) PURE;
// The site of one of its targets.
const struct site *left_site(const struct live *live, const struct app *app, unsigned slot) PURE;
bool left_has_public(const struct live *live, const struct app *app) PURE;
// Whether a site of an earlier slot is for the carrier too: of a walk over all slots' carriers, it has been met.
bool left_was_met(const struct live *live, const struct app *app, unsigned slot, uint16_t carrier) PURE;
// Calls `group` for each group once: the carriers', in the order of the config, then LEFT_OTHERS.
void left_each_group(const struct live *live, const struct app *app, void (*group)(void *ctx, uint16_t carrier),
                     void *ctx);
