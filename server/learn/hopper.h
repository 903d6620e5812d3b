// The hopper: lines with measured round trips from several threads (the control socket's, the observer's), read at once and
// queued for the learner's. Bounded: what does not fit has to wait, or is dropped and counted.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "learn/observation.h"

enum { HOPPER_MAX = 16384, HOPPER_FROM_LEN = 128 };

struct hopper;

// What came of a text.
struct hopper_result {
	size_t used;                   // octets of it: less than all when the queue was full
	unsigned lines, bad;           // that are fine (empty ones too), and that are not
};

struct hopper_counts {
	uint64_t lines, bad;           // observations; lines that are none
	uint64_t dropped;              // octets that nobody had time to read
	char error[HOPPER_FROM_LEN + OBSERVATION_WHY_LEN]; // the last one, "": none
	int64_t error_s;
};

// Used by the caller alone. NULL when out of memory.
struct hopper *hopper_new(void) MUST_USE;
// One user more; returns it. Any thread.
struct hopper *hopper_use(struct hopper *hopper);
// One user less; the last one frees it. Takes NULL; returns NULL. Any thread.
struct hopper *hopper_free(struct hopper *hopper);
// Whether the caller is its only user.
bool hopper_is_alone(const struct hopper *hopper);

// Reads lines, of which the last one needs no line feed, until the queue is full. `from` says where they come from, in
// messages: "the file /var/log/rtt". Any thread.
void hopper_read(struct hopper *hopper, const char *from, const char *text, size_t len, struct hopper_result *ret_result);
// So many octets could not be read in time. Any thread.
void hopper_drop(struct hopper *hopper, size_t octets);
// The oldest one of the queue. False: it is empty.
bool hopper_take(struct hopper *hopper, struct observation *ret_observation);
void hopper_count(struct hopper *hopper, struct hopper_counts *ret_counts);
