// One look ahead at a time: a drain is looked at and given before the next one is, so that two of them, each harmless,
// are not given at once; and plans, which are many, wait for drains, not drains for plans. Main thread.
#pragma once

#include <stdbool.h>

#include "base/attr.h"

struct gate;

// A wait for one's turn, part of whatever it belongs to.
struct gate_turn {
	struct gate_turn *next; // private
	// It is its turn, until gate_leave(). With `is_closed` it has none, as the daemon stops; then gate_leave() is not
	// called.
	void (*enter)(struct gate_turn *turn, bool is_closed);
};

// NULL when out of memory.
struct gate *gate_new(void) MUST_USE;
// Nobody enters any more: those who wait are told, whoever is in finds gate_is_closed(). Takes NULL.
void gate_close(struct gate *gate);
// After everybody has left. Takes NULL; returns NULL.
struct gate *gate_free(struct gate *gate);

// Calls turn->enter() at once or later. `comes_first`: before those who do not.
void gate_wait(struct gate *gate, struct gate_turn *turn, bool comes_first);
void gate_leave(struct gate *gate);
bool gate_is_closed(const struct gate *gate) PURE;
