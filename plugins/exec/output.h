// What a program of the operator's prints: lines of JSON, which become targets. See exec.c for what they are.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "edgesteer-plugin.h"
#include "lib/lines.h"

struct output {
	const struct edgesteer_host *host;
	struct lines lines;
	bool has_committed; // since it began
	int64_t begun_ms;   // since when something is not committed yet, see output_now_ms(); 0: there is nothing
};

// Begins with what comes from a descriptor that is read without waiting, and with a whole list. What begin() returns; the
// caller calls output_done() in either case.
int output_begin(struct output *output, const struct edgesteer_host *host, int fd);
void output_done(struct output *output);
// Takes what there is, up to a bound. 0: later more; 1: it has ended; negative: the program is to be ended (reported).
int output_take(struct output *output);

// A monotonic clock.
int64_t output_now_ms(void);
