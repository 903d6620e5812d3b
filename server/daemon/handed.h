// When each target was last handed out, as far as it can be told from the workers' counters (view/handouts.h), which have
// no clock: a part of the targets is looked at every second, in turn, so that a round over very many takes a while. Main
// thread.
#pragma once

#include <stdint.h>

#include "base/attr.h"

struct event_base;
struct handed;
struct view;

enum { HANDED_PER_LOOK = 20000 };

// NULL: out of memory.
struct handed *handed_new(struct event_base *base) MUST_USE;
// Takes NULL; returns NULL.
struct handed *handed_free(struct handed *handed);
// When the target was handed out last, or up to one round later; wall clock. 0: not since the start, as far as is known.
int64_t handed_last_s(const struct handed *handed, const struct view *view, uint32_t target);
// Looks at the next targets, as is done every second while something is served.
void handed_look(struct handed *handed, const struct view *view, int64_t now_s);
